"""Lists read well in a terminal."""

from modelops_jupyter.listing import Listing


def test_cells_are_short_and_the_last_column_is_as_long_as_it_is() -> None:
    rows = (
        {"at": "2013-04-01T00:00:00+00:00", "figure": 0.123456, "owner": None, "says": "a " * 60},
        {"at": "2013-04-01T05:30:12.5+00:00", "figure": 2250.7, "owner": float("nan"), "says": ("x", "y")},
        {"at": "soon", "figure": 3.0, "owner": "ann", "says": "7\n8"},
    )
    title, head, *lines = str(Listing("Things", ("at", "figure", "owner", "says"), rows)).splitlines()
    assert title == "Things"
    assert head == "at                figure  owner  says"
    assert lines == [
        "2013-04-01        0.1235  -      " + ("a " * 60).rstrip(),
        "2013-04-01 05:30  2,251   -      x, y",
        "soon              3       ann    7 8",
    ]


def test_an_empty_list_says_so() -> None:
    assert str(Listing("Things", ("at",), (), "No things.")) == "No things."
