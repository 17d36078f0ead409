"""What verbs do that take more than a line: data are read, and a person who waits is shown how far it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.data_files import is_mlflow_address, labels_of
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.verb import Read
from modelops_jupyter.written import cleared, printable

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace


def register(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Register with the columns that the line names as labels."""
    model = a.model if is_mlflow_address(a.model) else read(a.model)
    data = read(a.data) if a.data else None
    reference = read(a.validated_on) if a.validated_on else None
    outcomes = labels_of(reference, a.outcomes, read)
    if outcomes is None and a.target in getattr(reference, "columns", ()):
        outcomes = a.target
    return ws.register(
        model,
        a.name,
        data=data,
        target=labels_of(data, a.target, read),
        reference=reference,
        outcomes=outcomes,
        inputs=a.input,
        run_id=a.run_id,
        kind=a.kind,
        decision=a.decision,
        metrics=assignments(a.metric),
        description=a.description,
        unsafe=a.unsafe,
    )


def adopt(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Adopt, with the rows that the line names, and show how far it is."""
    reference = read(a.validated_on) if a.validated_on else None
    return ws.adopt(
        a.name,
        all=a.all,
        reference=reference,
        outcomes=labels_of(reference, a.outcomes, read),
        new_name=a.new_name,
        unsafe=a.unsafe,
        on_progress=_show_pace,
    )


def evaluate(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Evaluate on the rows that the line names."""
    data = read(a.data)
    return ws.evaluate(a.version, data=data, target=labels_of(data, a.target, read), unsafe=a.unsafe)


def compare(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Compare on the rows that the line names."""
    data = read(a.data) if a.data else None
    target = labels_of(data, a.target, read) if a.data else a.target
    return ws.compare(a.version, a.other, data=data, target=target, segments=a.segment, unsafe=a.unsafe)


def predict_file(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Score the table that the line names, a file part by part; in a notebook also a table in memory."""
    data = a.data
    if data.isidentifier():  # a Python name, or a folder
        try:
            data = read(data)
        except NotFound:
            if not Path(data).is_dir():
                raise
    done = ws.predict_file(
        a.version,
        data,
        a.output,
        invalid=a.invalid,
        log=a.log,
        id=a.id,
        time=a.time,
        zone=a.zone,
        batch_id=a.batch_id,
        role=a.role,
        unsafe=a.unsafe,
    )
    return done if isinstance(data, str) else replace(done, source=a.data)  # a table by the name that the line gives it


def log_predictions(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Log the rows that the line names."""
    return ws.log_predictions(
        a.version,
        read(a.data),
        id=a.id,
        time=a.time,
        prediction=a.prediction,
        score=a.score,
        zone=a.zone,
        batch_id=a.batch_id,
        role=a.role,
    )


def log_labels(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Log the outcomes that the line names."""
    return ws.log_labels(
        a.name, read(a.data), id=a.id, label=a.label, event_time=a.event_time, zone=a.zone, batch_id=a.batch_id
    )


def run(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Run a pipeline, and show each step; in a terminal the cell that runs, too."""
    passing = _show_passing if sys.stderr.isatty() else None
    given = assignments(a.parameter)
    return ws.run(a.pipeline, parameters=given, jobs=a.jobs, resume=a.resume, on_progress=_show, on_cell=passing)


def run_notebook(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Run a notebook, and show each cell."""
    return ws.run_notebook(a.path, parameters=assignments(a.parameter), output=a.output, on_cell=_show)


def compare_data(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Compare the tables that the line names; Parquet files column by column, however large."""
    reference, current = (text if text.endswith(".parquet") else read(text) for text in (a.reference, a.current))
    return ws.compare_data(
        reference,
        current,
        timestamp=a.timestamp,
        every=a.every,
        zone=a.zone,
        alert_budget=a.alert_budget,
        fail_on=a.fail_on,
        junit=a.junit,
    )


def monitor(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Run the monitor."""
    options = {"every": a.every, "segments": a.segments, "alert_budget": a.alert_budget, "holidays": a.holidays}
    return ws.monitor(a.name, **options)


def backtest(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Backtest, and show how far it is."""
    series = {"version": a.version, "role": a.role}
    return ws.backtest(a.name, every=a.every, alert_budget=a.alert_budget, **series, on_progress=_show_pace)


def distribution(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Read a column's distribution."""
    return ws.distribution(a.name, a.column, window=a.window, every=a.every, version=a.version, role=a.role)


def explain(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Explain windows."""
    return ws.explain(a.name, window=a.window, until=a.until, every=a.every, version=a.version, role=a.role)


def multivariate_drift(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Test rows of windows against those before."""
    return ws.multivariate_drift(a.name, window=a.window, until=a.until, every=a.every, version=a.version, role=a.role)


def _show(event: Any) -> None:
    print(f"{cleared()}{printable(str(event))}", file=sys.stderr, flush=True)


def _show_passing(event: Any) -> None:
    """Show what runs now on one line of a terminal; whatever comes next takes its place."""
    import shutil

    text = " ".join(printable(str(event)).split())[: shutil.get_terminal_size().columns - 1]
    print(f"{cleared()}{text}", end="", file=sys.stderr, flush=True)


def _show_pace(event: Any) -> None:
    """Show how far a work is, on one line of a terminal or a notebook; a file gets nothing of it."""
    done = event.state == "completed"
    if sys.stderr.isatty():
        if done:
            print(cleared(), end="", file=sys.stderr, flush=True)
        else:
            _show_passing(event)
    elif type(sys.stderr).__module__.startswith("ipykernel") and event.number * 100 // event.total % 10 == 0:
        # Every tenth percent: a notebook that is executed without a reader keeps each of them.
        print(f"\r{event}", end="\n" if done else "", file=sys.stderr, flush=True)


def watch(ws: Workspace, a: argparse.Namespace, read: Read) -> Any:
    """Watch, and show each round."""
    return ws.watch(interval=a.interval, once=a.once, on_round=None if a.once else _show)


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` pairs; values as they are written, until the notebook's declaration says what they are."""
    from modelops_jupyter.pipelines import from_shell

    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InvalidInput(f"Parameter {pair!r} is not name=value.")
        values[name] = from_shell(text)
    return values
