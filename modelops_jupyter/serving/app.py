"""The routes of an endpoint, as MLflow has them, and ours."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from modelops_jupyter._version import __version__
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.serving import labels
from modelops_jupyter.serving.bodies import Intake, read_body
from modelops_jupyter.serving.champions import Champions
from modelops_jupyter.serving.documents import document
from modelops_jupyter.serving.guard import Guard
from modelops_jupyter.serving.live import REFER, Answer, LiveModel
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.payload import Overloaded, Payload, RequestRefused, check_id, read_payload
from modelops_jupyter.serving.recorder import Recorder
from modelops_jupyter.serving.scorer import Scorer
from modelops_jupyter.serving.spool import Logged
from modelops_jupyter.serving.tally import Tally
from modelops_jupyter.settings import Settings

LARGE = 64_000  # bytes that are read beside the event loop, so that others are not delayed
_LOG = logging.getLogger("modelops.serving")


@dataclass(frozen=True)
class Service:
    """What the routes work with.

    Attributes
    ----------
    readers, labellers : ThreadPoolExecutor
        Read large bodies with rows; read and log labels, which may wait for the log.
    intake, label_intake : Intake
        Bound what of bodies is in memory.
    """

    settings: Settings
    options: ServingOptions
    champions: Champions
    scorer: Scorer
    recorder: Recorder
    readers: ThreadPoolExecutor
    labellers: ThreadPoolExecutor
    intake: Intake
    label_intake: Intake
    tallies: Mapping[str, Tally]

    def live(self, name: str | None) -> LiveModel:
        """Return the version that answers for a model, by default for the only one.

        Raises
        ------
        RequestRefused
            If it is not served here.
        """
        names = self.champions.names
        if name is None and len(names) == 1:
            return self.champions.live(names[0])
        if name not in names:
            where = ", ".join(f"/models/{one}/invocations" for one in names)
            what = "Several models are served" if name is None else f"Model {name[:128]!r} is not served here"
            raise RequestRefused(f"{what}: ask {where}.", status=404, field="model")
        return self.champions.live(name)


def application(service: Service) -> ASGIApp:
    """Return the ASGI application."""

    async def invocations(request: Request) -> Response:
        return await _invocations(service, request)

    async def take_labels(request: Request) -> Response:
        with service.label_intake.body() as take:
            body = await read_body(request, service.options, take)
            return _json(await asyncio.get_running_loop().run_in_executor(service.labellers, _label, service, body))

    async def ping(request: Request) -> Response:
        return PlainTextResponse("\n")

    async def health(request: Request) -> Response:
        return _json(health_of(service))

    async def version(request: Request) -> Response:
        return PlainTextResponse(__version__)

    async def openapi(request: Request) -> Response:
        live = [service.champions.live(name) for name in service.champions.names]
        return _json(document(live, token=bool(service.options.token), most_rows=service.options.most_rows))

    routes = [
        Route("/invocations", invocations, methods=["POST"]),
        Route("/models/{name}/invocations", invocations, methods=["POST"]),
        Route("/labels", take_labels, methods=["POST"]),
        Route("/ping", ping),
        Route("/health", health),
        Route("/version", version),
        Route("/openapi.json", openapi),
    ]
    handlers: Mapping[Any, Any] = {ModelOpsError: _refused, HTTPException: _not_there, Exception: _failed}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), service.options)


def health_of(service: Service) -> dict[str, Any]:
    """Return how an endpoint does: what answers, what was referred, what is on record and what is lost."""
    champions, state = service.champions, service.recorder.state()
    wrong = dict(champions.problems)  # which its own thread changes
    models = {
        name: {
            "version": (live := champions.live(name)).version.version,
            "alias": live.reference.alias,
            "since": champions.since(name).isoformat(),
            **service.tallies[name].to_dict(),
            "problem": wrong.get(name, ""),
        }
        for name in champions.names
    }
    problems = [champions.store_problem, state.problem, *wrong.values()]
    degraded = any(problems) or state.lost
    return {
        "status": "degraded" if degraded else "ok",
        "models": models,
        "log": asdict(state),
        "store": champions.store_problem or "ok",
    }


def _label(service: Service, body: bytes) -> dict[str, Any]:
    given = labels.read_labels(body, service.champions.names, service.options.most_rows)
    return {"model": given.model, **labels.log(service.settings, given)}


async def _invocations(service: Service, request: Request) -> Response:
    live = service.live(request.path_params.get("name"))
    tally = service.tallies[live.name]
    try:
        with service.intake.body() as take:
            payload = await _payload(service, live, await read_body(request, service.options, take))
        method = live.check(payload)
        ids = _request_ids(request, payload)
        waiting = service.scorer.ask(live, payload, method)
        if waiting is None:
            raise Overloaded
        answer = await asyncio.wrap_future(waiting)
    except RequestRefused:
        tally.refused += 1
        raise
    written = service.recorder.record(_logged(answer, payload, ids))
    if written is not None:
        await asyncio.wrap_future(written)
    tally.requests += 1
    tally.rows += payload.rows
    tally.referred += answer.verdicts.count(REFER)
    return _answered(answer, ids)


async def _payload(service: Service, live: LiveModel, body: bytes) -> Payload:
    most = service.options.most_rows
    if len(body) < LARGE:
        return read_payload(body, live.names, most)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(service.readers, read_payload, body, live.names, most)


def _request_ids(request: Request, payload: Payload) -> list[str]:
    """Return an id for each row: the client's own, or those of its header, or new ones."""
    if payload.request_ids:
        return list(payload.request_ids)
    header = request.headers.get("x-request-id")
    base = uuid4().hex if header is None else check_id(header, "X-Request-Id")
    return [base] if payload.rows == 1 else [f"{base}-{row}" for row in range(payload.rows)]


def _logged(answer: Answer, payload: Payload, ids: list[str]) -> Logged:
    live = answer.live
    at = datetime.now(UTC).isoformat()
    who = (live.name, live.version.version, live.reference.alias or "")
    return Logged(*who, at, ids, answer.logged, answer.scores, live.features(payload))


def _answered(answer: Answer, ids: list[str]) -> Response:
    live = answer.live
    content: dict[str, Any] = {
        "predictions": answer.predictions,
        "model": live.name,
        "version": live.version.version,
        "request_ids": ids,
        "verdicts": answer.verdicts,
    }
    if answer.scores is not None:
        content["scores"] = answer.scores
    if any(answer.reasons):
        content["reasons"] = answer.reasons
    headers = {"X-Modelops-Model": live.name, "X-Modelops-Version": str(live.version.version)}
    if len(ids) == 1 and ids[0].isascii():
        headers["X-Request-Id"] = ids[0]
    return _json(content, headers=headers)


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    try:
        text = json.dumps(content, separators=(",", ":"), default=str, allow_nan=False)
    except ValueError:  # JSON has no NaN: what a model cannot say is null
        text = json.dumps(_without_nan(content), separators=(",", ":"), default=str)
    return Response(text, status, headers, "application/json")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    is_number = not isinstance(value, float) or float("-inf") < value < float("inf")
    return value if is_number else None


def _error(status: int, code: str, message: str, field: str = "", **headers: str) -> Response:
    content = {"error_code": code, "message": message, **({"field": field} if field else {})}
    return _json(content, status, headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ModelOpsError)
    status = error.status if isinstance(error, RequestRefused) else error.http_status
    field = error.field if isinstance(error, RequestRefused) else ""
    more = {"Connection": "close"} if status in (408, 413) else {}
    more |= {"Retry-After": "1", "Connection": "close"} if isinstance(error, Overloaded) else {}
    return _error(status, error.code, str(error), field, **more)


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: "There is nothing here: /openapi.json lists every address.",
        405: "This address takes another method.",
    }
    return _error(error.status_code, "not-found", words.get(error.status_code, error.detail), **(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    _LOG.error("a request failed", exc_info=error)
    return _error(500, "internal", f"Something went wrong ({type(error).__name__}): the server's own log says where.")
