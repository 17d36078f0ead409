"""A loss is stated with its interval, and only where chance does not explain it."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import modelops_jupyter
from modelops_jupyter.actions.casework import loss_text
from modelops_jupyter.display.plain import alert_sentence
from modelops_jupyter.monitoring.explaining.rise import rise_of, rise_words
from modelops_jupyter.monitoring.explaining.segments import Losses
from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.incidents.analysis import analyse
from modelops_jupyter.monitoring.incidents.chronicle import chronicle_of
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.loss import Excess, Loss, wrong_decisions
from modelops_jupyter.monitoring.record.results import Finding, WindowResult

PACKAGE = Path(modelops_jupyter.__file__).parent


def window(rows: int, labelled: int, right: int, **more: Any) -> WindowResult:
    performance = {"accuracy": intervals.share(right, labelled).to_dict()} if labelled else {}
    return WindowResult("2013-04-01", "2013-04-02", rows, labelled, {"1": rows}, performance, {}, (), **more)


def estimated(rows: int, value: float, half: float) -> WindowResult:
    figure = {"value": value, "low": value - half, "high": value + half}
    return WindowResult("2013-04-01", "2013-04-02", rows, 0, {"1": rows}, {}, {}, (), estimated={"accuracy": figure})


def excess_of(windows: Sequence[WindowResult], reference: Figure) -> Excess:
    found = wrong_decisions(windows, {1: reference})
    assert found is not None
    return found


def test_the_interval_is_newcombes() -> None:
    """56 of 70 against 48 of 80: 0.0524 to 0.3339 (Newcombe, Statistics in Medicine 1998, table II, method 10)."""
    found = excess_of([window(80, 80, 48)], intervals.share(56, 70))
    assert (found.value / 80, found.low / 80, found.high / 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


counts = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(st.lists(counts, min_size=1, max_size=6), counts, st.integers(1, 5), st.sampled_from([None, 20.0]))
def test_there_is_a_sentence_where_the_interval_excludes_zero_and_nowhere_else(
    windows: list[tuple[int, int]], reference: tuple[int, int], part: int, cost: float | None
) -> None:
    found = excess_of([window(n * part, n, right) for n, right in windows], intervals.share(reference[1], reference[0]))
    assert found.low <= found.value <= found.high
    loss = Loss.of(found, cost, "EUR")
    text = loss_text(vars(loss))
    assert bool(text) == (found.low > 0)
    assert (loss.money is not None) == (cost is not None and found.low > 0)
    if text:
        assert f"interval {found.low:,.0f} to {found.high:,.0f}" in text
        assert ("EUR" in text) == (cost is not None)


@given(st.integers(30, 5_000), st.floats(0, 1), st.floats(0, 0.5))
def test_a_loss_by_estimate_has_the_estimates_interval(rows: int, value: float, half: float) -> None:
    found = excess_of([estimated(rows, value, half)], Figure(0.8, low=0.8, high=0.8))
    ends = (found.low, found.value, found.high)
    assert ends == pytest.approx(((0.8 - value - half) * rows, (0.8 - value) * rows, (0.8 - value + half) * rows))
    assert found.basis == "estimated"
    twice = excess_of([estimated(rows, value, half)] * 2, Figure(0.8, low=0.8, high=0.8))
    assert twice.high - twice.value == pytest.approx(2 * (found.high - found.value))  # they err together


def healthy_share(seed: int, accuracy: float, rows: int, windows: int, spread: float = 0.0, before: int = 0) -> float:
    """Return how often a loss is stated where none is: windows and reference have one accuracy, days differ by it."""
    generator, stated, worlds = np.random.default_rng(seed), 0, 400
    for _ in range(worlds):
        known = int(generator.integers(300, 20_000))
        reference = intervals.share(generator.binomial(known, accuracy), known)
        days = np.clip(accuracy + spread * generator.normal(size=windows + before), 0, 1)
        labelled = np.maximum(30, generator.binomial(rows, generator.uniform(0.2, 1), windows + before))
        every = [window(rows, int(n), int(generator.binomial(n, p))) for n, p in zip(labelled, days, strict=True)]
        found = wrong_decisions(every[before:], {1: reference}, every[:before])
        stated += bool(loss_text(vars(Loss.of(found, None, ""))))
    return stated / worlds


@pytest.mark.parametrize("accuracy", [0.6, 0.9, 0.99])
@pytest.mark.parametrize(("rows", "windows"), [(100, 1), (1_000, 3), (300, 14)])
def test_without_a_change_a_loss_is_stated_in_at_most_five_of_a_hundred_incidents(
    accuracy: float, rows: int, windows: int
) -> None:
    assert healthy_share(0, accuracy, rows, windows) <= 0.05


@pytest.mark.parametrize(("windows", "before"), [(1, 28), (3, 28), (3, 7), (7, 0), (14, 0)])
def test_days_that_differ_are_no_loss(windows: int, before: int) -> None:
    assert healthy_share(1, 0.8, 1_000, windows, 0.03, before) <= 0.05


def test_a_loss_that_is_there_is_stated() -> None:
    assert loss_text(vars(Loss.of(excess_of([window(1_000, 900, 630)], intervals.share(8_000, 10_000)), None, "")))


def alert(metric: str) -> dict[str, Any]:
    return {
        **{"model": "delay", "kind": "performance", "column": "", "metric": metric, "figure": 0.5, "threshold": 0.6},
        **{"window_start": "2013-04-01T00:00:00+00:00", "window_end": "2013-04-02T00:00:00+00:00", "state": "open"},
        **{"last_window": "2013-04-01T00:00:00+00:00", "message": "", "every": "1D"},
    }


NAMES = ("roc_auc", "accuracy", "log_loss", "mean_absolute_error")


@given(
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.sets(st.sampled_from(NAMES)),
    st.sets(st.sampled_from(NAMES)),
)
def test_what_is_estimated_alone_is_estimated_to_have_got_worse(
    estimates: set[str], realised: set[str], by_label: set[str]
) -> None:
    alerts = [alert(f"estimated_{name}") for name in estimates - realised] + [alert(name) for name in realised]
    findings = tuple(Finding("performance", "", f"recent_{name}", 0.5, 0.6) for name in sorted(by_label & estimates))
    start = "2013-04-01T00:00:00+00:00"
    seen = WindowResult(start, "2013-04-02T00:00:00+00:00", 100, 100, {"1": 100}, {}, {}, findings)
    (case,) = chronicle_of("delay", alerts).book.cases.values()
    title = analyse(case, Evidence([seen]))["title"]
    fallen = sorted(realised | (by_label & estimates))
    if fallen:
        assert title == f"{listed(fallen)} got worse"
    else:
        verb = "is" if len(estimates) == 1 else "are"
        assert title == f"{listed(sorted(estimates))} {verb} estimated to have got worse"
    for one in alerts:
        assert ("estimated to be worse" in alert_sentence(one)) == one["metric"].startswith("estimated_")


def with_errors(seed: int, windows: int, spread: float, more: float) -> tuple[list[WindowResult], np.ndarray]:
    """Return windows of a regression, healthy but for the last ones, and the absolute errors of those."""
    generator = np.random.default_rng(seed)
    made, late = [], []
    for n in range(windows):
        scale = 2 * np.exp(spread * generator.normal()) + more * (n >= windows - 6)
        errors = np.abs(generator.normal(0, scale, generator.integers(60, 400)))
        figure = intervals.mean(errors.sum(), (errors**2).sum(), len(errors)).to_dict()
        start = f"2013-{1 + n // 28:02d}-{1 + n % 28:02d}T00:00:00+00:00"
        rows = len(errors)
        made.append(WindowResult(start, start, rows, rows, {"1": rows}, {"mean_absolute_error": figure}, {}, ()))
        late += [errors] if n >= windows - 6 else []
    return made, np.concatenate(late)


def test_the_loss_of_a_regression_is_the_error_of_a_row_beyond_the_references() -> None:
    windows, errors = with_errors(1, 40, 0.0, 1.5)
    expected = {1: intervals.mean(1.6 * 10_000, 4.0 * 10_000, 10_000)}
    evidence = Evidence(windows, errors=expected)
    found = evidence.excess_error(windows[-6:])
    assert found is not None
    assert (found.value, found.rows) == (pytest.approx(errors.mean() - 1.6), len(errors))
    alerts = [{**alert("mean_absolute_error"), "window_start": windows[-6].window_start}]
    alerts[0]["last_window"] = windows[-1].window_start
    (case,) = chronicle_of("delay", alerts).book.cases.values()
    loss = analyse(case, evidence)["loss"]
    assert loss["error"]["value"] == pytest.approx(found.value)
    assert f"mean absolute error {found.value:.3g} greater than expected" in loss_text(loss)


@pytest.mark.parametrize(("windows", "spread"), [(40, 0.0), (40, 0.2), (12, 0.2)])
def test_the_interval_of_a_regressions_loss_covers_nineteen_of_twenty(windows: int, spread: float) -> None:
    """Nothing changed: the mean of |e| of a normal error of a random spread is known, and so is the loss, none."""
    truth = 2 * np.sqrt(2 / np.pi) * np.exp(spread**2 / 2)
    expected = {1: intervals.normal(float(truth), 0.0)}
    covered = []
    for seed in range(400):
        made, _ = with_errors(seed, windows, spread, 0.0)
        found = Evidence(made, errors=expected).excess_error(made[-6:])
        assert found is not None
        covered.append(found.low <= 0 <= found.high)
    assert np.mean(covered) >= 0.92  # of 400, so few in one of two hundred cases if 95 % are covered


def listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def explained(seed: int, windows: int, spread: float, more: float = 0.0) -> Losses:
    generator = np.random.default_rng(seed)
    rows = generator.integers(60, 600, windows)
    window, now = np.repeat(np.arange(windows), rows), np.arange(windows) >= windows * 3 // 4
    level = (0.2 * np.exp(spread * generator.normal(size=windows)) + more * now)[window]
    return Losses((generator.random(len(window)) < level).astype(float), window, now)


@given(st.integers(0, 10_000), st.integers(2, 30), st.floats(0, 0.4), st.floats(0, 0.3))
def test_a_rise_is_stated_where_its_interval_excludes_zero_and_nowhere_else(
    seed: int, windows: int, spread: float, more: float
) -> None:
    losses = explained(seed, windows, spread, more)
    found, is_now = rise_of(losses), losses.now[losses.window]
    assert found.value == pytest.approx(losses.loss[is_now].mean() - losses.loss[~is_now].mean())
    assert found.low is not None
    assert found.high is not None
    assert ("It rose by" in rise_words(found, ".3g")) == (found.low > 0)
    assert f"interval {found.low:.3g} to {found.high:.3g}" in rise_words(found, ".3g")


@pytest.mark.parametrize(("windows", "spread"), [(2, 0.0), (3, 0.0), (20, 0.0), (8, 0.3), (28, 0.3)])
def test_without_a_change_a_rise_is_stated_in_at_most_five_of_a_hundred(windows: int, spread: float) -> None:
    stated = [(rise_of(explained(seed, windows, spread)).low or 0.0) > 0 for seed in range(400)]
    assert np.mean(stated) <= 0.05


# Where a sentence says that results are worse; each is tested above, or is the verdict of an interval already.
OF_LOSS = re.compile(
    r"(?i)wrong decisions|\bworse\b|\brose by|\bfell by|\bworsened|\bdegraded|\bhas cost|\bcosts? [\d{]"
)
SENTENCES = {
    "actions/casework.py",  # loss_text
    "dashboards/alerts_page.py",  # a count of alerts
    "dashboards/fleet_page.py",  # a count of models
    "demo.py",  # its own script, after a comparison with an interval
    "display/plain.py",  # alert_sentence
    "monitoring/backtest.py",  # the size of a fault that was put in
    "monitoring/explaining/rise.py",  # rise_words
    "monitoring/incidents/sentences.py",  # the title
    "serving/app.py",  # the state of an endpoint
}


def sentences(file: Path) -> list[str]:
    tree = ast.parse(file.read_text())
    docs = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if text not in docs and OF_LOSS.search(text)]


def test_no_other_sentence_states_a_loss() -> None:
    stating = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if sentences(file)}
    assert stating == SENTENCES
    scripts = (PACKAGE.parent / "labextension" / "src").rglob("*.ts*")
    assert [file.name for file in scripts if OF_LOSS.search(file.read_text())] == []
