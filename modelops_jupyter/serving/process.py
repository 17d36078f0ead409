"""``python -m modelops_jupyter.serving.process``: an endpoint that ends with the process that started it.

Its options come in the first line of standard input, as JSON; its address, or why there is none, goes to standard
output in one line. Whatever else is printed, by a model too, goes to standard error. Once standard input ends, so does
the endpoint.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from modelops_jupyter import processes
from modelops_jupyter.errors import ModelOpsError, Unexpected
from modelops_jupyter.serving.options import ServingOptions

if TYPE_CHECKING:
    from modelops_jupyter.serving.run import EndpointServer

MOST_PRINTED = 10_000_000  # bytes of a log that are kept
LOOK_SECONDS = 2.0


def main() -> int:
    """Serve until it is time to end; return the exit code."""
    out = os.dup(1)  # nobody reads it after the first line: a pipe that is full stops whoever prints
    os.dup2(2, 1)
    processes.skip_grammar()
    given = json.loads(sys.stdin.readline())
    options = ServingOptions(**{**given, "models": tuple(given["models"])})
    try:
        from modelops_jupyter.serving.run import serve
        from modelops_jupyter.settings import find_settings

        def announce(server: EndpointServer) -> None:
            threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
            _say(out, {"url": server.url, "port": server.port, "introduction": server.introduction()})

        serve(find_settings(), options, announce)
    except Exception as error:
        known = error if isinstance(error, ModelOpsError) else Unexpected.of(error)
        _say(out, {"error": type(known).__name__, "message": str(known)})
        return known.exit_code
    return 0


def end_on_signals() -> None:
    """Make SIGTERM end a server as Ctrl-C does, also before it answers."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _say(out: int, answer: dict[str, object]) -> None:
    with suppress(BrokenPipeError):
        os.write(out, f"{json.dumps(answer)}\n".encode())


def _end_with_parent(server: EndpointServer) -> None:
    # Not through sys.stdin, whose lock this thread would hold at the interpreter's end.
    while not select.select([0], [], [], LOOK_SECONDS)[0] or os.read(0, 4096):
        _bound_log()
    server.stop()


def _bound_log(number: int = 2) -> None:
    """Begin the log anew once it is large: a model that prints for each prediction must not fill the disk."""
    with suppress(OSError):
        log = os.fstat(number)
        if stat.S_ISREG(log.st_mode) and log.st_size > MOST_PRINTED:
            os.ftruncate(number, 0)  # it is open for appending: what comes next is its first line


if __name__ == "__main__":
    end_on_signals()
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the way to end it
        sys.exit(0)
