"""What runs where: each server says every few seconds how it does, for `modelops status` to read."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from modelops_jupyter import processes
from modelops_jupyter.serving.spool import CLOSED, FOLDER, OPEN, REFUSED, is_left
from modelops_jupyter.settings import Settings
from modelops_jupyter.wording import count

EVERY_SECONDS = 2.0
FRESH_SECONDS = 120.0  # after which another machine's server, whose process nobody sees here, counts as ended
ENDING = ".json"


class Published:
    """Writes how a server does beside its spool, until it ends; one that ends with nothing lost leaves nothing."""

    def __init__(self, settings: Settings, url: str, health: Callable[[], Mapping[str, Any]]) -> None:
        self._file = settings.root / FOLDER / f"{os.getpid()}-{url.rpartition(':')[2]}{ENDING}"
        self._process, self._url, self._health = processes.identity(), url, health
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish, name="modelops-serve-state", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._write(self._health())
        self._thread.start()

    def stop(self, last: Mapping[str, Any]) -> None:
        """End, and leave what was lost for `modelops status` to say."""
        self._stop.set()
        self._thread.join()
        if last["log"]["lost"]:
            self._write(last)
        else:
            with suppress(OSError):
                self._file.unlink()

    def _publish(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self._write(self._health())

    def _write(self, health: Mapping[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        with suppress(OSError):  # the server goes on without
            state = {"process": self._process, "url": self._url, "time": time.time(), "health": health}
            fresh.write_text(json.dumps(state), "utf-8")
            fresh.replace(self._file)


def serving_sentences(settings: Settings) -> tuple[str, ...]:
    """Return a sentence for each endpoint that runs, each that lost predictions, and each that left some behind."""
    folder = settings.root / FOLDER
    states = [state for file in sorted(folder.glob(f"*{ENDING}")) if (state := _read(file)) is not None]
    sentences = []
    for state in states:
        alive, health = processes.is_alive(state["process"]), state["health"]
        lost = health["log"]["lost"]
        if alive or (alive is None and abs(time.time() - state.get("time", 0.0)) < FRESH_SECONDS):
            what = ", ".join(f"{name}/{model['version']}" for name, model in health["models"].items())
            problem = "" if health["status"] == "ok" else f": {_problems(health)}"
            sentences.append(f"{what} served at {state['url']}{problem}")
        elif lost:
            sentences.append(
                f"the endpoint at {state['url']} ended with {count(lost, 'prediction')} that went on no record"
            )
    return (*sentences, *_left_behind(folder))


def _left_behind(folder: Path) -> list[str]:
    """Return what servers that live no longer have left: what waits, and what the log refused."""
    left = [one for one in sorted(folder.glob("*")) if one.is_dir() and is_left(one)]
    files = [file for one in left for file in one.glob("*")]
    waiting = sum(file.suffix in (OPEN, CLOSED) for file in files)
    refused = sum(file.suffix == REFUSED for file in files)
    sentences = []
    if waiting:
        wait = "waits" if waiting == 1 else "wait"
        sentences.append(
            f"{count(waiting, 'file')} of predictions that an endpoint left {wait} in {folder}: the next "
            "`modelops serve` logs them"
        )
    if refused:
        sentences.append(f"the log refused the predictions in {count(refused, 'file')} *{REFUSED} below {folder}")
    return sentences


def _problems(health: Mapping[str, Any]) -> str:
    lost = health["log"]["lost"]
    texts = [f"{count(lost, 'prediction')} went on no record"] if lost else []
    store = health["store"] if health["store"] != "ok" else ""
    own = [model["problem"] for model in health["models"].values()]
    return " ".join(text for text in (*texts, health["log"]["problem"], store, *own) if text)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text("utf-8"))
        return found if {"process", "url", "health"} <= set(found) else None
    except (OSError, ValueError, TypeError):
        return None
