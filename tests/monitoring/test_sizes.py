"""What is accepted is passed by what is clearly more or something else, and by nothing that is about the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.monitoring.figures.quality import NAMED, new_values
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.incidents.sizes import Size
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.profiles.column import ColumnProfile, UnseenCategory

START, LAST = "2013-04-02T00:00:00+00:00", "2013-04-04T00:00:00+00:00"


@pytest.mark.parametrize(
    ("metric", "accepted", "threshold", "alike", "passing"),
    [
        ("jensen_shannon", 0.3, 0.1, 0.4, 0.55),
        ("null_rate", 0.6, 0.02, 0.7, 0.85),
        ("roc_auc", 0.60, 0.65, 0.55, 0.45),
        ("roc_auc", 0.60, 0.65, 0.62, 0.70),  # better than the reference: something else
        ("log_loss", 0.8, 0.6, 0.9, 1.05),
        ("volume", 100.0, 500.0, 80.0, 40.0),
    ],
)
def test_about_the_same_size_is_no_news_and_clearly_more_is(
    metric: str, accepted: float, threshold: float, alike: float, passing: float
) -> None:
    member = Member("drift", "", "wind", metric, "1D", START, LAST, "open", accepted, threshold, "")
    size = Size.of(member, [])
    assert not size.is_passed_by(Finding("drift", "wind", metric, accepted, threshold))
    assert not size.is_passed_by(Finding("drift", "wind", metric, alike, threshold))
    assert size.is_passed_by(Finding("drift", "wind", metric, passing, threshold))
    assert Size.from_dict(size.to_dict()) == size


@given(
    st.sampled_from(["jensen_shannon", "null_rate", "roc_auc", "log_loss", "volume"]),
    st.floats(0.05, 0.6),  # half of the way to 1 is further than what is drawn
    st.sampled_from([-1, 1]),
    st.floats(0, 0.2),
    st.booleans(),
)
def test_what_is_at_its_threshold_is_on_neither_side(
    metric: str, threshold: float, side: int, share: float, first: bool
) -> None:
    near = threshold * (1 + side * share)
    accepted, now = (threshold, near) if first else (near, threshold)
    member = Member("drift", "", "wind", metric, "1D", START, LAST, "open", accepted, threshold, "")
    assert not Size.of(member, []).is_passed_by(Finding("drift", "wind", metric, now, threshold))


@pytest.mark.parametrize(("metric", "passing"), [("null_rate", 0.3), ("roc_auc", 0.05)])
def test_what_was_accepted_at_its_threshold_is_passed_by_clearly_more(metric: str, passing: float) -> None:
    member = Member("drift", "", "wind", metric, "1D", START, LAST, "open", 0.2, 0.2, "")
    assert Size.of(member, []).is_passed_by(Finding("drift", "wind", metric, passing, 0.2))


def test_values_that_nobody_accepted_are_told() -> None:
    beside = "`50%` (0.7 % of rows)"
    member = Member("quality", "", "c", "unseen_rate", "1D", START, LAST, "open", 0.02, 0.01, "", beside=beside)
    size = Size.of(member, [Finding("quality", "c", "unseen_rate", 0.02, 0.01, beside="`50%` (0.8 % of rows)")])
    assert not size.is_passed_by(Finding("quality", "c", "unseen_rate", 0.02, 0.01, beside="`50%` (2 % of rows)"))
    assert size.is_passed_by(Finding("quality", "c", "unseen_rate", 0.02, 0.01, beside="`60%` (0.1 % of rows)"))


texts = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)


def _new(values: list[str]) -> Finding:
    others = tuple(UnseenCategory(n, value, 9 - n) for n, value in enumerate(values))
    profile = ColumnProfile("category", 1000, 0, (900,), unseen=sum(o.count for o in others), others=others)
    return Finding("quality", "c", "unseen_rate", 0.02, 0.01, beside=new_values(profile))


@given(st.lists(texts, min_size=1, max_size=3), st.integers(0, 3), texts)
def test_new_values_of_which_some_are_not_named_are_not_judged_by_names(
    days: list[list[str]], half: int, now: list[str]
) -> None:
    member = Member("quality", "", "c", "unseen_rate", "1D", START, LAST, "open", 0.02, 0.01, "")
    one, other = (Size.of(member, [_new(day) for day in part]) for part in (days[:half], days[half:]))
    size = Size.from_dict(one.joined(other).to_dict())
    accepted = {value for day in days for value in day}
    passed = size.is_passed_by(_new(now))
    if max(map(len, days)) > NAMED or set(now) <= accepted:
        assert not passed
    elif len(now) <= NAMED or len(now) > len(accepted):
        assert passed
