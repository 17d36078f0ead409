"""A server between a client and MLflow that a test can make slow, failing or silent."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Proxy:
    """What is asked passes through it, unless `fault` says otherwise: it may wait, raise, or return a status.

    Attributes
    ----------
    asked : list of str
        The addresses that were asked for, in order.
    written : list of str
        Those of them that could change something.
    """

    uri: str = ""
    fault: Callable[[str], int | None] = lambda address: None
    asked: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Lend a proxy of the server at `target`."""
    state = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append(self.path)
            reads = self.command == "GET" or "/search" in self.path or "/get" in self.path
            if not reads:
                state.written.append(f"{self.command} {self.path}")
            try:
                status = state.fault(self.path)
            except ConnectionError:
                self.close_connection = True
                return
            if status is not None:
                self._answer(status, b"{}", "application/json")
                return
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            request = urllib.request.Request(target + self.path, body or None, kept, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    self._answer(answer.status, answer.read(), answer.headers.get("Content-Type", ""))
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.read(), error.headers.get("Content-Type", ""))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.uri = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def slow(part: str, seconds: float) -> Callable[[str], int | None]:
    """Return a fault that lets everybody wait who asks for an address with `part` in it."""

    def wait(address: str) -> None:
        if part in address:
            time.sleep(seconds)

    return wait
