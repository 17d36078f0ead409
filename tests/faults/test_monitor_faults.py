"""Windows of one row, columns without a value, thousands of columns, a million categories, a run that dies."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import MonitorReport, run_monitor
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Reference, build_reference
from modelops_jupyter.profiles.scan import scan_column
from modelops_jupyter.store import Change, InMemoryStore

pytestmark = pytest.mark.slow

ANN = Actor("ann", "self-asserted")
BEGIN = 1_364_774_400_000_000  # 2013-04-01


def own(minutes: np.ndarray) -> dict[str, pa.Array]:
    rows = len(minutes)
    times = pa.array(BEGIN + minutes * 60_000_000).cast(pa.timestamp("us", tz="UTC"))
    texts = {name: pa.array([""] * rows) for name in ("alias", "decision")}
    return {
        "request_id": pa.array([f"r{m}" for m in minutes]),
        "timestamp": times,
        "model": pa.array(["m"] * rows),
        "version": pa.array([1] * rows, pa.int64()),
        **texts,
        "prediction": pa.array(["1"] * rows),
        "score": pa.array(np.full(rows, 0.5)),
    }


def odd(rows: int, seed: int = 0) -> dict[str, pa.Array]:
    generator = np.random.default_rng(seed)
    return {
        "null": pa.nulls(rows, pa.float64()),
        "nan": pa.array(np.full(rows, np.nan)),
        "infinite": pa.array(np.where(generator.random(rows) < 0.5, np.inf, -np.inf)),
        "constant": pa.array(np.full(rows, 3.0)),
        "huge": pa.array(generator.normal(size=rows) * 1e300),
        "no text": pa.nulls(rows, pa.string()),
        "word": pa.array(["<b>"] * rows),
        "fine": pa.array(generator.normal(size=rows)),
    }


def test_columns_without_values_leave_the_others_their_figures() -> None:
    reference = build_reference(pa.table(odd(40)))
    rows = pa.table({**own(np.arange(3000)), **odd(3000, 1)})
    found = list(scan_windows([Part.of_log(rows, "1D")], {1: reference}, "1D"))
    assert [window.profile.rows for window in found] == [1440, 1440, 120]
    for window in found:
        columns, rows_ = window.profile.columns, window.profile.rows
        assert columns["null"].nulls == columns["nan"].nan == columns["infinite"].infinite == rows_
        assert columns["no text"].nulls == columns["word"].counts[0] == sum(columns["fine"].counts) == rows_


def logged(folder: Path) -> tuple[PredictionLog, Reference]:
    minutes = np.concatenate([[0], np.arange(1440, 3 * 1440)])  # the first day has one row
    table = pa.table({**own(minutes), **odd(len(minutes))})
    log = PredictionLog(folder)
    log.append_predictions("m", table)
    return log, build_reference(pa.table(odd(40, 2)))  # smaller than its windows


def run(store: InMemoryStore, log: PredictionLog, reference: Reference) -> MonitorReport:
    return run_monitor("m", store=store, log=log, references={1: reference}, actor=ANN)


def test_every_figure_of_a_window_is_a_number_or_a_reason(tmp_path: Path) -> None:
    report = run(InMemoryStore(), *logged(tmp_path))
    assert [window.rows for window in report.windows] == [1, 1440, 1440]
    for window in report.windows:
        for figures in window.drift.values():
            assert all((figure["value"] is None) == bool(figure["reason"]) for figure in figures.values())
    assert report.windows[1].drift["fine"]["psi"]["value"] is not None


def test_a_run_that_dies_at_its_commit_leaves_nothing_and_is_made_up_for(tmp_path: Path) -> None:
    class Dying(InMemoryStore):
        deaths = 1

        def commit(self, change: Change):  # type: ignore[no-untyped-def]
            if self.deaths:
                self.deaths -= 1
                raise KeyboardInterrupt
            return super().commit(change)

    log, reference = logged(tmp_path)
    store = Dying()
    with pytest.raises(KeyboardInterrupt):
        run(store, log, reference)
    assert not any(store.find(kind) for kind in ("window", "profile", "monitor", "alert"))
    again = run(store, log, reference)
    assert again.windows == run(InMemoryStore(), log, reference).windows
    assert again.new_windows == 3


def test_a_column_of_a_million_words_and_a_table_of_five_thousand_columns() -> None:
    many = pa.chunked_array([pa.array(np.arange(1_000_000)).cast(pa.string())])
    known = pa.array(np.arange(200) % 100).cast(pa.string())  # twice each: words, and no identifiers
    reference = build_reference(pa.table({"word": known}))
    found = scan_column(many, reference.binning.columns["word"])
    assert (found.n, found.unseen + sum(found.counts), len(found.others)) == (1_000_000, 1_000_000, 32)
    assert found.distinct == pytest.approx(1e6, rel=0.5)
    wide = pa.table({f"c{n}": np.arange(60.0) + n for n in range(5000)})
    rows = wide
    for name, column in own(np.arange(0, 60 * 60, 60)).items():
        rows = rows.append_column(name, column)
    windows = list(scan_windows([Part.of_log(rows, "1D")], {1: build_reference(wide)}, "1D"))
    assert sum(window.profile.rows for window in windows) == 60
    assert all(len(window.profile.columns) == 5000 for window in windows)
    assert windows[1].start - windows[0].start == timedelta(days=1)
