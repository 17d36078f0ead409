"""What git knows of a folder and a file in it; nothing where there is no git, no repository, or no answer in time."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SECONDS = 3.0
REPOSITORY = ("local", "worktree")  # scopes of settings that lie in the repository itself


@dataclass(frozen=True)
class GitFacts:
    """The state of a working tree.

    Attributes
    ----------
    root : Path
        The top folder of the working tree.
    commit, branch : str or None
        None before the first commit, and of a detached HEAD.
    url : str or None
        Of the remote ``origin``, or else of the first one; without user, password and query.
    dirty : bool or None
        Whether tracked files have changes, or the file itself is not tracked: the commit does not hold what ran.
    """

    root: Path
    commit: str | None
    branch: str | None
    url: str | None
    dirty: bool | None


def git_facts(folder: Path, file: Path | None = None) -> GitFacts | None:
    """Return what git knows of `folder`, or None if it is in no repository that git may read."""
    root = ask_git(folder, "rev-parse", "--show-toplevel")
    if not root:
        return None
    changes = _changes(folder)
    tracked = file is None or ask_git(folder, "ls-files", "--error-unmatch", "--", str(file)) is not None
    return GitFacts(
        root=Path(root),
        commit=ask_git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or None,
        branch=ask_git(folder, "symbolic-ref", "--short", "--quiet", "HEAD") or None,
        url=_url(ask_git(folder, "config", "--get-regexp", r"^remote\..*\.url$") or ""),
        dirty=None if changes is None else bool(changes) or not tracked,
    )


def _changes(folder: Path) -> str | None:
    """Return git's list of tracked files with changes, or None if it cannot be had without running a program.

    To compare a file, git runs it through the filter that the repository's settings name for it. Those of the user's
    own settings are theirs; a repository's come with a copied folder, and may be any command. The latter are off, so
    that a file that such a filter changes counts as changed. Submodules have settings of their own: nothing looks into
    them.
    """
    listed = ask_git(folder, "config", "--show-scope", "-z", "--get-regexp", r"^filter\.") or ""
    fields = listed.split("\0")
    own = {key.partition("\n")[0] for scope, key in zip(fields[::2], fields[1::2], strict=False) if scope in REPOSITORY}
    names = sorted({key.partition(".")[2].rpartition(".")[0] for key in own})
    if any("=" in name or "\n" in name for name in names):  # which `-c` cannot name
        return None
    off = [f"filter.{name}.{what}" for name in names for what in ("clean=", "smudge=", "process=", "required=false")]
    options = [word for setting in off for word in ("-c", setting)]
    return ask_git(folder, *options, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")


def ask_git(folder: Path, *words: str) -> str | None:
    """Return what git answers about a folder without the last line's end, or None if it cannot.

    Nothing that the repository's settings name as a hook or a transport runs, and ``GIT_DIR`` and its kin count for
    nothing.
    """
    # A hook or a shell may point git elsewhere, and no hook of the repository's runs for a question.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment, check=True)
    except (OSError, subprocess.SubprocessError):  # no git, no repository, too slow: no facts
        return None
    return os.fsdecode(done.stdout).rstrip("\n")


def without_credentials(url: str) -> str:
    """Return the address of a repository without user, password, query and fragment.

    >>> without_credentials("https://ann:token@example.org/team/models.git?token=x")
    'https://example.org/team/models.git'
    >>> without_credentials("git@example.org:team/models.git"), without_credentials("ann:word@example.org:models.git")
    ('git@example.org:team/models.git', 'example.org:models.git')
    """
    if "://" in url:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    user, _, address = url.rpartition("@")
    return address if ":" in user else url


def _url(lines: str) -> str | None:
    """Return the address of ``origin``, or else the first, of what ``git config --get-regexp`` lists."""
    remotes = re.findall(r"^remote\.(.*)\.url (.+)$", lines, flags=re.MULTILINE)
    urls = {name: without_credentials(url.strip()) for name, url in remotes}
    return urls.get("origin") or next(iter(urls.values()), None)
