"""Requests at random: each is answered, refused in one sentence, or begins a job that ends in one of these."""

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from asking import PREFIX, Ask, Fetch
from ingredients import TRIES, Chance, prepare, word
from test_jobs import ended

from modelops_jupyter.server.routes import Route, routes

pytestmark = pytest.mark.slow
WRONG = [0, -1, 1.5, True, None, [], {}, [[]], {"a": {"b": [1]}}, ["x"] * 50, "", "x" * 20_000, 10**30]
JOBS = ("job", "events", "log", "cancel", "dashboard")  # what they answer is of jobs there are; others test these
ROUTES = [route for route in routes() if route.answer not in JOBS]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "workspace"
    prepare(folder, mlflow_database)
    return folder


def value(chance: Chance, name: str, schema: Any) -> Any:
    """Return a value for a field: mostly of its type."""
    if chance.random() < 0.12:
        return chance.choice(WRONG)
    match schema["type"]:
        case "array":
            return [word(chance, name) for _ in range(chance.randint(0, 2))]
        case "object":
            return {word(chance, "any"): chance.choice([0.5, "x", None, 3]) for _ in range(chance.randint(0, 2))}
        case "boolean":
            return chance.random() < 0.5
        case "integer" | "number":
            return chance.choice([0, 1, -1, 5, 10**12])
        case _:
            return word(chance, name)


def request(chance: Chance, route: Route) -> dict[str, Any]:
    """Return the fields of a request, most of them there."""
    given = {
        field.name: value(chance, field.name, field.schema)
        for field in route.fields
        if chance.random() < (0.97 if field.required else 0.35)
    }
    if route.operation == "watch":
        given["once"] = True
    if chance.random() < 0.05:
        given[word(chance, "any")] = 1
    return given


async def sent(fetch: Fetch, route: Route, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a request, and return status and answer."""
    path = route.path.format(**{name: str(given.pop(name, "delay")).strip("/.") or "delay" for name in route.in_path})
    options: dict[str, Any] = {"method": route.method, "raise_error": False}
    if route.method == "GET":
        options["params"] = {name: each if isinstance(each, str) else json.dumps(each) for name, each in given.items()}
    else:
        options["body"] = json.dumps(given)
    answer = await fetch(*PREFIX, *path.strip("/").split("/"), **options)
    return answer.code, json.loads(answer.body)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("starts", [False, True], ids=["answered", "jobs"])
async def test_a_request_is_answered_or_refused(
    jp_fetch: Fetch, get: Ask, jp_root_dir: Path, prepared: Path, starts: bool
) -> None:
    shutil.copytree(prepared, jp_root_dir, dirs_exist_ok=True, symlinks=True)
    chosen = [route for route in ROUTES if (route.answer == "start") is starts]
    for number in range(int((12 if starts else 300) * TRIES)):
        chance = random.Random(f"request {starts} {number}")
        route = chance.choice(chosen)
        given = request(chance, route)
        about = (number, route.method, route.path, given)
        status, answer = await sent(jp_fetch, route, dict(given))
        assert status < 500 or answer.get("code") not in (None, "internal"), (about, status, answer)
        assert status < 400 or (set(answer) == {"message", "code"} and "Something went" not in answer["message"]), about
        if status == 202:
            job = await ended(get, answer, within=120)
            error = job.get("error") or {}
            assert error.get("code") != "internal", (about, error, os.fspath(jp_root_dir))
