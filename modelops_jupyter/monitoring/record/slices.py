"""The results of a window's segments on record: one body for all of them, read as far as somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from modelops_jupyter.monitoring.record.packed import PackedFigures, pack_figures
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.monitoring.record.sheets import Block, SheetFigures, SheetNumbers, pack_number_sheets, pack_sheets

_FIGURES = ("performance", "estimated", "quality", "concept")


def pack_slices(windows: Sequence[WindowResult]) -> dict[str, Any]:
    """Return the results of some segments of one window as JSON data."""
    return {
        "window_start": windows[0].window_start,
        "window_end": windows[0].window_end,
        "series": windows[0].series,
        "holiday": windows[0].holiday,
        "pooled": windows[0].pooled,
        "segments": [window.segment for window in windows],
        "rows": [window.rows for window in windows],
        "labelled": [window.labelled for window in windows],
        "versions": [window.versions for window in windows],
        "findings": [[asdict(finding) for finding in window.findings] for window in windows],
        "drift": pack_sheets([window.drift for window in windows]),
        "cycle": pack_number_sheets([window.remembered for window in windows]),
        **{name: pack_figures({str(n): getattr(w, name) for n, w in enumerate(windows)}) for name in _FIGURES},
    }


def unpack_slices(body: Mapping[str, Any]) -> tuple[WindowResult, ...]:
    """Read what `pack_slices` wrote."""
    drift, cycle = Block(body["drift"]), Block(body["cycle"])
    figures = {name: PackedFigures(body[name]) for name in _FIGURES}
    return tuple(
        WindowResult(
            window_start=body["window_start"],
            window_end=body["window_end"],
            rows=body["rows"][n],
            labelled=body["labelled"][n],
            versions=body["versions"][n],
            findings=tuple(Finding(**finding) for finding in body["findings"][n]),
            segment=segment,
            series=body.get("series", ""),
            holiday=body.get("holiday", ""),
            pooled=body.get("pooled", 1),
            drift=SheetFigures(drift, n),
            cycle=SheetNumbers(cycle, n),
            **{name: _Row(known, str(n)) for name, known in figures.items()},
        )
        for n, segment in enumerate(body["segments"])
    )


class _Row(Mapping[str, Mapping[str, Any]]):
    """The figures of one segment, read with those of the others when somebody looks at them."""

    def __init__(self, figures: PackedFigures, name: str) -> None:
        self._figures, self._name = figures, name

    def __getitem__(self, metric: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._figures[self._name][metric]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures[self._name])

    def __len__(self) -> int:
        return len(self._figures[self._name])

    def __repr__(self) -> str:
        return repr(self._figures[self._name])
