"""Git repositories as tests need them."""

import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` and return what it prints."""
    person = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", *person, "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, *files: str) -> Path:
    """Make a repository with `files` in one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    git(folder, "add", ".")
    git(folder, "commit", "--allow-empty", "-m", "first")
    return folder
