"""Words that every face shares: how many there are, and until when data reach."""

import pytest

from modelops_jupyter.actions.catalogue import models, status
from modelops_jupyter.display import listings
from modelops_jupyter.monitoring.figures.volume import volume
from modelops_jupyter.settings import find_settings
from modelops_jupyter.store import Change, InMemoryStore, Put
from modelops_jupyter.wording import count, last_moment, span


def test_things_are_counted_as_people_do() -> None:
    assert [count(n, "open alert") for n in (0, 1, 2, 1234)] == [
        "0 open alerts", "1 open alert", "2 open alerts", "1,234 open alerts",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "last", "words"),
    [
        ("2013-12-31T00:00", "2014-01-01T00:00", "2013-12-31T00:00", "2013-12-31"),
        ("2013-12-25T00:00", "2014-01-01T00:00", "2013-12-31T00:00", "2013-12-25 to 2013-12-31"),
        ("2013-12-31T04:00", "2013-12-31T05:00", "2013-12-31T04:59", "2013-12-31 04:00 to 2013-12-31 04:59"),
    ],
    ids=["a day", "a week", "an hour"],
)
def test_a_window_ends_with_its_last_moment(start: str, end: str, last: str, words: str) -> None:
    assert last_moment(f"{end}:00+00:00") == f"{last}:00+00:00"
    assert span(f"{start}:00+00:00", f"{end}:00+00:00") == words


def test_data_reach_through_their_last_day_whoever_asks() -> None:
    store = InMemoryStore()
    end = "2014-01-01T00:00:00+00:00"
    monitor = {"through": end, "checked_at": "", "windows": 1, "realised": 0, "metric": None, "line": [], "tracks": []}
    monitor |= {"every": "1D", "without_rows": [], "volume": volume([])}
    puts = (Put("model", "m", {"name": "m", "kind": "ml"}, "m"), Put("monitor", "m/1D", monitor, "m"))
    store.commit(Change(puts=puts))
    shown = (status(store, find_settings()), models(store, {}))
    assert "1 window through 2013-12-31, 0 open alerts" in str(shown[0])
    for text in (*map(str, shown), listings.status(shown[0]), listings.listing(shown[1])):
        assert "2013-12-31" in text
        assert "2014" not in text
