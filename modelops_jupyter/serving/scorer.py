"""One thread that asks the models: what waits for it is scored together, as one table."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from modelops_jupyter.serving.live import Answer, LiveModel, answer_requests
from modelops_jupyter.serving.payload import Payload, RequestRefused

MOST_TOGETHER = 1_000  # rows of one table
MOST_WAITING = 1_000  # requests; more are told to come again
MOST_ROWS_WAITING = 50_000  # rows of all of them


@dataclass(frozen=True)
class _Question:
    live: LiveModel
    payload: Payload
    method: str
    answer: Future[Answer]

    def kind(self) -> Any:
        """Return what requests that may be one table have in common."""
        return id(self.live), self.method, self.payload.kinds()


class Scorer:
    """Answers questions in the order in which they come, those that wait and are alike together.

    One thread, because a model's libraries share one interpreter, and a table of many rows costs hardly more than one
    of a single row.
    """

    def __init__(self) -> None:
        self._rows, self._lock = 0, threading.Lock()
        self._waiting: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._answer_forever, name="modelops-serve-score", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, seconds: float | None = None) -> None:
        """End once everything that waits is answered; a model that never answers is waited for so long at most."""
        self._waiting.put(None)
        self._thread.join(seconds)

    def ask(self, live: LiveModel, payload: Payload, method: str) -> Future[Answer] | None:
        """Return what a model will answer, None where too many requests wait.

        The future raises `RequestRefused` where the model cannot take the rows.
        """
        with self._lock:
            rows = self._rows + payload.rows
            if self._waiting.qsize() >= MOST_WAITING or (self._rows and rows > MOST_ROWS_WAITING):
                return None
            self._rows = rows
        answer: Future[Answer] = Future()
        self._waiting.put(_Question(live, payload, method, answer))
        return answer

    def _answer_forever(self) -> None:
        while (first := self._waiting.get()) is not None:
            questions, ended = self._alongside(first)
            alike: dict[Any, list[_Question]] = defaultdict(list)
            for question in questions:
                if question.answer.set_running_or_notify_cancel():  # a client that went away needs no answer
                    alike[question.kind()].append(question)
            for group in alike.values():
                _answer(group)
            with self._lock:
                self._rows -= sum(question.payload.rows for question in questions)
            if ended:
                return

    def _alongside(self, first: _Question) -> tuple[list[_Question], bool]:
        """Return what waits already, up to a table's size, and whether it is time to end."""
        questions, rows = [first], first.payload.rows
        while rows < MOST_TOGETHER:
            try:
                question = self._waiting.get_nowait()
            except queue.Empty:
                break
            if question is None:
                return questions, True
            questions.append(question)
            rows += question.payload.rows
        return questions, False


def _answer(group: list[_Question]) -> None:
    first = group[0]
    try:
        answers = answer_requests(first.live, [question.payload for question in group], first.method)
    except Exception as error:  # a fault of ours, or memory that ran out: each is told, and the thread goes on
        for question in group:
            question.answer.set_exception(error)
        return
    for question, answer in zip(group, answers, strict=True):
        if isinstance(answer, RequestRefused):
            question.answer.set_exception(answer)
        else:
            question.answer.set_result(answer)
