"""The routes' handlers, made from the table: who asks, what is asked, and the answer as JSON, errors included."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http.client import responses
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider
from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import LegacyIdentityProvider
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError, authenticated

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import ModelOpsError, NotFound, Unexpected
from modelops_jupyter.server.dashboard import DashboardServer
from modelops_jupyter.server.fields import read_body, take, take_query
from modelops_jupyter.server.imports import import_for
from modelops_jupyter.server.kept import Kept
from modelops_jupyter.server.routes import PREFIX, RESOURCE, Route
from modelops_jupyter.server.served import written

CODES = {400: "invalid-input", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}
BIGGEST_BODY = 1_000_000
# Jupyter's providers that know nobody by name: the user is "Anonymous Io", another one in every browser.
_NAMELESS = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)
# What a Jupyter client adds to any address: its token, and a time that keeps caches away.
_NOT_OURS = re.compile(r"token|no_track_activity|_xsrf|_?\d*")

Answer = Callable[["WorkspaceHandler", Route, dict[str, Any]], Awaitable[None]]


class WorkspaceHandler(APIHandler):
    """Base of the routes: opens the workspace per request, so that nothing stale or half-created is kept."""

    def initialize(self, project: Path, root: Path, most_jobs: int, kept: Kept, dashboard: DashboardServer) -> None:
        """Remember where the workspace is looked for, what the file browser shows, and how many jobs may run."""
        self.project, self.root, self.most_jobs, self.kept, self.dashboard = project, root, most_jobs, kept, dashboard
        self.gone = False

    def on_connection_close(self) -> None:
        """Remember that nobody listens any more."""
        self.gone = True
        super().on_connection_close()

    def actor(self) -> Actor | None:
        """Return who asks, where the server's identity provider vouches for the name, else None."""
        if type(self.identity_provider) in _NAMELESS:
            return None
        return Actor(str(self.current_user.username), "authenticated")

    def values(self, route: Route, segments: tuple[str, ...]) -> dict[str, Any]:
        """Return the checked fields of the request.

        Raises
        ------
        InvalidInput
            Naming the field that is unknown, missing or wrong.
        """
        query = {
            name: [text.decode("utf-8", "replace") for text in texts]
            for name, texts in self.request.query_arguments.items()
            if not _NOT_OURS.fullmatch(name)
        }
        query |= {name: [segment] for name, segment in zip(route.in_path, segments, strict=True)}
        if route.method == "GET":
            return take_query(route.fields, query)
        if len(self.request.body) > BIGGEST_BODY:
            raise HTTPError(413, f"The body has over {BIGGEST_BODY} bytes: name files instead of sending them.")
        given = read_body(self.request.body)
        return take(route.fields, {**given, **{name: texts[0] for name, texts in query.items()}})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer JSON with a `message` and a `code`, whatever went wrong."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, OSError):
            error = Unexpected.of(error)
        if isinstance(error, ModelOpsError) and not isinstance(error, Unexpected):
            self.set_status(error.http_status)
            return self._refuse(str(error), error.code)
        if isinstance(error, HTTPError):
            message = error.log_message or responses.get(status_code, "Refused")
            return self._refuse(message, CODES.get(status_code, "error"))
        number = uuid4().hex[:8]
        self.log.error("ModelOps error %s in %s %s", number, self.request.method, self.request.path)
        self._refuse(f"Something went wrong in the server; its log has the details under {number}.", "internal")

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Leave our own errors out of the log: the caller is told."""
        if not isinstance(error, ModelOpsError):
            super().log_exception(kind, error, trace)

    def _refuse(self, message: str, code: str) -> None:
        self.finish(written({"message": message, "code": code}))


class StrangerHandler(WorkspaceHandler):
    """Whatever else is asked for below our prefix."""

    async def prepare(self) -> None:
        """Refuse, once it is known who asks."""
        await super().prepare()
        if self.current_user is None:
            raise HTTPError(403)
        raise NotFound(f"There is no route {self.request.path!r}: {PREFIX}/openapi.json has all of them.")


def handlers_for(
    routes: Iterable[Route], answers: Mapping[str, Answer], **options: Any
) -> list[tuple[str, type[WorkspaceHandler], dict[str, Any]]]:
    """Return a handler per address, with a method for each route there is."""
    by_pattern = groupby(sorted(routes, key=lambda route: route.pattern), key=lambda route: route.pattern)
    known = [(pattern, _handler(tuple(found), answers), options) for pattern, found in by_pattern]
    return [*known, (rf"{PREFIX}(?:/.*)?", StrangerHandler, options)]


def _handler(routes: tuple[Route, ...], answers: Mapping[str, Answer]) -> type[WorkspaceHandler]:
    methods = {route.method.lower(): _method(route, answers[route.answer]) for route in routes}
    name = "".join(word.capitalize() for word in re.findall(r"\w+", routes[0].path)) + "Handler"
    return type(name, (WorkspaceHandler,), {**methods, "__doc__": routes[0].summary})


def _method(route: Route, answer: Answer) -> Callable[..., Any]:
    # `authorized` keeps the first resource it meets when none is given: it is named every time.
    @authenticated
    @authorized(route.action, resource=RESOURCE)
    async def method(self: WorkspaceHandler, *segments: str) -> None:
        await import_for(route.operation)
        await answer(self, route, self.values(route, segments))

    return method
