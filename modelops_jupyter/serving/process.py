"""``python -m modelops_jupyter.serving.process``: an endpoint that ends with the process that started it.

Its options come in the first line of standard input, as JSON; its address, or why there is none, goes to standard
output in one line. Once standard input ends, so does the endpoint.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from modelops_jupyter import processes
from modelops_jupyter.errors import ModelOpsError, Unexpected
from modelops_jupyter.serving.options import ServingOptions

if TYPE_CHECKING:
    from modelops_jupyter.serving.run import EndpointServer


def main() -> int:
    """Serve until it is time to end; return the exit code."""
    processes.skip_grammar()
    given = json.loads(sys.stdin.readline())
    options = ServingOptions(**{**given, "models": tuple(given["models"])})
    try:
        from modelops_jupyter.serving.run import serve
        from modelops_jupyter.settings import find_settings

        def announce(server: EndpointServer) -> None:
            threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
            print(
                json.dumps({"url": server.url, "port": server.port, "introduction": server.introduction()}), flush=True
            )

        serve(find_settings(), options, announce)
    except Exception as error:
        known = error if isinstance(error, ModelOpsError) else Unexpected.of(error)
        print(json.dumps({"error": type(known).__name__, "message": str(known)}), flush=True)
        return known.exit_code
    return 0


def end_on_signals() -> None:
    """Make SIGTERM end a server as Ctrl-C does, also before it answers."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _end_with_parent(server: EndpointServer) -> None:
    while os.read(0, 4096):  # not through sys.stdin, whose lock this thread would hold at the interpreter's end
        pass
    server.stop()


if __name__ == "__main__":
    end_on_signals()
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the way to end it
        sys.exit(0)
