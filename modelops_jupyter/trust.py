"""What settings may be believed, and what they may read of the environment: who can write them decides neither."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from string import Template

from modelops_jupyter.errors import InvalidInput

SECRET_PREFIX = "MODELOPS_SECRET_"
TRUSTED_FOLDERS = "MODELOPS_TRUSTED_FOLDERS"


def check_settings_file(file: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Raise `InvalidInput` if another user can write a settings file, as git refuses their repositories.

    It, its folder, and the file that it may be a link to belong to this user or to root, and nobody else may write
    them. ``MODELOPS_TRUSTED_FOLDERS`` names folders whose settings are taken all the same, separated as in ``PATH``;
    ``*`` stands for all. Where there are no users in this sense, as on Windows, nothing is checked.
    """
    if not hasattr(os, "geteuid"):
        return
    real = file.resolve()
    trusted = environ.get(TRUSTED_FOLDERS, "").split(os.pathsep)
    if "*" in trusted or any(real.is_relative_to(Path(folder).resolve()) for folder in trusted if folder):
        return
    for path in dict.fromkeys((file, file.parent, real, real.parent)):
        reason = _written_by_others(path, environ)
        if reason:
            raise InvalidInput(
                f"The settings in {file} are not used: {path} {reason}, and who can write them decides where this "
                f"workspace sends what it knows. If you trust them, set {TRUSTED_FOLDERS}={real.parent}."
            )


def fill_secrets(where: str, text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a setting with its ``$NAME`` and ``${NAME}`` replaced by environment variables of our own prefix.

    >>> fill_secrets("source.delay.database", "db://$MODELOPS_SECRET_DB", {"MODELOPS_SECRET_DB": "ann:t0p@host"})
    'db://ann:t0p@host'

    Raises
    ------
    InvalidInput
        If a name does not begin with ``MODELOPS_SECRET_`` or is not set, or a ``$`` stands alone.
    """
    for name in Template(text).get_identifiers():
        if not name.startswith(SECRET_PREFIX):
            raise InvalidInput(
                f"{where} names ${name}, and settings may read only variables that begin with {SECRET_PREFIX}: name "
                f"${SECRET_PREFIX}{name} and set that."
            )
    try:
        return Template(text).substitute(environ)
    except KeyError as error:
        raise InvalidInput(f"{where} names ${error.args[0]}, which is not set: set it.") from None
    except ValueError:
        raise InvalidInput(f"{where} holds a lone $: write $$ for it.") from None


def _written_by_others(path: Path, environ: Mapping[str, str]) -> str:
    """Return who else can write a file or folder, as the end of a sentence; empty if nobody can."""
    status = path.lstat()
    own = {os.geteuid(), 0}
    if os.geteuid() == 0 and environ.get("SUDO_UID", "").isdecimal():
        own.add(int(environ["SUDO_UID"]))
    if status.st_uid not in own:
        return f"belongs to {_user(status.st_uid)}"
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return ""  # of a link its target counts; in a folder like /tmp nobody replaces the files of another
    if status.st_mode & stat.S_IWOTH:
        return "can be written by everybody"
    if status.st_mode & stat.S_IWGRP and status.st_gid not in _own_groups(own):
        return f"can be written by the group {status.st_gid}"
    return ""


def _user(number: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the user {number}"


def _own_groups(users: set[int]) -> set[int]:
    """Return the groups that users have to themselves: with a umask of 002 what they write is writable by those."""
    import grp
    import pwd

    groups = {0}
    for number in users:
        with suppress(KeyError):
            user = pwd.getpwuid(number)
            if grp.getgrgid(user.pw_gid).gr_name == user.pw_name:
                groups.add(user.pw_gid)
    return groups
