"""Closed segments on their way to the prediction log: a batch for each version; what is refused is refused alone."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import DependencyFailed, StoreDamaged, StoreFull
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.serving.spool import Logged, read_segment
from modelops_jupyter.settings import Settings

MOST_ATTEMPTS = 256  # appends of parts of one batch; what is left then is refused without one
MOST_SHAPES = 20  # batches of one version without a contract; what is left goes into one more
_NUMBERS = (int, float)


@dataclass(frozen=True)
class SegmentOutcome:
    """What became of a segment.

    Attributes
    ----------
    rows : int
        Rows that are in the log.
    refused : tuple of Logged
        Requests that the log refuses, now and whenever it is asked again.
    refusal : str
        Why, of the first.
    waiting : str
        Why the rest waits for another attempt; empty where nothing does.
    """

    rows: int
    refused: tuple[Logged, ...]
    refusal: str
    waiting: str


def log_segment(settings: Settings, file: Path) -> SegmentOutcome:
    """Append the predictions of a segment to the log; those of one model never wait for another one's log.

    Raises
    ------
    StoreFull
        If the disk has no room.
    DependencyFailed
        If the store cannot be read.
    OSError
        If the segment cannot be read.
    """
    versions: dict[tuple[str, int, str], list[Logged]] = defaultdict(list)
    for logged in read_segment(file):
        versions[logged.model, logged.version, logged.alias].append(logged)
    if not settings.store_path.exists():
        raise StoreDamaged(f"{settings.store_path} is not there: restore it from a backup.")
    rows, refused, refusals, waiting = 0, [], [], []
    with Foundations(settings) as foundations:
        for (model, version, alias), requests in versions.items():
            batch = f"{file.stem}-{model}-{version}"
            try:
                logged_rows, odd, refusal = _log_version(
                    foundations, ModelReference(model, version, alias or None), requests, batch
                )
            except StoreFull:
                raise
            except (DependencyFailed, OSError, MemoryError) as error:
                waiting.append(str(error) or type(error).__name__)
                continue
            rows += logged_rows
            refused += odd
            refusals += [refusal] if odd else []
    return SegmentOutcome(rows, tuple(refused), next(iter(refusals), ""), next(iter(waiting), ""))


def _log_version(
    foundations: Foundations, reference: ModelReference, requests: list[Logged], batch: str
) -> tuple[int, list[Logged], str]:
    from modelops_jupyter.actions.versions import find_version
    from modelops_jupyter.serving.live import serving_contract

    try:
        version = find_version(foundations.store, reference)
        contract = serving_contract(foundations.store, version)
    except DependencyFailed:
        raise
    except Exception as error:  # such a version is not on record any more
        return 0, list(requests), _sentence(error)

    def append(some: list[Logged], name: str) -> int:
        return _append(foundations, reference, contract, some, name)

    rows, refused, refusal = 0, list[Logged](), ""
    for name, some in ({batch: requests} if contract else _by_shape(requests, batch)).items():
        done, odd, reason = append_apart(append, some, name)
        rows, refused, refusal = rows + done, refused + odd, refusal or reason
    return rows, refused, refusal


def append_apart(
    append: Callable[[list[Logged], str], int], requests: Sequence[Logged], batch: str
) -> tuple[int, list[Logged], str]:
    """Append requests in one batch, else in parts, until those are alone that the log refuses.

    The names of parts follow from their places, so that a part that is sent again is written once.

    Returns
    -------
    tuple
        How many rows are in the log, the requests that are refused, and why the first of them is.
    """
    from modelops_jupyter.log import PutAside

    rows, refused, refusal = 0, list[Logged](), ""
    parts = [(0, len(requests))]
    for _ in range(MOST_ATTEMPTS):
        if not parts:
            break
        start, stop = parts.pop()
        some = list(requests[start:stop])
        try:
            rows += append(some, batch if len(some) == len(requests) else f"{batch}-{start}-{stop}")
        except (DependencyFailed, OSError, MemoryError):  # asking again may change it
            raise
        except Exception as error:
            if stop - start == 1 or isinstance(error, PutAside):  # rows of one shape: all of them misfit
                refused += some
                refusal = refusal or _sentence(error)
                continue
            middle = (start + stop) // 2
            parts += [(middle, stop), (start, middle)]
    return rows, refused + [one for start, stop in reversed(parts) for one in requests[start:stop]], refusal


def _by_shape(requests: Sequence[Logged], batch: str) -> dict[str, list[Logged]]:
    """Return requests by the columns and the kinds of values in them: of those alike, the log takes all or none."""
    shapes: dict[str, list[Logged]] = {}
    for request in requests:
        shape = sorted((name, sorted({_kind(value) for value in of})) for name, of in request.columns.items())
        name = f"{batch}-{zlib.crc32(repr(shape).encode()):08x}"
        shapes.setdefault(name if name in shapes or len(shapes) < MOST_SHAPES else f"{batch}-others", []).append(
            request
        )
    return shapes


def _kind(value: Any) -> str:
    return "number" if type(value) in _NUMBERS else type(value).__name__


def _sentence(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or repr(error)


def _append(
    foundations: Foundations,
    reference: ModelReference,
    contract: Sequence[Mapping[str, Any]],
    requests: list[Logged],
    batch: str,
) -> int:
    import pandas as pd

    from modelops_jupyter.actions.prediction_logging import log_predictions
    from modelops_jupyter.scoring.contract import conform

    sizes = [len(request.ids) for request in requests]
    names = dict.fromkeys(name for request in requests for name in request.columns)
    columns: dict[str, list[Any]] = {
        name: [
            value
            for request, size in zip(requests, sizes, strict=True)
            for value in request.columns.get(name) or [None] * size
        ]
        for name in names
    }
    frame = conform(pd.DataFrame(columns), contract).frame
    frame = frame.assign(
        request_id=[name for request in requests for name in request.ids],
        timestamp=pd.to_datetime(
            [request.time for request, size in zip(requests, sizes, strict=True) for _ in range(size)], utc=True
        ),
        prediction=pd.Series([value for request in requests for value in request.predictions]).to_numpy(),
    )
    scored = all(request.scores is not None for request in requests)
    if scored:
        frame = frame.assign(score=[score for request in requests for score in request.scores or ()])
    log_predictions(
        foundations.store,
        foundations.sources.log_of(reference),
        reference,
        frame,
        id="request_id",
        time="timestamp",
        prediction="prediction",
        score="score" if scored else None,
        batch_id=batch,
    )
    return len(frame)
