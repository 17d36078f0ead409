"""What MLflow's registry holds, at a glance: the names, aliases and version numbers, without any file or run.

A SQLite file is read directly, which takes milliseconds; MLflow's client alone takes seconds to import.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from modelops_jupyter.registry.adoption import PAGE, PROMPT, READY, TOKEN, is_prompt, pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

BUSY_SECONDS = 4.0


@dataclass(frozen=True)
class Registered:
    """A registered model.

    Attributes
    ----------
    aliases : mapping of str to int
    versions : mapping of int to str or None
        Versions that are ready, each with the token under which we registered it; of a server, the newest ones alone.
    """

    aliases: Mapping[str, int]
    versions: Mapping[int, str | None]


def read_file(path: Path) -> Mapping[str, Registered] | None:
    """Return what a SQLite file of MLflow's holds; None where only MLflow itself can read it."""
    prompts = "SELECT name FROM registered_model_tags WHERE key = ? AND lower(value) = 'true'"
    models = f"SELECT name FROM registered_models WHERE name NOT IN ({prompts})"
    versions = "SELECT name, version FROM model_versions WHERE status = ? AND current_stage <> 'Deleted_Internal'"
    tokens = "SELECT name, version, value FROM model_version_tags WHERE key = ?"
    try:
        with closing(_connect(path)) as connection:
            names = [str(name) for (name,) in connection.execute(f"{models} ORDER BY name", (PROMPT,))]
            held = connection.execute("SELECT name, alias, version FROM registered_model_aliases").fetchall()
            ready = connection.execute(versions, (READY,)).fetchall()
            ours = {(name, number): token for name, number, token in connection.execute(tokens, (TOKEN,))}
    except sqlite3.Error:  # another release's tables, or a folder that SQLite cannot use: MLflow says what it is
        return None
    aliases: dict[str, dict[str, int]] = {name: {} for name in names}
    numbers: dict[str, dict[int, str | None]] = {name: {} for name in names}
    for name, alias, number in held:
        aliases.get(name, {})[alias] = int(number)
    for name, number in ready:
        numbers.get(name, {})[int(number)] = ours.get((name, number))
    return {name: Registered(aliases[name], numbers[name]) for name in names}


def highest_numbers(path: Path) -> Mapping[str, int]:
    """Return the highest number that was ever given in each model of a SQLite file, deleted versions included."""
    try:
        with closing(_connect(path)) as connection:
            given = "SELECT name, version FROM model_versions UNION ALL SELECT name, 0 FROM registered_models"
            numbers = connection.execute(f"SELECT name, max(version) FROM ({given}) GROUP BY name")
            return {str(name): int(number) for name, number in numbers}
    except sqlite3.Error:  # MLflow says what it is
        return {}


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def ask_client(client: MlflowClient) -> Mapping[str, Registered]:
    """Return what MLflow's client tells in a call for each page of models."""
    return {
        model.name: Registered(
            {alias: int(at) for alias, at in model.aliases.items()},
            {int(v.version): v.tags.get(TOKEN) for v in model.latest_versions if v.status == READY},
        )
        for model in pages(lambda token: client.search_registered_models(max_results=PAGE, page_token=token))
        if not is_prompt(model.tags)
    }
