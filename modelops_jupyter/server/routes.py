"""The one table of routes: every verb under ``/modelops/api/v1/``, with what it takes and what it asks of the caller.

A reader is a GET with query parameters; a writer is a POST with a JSON object of the same names as the Python
arguments; a slow verb is a POST too, and is answered 202 with the job that has begun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from modelops_jupyter.server.fields import Field, fields_of
from modelops_jupyter.verb import Verb
from modelops_jupyter.verbs import VERBS
from modelops_jupyter.workspace import Workspace

PREFIX = "/modelops/api/v1"
RESOURCE = "modelops"


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Attributes
    ----------
    method : {"GET", "POST", "DELETE"}
    path : str
        Below `PREFIX`; ``{name}`` stands for the field of that name.
    operation : str
        The method of `Workspace` behind it, or a name of our own.
    answer : {"read", "write", "start", "jobs", "job", "events", "log", "cancel", "dashboard", "openapi"}
        How it is answered: ``start`` with a job that has begun, the five behind it about jobs.
    action : {"read", "write", "execute"}
        What Jupyter Server's authorizer is asked for, on the resource `RESOURCE`.
    lenient : bool
        It answers where the settings file cannot be used, too.
    """

    method: str
    path: str
    operation: str
    answer: str
    action: str
    summary: str
    fields: tuple[Field, ...] = ()
    lenient: bool = False

    @property
    def pattern(self) -> str:
        """The regular expression of its address, with a group for each field in the path."""
        return PREFIX + re.sub(r"\{\w+\}", "([^/]+)", self.path)

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the fields that are part of the path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


@cache
def routes() -> tuple[Route, ...]:
    """Return every route."""
    verbs = tuple(_route(verb, f"/{verb.name}") for verb in VERBS)
    overview = next(verb for verb in VERBS if verb.name == "overview")
    return (*verbs, _route(overview, "/models/{name}"), *_JOBS, _DASHBOARD, _OPENAPI)


_ID = Field("id", {"type": "string", "maxLength": 64}, True, "id of the job")
_LIMIT = Field("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, False, "how many jobs")
_AFTER = Field("after", {"type": "integer", "minimum": 0, "default": 0}, False, "number of the last event known")
_TAIL = Field("tail", {"type": "integer", "minimum": 1, "maximum": 1_000_000}, False, "how many bytes, from the end")
_JOBS = (
    Route("GET", "/jobs", "list_jobs", "jobs", "read", "the jobs of this workspace, newest first", (_LIMIT,)),
    Route("GET", "/jobs/{id}", "get_job", "job", "read", "one job, with its result", (_ID,)),
    Route("DELETE", "/jobs/{id}", "cancel_job", "cancel", "execute", "end a job and all it has started", (_ID,)),
    Route(
        "GET",
        "/jobs/{id}/events",
        "job_events",
        "events",
        "read",
        "progress as server-sent events, until the job ends; goes on behind `after` or Last-Event-ID",
        (_ID, _AFTER),
    ),
    Route("GET", "/jobs/{id}/log", "job_log", "log", "read", "what the job's process printed", (_ID, _TAIL)),
)
_DASHBOARD = Route(
    "POST",
    "/dashboard",
    "open_dashboard",
    "dashboard",
    "execute",
    "where the Voila dashboards are; starts them if they do not run",
)
_OPENAPI = Route("GET", "/openapi.json", "openapi", "openapi", "read", "this document")


def _route(verb: Verb, path: str) -> Route:
    operation = verb.operation
    helps = {options.get("dest", _argument(flags)): str(options.get("help", "")) for flags, options in verb.arguments}
    helps = {f"{name}s": text for name, text in helps.items()} | helps
    fields = fields_of(getattr(Workspace, operation), helps)
    answer = "start" if verb.slow else "read" if verb.effect == "read" else "write"
    method = "GET" if answer == "read" else "POST"
    return Route(method, path, operation, answer, verb.effect, verb.help, fields, verb.lenient)


def _argument(flags: tuple[str, ...]) -> str:
    return flags[-1].lstrip("-").replace("-", "_")
