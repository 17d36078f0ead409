"""ONNX: a graph of operators that onnxruntime evaluates, in one file that holds no code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidFrame, InvalidInput, ModelFailed
from ._library import comes_from, library, plain_classes, read_side, write_side

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "onnx"
FILE = "model.onnx"
SAFE = True
LIBRARIES: tuple[str, ...] = ("onnx", "onnxruntime")
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
}
_LABEL_TYPES = ("tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)")


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX model as an estimator.

    Attributes
    ----------
    content : bytes
        The model, byte for byte.
    classes : tuple or None
        Class labels in the order of the model's probabilities; None for what is no classifier.
    columns : tuple of str or None
        The columns of the rows, where the model takes them as one matrix.
    """

    content: bytes
    classes: tuple[Any, ...] | None = None
    columns: tuple[str, ...] | None = None

    @classmethod
    def of(cls, model: Any, classes: Sequence[Any] | None = None) -> OnnxModel:
        """Take a file, bytes or an ``onnx.ModelProto``.

        Parameters
        ----------
        classes
            Class labels, where the model's file does not hold them: a network that gives one probability per class,
            or one probability of the second of two. Its outputs must be probabilities, not logits.

        Raises
        ------
        InvalidInput
            If it is no ONNX model, keeps weights in other files, or does not say what its output means.
        """
        if isinstance(model, str | Path):
            content = Path(model).read_bytes()
        else:
            content = bytes(model) if isinstance(model, bytes | bytearray) else model.SerializeToString()
        proto = _parse(content)
        if any(tensor.external_data for tensor in _tensors(proto.graph)):
            raise InvalidInput(
                "The ONNX model keeps weights in other files: save it as one, "
                "onnx.save_model(model, path, save_as_external_data=False)."
            )
        known = classes if classes is not None else _labels(proto.graph)
        plain = plain_classes(known)
        made = cls(content, None if plain is None else tuple(plain))
        made.check()
        return made

    def check(self) -> None:
        """Raise `InvalidInput` unless what the model puts out can be read as classes or as values."""
        labels, values = self._outputs
        if self.classes is None and labels is not None:
            raise InvalidInput(
                "The ONNX model puts out labels but does not name its classes: "
                "register modelops_jupyter.OnnxModel.of(model, classes=[...])."
            )
        width = values.shape[-1] if values is not None and len(values.shape) > 1 else 1
        if self.classes is None and width not in (1, None) and isinstance(width, int):
            raise InvalidInput(
                f"The ONNX model puts out {width} values a row: if they are the probabilities of classes, register "
                "modelops_jupyter.OnnxModel.of(model, classes=[...])."
            )

    @cached_property
    def _session(self) -> Any:
        onnxruntime = library("onnxruntime", "onnx")
        try:
            return onnxruntime.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise InvalidInput(f"onnxruntime cannot load the ONNX model: {_first_line(error)}.") from error

    @cached_property
    def _outputs(self) -> tuple[Any, Any]:
        """The output that holds labels and the one that holds values or probabilities, None where there is none."""
        outputs = self._session.get_outputs()
        labels = next((output for output in outputs if output.type in _LABEL_TYPES), None)
        return labels, next((output for output in outputs if re.search("float|double", output.type)), None)

    @property
    def feature_names_in_(self) -> tuple[str, ...] | None:
        """The columns that the model reads, if they are known."""
        inputs = self._session.get_inputs()
        return tuple(node.name for node in inputs) if len(inputs) > 1 else self.columns

    @property
    def classes_(self) -> np.ndarray[Any, Any] | None:
        """Class labels, or None for what is no classifier."""
        import numpy as np

        return None if self.classes is None else np.asarray(self.classes)

    @property
    def gives_probabilities(self) -> bool:
        """Whether a classifier puts out more than a label."""
        return self._outputs[1] is not None

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a class or a value for each row."""
        import numpy as np

        labels, values = self._outputs
        if self.classes_ is None:
            return np.asarray(self._run(values, frame)).reshape(len(frame))
        if labels is not None:
            return np.asarray(self._run(labels, frame)).reshape(len(frame))
        chosen: np.ndarray[Any, Any] = self.classes_[self.predict_proba(frame).argmax(axis=1)]
        return chosen

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a probability for each row and class."""
        import numpy as np

        answer = self._run(self._outputs[1], frame)
        if isinstance(answer, list):  # a dictionary a row, from class to probability
            return np.asarray([[row[label] for label in self.classes or ()] for row in answer])
        matrix: np.ndarray[Any, Any] = np.asarray(answer).reshape(len(frame), -1)
        if matrix.shape[1] == 1:
            matrix = np.column_stack([1 - matrix, matrix])
        if matrix.shape[1] != len(self.classes or ()):
            raise InvalidInput(f"The ONNX model gives {matrix.shape[1]} probabilities for classes {self.classes}.")
        return matrix

    def _run(self, output: Any, frame: pd.DataFrame) -> Any:
        inputs = self._session.get_inputs()
        if len(inputs) == 1:
            fed = {inputs[0].name: _cells(frame, inputs[0].type)}
        else:
            fed = {node.name: _column(frame, at, node) for at, node in enumerate(inputs)}
        try:
            return self._session.run([output.name], fed)[0]
        except Exception as error:  # as above
            raise ModelFailed(f"The ONNX model cannot take these rows: {_first_line(error)}.") from error


def handles(model: Any) -> bool:
    """Return whether `model` is an ``onnx.ModelProto``, the bytes of one, or an `OnnxModel`."""
    return isinstance(model, OnnxModel | bytes | bytearray) or (
        comes_from(model, "onnx") and hasattr(model, "SerializeToString")
    )


def adapt(model: Any) -> OnnxModel:
    """Return `model` as an estimator."""
    return model if isinstance(model, OnnxModel) else OnnxModel.of(model)


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write the model, its classes and the columns it was given."""
    (folder / FILE).write_bytes(model.content)
    known = columns if columns is not None else model.columns
    write_side(folder, {"classes": model.classes, "columns": None if known is None else list(known)})


def read(folder: Path) -> OnnxModel:
    """Return the live model."""
    facts = read_side(folder)
    classes, columns = (None if facts[name] is None else tuple(facts[name]) for name in ("classes", "columns"))
    return OnnxModel((folder / FILE).read_bytes(), classes, columns)


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds an ONNX model."""
    return file.suffix == ".onnx"


def read_file(file: Path) -> OnnxModel:
    """Return the model in an ONNX file; see `OnnxModel.of`."""
    return OnnxModel.of(file)


def read_with_weights(file: Path, columns: Sequence[str] | None) -> OnnxModel:
    """Return the model in an ONNX file whose weights may lie in files beside it, as `mlflow.onnx` keeps them.

    Raises
    ------
    InvalidInput
        If it is no ONNX model, its weights are not beside it, or it does not say what its output means.
    """
    onnx = library("onnx", "onnx")
    from google.protobuf.message import DecodeError

    try:
        proto = onnx.load_model(str(file))
    except (DecodeError, onnx.checker.ValidationError, OSError, ValueError) as error:
        raise InvalidInput(f"{str(file)!r} cannot be read as an ONNX model ({_first_line(error)}).") from error
    model = OnnxModel.of(proto)
    return model if columns is None else replace(model, columns=tuple(columns))


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.onnx.load_model` reads."""
    onnx = library("onnx", "onnx")
    conf = {"data": FILE, "onnx_version": onnx.__version__, "providers": ["CPUExecutionProvider"]}
    return {"onnx": {**conf, "onnx_session_options": None}}


def _cells(frame: pd.DataFrame, kind: str) -> np.ndarray[Any, Any]:
    """Return `frame` as a matrix of the type that an input wants."""
    if kind not in _DTYPES:
        raise InvalidInput(f"The ONNX model takes {kind}, which no table holds: give it numbers, truth values or text.")
    try:
        cells = frame.to_numpy()
        return cells.astype("str").astype("object") if kind == "tensor(string)" else cells.astype(_DTYPES[kind])
    except (TypeError, ValueError) as error:
        raise InvalidFrame(f"The ONNX model takes {kind}, which the rows do not hold: {error}.") from error


def _column(frame: pd.DataFrame, at: int, node: Any) -> np.ndarray[Any, Any]:
    cells = _cells(frame.iloc[:, [at]], node.type)
    return cells if len(node.shape) == 2 else cells.ravel()


def _parse(content: bytes) -> Any:
    onnx = library("onnx", "onnx")
    from google.protobuf.message import DecodeError

    try:
        proto = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise InvalidInput(f"This is no ONNX model ({error}): export it again.") from error
    if not proto.graph.node:
        raise InvalidInput("This is no ONNX model, or one without any operator: export it again.")
    return proto


def _graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and every graph inside its operators."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _graphs(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    """Yield every tensor that a model carries."""
    for part in _graphs(graph):
        yield from part.initializer
        for sparse in part.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in part.node:
            for attribute in node.attribute:
                yield from (*attribute.tensors, *([attribute.t] if attribute.HasField("t") else []))


def _labels(graph: Any) -> list[Any] | None:
    """Return the class labels that a classifying operator of the graph names."""
    for node in reversed(graph.node):
        for attribute in node.attribute:
            if attribute.name == "classlabels_strings" and attribute.strings:
                return [label.decode() for label in attribute.strings]
            if attribute.name in ("classlabels_int64s", "classlabels_ints") and attribute.ints:
                return list(attribute.ints)
    return None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
