"""What is said of parts of a model that are not on the allow-list: which, where, and the nearest way."""

from __future__ import annotations

from collections.abc import Sequence

from ._skops_audit import Refusal

UNSAFE = "register it with unsafe=True (--unsafe), which marks it everywhere"
FROM_PYTHON = "register it from the Python that fitted it"
MOST_NAMED = 5
_FUNCTIONS = ("func", "inverse_func")
# Parameters that only fitting reads, with a value that is always on the allow-list.
_FITTING_ONLY = {"callbacks": "None", "eval_metric": "None", "memory": "None", "score_func": "f_classif"}


def refusal_text(refusals: Sequence[Refusal], otherwise: str = UNSAFE) -> str:
    """Return one sentence that names the parts by class and path, and one with the nearest way."""
    first_of = {refusal.name: refusal for refusal in reversed(refusals)}
    parts = [f"{refusal.name} (model{refusal.place.path})" for refusal in list(first_of.values())[::-1]]
    more = f" and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else ""
    named = ", ".join(parts[:MOST_NAMED])
    what = f"The model holds parts that are not on the allow-list: {named}{more}"
    return f"{what}. {_nearest_way(refusals)}, or {otherwise}."


def unwritable_text(path: str, part: object, error: Exception) -> str:
    """Return one sentence that names the part which skops cannot write, and one with what to do."""
    reason = next(iter(str(error).splitlines()), "").rstrip(".") or type(error).__name__
    name = f"{type(part).__module__}.{type(part).__qualname__}"
    return f"skops cannot write {name} (model{path}): {reason}. Rebuild the model without it, or {UNSAFE}."


def _nearest_way(refusals: Sequence[Refusal]) -> str:
    place = refusals[0].place
    search = next((path for path in place.searches if _is_outside_best(path, refusals)), None)
    if search is not None:
        best = f"model{search}.best_estimator_"
        return f"Register {best}" if not search else f"Put {best} in the place of model{search}"
    if refusals[0].kind in ("value", "replacement"):
        return "Save it anew with the library that made it"
    if place.attribute in _FUNCTIONS:
        return (
            "Take a function of NumPy's that works element by element, such as np.log1p, or write one with def in a "
            ".py file in the project's folder, which is kept with the model"
        )
    if place.attribute in _FITTING_ONLY and all(refusal.place.path.startswith(place.path) for refusal in refusals):
        owner = place.path.rpartition(f".{place.attribute}")[0]
        value = _FITTING_ONLY[place.attribute]
        return f"Call model{owner}.set_params({place.attribute}={value}), which changes no prediction"
    return "Rebuild it without them"


def _is_outside_best(search: str, refusals: Sequence[Refusal]) -> bool:
    """Return whether everything refused belongs to a search, and nothing to the estimator that it has chosen."""
    best = f"{search}.best_estimator_"
    return all(search in refusal.place.searches and not refusal.place.path.startswith(best) for refusal in refusals)
