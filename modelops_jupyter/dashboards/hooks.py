"""What runs inside Voila's own process: a cap on kernels, a log without the token, an orderly end."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
from typing import Any

from tornado.web import HTTPError, RequestHandler

MOST_KERNELS = 16
_TOKEN = re.compile(r"token=[^&\s'\")]+")
_log = logging.getLogger("tornado.access")


def before_page(handler: Any, notebook: Any, cwd: str) -> None:
    """Refuse a page when as many are open as this machine should carry: each has a kernel of its own."""
    if len(handler.kernel_manager) >= MOST_KERNELS:
        raise HTTPError(503, f"{MOST_KERNELS} dashboard pages are open already: close one, or try again in 10 minutes.")
    # Asking for it sets its cookie, which Voila's script sends back when the page is left, to end the page's kernel;
    # without it that request is refused and the kernel stays until it is culled.
    handler.xsrf_token  # noqa: B018


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
