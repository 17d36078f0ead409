"""A model's signature in MLflow's words, and rows to try it with."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.scoring.predictions import gives_probabilities

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, TensorSpec
    from mlflow.types.schema import AnyType, DataType

EXAMPLE, SERVING_EXAMPLE = "input_example.json", "serving_input_example.json"
EXAMPLE_ROWS = 5
_LOOKED_AT = 1000  # rows by which the type of a column of objects is judged


def signature(
    model: Any,
    frames: Sequence[pd.DataFrame],
    described: Sequence[Mapping[str, Any]],
    prediction: np.ndarray[Any, Any] | None,
) -> ModelSignature:
    """Return the signature of an adapted model.

    Parameters
    ----------
    frames
        All rows it has been seen with: training, reference.
    described
        Their columns, from `input_columns.describe`: one in which any of them lacks a value may be left out.
    prediction
        What it answered on some of them; None leaves the signature without outputs.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    columns = frames[0].columns
    # A matrix in a table: who asks through MLflow has names 0, 1, 2, which for it are other names than "0", "1", "2".
    named = list(columns) != [str(place) for place in range(len(columns))]
    inputs: list[ColSpec | TensorSpec] = []
    for column, facts in zip(columns, described, strict=True):
        parts = [frame[column] for frame in frames if column in frame.columns]
        required = not facts["missing"] or not named  # without names, MLflow only counts them
        inputs.append(ColSpec(_accepted(parts), name=column if named else None, required=required))
    method = ParamSpec("response_method", "string", "predict")
    options = {"params": ParamSchema([method])} if gives_probabilities(model) else {}
    return ModelSignature(Schema(inputs), None if prediction is None else Schema([_output(prediction)]), **options)


def _output(prediction: np.ndarray[Any, Any]) -> ColSpec | TensorSpec:
    import pandas as pd
    from mlflow.types import ColSpec, TensorSpec

    shape = (-1, *prediction.shape[1:])
    return TensorSpec(prediction.dtype, shape) if len(shape) > 1 else ColSpec(_declared(pd.Series(prediction)))


def _accepted(parts: Sequence[pd.Series[Any]]) -> DataType | AnyType:
    """Return the type by which MLflow lets through all that a column has held; any type where it has none such.

    MLflow refuses categories, times with a zone, and missing whole numbers and truth values in types of their own.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.models import validate_schema
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    if _is_plain(parts):
        return _declared(parts[0])
    samples = [_sample(part).to_frame("column") for part in parts]
    for declared in [_declared(part) for part in parts]:
        if isinstance(declared, AnyType):
            return declared
        try:
            for sample in samples:
                validate_schema(sample, Schema([ColSpec(declared, name="column")]))
            return declared
        except (MlflowException, TypeError, ValueError):  # pandas' own errors come through it
            continue
    return _any()


def _is_plain(parts: Sequence[pd.Series[Any]]) -> bool:
    """Tell whether a column is of one type that MLflow has too, which need not be tried."""
    import numpy as np
    import pandas as pd

    dtype = parts[0].dtype
    plain = (isinstance(dtype, np.dtype) and dtype.kind in "bifM") or isinstance(dtype, pd.StringDtype)
    return plain and all(part.dtype == dtype for part in parts)


def _any() -> AnyType:
    from mlflow.types.schema import AnyType

    return AnyType()  # type: ignore[no-untyped-call]


def _sample(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return some values, a missing one among them where there is one or the type is made for it."""
    import pandas as pd

    sample, gaps = values.head(_LOOKED_AT), values[values.isna()].head(1)
    if pd.api.types.is_extension_array_dtype(values.dtype) and values.dtype.kind in "iub":
        gaps = pd.Series([None], dtype=values.dtype)
    return pd.concat([sample, gaps], ignore_index=True) if len(gaps) else sample


def _declared(values: pd.Series[Any]) -> DataType | AnyType:
    """Return MLflow's type of a column by its dtype."""
    import pandas as pd
    from mlflow.types.schema import DataType

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.DatetimeTZDtype):
        return _any()
    if isinstance(dtype, pd.StringDtype) or dtype.kind == "U":
        return DataType.string
    if dtype.kind == "O":
        present = values.dropna()
        kind = pd.api.types.infer_dtype(present.head(_LOOKED_AT))
        complete = len(present) == len(values)
        # JSON's null becomes False where truth values are declared.
        by_kind = {"string": DataType.string, "bytes": DataType.binary}
        return DataType.boolean if kind == "boolean" and complete else by_kind.get(kind, _any())
    size = int(getattr(dtype, "itemsize", 8))
    by_kind = {
        "b": DataType.boolean,
        "i": DataType.integer if size <= 4 else DataType.long,
        "u": DataType.integer if size < 4 else DataType.long,
        "f": DataType.float if size <= 4 else DataType.double,
        "M": DataType.datetime,
    }
    return by_kind.get(dtype.kind, _any())


def write_examples(folder: Path, rows: pd.DataFrame) -> dict[str, str]:
    """Write rows as an input example and as a scoring request; return what MLmodel says of them."""
    table = {
        "columns": [column if isinstance(column, str | int) else str(column) for column in rows.columns],
        "data": [[_cell(value) for value in row] for row in rows.astype(object).itertuples(index=False, name=None)],
    }
    for name, content in ((EXAMPLE, table), (SERVING_EXAMPLE, {"dataframe_split": table})):
        (folder / name).write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    return {
        "artifact_path": EXAMPLE,
        "serving_input_path": SERVING_EXAMPLE,
        "type": "dataframe",
        "pandas_orient": "split",
    }


def _cell(value: Any) -> Any:
    """Return a value as JSON has it: None for a missing one, every digit of a number, ISO 8601 for a time."""
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0:  # a cell of several values
        return [_cell(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _cell(item) for key, item in value.items()}
    plain = value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else value
    if isinstance(plain, bool | int):
        return plain
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    if plain is None or str(plain) in ("<NA>", "NaT"):
        return None
    if isinstance(plain, dt.datetime):  # all with as many digits: MLflow reads a column's times by the first one's form
        return plain.isoformat(timespec="nanoseconds" if hasattr(plain, "nanosecond") else "microseconds")
    return plain.isoformat() if hasattr(plain, "isoformat") else str(plain)
