"""Who acts: the name that goes on record, and how sure we are of it."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass

from modelops_jupyter.persons import check_person


@dataclass(frozen=True)
class Actor:
    """A person or service that acts.

    Attributes
    ----------
    name : str
    assurance : str
        ``self-asserted``: the name is what the process says of itself (embedded workspaces, always).
        ``authenticated``: a server's identity provider vouches for the name.
    """

    name: str
    assurance: str = "self-asserted"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_person(self.name))


def current_actor(configured: str | None = None) -> Actor:
    """Return who acts now: the configured name, ``MODELOPS_ACTOR``, JupyterHub's user, or the operating system's.

    A kernel of a server that JupyterHub started has its user's name, who would else be ``root`` or ``jovyan`` with all
    the others. It is self-asserted all the same: whoever runs code in a kernel can set what it says of itself.
    """
    name = configured or next(filter(None, map(os.environ.get, ("MODELOPS_ACTOR", "JUPYTERHUB_USER"))), None)
    if name:
        return Actor(name)
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):  # a container without a passwd entry
        return Actor(f"uid-{os.getuid()}")
