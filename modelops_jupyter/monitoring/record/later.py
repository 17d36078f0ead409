"""Windows of a report that are read from the record when somebody looks at them, and those that a run judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.monitoring.record.segment_drift import SegmentDrift, recorded_drift, segment_drift
from modelops_jupyter.monitoring.record.slices import unpack_slices

Bodies = Sequence[Mapping[str, Any]]


class LaterWindows(Sequence[WindowResult]):
    """Windows as a whole: `read` returns those on record, `judged` come after them."""

    def __init__(self, read: Callable[[], Bodies], judged: Sequence[WindowResult] = ()) -> None:
        self._read, self._judged = read, tuple(judged)

    @cached_property
    def _bodies(self) -> Bodies:
        return self._read()

    @cached_property
    def _all(self) -> tuple[WindowResult, ...]:
        return (*map(WindowResult.unpacked, self._bodies), *self._judged)

    @overload
    def __getitem__(self, place: int) -> WindowResult: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[WindowResult, ...]: ...
    def __getitem__(self, place: int | slice) -> WindowResult | tuple[WindowResult, ...]:
        return self._all[place]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all)


class LaterSlices(LaterWindows):
    """Windows' segments: each body on record holds all of a window's."""

    @cached_property
    def _all(self) -> tuple[WindowResult, ...]:
        return (*(window for body in self._bodies for window in unpack_slices(body)), *self._judged)

    def drift(self, metric: str) -> SegmentDrift:
        """Return a drift metric of all segments, without a result for each."""
        return recorded_drift(self._bodies, metric) + segment_drift(self._judged, metric)
