"""Telling people of what the monitor found, without ever making it wait."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from modelops_jupyter.errors import ModelOpsError

if TYPE_CHECKING:
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Store

ANNOUNCE_SECONDS = 3.0


def announce(store: Store, settings: Settings) -> None:
    """Deliver what waits, as far as it goes in three seconds; the rest goes on in the background or next time.

    Nothing is lost where it fails: the outbox keeps it, and `status` says which target does not answer.
    """
    from modelops_jupyter.notifications import deliver

    def work() -> None:
        try:
            deliver(store, settings.targets)
        except ModelOpsError:  # the store is busy or full: whoever delivers next says so
            return

    thread = threading.Thread(target=work, name="modelops-deliver", daemon=True)
    thread.start()
    thread.join(ANNOUNCE_SECONDS)
