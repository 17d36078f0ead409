"""Names of people: which go on record, and when two of them are one person's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.written import check_line

# Scripts that are written together in one name (UTS #39, highly restrictive).
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
)
# ASCII signs that look like others, as the Unicode list of confusables (UTS #39) has them.
_ASCII = str.maketrans({"1": "l", "I": "l", "|": "l", "0": "O", "m": "rn"})


def check_person(name: str) -> str:
    """Return the name of a person or service as it goes on record: one line, in Unicode's compatible form (NFKC).

    Raises
    ------
    InvalidInput
        If it is empty, drives a terminal, or can be taken for another: letters of several scripts, or of a script
        that is not Latin and all of which look Latin.
    """
    person = unicodedata.normalize("NFKC", check_line(name))
    if person.isascii():
        return person
    if any(unicodedata.combining(sign) and before.isspace() for before, sign in pairwise(f" {person}")):
        raise InvalidInput(
            f"The name {name!r} has a mark without a letter, so that it can be taken for another: leave the mark out."
        )
    scripts = _scripts(person)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        mixed = " and ".join(script.capitalize() for script in sorted(scripts))
        raise InvalidInput(
            f"The name {name!r} mixes letters of {mixed}, so that it can be taken for another: write it in one script."
        )
    looks = _skeleton(person)
    if scripts != {"LATIN"} and looks.isascii():
        script = " and ".join(script.capitalize() for script in sorted(scripts))
        raise InvalidInput(
            f"The name {name!r} is in {script or 'no'} letters that all look Latin, so that it can be taken for "
            f"{looks!r}: write it in Latin letters."
        )
    return person


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are, or can be taken for, one person's.

    Letter case, width and blanks make no difference, nor does a domain (``alice@corp``, ``CORP\\alice``) or a tag
    (``alice+x@corp``), nor letters that look alike. Two people who are taken for one need longer names.

    Examples
    --------
    >>> is_same_person("Alice", "alice@corp"), is_same_person("Alice", "Alicia")
    (True, False)
    """
    return bool(_forms(one) & _forms(other))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, the first of each person's."""
    people: list[str] = []
    for name in names:
        if not any(is_same_person(name, person) for person in people):
            people.append(name)
    return tuple(people)


def _forms(name: str) -> set[str]:
    """Return what a name is compared by: as it reads, and as it looks."""
    whole = unicodedata.normalize("NFKC", name).strip()
    local = re.split(r"[@%]", whole.rpartition("\\")[2])[0].partition("+")[0] or whole
    plain = " ".join(local.casefold().split())
    return {plain, _skeleton(plain), _skeleton(" ".join(local.split())).casefold()}


def _skeleton(text: str) -> str:
    """Return text with each sign replaced by the ASCII one that it looks like, where there is one."""
    if text.isascii():
        return text.translate(_ASCII)
    from confusable_homoglyphs.confusables import confusables_data

    def look(sign: str) -> str:
        if sign.isascii():
            return sign
        alike = [entry["c"] for entry in confusables_data.get(sign, ())]
        return next((other for other in alike if other.isascii() and other.isalnum()), sign)

    return "".join(map(look, text)).translate(_ASCII)


def _scripts(text: str) -> set[str]:
    """Return the scripts of its letters, as Unicode names them."""
    from confusable_homoglyphs.categories import unique_aliases

    return set(unique_aliases(text)) - {"COMMON", "INHERITED"}
