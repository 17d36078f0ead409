"""Two versions compared on what each of them predicted: the same requests, paired, in whichever role of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.evaluation import task_of_both
from modelops_jupyter.actions.versions import RegisteredVersion, find_version
from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.scoring.column_names import absence

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from modelops_jupyter.governance import Comparison
    from modelops_jupyter.log import PredictionSource
    from modelops_jupyter.sources import Sources
    from modelops_jupyter.store import Store

    Array = np.ndarray[Any, Any]


def check_no_rows(target: Any) -> None:
    """Raise `InvalidInput` for labels without the rows that they are of."""
    if target is not None:
        raise InvalidInput("target holds the labels of data: pass that too, or neither to compare what was logged.")


def compare_logged(
    store: Store,
    sources: Sources,
    reference: str | ModelReference,
    other: str | ModelReference,
    segments: Sequence[str],
) -> Comparison:
    """Compare the logged predictions of two versions of a model on the requests of both; see `Workspace.compare`."""
    from modelops_jupyter.governance import compare

    first, second = find_version(store, reference), find_version(store, other)
    task = task_of_both(first, second)
    if first.name != second.name:
        raise InvalidInput(
            f"{first.full_name} and {second.full_name} are of two models, whose logs have no request in common: pass "
            "rows for both with data= (--data)."
        )
    (a, b), _ = sources.read(first.name, lambda source: _paired(source.pinned(), first, second, segments))
    is_labelled = a.num_rows > 0 and a["label"].null_count == 0
    return compare(
        first.full_name,
        second.full_name,
        a.select([*segments, "request_id"]).to_pandas(),
        a["label"].to_pandas().to_numpy() if is_labelled else None,
        a["prediction"].to_pandas().to_numpy(),
        b["prediction"].to_pandas().to_numpy(),
        _scores(a),
        _scores(b),
        task,
        tuple(segments),
    )


def _paired(
    log: PredictionSource, first: RegisteredVersion, second: RegisteredVersion, segments: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """Return the predictions of the requests that both versions predicted, row by row; with labels, these alone.

    Raises
    ------
    NotFound
        If there are none.
    """
    import pyarrow.compute as pc

    a, b = (_predictions(log, version, segments) for version in (first, second))
    place = pc.index_in(a["request_id"], value_set=b["request_id"])
    a, b = a.filter(pc.is_valid(place)), b.take(pc.drop_null(place))
    if not a.num_rows:
        raise NotFound(
            f"There is no request that both {first.full_name} and {second.full_name} predicted: log what the other "
            "one would have answered with role='shadow' (--role shadow), or pass rows with data= (--data)."
        )
    labelled = pc.is_valid(a["label"])
    return (a.filter(labelled), b.filter(labelled)) if pc.any(labelled).as_py() else (a, b)


def _predictions(log: PredictionSource, version: RegisteredVersion, segments: Sequence[str]) -> pa.Table:
    rows = log.read_version(version.name, version.version, ("prediction", "score", *segments))
    if rows is None:
        raise NotFound(f"There is no prediction of {version.name!r}: log some, or pass rows with data= (--data).")
    missing = [name for name in segments if name not in rows.column_names]
    if missing:
        subject = f"The table of predictions of {version.name!r} has"
        raise InvalidFrame(absence(subject, missing[0], rows.column_names, why=" to make segments of"))
    return rows


def _scores(rows: pa.Table) -> Array | None:
    """Return the scores, None where one is missing."""
    import numpy as np

    scores: Array = rows["score"].to_pandas().to_numpy(dtype="float64")
    return scores if np.isfinite(scores).all() else None
