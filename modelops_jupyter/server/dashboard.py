"""The dashboards of a workspace, started by the Jupyter server for whoever asks, and ended with it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelops_jupyter.errors import InvalidInput

if TYPE_CHECKING:
    from modelops_jupyter.dashboards.serve import Dashboard
    from modelops_jupyter.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class DashboardAddress:
    """Where the dashboards are; `url` holds the token that lets its reader in, and may be below the server's own."""

    url: str


class DashboardServer:
    """The one dashboard server of a Jupyter server: started when it is first asked for, and again if it has ended."""

    def __init__(self) -> None:
        self._running: Dashboard | None = None
        self._lock = threading.Lock()

    def address(self, settings: Settings, *, host: str, proxy: str | None) -> DashboardAddress:
        """Return where the dashboards are, for a browser that calls this machine `host`.

        Parameters
        ----------
        proxy
            The address below which jupyter-server-proxy hands on to a port of this machine; None where it is not there.

        Raises
        ------
        InvalidInput
            If that browser is on another machine and nothing hands its requests on.
        DependencyFailed
            If the dashboards do not start.
        """
        from modelops_jupyter.dashboards.serve import serve

        if host not in LOOPBACK and proxy is None:
            raise InvalidInput(
                "The dashboard answers only on the machine that Jupyter runs on: install jupyter-server-proxy there, "
                "or run `modelops dashboard --host ADDRESS --insecure` in a terminal where the network is trusted."
            )
        with self._lock:
            if self._running is None or self._running.process.poll() is not None:
                self._end()
                self._running = serve(settings, port=0, base_url="/" if proxy is None else f"{proxy}{{port}}/")
            url = self._running.url
        return DashboardAddress(url if proxy is None else "/" + url.split("/", 3)[3])

    def close(self) -> None:
        """End it, once it has started if it is just starting; ending it twice is no error."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
