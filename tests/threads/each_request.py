"""Answer requests in processes forked from one that has imported the server and nothing else.

``python each_request.py PROJECT REQUESTS.json``: those that need the same imports are answered in one process, so that
what a thread imports is seen even where another request to the same server would have imported it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from modelops_jupyter.imports import import_ahead
from modelops_jupyter.server import extension  # noqa: F401  # what a server has imported when it is asked
from modelops_jupyter.server.answers import ANSWERS
from modelops_jupyter.server.dashboard import DashboardServer
from modelops_jupyter.server.imports import import_for, needed
from modelops_jupyter.server.kept import Kept
from modelops_jupyter.server.routes import Route, routes


async def answer(route: Route, values: dict[str, Any], project: Path) -> None:
    """Answer as the server does, to one who sends no headers."""

    async def finish(body: str, **_: str) -> None:
        json.loads(body)

    dashboard = DashboardServer()
    handler = SimpleNamespace(
        project=project,
        root=project,
        kept=Kept(),
        dashboard=dashboard,
        base_url="/",
        request=SimpleNamespace(headers={}, host_name="localhost"),
        current_user=SimpleNamespace(username="ann"),
        actor=lambda: None,
        serverapp=SimpleNamespace(extension_manager=SimpleNamespace(extensions={})),
        finish=finish,
    )
    await import_for(route.operation)
    await ANSWERS[route.answer](handler, route, values)  # type: ignore[arg-type]
    await asyncio.to_thread(dashboard.close)


def main(project: str, requests: str) -> int:
    """Return how many requests were not answered."""
    by_operation = {route.operation: route for route in routes()}
    asked: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = {}
    for operation, values in json.loads(Path(requests).read_text()).items():
        asked.setdefault(needed(operation), []).append((operation, values))
    failed = 0
    for questions in sorted(asked.values(), key=lambda questions: len(needed(questions[0][0]))):
        child = os.fork()
        if child == 0:
            for operation, values in questions:
                sys.argv = [operation]
                asyncio.run(answer(by_operation[operation], values, Path(project)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        failed += status != 0
        import_ahead(needed(""))  # what all need: the first had to import it, the others begin with it
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
