"""What callers pass as data, target, reference and outcomes, as the features of a model and the labels of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.class_labels import as_classes
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import outcomes, to_pandas
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.registry import TrainingRows

NO_VALIDATION_ROWS = "no validation rows were given"
MOST_TRAINING_ROWS = 0.1  # of validation rows: more say little of rows that are new
TRAINING_ROWS = "the validation rows are those that the model was fitted on, where any model can look good"
WRITE_LABELS = "Write the labels as the model's target was written, and leave unknown ones empty."


@dataclass(frozen=True)
class RegistrationRows:
    """The rows that a registration rests on, with the columns that the model was fitted on.

    Attributes
    ----------
    data, target
        Training rows and their labels.
    reference, labels
        What monitoring compares with: the validation rows and their labels, or else the training rows.
    unmeasurable : str or None
        Why metrics on the reference would show nothing: it is what the model was fitted on.
    training : TrainingRows or None
        Hashes of `data`.
    """

    data: pd.DataFrame | None
    target: pd.Series[Any] | None
    reference: pd.DataFrame | None
    labels: pd.Series[Any] | None
    unmeasurable: str | None = None
    training: TrainingRows | None = None


def read_rows(
    model: Any, data: Any, target: Any, reference: Any, outcomes: Any, training: TrainingRows | None = None
) -> RegistrationRows:
    """Read what `Workspace.register` takes as rows.

    Parameters
    ----------
    training
        Hashes of the training rows that are on record already, for a model that is registered again.

    Raises
    ------
    InvalidFrame
        If a column that the model was fitted on is missing, or there is not one label for each row.
    InvalidInput
        If labels are given without their rows, or twice.
    """
    from modelops_jupyter.registry import TrainingRows
    from modelops_jupyter.scoring.predictions import own_columns

    rows, own_labels = reference if isinstance(reference, tuple) else (reference, None)
    if own_labels is not None and outcomes is not None:
        raise InvalidInput("The labels of the reference were given twice: leave out outcomes, or pass the table alone.")
    if outcomes is not None and rows is None:
        raise InvalidInput("outcomes are the labels of the reference: pass that too, with reference= (--validated-on).")
    if data is None and target is not None:
        raise InvalidInput("target holds the labels of data: pass that too, or the reference's labels with outcomes=.")
    features, labels = None, None
    if data is not None:
        table, labels = split_labels(data, target, "data")
        features = features_of(model, table, labels, "data")
    before, training = training, training if features is None else TrainingRows.of(features)
    if rows is None:
        return RegistrationRows(features, labels, features, labels, NO_VALIDATION_ROWS, training)
    given, label = outcomes if own_labels is None else own_labels, label_name(target)
    table, names = to_pandas(rows, "reference"), fitted_columns(model)
    if names is None and features is not None:
        names = [str(name) for name in features.columns]
    if given is None and label in table.columns and label not in (names or ()):
        given = label
    _check_order(rows, given, "reference")
    table, validation_labels = _split(table, given, "reference")
    if names is None:
        table = features_of(model, table, validation_labels, "reference")
    else:
        table = table[own_columns(names, table, "The reference has")]
    reasons = (learnt_from(learnt, table) for learnt in (before, training) if learnt is not None)
    reason = next(filter(None, reasons), None)
    return RegistrationRows(features, labels, table, validation_labels, reason, training)


def learnt_from(training: TrainingRows, frame: pd.DataFrame) -> str | None:
    """Return why metrics on some rows would show nothing, where they are training rows."""
    share = training.share_of(frame)
    if share <= MOST_TRAINING_ROWS:
        return None
    if share > 0.99:
        return TRAINING_ROWS
    return f"{share:.0%} of the validation rows are rows that the model was fitted on, where any model can look good"


def split_labels(table: Any, labels: Any, what: str) -> tuple[pd.DataFrame, pd.Series[Any] | None]:
    """Return the columns of a table without the labels, and the labels.

    Parameters
    ----------
    labels
        The name of one of the table's columns, a label for each row, or None.
    what
        What the table is to the caller, for messages: ``data`` or ``reference``.

    Raises
    ------
    InvalidFrame
        If there is no such column, not one label for each row, or their index is that of the rows in another order.
    """
    _check_order(table, labels, what)
    return _split(to_pandas(table, what), labels, what)


def _check_order(table: Any, labels: Any, what: str) -> None:
    """Refuse labels that pandas would put in another order than they stand in, which is the one that counts here."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or not isinstance(labels, pd.Series | pd.DataFrame):
        return
    rows, own = table.index, labels.index
    if len(rows) == len(own) and not rows.equals(own) and rows.isin(own).all() and own.isin(rows).all():
        raise InvalidFrame(
            f"The labels of the {what} have the index of its rows in another order: pass labels.loc[rows.index], or "
            "labels.to_numpy() if they stand in the order of the rows."
        )


def _split(frame: pd.DataFrame, labels: Any, what: str) -> tuple[pd.DataFrame, pd.Series[Any] | None]:
    if labels is None:
        return frame, None
    if isinstance(labels, str):
        if labels not in frame.columns:
            known = ", ".join(str(name) for name in frame.columns[:20])
            raise InvalidFrame(f"There is no column {labels!r} in the {what}, which has {known}.")
        return frame.drop(columns=[labels]), frame[labels].reset_index(drop=True)
    values = _series(labels)
    if len(values) != len(frame):
        raise InvalidFrame(f"The {what} has {len(frame)} rows and {len(values)} labels: pass one for each row.")
    return frame, values


def _series(labels: Any) -> pd.Series[Any]:
    """Return labels as a Series without an index; a table of one column is that column."""
    import pandas as pd

    name = label_name(labels)
    if hasattr(labels, "to_pandas"):  # polars, Arrow
        labels = labels.to_pandas()
    if isinstance(labels, pd.DataFrame) and labels.shape[1] == 1:
        labels, name = labels.iloc[:, 0], str(labels.columns[0])
    if isinstance(labels, list) and all(isinstance(label, list | tuple) and len(label) == 1 for label in labels):
        labels = [label[0] for label in labels]
    if getattr(labels, "ndim", 1) == 2 and labels.shape[1] == 1:
        labels = labels.ravel() if hasattr(labels, "ravel") else labels[:, 0]
    if getattr(labels, "ndim", 1) != 1:
        raise InvalidFrame(f"Labels are one column, not {labels.shape[1]}: pass one label for each row.")
    return pd.Series(list(labels), name=name)


def label_name(labels: Any) -> str | None:
    """Return the name of the column that labels come from, where they know it."""
    name = labels if isinstance(labels, str) else getattr(labels, "name", None)
    return name if isinstance(name, str) else None


def fitted_columns(model: Any) -> list[str] | None:
    """Return the columns that a model was fitted on, or None if it does not remember them."""
    from modelops_jupyter.scoring.formats import adapt

    names = getattr(adapt(model), "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def features_of(model: Any, frame: pd.DataFrame, labels: pd.Series[Any] | None, what: str) -> pd.DataFrame:
    """Return the columns of `frame` that the model was fitted on, in its order.

    A model that does not remember them takes all columns, but not a column that holds the labels.

    Raises
    ------
    InvalidFrame
        If one is missing.
    """
    from modelops_jupyter.scoring.formats import adapt
    from modelops_jupyter.scoring.predictions import own_columns

    names = fitted_columns(model)
    if names is not None:
        return frame[own_columns(names, frame, f"The {what} has")]
    if labels is None or labels.name not in frame.columns:
        return frame
    width = getattr(adapt(model), "n_features_in_", None)
    repeated = _series(frame[labels.name]).equals(labels) if width is None else width == len(frame.columns) - 1
    return frame.drop(columns=[labels.name]) if repeated else frame


def read_classes(labels: pd.Series[Any], classes: Sequence[str], what: str, model: str) -> tuple[pd.Series[Any], str]:
    """Return labels written as the classes of a model are, and what is to be said of those of new classes.

    `as_classes` reads them, as it does those that are logged: ``True``, ``1`` and ``1.0`` are one label.

    Parameters
    ----------
    what
        The rows that they are of: ``data`` or ``reference``.
    model
        The model as messages name it.

    Raises
    ------
    InvalidFrame
        If labels are of no class, but for those of a new one among more than two.
    """
    column = f"The label column of the {what}"
    read, _ = as_classes(labels, classes, model, WRITE_LABELS, column)
    strange = int((read.notna() & ~read.isin(classes)).sum()) if classes else 0
    return read, f"{count(strange, 'label')} of no class of {model} counted as predicted wrongly" if strange else ""


def labels_fingerprint(labels: pd.Series[Any]) -> str:
    """Return a fingerprint of labels as `outcomes` writes them: two versions with the same were given the same rows."""
    from modelops_jupyter.registry import data_fingerprint

    return data_fingerprint(labels.to_frame("outcome"), ordered=True)


def distinct_rows(frame: pd.DataFrame, labels: pd.Series[Any] | None) -> int:
    """Return how many distinct rows with a label a table has."""
    import numpy as np

    from modelops_jupyter.registry import row_hashes

    if labels is None:
        return 0
    labelled = labels.notna().to_numpy()
    return len(np.unique(row_hashes(frame[labelled], labels[labelled])))


def is_training_data(fingerprint: str | None, frame: pd.DataFrame, labels: pd.Series[Any] | None) -> bool:
    """Return whether rows are those that a version was fitted on, whose fingerprint is on record."""
    from modelops_jupyter.registry import data_fingerprint

    if fingerprint is None:
        return False
    return fingerprint in (data_fingerprint(frame, labels), data_fingerprint(frame))


def as_labels(labels: pd.Series[Any] | None, task: str) -> pd.Series[Any] | None:
    """Return labels as the log and metrics have them."""
    return None if labels is None else outcomes(labels, task)
