"""Model references: every spelling a user knows, and one clear sentence for every other."""

import pytest

from modelops_jupyter.errors import InvalidReference
from modelops_jupyter.refs import ModelReference, check_alias, check_name, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flight-delay", ModelReference("flight-delay")),
        ("flight-delay/3", ModelReference("flight-delay", version=3)),
        ("flight-delay@champion", ModelReference("flight-delay", alias="champion")),
        ("models:/flight-delay/12", ModelReference("flight-delay", version=12)),
        ("models:/flight-delay@challenger", ModelReference("flight-delay", alias="challenger")),
    ],
)
def test_known_spellings(text: str, expected: ModelReference) -> None:
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "/3", "a/0", "a/-1", "a/x", "a@", "@champion", "../x", "a/b/3", "a@b@c", "a;b", "<b>", "a/３"]
)
def test_other_spellings_are_refused_with_the_value(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert repr(text) in str(caught.value)


def test_names_and_aliases_are_checked() -> None:
    assert check_name("a.b_c-1") == "a.b_c-1"
    assert check_alias("champion") == "champion"
    with pytest.raises(InvalidReference):
        check_name("../up")
    with pytest.raises(InvalidReference):
        check_alias("Champion!")
