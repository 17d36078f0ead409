"""How each kind of route is answered."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Any

from modelops_jupyter.actor import current_actor
from modelops_jupyter.server.addresses import with_paths
from modelops_jupyter.server.calls import make_call
from modelops_jupyter.server.handlers import Answer, WorkspaceHandler
from modelops_jupyter.server.jobs import ENDED, Jobs
from modelops_jupyter.server.repeats import once
from modelops_jupyter.server.routes import PREFIX, Route, routes
from modelops_jupyter.server.served import open_workspace, plain, text_of, written
from modelops_jupyter.settings import find_settings

LOOK_SECONDS = 0.25
SILENCE_SECONDS = 15.0  # proxies close a stream that says nothing for longer
LOG_BYTES = 64_000
WITH_FILES = ("runs",)  # whose answer names files that the file browser may open
KEPT = ("models", "overview", "versions", "alerts")  # what panels poll, and what depends on the store alone


async def read(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer what the verb returns; nothing is created."""

    def look() -> str:
        with open_workspace(handler.project, handler.actor(), write=False, lenient=route.lenient) as ws:
            call = make_call(route.operation, route.fields, values, handler.root)
            if route.operation in WITH_FILES:
                return written(
                    with_paths(handler.root, handler.project, plain(getattr(ws, route.operation)(**call.arguments())))
                )
            return text_of(getattr(ws, route.operation)(**call.arguments()))

    def work() -> str:
        if route.operation not in KEPT:
            return look()
        settings = find_settings(handler.project)
        return handler.kept.answer(settings.store_path, (route.operation, repr(settings), written(values)), look)

    await handler.finish(await asyncio.to_thread(work))


async def write(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Do it, once for every ``Idempotency-Key``, and answer what the verb returns."""
    key = handler.request.headers.get("Idempotency-Key")
    caller = str(handler.current_user.username) if handler.actor() else ""

    def work() -> str:
        with open_workspace(handler.project, handler.actor(), write=True) as ws:
            request = {"operation": route.operation, "values": values}
            act = getattr(ws, route.operation)
            return written(once(ws.store, key, caller, request, lambda: plain(act(**values))))

    await handler.finish(await asyncio.to_thread(work))


async def start(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Start a job, once for every ``Idempotency-Key``, and answer where it is."""
    key = handler.request.headers.get("Idempotency-Key")

    def work() -> tuple[str, str]:
        settings = find_settings(handler.project)
        call = make_call(route.operation, route.fields, values, handler.root)
        actor = handler.actor() or current_actor(settings.actor)
        jobs = Jobs(settings.root / "jobs")
        job = jobs.start(call, values, project=handler.project, actor=actor, key=key, most=handler.most_jobs)
        return job.id, written(plain(job))

    job_id, body = await asyncio.to_thread(work)
    handler.set_status(202)
    handler.set_header("Location", f"{handler.base_url.rstrip('/')}{PREFIX}/jobs/{job_id}")
    await handler.finish(body)


async def jobs(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer the newest jobs."""

    def work() -> str:
        found = _jobs(handler).newest(values.get("limit", 50))
        return written({"title": "Jobs", "rows": [plain(job) for job in found]})

    await handler.finish(await asyncio.to_thread(work))


async def job(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer one job."""

    def work() -> str:
        found = plain(_jobs(handler).get(values["id"]))
        return written({**found, "result": with_paths(handler.root, handler.project, found["result"])})

    await handler.finish(await asyncio.to_thread(work))


async def cancel(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """End a job and answer what became of it."""
    await handler.finish(await asyncio.to_thread(lambda: written(plain(_jobs(handler).cancel(values["id"])))))


async def log(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer the end of a job's log."""
    tail = values.get("tail", LOG_BYTES)
    await handler.finish(await asyncio.to_thread(lambda: written({"text": _jobs(handler).log(values["id"], tail)})))


async def events(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Send a job's events as they come; the last one, ``end``, is the job itself, without its result."""
    found = _jobs(handler)
    after = _last_event(handler, values.get("after", 0))
    job = await asyncio.to_thread(found.get, values["id"])  # says so when there is none
    handler.set_header("Cache-Control", "no-cache")
    handler.set_header("X-Accel-Buffering", "no")
    handler.set_header("Content-Type", "text/event-stream")
    silent = 0.0
    while not handler.gone:
        job = await asyncio.to_thread(found.get, values["id"])  # before its events: what it says last is among them
        fresh = await asyncio.to_thread(found.events, values["id"], after)
        for event in fresh:
            handler.write(f"id: {event['event']}\nevent: {event['type']}\ndata: {written(event)}\n\n")
            after = event["event"]
        if job.state in ENDED:
            handler.write(f"event: end\ndata: {written(plain(replace(job, result=None)))}\n\n")
            break
        silent = 0.0 if fresh else silent + LOOK_SECONDS
        if silent >= SILENCE_SECONDS:
            handler.write(": still running\n\n")
            silent = 0.0
        await handler.flush()
        await asyncio.sleep(LOOK_SECONDS)
    if not handler.gone:
        await handler.finish(set_content_type="text/event-stream")


async def dashboard(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer where the dashboards are, which begin with the first who asks."""
    extensions = handler.serverapp.extension_manager.extensions
    proxied = "jupyter_server_proxy" in extensions and extensions["jupyter_server_proxy"].enabled
    proxy = f"{handler.base_url}proxy/absolute/" if proxied else None

    def work() -> str:
        settings = find_settings(handler.project)
        return written(asdict(handler.dashboard.address(settings, host=handler.request.host_name, proxy=proxy)))

    await handler.finish(await asyncio.to_thread(work))


async def openapi(handler: WorkspaceHandler, route: Route, values: dict[str, Any]) -> None:
    """Answer the OpenAPI document."""

    def work() -> str:
        from modelops_jupyter.server.openapi import document  # it imports pydantic

        return written(document(routes(), handler.base_url))

    await handler.finish(await asyncio.to_thread(work))


def _last_event(handler: WorkspaceHandler, after: int) -> int:
    """Return where a browser that reconnects has stopped, else `after`."""
    last = handler.request.headers.get("Last-Event-ID", "")
    return int(last) if last.isascii() and last.isdigit() else after


def _jobs(handler: WorkspaceHandler) -> Jobs:
    return Jobs(find_settings(handler.project).root / "jobs")


ANSWERS: dict[str, Answer] = {
    "read": read,
    "write": write,
    "start": start,
    "jobs": jobs,
    "job": job,
    "cancel": cancel,
    "log": log,
    "dashboard": dashboard,
    "events": events,
    "openapi": openapi,
}
