"""The versions that are served, and the thread that follows their aliases: load first, then swap."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from modelops_jupyter.actions.versions import find_version
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.serving.live import LiveModel, check_not_rejected, load_live
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.recorder import check_loggable
from modelops_jupyter.settings import Settings
from modelops_jupyter.store.watch import ChangeWatch

LOOK_SECONDS = 0.25
RETRY_SECONDS = 5.0
IN_MEMORY = 2  # versions of a model: the way back needs no load


class Champions:
    """Holds the live version of each model, and replaces it when its alias has moved.

    A request keeps the version that it began with. Where the new version cannot be loaded, or the store cannot be read,
    the last one that was verified goes on serving, and `problems` says why.
    """

    def __init__(self, settings: Settings, options: ServingOptions, live: Mapping[str, LiveModel]) -> None:
        self._settings, self._options = settings, options
        self._followed = {one.name: one for one in options.references if one.version is None}
        self._live = dict(live)
        self._loaded = {name: [model] for name, model in live.items()}
        self._since = dict.fromkeys(live, datetime.now(UTC))
        self._watch = ChangeWatch(settings.store_path)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="modelops-serve-follow", daemon=True)
        self.problems: dict[str, str] = {}  # replaced, never changed: other threads read it
        self.store_problem = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Models that are served."""
        return tuple(self._live)

    def live(self, name: str) -> LiveModel:
        """Return the version of a model that answers now."""
        return self._live[name]

    def since(self, name: str) -> datetime:
        """Return since when it answers."""
        return self._since[name]

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, seconds: float | None = None) -> None:
        """End the thread; a model that is never loaded is waited for so long at most."""
        self._stop.set()
        self._thread.join(seconds)
        if not self._thread.is_alive():
            self._watch.close()

    def _follow(self) -> None:
        seen: tuple[int, int] | None = None
        retry_at = 0.0
        while not self._stop.wait(LOOK_SECONDS):
            mark = self._watch.mark()
            if mark is None:
                self.store_problem = f"{self._settings.store_path} cannot be read: what was live last goes on serving."
                continue
            self.store_problem = ""
            if mark == seen and (not any(self.problems.values()) or time.monotonic() < retry_at):
                continue
            seen, retry_at = mark, time.monotonic() + RETRY_SECONDS
            try:
                self._look()
            except Exception as error:  # a store that is locked or damaged: the next look may succeed
                self.store_problem = f"The store cannot be read ({error}): what was live last goes on serving."
                seen = None

    def _look(self) -> None:
        with Foundations(self._settings) as foundations:
            for name, reference in self._followed.items():
                try:
                    self._follow_one(foundations, name, reference)
                    rejected = _rejection(foundations, self._live[name])
                    self.problems = {**self.problems, name: rejected}
                except ModelOpsError as error:
                    self._note(name, str(error))
                except Exception as error:  # whatever a model of the user's raises when it is loaded
                    self._note(name, f"{type(error).__name__}: {error}".splitlines()[0])

    def _note(self, name: str, reason: str) -> None:
        text = f"{self._live[name].version.full_name} goes on serving: {reason}"
        self.problems = {**self.problems, name: text}

    def _follow_one(self, foundations: Foundations, name: str, reference: ModelReference) -> None:
        number = find_version(foundations.store, reference).version
        if number == self._live[name].version.version:
            return
        loaded = self._loaded[name]
        model = next((one for one in loaded if one.version.version == number), None)
        if model is None:
            model = load_live(foundations, reference, invalid=self._options.invalid, unsafe=self._options.unsafe)
            check_loggable(foundations, model.reference, model.names)
            warm_up(model)
        else:  # it may have been rejected since it was loaded
            check_not_rejected(foundations, find_version(foundations.store, reference), reference.alias)
            check_loggable(foundations, model.reference, model.names)
        self._loaded[name] = [*(one for one in loaded if one is not model), model][-IN_MEMORY:]
        self._live[name], self._since[name] = model, datetime.now(UTC)


def _rejection(foundations: Foundations, live: LiveModel) -> str:
    """Return what to do about a version that was rejected while it serves; empty where it was not."""
    from modelops_jupyter.governance import standing_rejection

    alias = live.reference.alias or "champion"
    rejected = standing_rejection(foundations.store, live.version.body, foundations.policy, alias)
    if rejected is None:
        return ""
    return (
        f"{live.version.full_name} serves, and {rejected['actor']} rejected it ({rejected['reason']}): roll back, "
        "promote another version, or approve it again."
    )


def warm_up(live: LiveModel) -> None:
    """Ask a version about one made-up row, so that no request waits for what the first answer imports."""
    from modelops_jupyter.serving.examples import example_row
    from modelops_jupyter.serving.live import answer_requests
    from modelops_jupyter.serving.payload import Payload

    row = example_row(live)
    payload = Payload({name: [value] for name, value in row.items()}, 1)
    if row:
        answer_requests(live, [payload], "predict")  # a refusal is an answer, too: the row is made up
