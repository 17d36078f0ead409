"""What runs inside Voila's own process: a cap on kernels, a log without the token, an orderly end."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError, RequestHandler

MOST_KERNELS = 16
ARRIVING_SECONDS = 20  # a page that loads slowly has no connection to its kernel yet
_TOKEN = re.compile(r"token=[^&\s'\")]+")
_log = logging.getLogger("tornado.access")


class Doorkeeper(PasswordIdentityProvider):
    """Lets readers in who have the token, as long as this machine carries another page."""

    async def get_user(self, handler: Any) -> Any:
        """Return who asks; a page more than this machine should carry is refused with 503."""
        user = await ensure_async(super().get_user(handler))
        if user is not None and "/voila/render/" in handler.request.path:
            handler.current_user = user  # both what follows and the page of an error ask for it
            if len(handler.kernel_manager) >= MOST_KERNELS and not await handler.kernel_manager.make_room():
                told = f"{MOST_KERNELS} dashboard pages are open already: close one, or try again in a few minutes."
                raise HTTPError(503, told)
            # Asking for it sets its cookie, which Voila's script sends back when the page is left, to end the page's
            # kernel; without it that request is refused and the kernel stays until it is culled.
            handler.xsrf_token  # noqa: B018
        return user


class Kernels(AsyncMappingKernelManager):
    """Starts kernels that know no address: Voila gives a preheated one its last visitor's, token included."""

    async def start_kernel(self, *, env: Mapping[str, str] | None = None, **options: Any) -> Any:
        """Start a kernel; the address that its page needs comes from the browser."""
        kept = {name: _TOKEN.sub("", value) for name, value in (env or {}).items() if name != "VOILA_REQUEST_URL"}
        return await super().start_kernel(env=kept, **options)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End an idle page's kernel; one that waits for its reader stays, as Voila starts no other in its place."""
        if kernel_id in self._waiting():
            self.get_kernel(kernel_id).last_activity = datetime.now(UTC)  # its reader's time begins when they come
        else:
            await super().cull_kernel_if_idle(kernel_id)

    async def make_room(self) -> bool:
        """End the page whose reader went longest ago without a word, as when a browser crashes; False if none did."""
        left = {}
        for kernel_id in set(self.list_kernel_ids()) - self._waiting():
            known = self.kernel_model(kernel_id)
            at = datetime.fromisoformat(known["last_activity"])
            if not known["connections"] and (datetime.now(UTC) - at).total_seconds() > ARRIVING_SECONDS:
                left[at] = kernel_id
        if left:
            await self.shutdown_kernel(left[min(left)])
        return bool(left)

    def _waiting(self) -> set[str]:
        """Return the kernels that Voila, which makes a class of its own of this one, started ahead of their pages."""
        tasks = [task for pool in getattr(self, "_pools", {}).values() for task in pool]
        return {
            task.result()["kernel_id"]
            for task in tasks
            if task.done() and not task.cancelled() and not task.exception()
        }


def log_request(handler: RequestHandler) -> None:
    """Log what failed here, not what was asked for wrongly."""
    status = handler.get_status()
    if status >= 500:
        _log.error("%d %s %s", status, handler.request.method, handler.request.path)


def hide_tokens() -> None:
    """Keep tokens out of every log line of this process; tornado, for one, logs whole addresses."""
    make = logging.getLogRecordFactory()

    def without_token(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        record.msg, record.args = _TOKEN.sub("token=...", record.getMessage()), ()
        return record

    logging.setLogRecordFactory(without_token)


def end_with_launcher() -> None:
    """End this server when the one who started it is gone, however it went: its end of our input closes then."""

    def wait() -> None:
        os.read(0, 1)  # returns at the end of the input; a buffered read would hold a lock at exit
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="modelops-launcher-gone").start()
