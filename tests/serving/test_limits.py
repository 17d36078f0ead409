"""How much is asked, how it ends, and what was left behind: within bounds, on record, and said."""

import errno
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_models import ROW, health, post, records, served
from test_logged_segments import ids_of, logged

from modelops_jupyter.errors import DependencyFailed
from modelops_jupyter.processes import identity
from modelops_jupyter.serving import bodies, labels, run, scorer
from modelops_jupyter.serving.bodies import Intake
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.payload import LONGEST_ID, Overloaded, Payload
from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.serving.scorer import Scorer
from modelops_jupyter.serving.spool import FOLDER, Logged, Spool, read_segment
from modelops_jupyter.serving.state import FRESH_SECONDS, serving_sentences
from modelops_jupyter.settings import Settings

OPTIONS = ServingOptions(("delay",), port=0, log_seconds=3600.0)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let no model answer until the event is set."""
    go, real = threading.Event(), scorer.answer_requests

    def answer(*question: Any) -> Any:
        go.wait()
        return real(*question)

    monkeypatch.setattr(scorer, "answer_requests", answer)
    yield go
    go.set()


def test_a_stuck_model_keeps_no_answer_off_the_record(
    own: Settings, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "STOP_SECONDS", 0.1)
    server = EndpointServer(own, OPTIONS)
    live = server.service.champions.live("delay")
    server.service.scorer.ask(live, Payload({key: [value] for key, value in ROW.items()}, 1), "predict")
    server.service.recorder.record(logged("answered"))
    server.close()
    assert ids_of(own, "delay") == ["answered"]


def test_another_interrupt_keeps_no_answer_off_the_record(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EndpointServer(own, OPTIONS)
    stop = server.service.scorer.stop

    def interrupted(seconds: float) -> None:
        monkeypatch.setattr(server.service.scorer, "stop", stop)
        raise KeyboardInterrupt

    monkeypatch.setattr(server.service.scorer, "stop", interrupted)
    server.service.recorder.record(logged("answered"))
    with pytest.raises(KeyboardInterrupt):
        server.close()
    assert ids_of(own, "delay") == ["answered"]
    server.close()
    assert not list((own.root / FOLDER).glob("*"))


def test_what_stays_off_the_record_is_an_error_at_the_end(own: Settings) -> None:
    def announce(server: EndpointServer) -> None:
        (own.root / FOLDER).rename(own.root / "away")
        (own.root / FOLDER).write_text("a file in its place")
        server.service.recorder.record(logged("answered"))
        server.stop()

    with pytest.raises(DependencyFailed, match=r"1 prediction went on no record\. Predictions cannot be written"):
        run.serve(own, OPTIONS, announce)


def test_rows_that_wait_are_bounded(stuck: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer, "MOST_ROWS_WAITING", 10)
    asked = Scorer()
    live: Any = object()
    assert asked.ask(live, Payload({}, 11), "predict") is not None  # one that is too large alone is answered
    assert asked.ask(live, Payload({}, 1), "predict") is None
    stuck.set()
    asked.start()
    asked.stop()
    assert asked.ask(live, Payload({}, 1), "predict") is not None


def test_bytes_on_their_way_are_bounded() -> None:
    intake = Intake(10)
    with intake.body() as take:
        take(6)
        with pytest.raises(Overloaded), intake.body() as other:
            other(5)
        take(4)
    with intake.body() as take:
        take(10)


def test_a_crowd_is_told_to_come_again(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_BYTES", 0)
    with served(own, most_bytes=200) as server:
        assert post(server, records(ROW)).status_code == 200
        with server.service.intake.body() as take:
            take(380)
            answer = post(server, records(ROW))
    assert (answer.status_code, answer.json()["error_code"], answer.headers["Retry-After"]) == (503, "overloaded", "1")
    assert 2 * OPTIONS.most_bytes < bodies.MOST_BYTES


def test_labels_that_wait_delay_no_prediction(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    go, real, started = threading.Event(), labels.read_labels, threading.Semaphore(0)

    def read(*body: Any) -> Any:
        started.release()
        go.wait()
        return real(*body)

    monkeypatch.setattr(labels, "read_labels", read)
    label = {"labels": [{"request_id": "a", "label": 1}]}
    with served(own) as server:
        waiting = [threading.Thread(target=post, args=(server, label, "/labels")) for _ in range(3)]
        for one in waiting:
            one.start()
        started.acquire()
        large = records(*[ROW] * 2_000)  # is read beside the event loop
        assert post(server, large).status_code == 200
        go.set()
        for one in waiting:
            one.join()


def left_by_a_killed_server(settings: Settings, *records: Logged) -> Spool:
    dead = Spool(settings.root)
    dead.open()
    dead.write(records, sync=True)
    dead._file.close()
    dead._lock.release()  # type: ignore[union-attr]  # as its process's death does
    return dead


def test_status_tells_what_a_killed_server_left(own: Settings) -> None:
    dead = left_by_a_killed_server(own, logged("left"))
    alive = Spool(own.root)
    alive.open()
    alive.write([logged("open")], sync=False)
    (text,) = serving_sentences(own)
    assert text == (
        f"1 file of predictions that an endpoint left waits in {own.root / FOLDER}: the next `modelops serve` logs them"
    )
    (dead.folder / "x.refused").touch()
    assert [text.partition(" in ")[0] for text in serving_sentences(own)][1:] == ["the log refused the predictions"]
    alive.close()
    with served(own):
        pass
    assert not any("waits" in text for text in serving_sentences(own))


def test_a_server_of_another_machine_runs_only_while_it_says_so(own: Settings) -> None:
    with served(own) as server:
        state = {"process": {**identity(), "host": "elsewhere"}, "url": "http://elsewhere:1", "health": health(server)}
    file = own.root / FOLDER / "1-1.json"
    file.parent.mkdir(exist_ok=True)
    for age, runs in ((0, True), (2 * FRESH_SECONDS, False)):
        file.write_text(json.dumps({**state, "time": time.time() - age}))
        assert bool(serving_sentences(own)) == runs


def test_what_could_not_be_cut_off_is_not_logged_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.open()
    spool.write([logged("a")], sync=True)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        for name in ("fdatasync", "ftruncate"):
            patch.setattr(os, name, fail)
        with pytest.raises(OSError, match="Input/output"):
            spool.write([logged("b")], sync=True)
        patch.setattr(os, "truncate", fail)
        assert spool.closed() == []
    spool.write([logged("b")], sync=True)
    spool.rotate()
    assert [one.ids[0] for file in spool.closed() for one in read_segment(file)] == ["a", "b"]
    spool.close()


def test_a_durable_segment_is_named_on_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.readlink(f"/proc/self/fd/{number}")))
    spool = Spool(tmp_path)
    spool.open()
    spool.write([logged("a")], sync=True)
    assert str(spool.folder) in synced
    spool.close()


def test_labels_take_every_id_that_an_answer_has(own: Settings) -> None:
    with served(own) as server:
        answer = post(server, records(ROW, ROW), headers={"X-Request-Id": "x" * LONGEST_ID})
        ids = answer.json()["request_ids"]
        given = {"labels": [{"request_id": one, "label": 1} for one in ids]}
        assert post(server, given, "/labels").status_code == 200


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_an_address_that_is_none_is_said_in_words(host: str) -> None:
    with pytest.raises(DependencyFailed, match="leave") as failed:
        run._listen(ServingOptions(("delay",), host=host, port=0))
    assert "Unknown error" not in str(failed.value)
