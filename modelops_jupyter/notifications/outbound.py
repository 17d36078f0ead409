"""One guard for every connection that a message makes, whichever library makes it.

Python raises an audit event before any of its sockets connects (PEP 578). While a message is sent, the event's address
is held to the same rules as the target's own: so a redirect, or a name that leads elsewhere the second time it is asked
for (DNS rebinding), reaches nothing that the target may not. At the deadline the connections that were made are shut
down, so a receiver that answers a byte at a time holds nobody.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from modelops_jupyter.errors import DeliveryFailed
from modelops_jupyter.notifications.addresses import is_allowed

SECONDS = 10.0  # that one message may take in all
_NETWORK = (socket.AF_INET, socket.AF_INET6)
_guard: ContextVar[Guard | None] = ContextVar("modelops_outbound_guard", default=None)
_installed = threading.Lock()
_hooks: list[int] = []


class Guard:
    """Looks at the connections of one message."""

    def __init__(self, allow_private: bool, seconds: float) -> None:
        self.allow_private, self.deadline = allow_private, time.monotonic() + seconds
        self.refused: str | None = None
        self.late = False
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()

    def connecting(self, connection: socket.socket, address: Any) -> None:
        """Refuse an address, by an error that libraries take for one of the network; else remember the connection."""
        host = str(address[0]) if connection.family in _NETWORK and isinstance(address, tuple) else None
        if host is None or not is_allowed(host, self.allow_private):
            self.refused = host or "a local socket"
            raise PermissionError("A message may not go there.")
        with self._lock:
            if self.late or time.monotonic() > self.deadline:
                raise TimeoutError("The message has taken too long.")
            # A library may hand the connection on, as TLS does: what is shut down is what lies under both.
            self._connections.append(socket.socket(fileno=os.dup(connection.fileno())))

    def cut(self) -> None:
        """Shut down what is still open."""
        with self._lock:
            self.late = True
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def explain(self, where: str, seconds: float, cause: Exception | None = None) -> None:
        """Raise `DeliveryFailed` if a connection was refused or cut, whatever the library made of that."""
        if self.refused is not None:
            raise DeliveryFailed(
                f"{where} leads to {self.refused}, which is not public: set allow_private = true in its [notify.NAME] "
                "if that is meant."
            ) from cause
        if self.late:
            raise DeliveryFailed(f"{where} did not take it within {seconds:g} seconds.") from cause

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


@contextmanager
def guarded(where: str, *, allow_private: bool, seconds: float | None = None) -> Iterator[None]:
    """Guard what connects within the block, in this thread.

    Raises
    ------
    DeliveryFailed
        If a connection was refused or the block took too long, whatever the library made of that.
    """
    _install()
    seconds = SECONDS if seconds is None else seconds
    guard = Guard(allow_private, seconds)
    timer = threading.Timer(seconds, guard.cut)
    timer.daemon = True
    token = _guard.set(guard)
    timer.start()
    try:
        yield
    except Exception as error:
        guard.explain(where, seconds, error)
        raise
    finally:
        _guard.reset(token)
        timer.cancel()
        guard.close()
    guard.explain(where, seconds)


def _install() -> None:
    """Have Python ask the guard, from the first message on: a hook cannot be taken away again."""
    with _installed:
        if not _hooks:
            sys.addaudithook(_heard)
            _hooks.append(1)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        guard = _guard.get()
        if guard is not None:
            guard.connecting(*arguments)
