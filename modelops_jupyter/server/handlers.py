"""The routes: each one reads the workspace in a thread and answers JSON, errors included."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from modelops_jupyter.errors import ModelOpsError, NotFound
from modelops_jupyter.settings import find_settings

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace

# `authorized` keeps the first resource it meets when none is given: every verb names its own.
MODELS = "modelops:models"
_CODES = {403: "forbidden", 404: "not-found", 405: "method-not-allowed"}


class WorkspaceHandler(APIHandler):
    """Base of the routes: opens the workspace per request, so that nothing stale or half-created is kept."""

    def initialize(self, project: Path) -> None:
        """Remember where the workspace is looked for."""
        self.project = project

    async def answer(self, read: Callable[[Workspace], dict[str, Any]], empty: dict[str, Any] | None) -> None:
        """Finish with what `read` returns, or with `empty` where there is no workspace yet."""
        try:
            body = await asyncio.to_thread(_read, self.project, read, empty)
        except ModelOpsError as error:
            self.set_status(error.http_status)
            body = json.dumps({"message": str(error), "code": error.code})
        await self.finish(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer JSON with a `message` and a `code`, whatever went wrong."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        message = getattr(error, "log_message", None) or self._reason
        self.finish(json.dumps({"message": message, "code": _CODES.get(status_code, "error")}))


class ModelsHandler(WorkspaceHandler):
    """Every model with its champion, health, open alerts and sparkline."""

    @authenticated
    @authorized("read", resource=MODELS)
    async def get(self) -> None:
        """Answer what `Workspace.models` returns."""
        await self.answer(lambda ws: ws.models().to_dict(), empty={"title": "Models", "rows": []})


class ModelHandler(WorkspaceHandler):
    """One model on one page."""

    @authenticated
    @authorized("read", resource=MODELS)
    async def get(self, name: str) -> None:
        """Answer what `Workspace.overview` returns."""
        await self.answer(lambda ws: ws.overview(name).to_dict(), empty=None)


def _read(project: Path, read: Callable[[Workspace], dict[str, Any]], empty: dict[str, Any] | None) -> str:
    """Open the workspace, read, and write JSON; reading never creates a file."""
    settings = find_settings(project)
    if not settings.store_path.exists():
        if empty is None:
            raise NotFound(f"There are no models in {str(settings.project)!r} yet: register one first.")
        return json.dumps(empty)
    from modelops_jupyter.workspace import Workspace

    with Workspace(settings) as ws:
        return json.dumps(read(ws), allow_nan=False)
