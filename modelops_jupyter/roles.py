"""The identity of a prediction: request id, version and role; the predictions of one version and role are a series."""

from __future__ import annotations

from dataclasses import dataclass

from modelops_jupyter.choices import CHOICES
from modelops_jupyter.errors import InvalidInput

SERVED = "served"
ROLES = CHOICES["Role"]


@dataclass(frozen=True, order=True)
class Series:
    """Predictions that are counted together.

    Attributes
    ----------
    version : int
        0 stands for whichever version served.
    role : {"served", "shadow", "canary"}

    Examples
    --------
    >>> print(Series(2, "shadow"))
    version 2 as shadow
    """

    version: int = 0
    role: str = SERVED

    @property
    def key(self) -> str:
        """What names the series within its model; empty for what was served by whichever version."""
        return f"{self.version}-{self.role}" if self.version else ""

    @classmethod
    def of_key(cls, key: str) -> Series:
        """Read what `key` wrote."""
        version, _, role = key.partition("-")
        return cls(int(version), role) if key else cls()

    def __str__(self) -> str:
        return f"version {self.version} as {self.role}" if self.version else "served"


# The one answer that each request got, whichever version gave it.
SERVICE = Series()


def kind_of(kind: str, series: Series) -> str:
    """Return the kind of records that hold windows, alerts or the state of a series.

    What is beside what was served is of kinds of its own: whoever asks how a model does in service never reads it.
    """
    return f"series_{kind}" if series.key else kind


def check_role(role: str) -> str:
    """Return `role` if predictions may have it, else raise `InvalidInput`."""
    if role not in ROLES:
        raise InvalidInput(f"role is {', '.join(ROLES[:-1])} or {ROLES[-1]}, not {role!r}.")
    return role
