"""What incidents say: titles, events and next steps, of the alerts that they are given and of nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from modelops_jupyter.derived_names import is_derived, source_of
from modelops_jupyter.monitoring.figures.deciding import settled
from modelops_jupyter.monitoring.incidents.looks import is_estimate
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.incidents.members import CAUSE, DEPENDENCE, EFFECT, Member
from modelops_jupyter.monitoring.record.results import plain_metric
from modelops_jupyter.wording import gone_words, is_several

# Signs of a column, the one that says most about it first: a title has one of each column.
SIGNS = (
    "unseen_rate",
    "null_rate",
    "mistyped_rate",
    "distribution",
    "out_of_range_rate",
    "dependence",
    "unseen_combinations",
)
# What is said of one column, and of several.
PHRASES: Mapping[str, tuple[str, str]] = {
    "unseen_rate": ("{} has values that training never had", "{} have values that training never had"),
    "null_rate": ("{} is missing more often", "{} are missing more often"),
    "mistyped_rate": ("{} has values of another type", "{} have values of another type"),
    "distribution": ("{} changed", "{} changed"),
    "out_of_range_rate": ("{} is out of the range of training", "{} are out of the range of training"),
}
NAMED, GROUPS = 2, 2


@dataclass(frozen=True)
class Values:
    """Values of a column that are news: such as training never had, and such as no longer come."""

    new: str = ""
    gone: str = ""


def describe(
    members: Sequence[Member],
    ranked: Sequence[str] = (),
    by_labels: Collection[tuple[str, ...]] = (),
    values: Mapping[str, Values] | None = None,
) -> str:
    """Return what alerts say, causes first.

    Parameters
    ----------
    ranked
        Columns, the likeliest cause first; those that are not named come last, by name.
    by_labels
        Signals of effects that labels have shown, whatever first showed them; see `Member.signal`.
    values
        By column, the values that are new now or no longer come; where nothing is said, those that opened the alert.
    """
    causes = [member for member in members if member.part == CAUSE]
    phrases = [*_volume(causes), *_columns(causes, ranked, values or {}), *_dependences(members)]
    if phrases:
        phrases[-1] += _where(causes or [m for m in members if m.part == DEPENDENCE])
    effects = [member for member in members if member.part == EFFECT]
    told = list(_effects(effects, by_labels, alone=not phrases))
    if told and not phrases:
        told[-1] += _where_worst(effects)
    return "; ".join([*phrases, *told])


def charged(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Return the alerts by the column that is charged with them.

    A dependence is of two columns: it is charged to the one that moved, and is of the column that it was seen in only
    where neither did.
    """
    found: dict[str, list[Member]] = {}
    for member in members:
        if member.part == CAUSE and member.column:
            found.setdefault(member.column, []).append(member)
    moved = _moved(found)
    for member in members:
        if member.part == DEPENDENCE and member.column and not _is_charged(member, moved):
            found.setdefault(member.column, []).append(member)
    return found


def sign_of(members: Iterable[Member]) -> Member:
    """Return the alert of a column that says most."""
    return min(
        members, key=lambda m: (SIGNS.index(m.sign) if m.sign in SIGNS else len(SIGNS), bool(m.segment), m.start)
    )


def names(words: Sequence[str], most: int = NAMED) -> str:
    """Return some words as a list, such as ``a, b and 3 more``."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _segments(members: Iterable[Member]) -> set[str]:
    return {member.segment for member in members}


def _is_charged(member: Member, moved: Mapping[str, set[str]]) -> bool:
    """Tell whether a dependence is explained by a column that moved, in its segment or in all of it."""
    own = [moved[column] for column in member.columns if column in moved]
    return any(not member.segment or "" in segments or member.segment in segments for segments in own)


def _moved(causes: Mapping[str, Sequence[Member]]) -> dict[str, set[str]]:
    """Return the segments in which columns moved; those of derived ones are of the column from which they are."""
    moved: dict[str, set[str]] = {}
    for column, own in causes.items():
        moved.setdefault(source_of(column), set()).update(_segments(own))
    return moved


def _volume(members: Iterable[Member]) -> list[str]:
    found = [member for member in members if member.kind == "volume"]
    return [f"the number of predictions {'rose' if m.figure > m.threshold else 'fell'}" for m in found[-1:]]


def _columns(members: Sequence[Member], ranked: Sequence[str], values: Mapping[str, Values]) -> list[str]:
    """Return what is said of columns: of those that show the same sign together."""
    own: dict[str, list[Member]] = {}
    for member in members:
        if member.column:
            own.setdefault(member.source, []).append(member)
    place = {source_of(column): n for n, column in reversed([*enumerate(ranked)])}
    groups: dict[str, list[str]] = {}
    for column in sorted(own, key=lambda name: (place.get(name, len(place)), name)):
        groups.setdefault(_derived(own[column], values) or sign_of(own[column]).sign, []).append(column)
    phrases = []
    for sign, columns in list(groups.items())[:GROUPS]:
        first = sign_of(own[columns[0]])
        named = values.get(columns[0]) or Values()
        more = f"; {_phrase(sign, columns[1:])}" if columns[1:] else ""
        if sign.startswith("`"):  # what a derived column says of its source
            phrases.append(sign)
        elif sign == "unseen_rate" and (new := named.new or first.beside):
            verb = "were" if is_several(new) else "was"
            also = f", {_gone(named.gone)}" if named.gone else ""
            phrases.append(f"{new} of {columns[0]} {verb} never seen in training{also}{more}")
        elif sign == "distribution" and (gone := named.gone if columns[0] in values else first.beside):
            phrases.append(f"{gone_words(gone, columns[0])}{more}")
        else:
            phrases.append(_phrase(sign, columns))
    rest = sum(len(columns) for columns in list(groups.values())[GROUPS:])
    return [*phrases, *([f"{rest} more column{'s have' if rest != 1 else ' has'} alerts"] if rest else [])]


def _derived(members: Sequence[Member], values: Mapping[str, Values]) -> str:
    """Say how what is derived from a column changed, by the alert that is furthest beyond its threshold."""
    if sign_of(members).sign not in ("distribution", "out_of_range_rate"):
        return ""
    changes = [
        (settled(magnitude(m.figure, m.threshold)), m.column, change)
        for m in members
        if (change := (values.get(m.column) or Values()).gone or m.beside) and is_derived(m.column)
    ]
    return gone_words(max(changes)[2], max(changes)[1]) if changes else ""


def _gone(values: str) -> str:
    return f"{values} no longer {'come' if is_several(values) else 'comes'}"


def _phrase(sign: str, columns: Sequence[str]) -> str:
    one, many = PHRASES.get(sign, PHRASES["distribution"])
    return (one if len(columns) == 1 else many).format(names(columns))


def _dependences(members: Sequence[Member]) -> list[str]:
    """Return what is said of dependences of which no column moved."""
    moved: dict[str, set[str]] = {}
    for member in members:
        if member.part == CAUSE and member.column:
            moved.setdefault(member.source, set()).add(member.segment)
    found = [member for member in members if member.part == DEPENDENCE and not _is_charged(member, moved)]
    pairs = list(dict.fromkeys(_pair(member) for member in found))
    return [f"{names(pairs, 1)} no longer depend on each other as they did"] if pairs else []


def _pair(member: Member) -> str:
    return " and ".join(sorted(member.columns)) if len(member.columns) > 1 else f"{member.column} and other columns"


def _effects(members: Sequence[Member], by_labels: Collection[tuple[str, ...]], alone: bool) -> Iterable[str]:
    """Say which figures got worse by labels; what is estimated alone is called so."""
    realised: set[str] = set()
    estimated: set[str] = set()
    for member in members:
        if member.kind == "performance":
            shown = not is_estimate(member.metric) or member.signal in by_labels
            (realised if shown else estimated).add(plain_metric(member.metric))
    if any(member.kind == "concept" for member in members) and (alone or not realised):
        yield "outcomes no longer follow the predictions as they did"
    if realised:
        yield f"{names(sorted(realised), 4)} got worse"
    elif estimated:
        verb = "is" if len(estimated) == 1 else "are"
        yield f"{names(sorted(estimated), 4)} {verb} estimated to have got worse"
    answers = sorted({member.column for member in members if member.kind in ("drift", "quality")})
    if answers and (alone and not realised and not estimated):
        yield f"the {' and '.join(answers)} drifted"


def _where(members: Sequence[Member]) -> str:
    """Say in which segments something is, where it is not everywhere."""
    segments = _segments(members)
    if "" in segments or not segments:
        return ""
    return f" where {names(sorted(segments), 1 if len(segments) > NAMED else NAMED)}"


def _where_worst(members: Sequence[Member]) -> str:
    """Say in which segment results are worse, where it is one alone that has alerts of its own."""
    segments = _segments(members) - {""}
    return f" where {min(segments)}" if len(segments) == 1 else _where(members)
