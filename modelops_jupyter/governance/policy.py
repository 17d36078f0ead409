"""The policy file: which checks and approvals a move to an alias needs."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidPolicy


@dataclass(frozen=True)
class CheckSpec:
    """One required metric, with the four fields of ``mlflow.models.MetricThreshold``.

    Attributes
    ----------
    metric : str
        Its name on record, such as ``roc_auc``.
    greater_is_better : bool
        False for metrics of errors, such as ``log_loss``.
    threshold : float or None
        What the metric must reach.
    min_absolute_change, min_relative_change : float or None
        By how much it must be better than the current holder's; negative values allow a loss.
    require_measured : bool or None
        Whether this metric must be measured by us; None is what the rule says.
    """

    metric: str
    threshold: float | None = None
    greater_is_better: bool = True
    min_absolute_change: float | None = None
    min_relative_change: float | None = None
    require_measured: bool | None = None


@dataclass(frozen=True)
class Rule:
    """What a move to one alias needs.

    Attributes
    ----------
    checks : tuple of CheckSpec
        The metrics that a version must show.
    approvals : int
        How many persons must approve it.
    allow_self_review : bool
        Whether an approval counts that was given by the one who registered the version.
    require_enforced_separation : bool
        Asks for a server that knows who is who; an embedded workspace refuses such a policy.
    require_measured : bool
        Whether metrics count only if they were measured by us; in a file the default is true for ``champion``. A model
        that no check applies to must then be measured all the same.
    min_rows : int
        How many rows with a label a metric must be measured on.
    allow_unsafe : bool
        Lets formats in that run code when they are loaded.
    allow_other_task : bool
        Lets versions in that answer something else than the version that holds the alias: of another task, or other
        classes. Who asks for the alias would get answers of another kind.
    allow_project_code : bool
        Lets versions in that call functions of the project they were made in, whose source is kept with them.
    """

    checks: tuple[CheckSpec, ...] = ()
    approvals: int = 0
    allow_self_review: bool = True
    require_enforced_separation: bool = False
    require_measured: bool = False
    min_rows: int = 0
    allow_unsafe: bool = True
    allow_project_code: bool = True
    allow_other_task: bool = True


@dataclass(frozen=True)
class Policy:
    """A whole policy; `digest` is the SHA-256 of what its file says, comments and layout left out."""

    name: str
    digest: str
    rules: dict[str, Rule] = field(default_factory=dict)

    def rule(self, alias: str) -> Rule:
        """Return the rule of an alias; an alias without one needs nothing."""
        return self.rules.get(alias, Rule())


def load_policy(path: Path | None) -> Policy:
    """Read a policy file, or the one the package ships.

    Raises
    ------
    InvalidPolicy
        If the file cannot be read or has a field that no policy has.
    """
    file = path or Path(__file__).with_name("policy.toml")
    try:
        values = tomllib.loads(file.read_bytes().decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidPolicy(f"The policy {file} cannot be read: {error}.") from error
    meaning = json.dumps(values, sort_keys=True, default=str)
    name = str(values.pop("name", file.stem))
    rules = {alias: _rule(alias, body, f"{file} [{alias}]") for alias, body in values.items()}
    return Policy(name, hashlib.sha256(meaning.encode()).hexdigest(), rules)


def _rule(alias: str, body: Any, where: str) -> Rule:
    if not isinstance(body, dict):
        raise InvalidPolicy(f"{where} must be a table, not {body!r}.")
    values = {"require_measured": alias == "champion", **body}
    checks = tuple(CheckSpec(**_known(CheckSpec, check, f"{where} checks")) for check in values.pop("checks", []))
    return Rule(checks=checks, **_known(Rule, values, where))


_TYPES: dict[str, type | tuple[type, ...]] = {
    "metric": str,
    "threshold": (int, float),
    "greater_is_better": bool,
    "min_absolute_change": (int, float),
    "min_relative_change": (int, float),
    "approvals": int,
    "allow_self_review": bool,
    "require_enforced_separation": bool,
    "require_measured": bool,
    "min_rows": int,
    "allow_unsafe": bool,
    "allow_project_code": bool,
    "allow_other_task": bool,
}


def _known(kind: type, values: dict[str, Any], where: str) -> dict[str, Any]:
    names = {f.name for f in fields(kind)} - {"checks"}
    for name, value in values.items():
        if name not in names:
            raise InvalidPolicy(f"{where} has an unknown field {name!r}: known are {', '.join(sorted(names))}.")
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and _TYPES[name] is not bool):
            raise InvalidPolicy(f"{where}: {name} cannot be {value!r}.")
    if kind is CheckSpec and "metric" not in values:
        raise InvalidPolicy(f"{where}: a check names its metric.")
    return values
