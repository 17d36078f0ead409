"""`modelops demo`, run whole as a user runs it: interrupted once, killed once, finished, then started again.

What its pages and answers say is recomputed here from the raw log with scikit-learn and NumPy alone.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from sklearn.metrics import roc_auc_score
from waiting import until

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "flight_delay"
sys.path.insert(0, str(EXAMPLE))
import flights as flights_module  # noqa: E402
import training  # noqa: E402

pytestmark = [pytest.mark.demo, pytest.mark.timeout(900)]


DISTANCES = ("jensen_shannon", "kolmogorov_smirnov", "dependence", "rank_shift")


def modelops(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modelops_jupyter.cli", *words, "--workspace", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def demo(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "modelops_jupyter.cli", "demo", str(folder), "--no-dashboard"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"the demo ended without saying {words!r}")


def left_behind(folder: Path) -> list[str]:
    lines = (" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(folder) in line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo that had to begin three times."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    interrupted = demo(folder)
    wait_for(interrupted, "baseline: running")
    time.sleep(3)
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130
    assert "the same command goes on from here" in said
    assert not left_behind(folder)

    killed = demo(folder)
    wait_for(killed, "score-5: running")
    time.sleep(6)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    until(lambda: not left_behind(folder), 10)  # they look for their parent every half a second

    finished = demo(folder)
    said, progress = finished.communicate()
    assert finished.returncode == 0, progress[-3000:]
    return folder


@pytest.fixture(scope="module")
def status(folder: Path) -> dict:
    answer = modelops("status", "--json", folder=folder)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_the_story_is_on_record(status: dict) -> None:
    models = {model["name"]: model for model in status["models"]}
    assert {name: (model["kind"], model["versions"]) for name, model in models.items()} == {
        "flight-delay": ("ml", 4),
        "passenger-care": ("decision", 2),
    }
    history = [move for move in status["history"] if move["name"] == "flight-delay"]
    moves = [(move["action"], move["from_version"], move["to_version"]) for move in history]
    assert moves == [("promote", None, 2), ("promote", 2, 3), ("promote", 3, 4), ("rollback", 4, 3)]
    assert models["flight-delay"]["windows"] == models["flight-delay"]["windows_with_performance"] == 275
    assert models["passenger-care"]["windows"] == 275


@pytest.mark.parametrize("kind", ["performance", "drift"])
def test_alerts_name_window_column_figure_and_threshold(status: dict, kind: str) -> None:
    alerts = [alert for alert in status["alerts"] if alert["model"] == "flight-delay" and alert["kind"] == kind]
    assert alerts
    for alert in alerts:
        assert pd.Timestamp(alert["window_start"]).tz is not None
        metric = alert["metric"].removeprefix("recent_").removeprefix("estimated_")
        assert metric in (("roc_auc", "accuracy", "log_loss") if kind == "performance" else DISTANCES)
        assert bool(alert["column"]) == (kind == "drift")
        assert (alert["figure"] < alert["threshold"]) == (metric in ("roc_auc", "accuracy"))
        assert f"{alert['threshold']:.3g}" in alert["message"]


def test_the_summers_incidents_name_the_weather_and_the_money(folder: Path) -> None:
    answer = modelops("incidents", "flight-delay", "--json", folder=folder)
    rows = json.loads(answer.stdout)["rows"]
    summer = [row for row in rows if row["first_window"] < "2013-09-01" and row["last_window"] >= "2013-04-01"]
    # A spell of weather is an incident of its own; none blames what did not change.
    suspects = {name for row in summer for name in row["suspects"]}
    assert suspects & {"temp", "dewp"}  # the season
    assert len(suspects & set(flights_module.WEATHER)) >= 3
    for row in summer:
        assert row["owner"] == "Olivia (model owner)"
        if row["wrong_decisions"] is None:  # no loss is said that chance explains
            assert row["money"] is None
            continue
        assert row["currency"] == "USD"
        assert 0 < row["wrong_decisions_low"] < row["wrong_decisions"] < row["wrong_decisions_high"]
        assert row["money"] == pytest.approx(25 * row["wrong_decisions"])
    assert any(row["wrong_decisions"] is not None for row in summer)


def test_the_audit_chain_holds(folder: Path) -> None:
    assert modelops("verify-audit", folder=folder).returncode == 0


def raw(folder: Path, model: str, table: str) -> pd.DataFrame:
    """Read a table of the log file by file, past our own reader."""
    delta = DeltaTable(str(folder / ".modelops" / "log" / model / table))
    return pd.concat([pq.read_table(uri.removeprefix("file://")).to_pandas() for uri in delta.file_uris()])


def test_nothing_is_doubled_and_nothing_is_lost(folder: Path) -> None:
    flights = flights_module.load_flights()
    live = flights[flights["departure"].between(flights_module.LIVE_FROM, flights_module.LIVE_UNTIL, inclusive="left")]
    for model in ("flight-delay", "passenger-care"):
        logged = raw(folder, model, "predictions")
        assert sorted(logged["request_id"]) == sorted(live["flight_id"])
    labels = raw(folder, "flight-delay", "labels")
    known = live[live["late"].notna()]
    assert sorted(labels["request_id"]) == sorted(known["flight_id"])
    assert (labels["label"].astype(int).sum(), len(labels)) == (known["late"].sum(), len(known))


def test_three_random_windows_are_true(folder: Path) -> None:
    report = json.loads(modelops("monitor", "flight-delay", "--json", folder=folder).stdout)
    assert report["new_windows"] == 0
    predictions = raw(folder, "flight-delay", "predictions")
    labels = raw(folder, "flight-delay", "labels").set_index("request_id")["label"].astype(int)
    flights = flights_module.load_flights()
    seed = int(time.time())
    print(f"seed {seed}")  # shown when it fails
    for number in np.random.default_rng(seed).choice(275, 3, replace=False):
        window = report["windows"][number]
        start, end = (pd.Timestamp(window[key]) for key in ("window_start", "window_end"))
        rows = predictions[(predictions["timestamp"] >= start) & (predictions["timestamp"] < end)]
        assert (window["rows"], set(window["versions"])) == (len(rows), {str(rows["version"].iloc[0])})
        joined = rows.assign(label=rows["request_id"].map(labels)).dropna(subset="label")
        assert window["performance"]["roc_auc"]["value"] == pytest.approx(
            roc_auc_score(joined["label"], joined["score"]), abs=2e-3
        )
        reference = held_out(flights, int(rows["version"].iloc[0]))
        for column in ("distance", "temp", "carrier"):
            expected = population_stability(reference[column], rows[column])
            assert window["drift"][column]["psi"]["value"] == pytest.approx(expected, rel=1e-6), (start, column)


MONTHS = {2: [1, 2, 3], 3: [1, 2, 3, 4, 5, 6], 4: [9]}


def held_out(flights: pd.DataFrame, version: int) -> pd.DataFrame:
    """Return the rows that a version was validated on."""
    if version == 3:  # its first quarter is that of before going live, in full
        before = flights[flights["departure"] < flights_module.LIVE_FROM]
        since = pd.concat([flights_module.month(flights, number) for number in (4, 5, 6)])
        january = pd.Timestamp("2013-01-01", tz="UTC")
        return training.split(pd.concat([before[before["departure"] >= january], since]))[1]
    return training.split(pd.concat([flights_module.month(flights, number) for number in MONTHS[version]]))[1]


def population_stability(before: pd.Series, now: pd.Series) -> float:
    """Return the index by its definition: twentieths of the reference, or its categories and the rest."""
    if before.dtype == "str":
        names = before.value_counts().index[:100]
        p, q = (np.array([*(column == n for n in names), ~column.isin(names)]).sum(axis=1) for column in (before, now))
    else:
        edges = np.unique(np.quantile(before.dropna(), np.arange(1, 20) / 20))
        p, q = (
            np.bincount(np.searchsorted(edges, column.dropna(), side="left"), minlength=len(edges) + 1)
            for column in (before, now)
        )
    p, q = (np.maximum(counts / counts.sum(), 1e-4) for counts in (p, q))
    return float(np.sum((q - p) * np.log(q / p)))


def test_a_second_start_has_nothing_left_to_do(folder: Path) -> None:
    before = modelops("audit", "--json", folder=folder).stdout
    began = time.monotonic()
    with demo(folder) as process:
        process.communicate()
    assert process.returncode == 0
    assert time.monotonic() - began < 60  # a finished demo is minutes of work; this is generous to a busy machine
    assert modelops("audit", "--json", folder=folder).stdout == before


def test_executed_notebooks_are_kept_and_small(folder: Path) -> None:
    notebooks = list((folder / "modelops-runs").rglob("*.ipynb"))
    assert len(notebooks) >= 20
    assert max(file.stat().st_size for file in notebooks) < 1_000_000
