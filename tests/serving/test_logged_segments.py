"""What one request or one log is like costs no other prediction its place on record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served_models import ROW

from modelops_jupyter.errors import InvalidFrame, LogDamaged
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.serving import segments
from modelops_jupyter.serving.champions import Champions
from modelops_jupyter.serving.live import LiveModel, load_live, serving_contract
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.payload import Payload, RequestRefused
from modelops_jupyter.serving.recorder import Recorder
from modelops_jupyter.serving.segments import append_apart, log_segment
from modelops_jupyter.serving.spool import REFUSED, Logged, read_segment
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

NOW = datetime.now(UTC).isoformat()


def logged(name: str, model: str = "delay", **columns: Any) -> Logged:
    given = {key: [value] for key, value in (columns or ROW).items()}
    return Logged(model, 1, "champion", NOW, [name], [1 if model == "delay" else "go"], None, given)


@pytest.fixture
def recorder(own: Settings) -> Iterator[Recorder]:
    one = Recorder(own, durable=False, log_seconds=3600)
    one.spool.open()
    yield one
    one.spool.close()


def close(recorder: Recorder, *records: Logged) -> None:
    recorder.spool.write(records, sync=False)
    recorder.spool.rotate()
    recorder._log_closed()


def ids_of(settings: Settings, model: str) -> list[str]:
    with Workspace(settings) as ws:
        log = ws.log.read(model, datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC), ["request_id"])
    return [] if log is None else sorted(log["request_id"].to_pylist())


@given(number=st.integers(1, 300), odd=st.sets(st.integers(0, 299), max_size=6))
def test_only_what_is_odd_is_refused_and_parts_have_names_of_their_own(number: int, odd: set[int]) -> None:
    batches: dict[str, list[str]] = {}

    def append(some: list[Logged], batch: str) -> int:
        if any(int(one.ids[0]) in odd for one in some):
            raise InvalidFrame("odd")
        assert batch not in batches
        batches[batch] = [one.ids[0] for one in some]
        return len(some)

    rows, refused, reason = append_apart(append, [logged(str(i)) for i in range(number)], "b")
    assert {int(one.ids[0]) for one in refused} == odd & set(range(number))
    assert sorted(int(i) for some in batches.values() for i in some) == sorted(set(range(number)) - odd)
    assert (rows, bool(reason)) == (number - len(refused), bool(refused))


def test_where_all_are_odd_the_attempts_are_bounded() -> None:
    attempts = []

    def append(some: list[Logged], batch: str) -> int:
        attempts.append(batch)
        raise InvalidFrame("odd")

    rows, refused, _ = append_apart(append, [logged(str(i)) for i in range(1000)], "b")
    assert (rows, [one.ids[0] for one in refused]) == (0, [str(i) for i in range(1000)])
    assert len(attempts) == segments.MOST_ATTEMPTS


def test_an_odd_request_is_refused_alone(own: Settings, recorder: Recorder) -> None:
    close(recorder, *(replace(logged(name), scores=[score]) for name, score in (("a", 0.5), ("odd", 2.0), ("b", 0.5))))
    assert ids_of(own, "delay") == ["a", "b"]
    (aside,) = recorder.spool.folder.glob(f"*{REFUSED}")
    assert [one.ids for one in read_segment(aside)] == [["odd"]]
    state = recorder.state()
    assert (state.logged, state.lost) == (2, 1)
    assert aside.name in state.problem


def test_what_no_contract_holds_is_logged_by_shape(
    own: Settings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelops_jupyter.serving.live.contract_of", lambda store, version: [])
    monkeypatch.setattr("modelops_jupyter.scoring.input_columns.of_signature", lambda inputs: [])
    close(recorder, logged("first"))
    odd = logged("odd", **{**ROW, "wind": "much"})
    close(recorder, logged("a"), odd, logged("b"))
    assert ids_of(own, "delay") == ["a", "b", "first"]
    assert recorder.state().lost == 1


def test_a_damaged_log_keeps_only_its_own_model_waiting(
    own: Settings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, damaged = segments._append, [True]

    def fail(foundations: Any, reference: ModelReference, *rest: Any) -> int:
        if reference.name == "delay" and damaged:
            raise LogDamaged("The log of delay is torn.")
        return append(foundations, reference, *rest)

    monkeypatch.setattr(segments, "_append", fail)
    close(recorder, logged("a"), logged("b", "action", wind=3.0))
    close(recorder, logged("c", "action", wind=3.0))
    assert (ids_of(own, "delay"), ids_of(own, "action")) == ([], ["b", "c"])
    assert "torn: predictions wait" in recorder.state().problem
    damaged.clear()
    recorder._log_closed()
    assert (ids_of(own, "delay"), ids_of(own, "action")) == (["a"], ["b", "c"])
    state = recorder.state()
    assert (state.logged, state.lost, state.problem) == (3, 0, "")


def test_rows_are_logged_under_the_contract_that_they_were_answered_under() -> None:
    version: Any = SimpleNamespace(
        name="m", version=1, body={"mlflow": {"inputs": [{"name": "x", "type": "double", "required": False}]}}
    )
    store: Any = SimpleNamespace(get=lambda kind, key: None)
    assert serving_contract(store, version) == [{"name": "x", "missing": True, "dtype": "float64"}]


@pytest.fixture
def first(own: Settings) -> LiveModel:
    with Foundations(own) as foundations:
        return load_live(foundations, ModelReference("delay"))


def test_a_column_that_the_log_has_itself_is_refused_where_nothing_names_the_columns(first: LiveModel) -> None:
    for name in ("model", "role", "Prediction"):
        with pytest.raises(RequestRefused, match="keeps for itself") as refused:
            replace(first, names=()).check(Payload({"x": [1], name: [1]}, 1))
        assert refused.value.field == name
        first.check(Payload({**{key: [value] for key, value in ROW.items()}, name: [1]}, 1))


def test_a_version_in_memory_that_was_rejected_meanwhile_is_not_swapped_in(own: Settings, first: LiveModel) -> None:
    champions = Champions(own, ServingOptions(("delay",)), {"delay": first})
    with Workspace(own) as ws:
        for move in (
            lambda: ws.promote("delay/2", "champion", reason="new"),
            lambda: ws.rollback("delay", reason="no"),
        ):
            move()
            champions._look()
        assert champions.live("delay").version.version == 1
        ws.promote("delay/2", "champion", reason="after all")
        ws.reject("delay/2", reason="leaks the label")
        champions._look()
    assert champions.live("delay").version.version == 1
    assert "delay/2 is not served: ann rejected it" in champions.problems["delay"]


def test_a_version_whose_predictions_cannot_be_logged_is_not_swapped_in(
    own: Settings, first: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = Champions(own, ServingOptions(("delay",)), {"delay": first})
    monkeypatch.setattr("modelops_jupyter.actions.prediction_logging.OWN_COLUMNS", ("wind",))
    with Workspace(own) as ws:
        ws.promote("delay/2", "champion", reason="new")
    champions._look()
    assert champions.live("delay").version.version == 1
    assert "keeps for itself" in champions.problems["delay"]


def test_a_segment_of_a_version_that_is_gone_is_refused(own: Settings, recorder: Recorder) -> None:
    recorder.spool.write([replace(logged("a"), version=9)], sync=False)
    recorder.spool.rotate()
    outcome = log_segment(own, recorder.spool.closed()[0])
    assert (outcome.rows, len(outcome.refused), outcome.waiting) == (0, 1, "")
