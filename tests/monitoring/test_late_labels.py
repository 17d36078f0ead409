"""Labels that come late: a window without them says nothing, neither for an alert nor against it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.monitoring import Alert, AlertRules, Finding, WindowResult, raise_alerts

START, RULES = datetime(2024, 1, 1, tzinfo=UTC), AlertRules()
METRIC = "mean_absolute_error"


def start_of(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def day(
    number: int,
    *,
    labelled: bool,
    kind: str = "performance",
    metric: str = METRIC,
    hit: bool = False,
    **figures: object,
) -> WindowResult:
    """Return a window of 100 rows, with a finding or without."""
    findings = (Finding(kind, "", metric, 2.0, 1.0),) if hit else ()
    start, end = start_of(number), start_of(number + 1)
    return WindowResult(start, end, 100, 100 * labelled, {"1": 100}, {}, {}, findings, **figures)  # type: ignore[arg-type]


def run(today: int, late: int, faulty: range, kind: str = "performance") -> list[WindowResult]:
    """Return the windows as a run of that day judges them: labels come `late` days after their predictions."""
    return [
        day(n, labelled=n <= today - late, kind=kind, hit=n in faulty and n <= today - late) for n in range(today + 1)
    ]


@pytest.mark.parametrize("kind", ["performance", "concept"])
@given(late=st.integers(0, 20), begin=st.integers(0, 10), lasts=st.integers(1, 12))
def test_an_alert_stays_open_until_windows_with_labels_are_clean(kind: str, late: int, begin: int, lasts: int) -> None:
    faulty = range(begin, begin + lasts)
    alerts: tuple[Alert, ...] = ()
    for today in range(begin + lasts + late + 8):
        windows = run(today, late, faulty, kind)
        first = start_of(max(0, today - late))  # the window whose labels came is judged anew, and those after it
        whole = raise_alerts("m", windows, RULES)
        alerts = raise_alerts("m", windows[-(RULES.windows**2 + late + 1) :], RULES, alerts, first)
        assert alerts == whole, "day by day as all at once"
        judged = today - late
        if judged < begin:
            assert alerts == ()
        else:
            is_open = judged < faulty.stop + RULES.windows - 1
            assert [alert.state for alert in alerts] == ["open" if is_open else "recovered"], (today, late)
            assert alerts[0].last_window == start_of(min(judged, faulty.stop - 1))


def test_an_estimate_takes_back_what_an_estimate_said_and_not_what_labels_said() -> None:
    fine = {"estimated": {METRIC: {"value": 1.0, "reason": None}}}
    quiet = [day(n, labelled=False, **fine) for n in (3, 4, 5, 6)]
    labelled = [day(n, labelled=True) for n in (0, 1)]
    by_estimate = [*labelled, day(2, labelled=False, metric=f"estimated_{METRIC}", hit=True), *quiet]
    assert [alert.state for alert in raise_alerts("m", by_estimate, RULES)] == ["recovered"]
    by_labels = [*labelled, day(2, labelled=True, hit=True), *quiet]
    assert [alert.state for alert in raise_alerts("m", by_labels, RULES)] == ["open"]
    both = [*by_estimate[:3], day(3, labelled=True, hit=True), *quiet[1:], day(7, labelled=False, **fine)]
    assert [alert.state for alert in raise_alerts("m", both, RULES)] == ["open"]


def test_windows_of_too_few_rows_close_no_drift() -> None:
    def drifting(number: int, value: float | None, hit: bool) -> WindowResult:
        figures = {"x": {"jensen_shannon": {"value": value, "reason": None if value else "too few rows"}}}
        findings = (Finding("drift", "x", "jensen_shannon", 0.4, 0.2),) if hit else ()
        return WindowResult(start_of(number), start_of(number + 1), 100, 0, {"1": 100}, {}, figures, findings)

    hit = drifting(0, 0.4, True)
    few = [drifting(n, None, False) for n in range(1, 6)]
    clean = [drifting(n, 0.01, False) for n in range(6, 9)]
    assert [alert.state for alert in raise_alerts("m", [hit, *few], RULES)] == ["open"]
    assert [alert.state for alert in raise_alerts("m", [hit, *few, *clean], RULES)] == ["recovered"]
