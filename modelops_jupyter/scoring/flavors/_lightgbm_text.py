"""LightGBM's text format, looked at before LightGBM reads it.

LightGBM reads past the end of a text that was cut, ends the whole process at a tree that does not begin where the
header says, and follows numbers of nodes and columns without a look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

_END_OF_TREES = "end of trees"
_INTEGERS = re.compile(r"[-0-9 ]*")
_MOST_LINES = 22  # of a tree: LightGBM reads no more
_WHOLE = "the file was cut or edited"


def checked_text(text: str) -> str:
    """Return a model's text as LightGBM can be given it: whole, and without references to what it does not have.

    The sizes of the trees are left out of it: with them LightGBM reads several trees at once, and an error in one of
    these threads ends the process.

    Raises
    ------
    InvalidInput
        With the reason, as half a sentence.
    """
    if "\r" in text or "\0" in text:  # where LightGBM's lines and texts end
        raise InvalidInput(_WHOLE)
    end = text.find(f"\n{_END_OF_TREES}")
    first = text.find("\nTree=")
    if end < 0:
        raise InvalidInput(f"it does not come to the line {_END_OF_TREES!r}: {_WHOLE}")
    if "\nparameters:" in text[end:] and "\nend of parameters" not in text[end:]:
        raise InvalidInput(f"its parameters have no end: {_WHOLE}")
    first = end if first < 0 else min(first, end)
    header = dict(line.partition("=")[::2] for line in text[:first].split("\n"))
    trees = text[first + 1 : end + 1]
    try:
        trees.encode("ascii")
        if "tree_sizes" in header:
            _check_sizes(trees, _integers(header["tree_sizes"]).tolist())
        columns, outputs = _integer(header["max_feature_idx"]) + 1, _integer(header["num_class"])
        if _integer(header["num_tree_per_iteration"]) != outputs:
            raise InvalidInput("it has other outputs than its trees give")
        for number, block in enumerate(re.split(r"^Tree=", trees, flags=re.M)[1:]):
            _check_tree(number, block, columns)
    except InvalidInput:  # it says itself what is wrong
        raise
    except (LookupError, ValueError, OverflowError) as error:
        raise InvalidInput(f"its lines do not hold what they should ({type(error).__name__}: {error})") from error
    return re.sub(r"^tree_sizes=.*\n", "", text[: first + 1], flags=re.M) + text[first + 1 :]


def _check_sizes(trees: str, sizes: list[int]) -> None:
    starts, length = [*accumulate(sizes, initial=0)], len(trees)
    if starts[-1] != length:
        raise InvalidInput(f"its trees have {length:,} bytes, not the {starts[-1]:,} of tree_sizes: {_WHOLE}")
    if not all(trees.startswith("Tree=", start) for start in starts[:-1]):
        raise InvalidInput(f"its trees do not begin where tree_sizes says: {_WHOLE}")


def _check_tree(number: int, block: str, columns: int) -> None:
    lines = block.rstrip("\n").split("\n")[1:]
    fields = dict(line.partition("=")[::2] for line in lines)
    whole = block.endswith("\n\n") and all("=" in line for line in lines) and len(fields) == len(lines) <= _MOST_LINES
    if not whole:
        raise InvalidInput(f"tree {number} is not whole: {_WHOLE}")
    leaves = _integer(fields["num_leaves"])
    if leaves < 1 or len(fields["leaf_value"].split(" ")) != leaves:
        raise InvalidInput(f"tree {number} has not the {leaves} leaves that it should have")
    if not (_sound_splits(fields, leaves, columns) and _sound_leaves(fields, leaves, columns)):
        raise InvalidInput(f"tree {number} refers to nodes or columns that it does not have")


def _sound_splits(fields: Mapping[str, str], leaves: int, columns: int) -> bool:
    """Return whether the nodes of a tree refer to nodes behind them, to leaves, columns and categories of its own."""
    import numpy as np

    if leaves == 1:
        return True
    numbers = np.arange(leaves - 1)
    for side in ("left_child", "right_child"):
        child = _integers(fields[side])
        if len(child) != len(numbers) or (child < -leaves).any() or (child >= len(numbers)).any():
            return False
        if ((child >= 0) & (child <= numbers)).any():
            return False
    features, kinds = (
        _integers(fields["split_feature"]),
        _integers(fields.get("decision_type", " ".join("0" * len(numbers)))),
    )
    if not len(features) == len(kinds) == len(fields["threshold"].split(" ")) == len(numbers):
        return False
    if (features < 0).any() or (features >= columns).any():
        return False
    categorical = kinds & 1 != 0
    return not categorical.any() or _sound_categories(fields, categorical)


def _sound_categories(fields: Mapping[str, str], categorical: np.ndarray[Any, Any]) -> bool:
    import numpy as np

    sets, bounds = (
        np.array(fields["threshold"].split(" "), dtype=float)[categorical],
        _integers(fields["cat_boundaries"]),
    )
    return bool(
        len(bounds) == _integer(fields["num_cat"]) + 1
        and bounds[0] == 0
        and (np.diff(bounds) >= 0).all()
        and bounds[-1] == len(fields["cat_threshold"].split(" "))
        and (sets >= 0).all()
        and (sets < len(bounds) - 1).all()
    )


def _sound_leaves(fields: Mapping[str, str], leaves: int, columns: int) -> bool:
    """Return whether the linear models in a tree's leaves, if it has them, refer to columns of its own."""
    if fields.get("is_linear", "0").strip() in ("", "0"):
        return True
    counts, features = _integers(fields["num_features"]), _integers(fields["leaf_features"])
    return bool(
        len(counts) == leaves
        and (counts >= 0).all()
        and counts.sum() == len(features)
        and (features >= 0).all()
        and (features < columns).all()
    )


def _integers(text: str) -> np.ndarray[Any, Any]:
    import numpy as np

    if not _INTEGERS.fullmatch(text):  # Python takes more for a number than LightGBM does
        raise ValueError(f"{text[:20]!r} are no whole numbers")
    return np.array(text.split(), dtype="int64")


def _integer(text: str) -> int:
    return int(_integers(text)[0])
