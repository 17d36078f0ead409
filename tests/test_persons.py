"""Whom a name is of: no letter case, width, look-alike letter or domain makes two people of one."""

import string
import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import assume, given
from hypothesis import strategies as st

from modelops_jupyter import persons
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.persons import check_person, distinct, is_same_person

NAME = st.text(string.ascii_letters + string.digits + ".-_", min_size=2, max_size=12).filter(
    lambda name: name.strip("._-") != ""
)


@pytest.mark.parametrize(
    "disguise",
    ["ann", "ANN", "Ann", " ann ", "ａｎｎ", "ann@corp", "Ann@CORP.example", "CORP\\ann", "ann+x@corp", "ａｎｎ@corp"],
)
def test_a_disguise_is_the_same_person(disguise: str) -> None:
    assert is_same_person(disguise, "ann")
    assert is_same_person("Ann@elsewhere", disguise)


@pytest.mark.parametrize(
    ("one", "other"), [("Paul", "PauI"), ("ann1", "annl"), ("mike", "rnike"), ("Yıldız", "Yildiz")]
)
def test_names_that_look_alike_are_one_persons(one: str, other: str) -> None:
    assert is_same_person(one, other)


@pytest.mark.parametrize(("one", "other"), [("ann", "anna"), ("bob", "rob"), ("Müller", "Möller"), ("田中", "田村")])
def test_other_names_are_other_peoples(one: str, other: str) -> None:
    assert not is_same_person(one, other)


@pytest.mark.parametrize("name", ["аnn", "αnna", "ann\u0430", "Иван Petrov", "Роса", "ннn"])
def test_what_can_be_taken_for_another_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"taken for .*: write it in"):
        check_person(name)


@pytest.mark.parametrize(
    "name",
    [
        "Ann Müller",
        "Yıldız",
        "Зоя",
        "Иван Петров",
        "Ελένη",
        "田中さくら",
        "田中 Taro",
        "김민수",
        "محمد",
        "ann-2",
        "svc_nightly",
    ],
)
def test_names_of_every_script_are_names(name: str) -> None:
    assert check_person(name) == name


def test_a_name_goes_on_record_in_its_compatible_form() -> None:
    assert check_person("Ａｎｎ") == "Ann"


@given(NAME, st.data())
def test_any_look_alike_letters_are_the_same_person_or_refused(name: str, data: st.DataObject) -> None:
    """Each letter is replaced, or not, by one that Unicode's list says looks like it."""
    signs = []
    for sign in name:
        alike = [e["c"] for e in confusables_data.get(sign, ()) if len(e["c"]) == 1 and e["c"].isalpha()]
        signs.append(data.draw(st.sampled_from([sign, *alike])))
    disguise = "".join(signs)
    assume(unicodedata.normalize("NFKC", disguise).strip())
    try:
        taken = check_person(disguise)
    except InvalidInput:
        return
    assert is_same_person(taken, name)


@given(NAME, st.sampled_from(["{}@corp", "CORP\\{}", "{}+tag@corp", " {}"]))
def test_whatever_is_added_to_a_name(name: str, form: str) -> None:
    assert is_same_person(form.format(name), name)
    assert distinct([name, form.format(name), name.upper()]) == (name,)


def test_signs_that_look_alike_are_those_of_the_unicode_list() -> None:
    signs = string.ascii_letters + string.digits + string.punctuation
    alike = {sign: [e["c"] for e in confusables_data.get(sign, ())] for sign in signs}
    letters = {s: a[0] for s, a in alike.items() if len(a) == 1 and a[0].isascii() and a[0].isalnum()}
    assert {chr(code): look for code, look in persons._ASCII.items()} == letters
