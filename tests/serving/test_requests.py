"""What is asked over HTTP: MLflow's payloads get MLflow's answers, and what is wrong is a 4xx that names its field."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import hypothesis
import mlflow
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.pyfunc import scoring_server
from openapi_spec_validator import validate
from served_models import ROW, health, post, records, rows, served

from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

FRAME = rows(9).head(7)
LISTS = FRAME.to_numpy(dtype=object).tolist()
RECORDS = FRAME.to_dict("records")
PAYLOADS = {
    "split": {"dataframe_split": {"columns": list(FRAME.columns), "data": LISTS}},
    "split, other order": {
        "dataframe_split": {"columns": ["seats", "wind", "origin"], "data": [[r[2], r[0], r[1]] for r in LISTS]}
    },
    "split with an index": {
        "dataframe_split": {"index": list(range(7)), "columns": list(FRAME.columns), "data": LISTS}
    },
    "records": {"dataframe_records": RECORDS},
    "one more column": {"dataframe_records": [{**record, "comment": "none"} for record in RECORDS]},
    "instances": {"instances": RECORDS},
    "inputs": {"inputs": FRAME.to_dict("list")},
    "inputs as records": {"inputs": RECORDS},
    "probabilities": {"dataframe_records": RECORDS, "params": {"response_method": "predict_proba"}},
    "a whole number for a float": records({"wind": 3, "origin": "LGA", "seats": 1}),
    "a category that training did not have": records({"wind": 3.5, "origin": "SFO", "seats": 1}),
}


@pytest.fixture(scope="module")
def in_mlflow(made_workspace: Settings) -> Iterator[object]:
    with Workspace(made_workspace) as ws:
        mlflow.set_tracking_uri(ws.tracking_uri)
        yield mlflow.pyfunc.load_model("models:/delay/1")


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_gets_the_answer_that_mlflow_gives(name: str, shared: EndpointServer, in_mlflow: object) -> None:
    body = json.dumps(PAYLOADS[name])
    theirs = scoring_server.invocations(body, "application/json", in_mlflow, in_mlflow.metadata.get_input_schema())  # type: ignore[attr-defined]
    assert theirs.status == 200, theirs.response
    ours = httpx.post(f"{shared.url}/invocations", content=body, headers={"Content-Type": "application/json"})
    expected, actual = json.loads(theirs.response)["predictions"], ours.json()["predictions"]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_an_answer_says_who_gave_it_and_to_what(shared: EndpointServer) -> None:
    answer = post(shared, {**records(ROW, {**ROW, "origin": "SFO"}), "request_ids": ["a", "b"]})
    content = answer.json()
    assert (content["model"], content["version"], content["request_ids"]) == ("delay", 1, ["a", "b"])
    assert content["verdicts"] == ["score", "refer"]
    assert content["reasons"] == ["", "origin: not seen in training"]
    assert answer.headers["X-Modelops-Model"] == "delay"
    assert answer.headers["X-Modelops-Version"] == "1"
    assert post(shared, records(ROW), headers={"X-Request-Id": "mine"}).json()["request_ids"] == ["mine"]


REFUSED = {
    "no JSON": (b"{", 400, "body"),
    "not UTF-8": (b'{"dataframe_records": "\xff"}', 400, "body"),
    "no object": (b"[1]", 400, "body"),
    "nothing": (b"", 400, "body"),
    "deep": (b"[" * 100_000, 400, "body"),
    "deep rows": (b'{"instances": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "body"),
    "no rows": (records(), 400, "dataframe_records"),
    "two formats": ({**records(ROW), "inputs": {}}, 400, "body"),
    "another key": ({**records(ROW), "parms": {}}, 400, "parms"),
    "NaN": (b'{"dataframe_records": [{"wind": NaN, "origin": "JFK", "seats": 1}]}', 400, "wind"),
    "infinite": (b'{"dataframe_records": [{"wind": -Infinity, "origin": "JFK", "seats": 1}]}', 400, "wind"),
    "a list in a row": (records({**ROW, "origin": ["JFK"]}), 400, "origin"),
    "half a character": (b'{"dataframe_records": [{"wind": 1, "origin": "\\ud800", "seats": 1}]}', 400, "origin"),
    "a huge number": (records({**ROW, "seats": 10**30}), 400, "seats"),
    "digits without end": (b'{"instances": ' + b"9" * 5000 + b"}", 400, "body"),
    "columns of two lengths": ({"inputs": {"wind": [1, 2], "origin": ["JFK"], "seats": [1, 2]}}, 400, "origin"),
    "a row too short": ({"dataframe_split": {"columns": ["wind", "origin"], "data": [[1]]}}, 400, "dataframe_split"),
    "text for a number": (records({**ROW, "wind": "much"}), 422, "wind"),
    "no such column": (records({"wind": 1, "origin": "JFK"}), 422, "seats"),
    "a missing value that the model cannot take": (records(ROW, {**ROW, "wind": None}), 422, "wind"),
    "a number without end": (b'{"dataframe_records": [{"wind": 1e999, "origin": "JFK", "seats": 1}]}', 422, "wind"),
    "another param": ({**records(ROW), "params": {"temperature": 1}}, 400, "params"),
    "another method": ({**records(ROW), "params": {"response_method": "fit"}}, 400, "params"),
    "an id too few": ({**records(ROW, ROW), "request_ids": ["a"]}, 400, "request_ids"),
    "an id twice": ({**records(ROW, ROW), "request_ids": ["a", "a"]}, 400, "request_ids"),
    "an id that is none": ({**records(ROW), "request_ids": ["\n"]}, 400, "request_ids"),
    "too many rows": ({"inputs": {"wind": [1] * 5001, "origin": ["JFK"] * 5001, "seats": [1] * 5001}}, 413, "inputs"),
    "too many bytes": (b" " * 8_000_001, 413, "body"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_one_sentence_with_its_field(name: str, shared: EndpointServer) -> None:
    content, status, field = REFUSED[name]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = httpx.post(f"{shared.url}/invocations", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert answer.json()["message"].endswith((".", "}.", "?"))


def test_other_addresses_and_types_are_refused(shared: EndpointServer) -> None:
    csv = httpx.post(f"{shared.url}/invocations", content="wind,origin", headers={"Content-Type": "text/csv"})
    assert (csv.status_code, csv.json()["field"]) == (415, "Content-Type")
    assert httpx.get(f"{shared.url}/invocations").status_code == 405
    assert httpx.get(f"{shared.url}/nothing").json()["error_code"] == "not-found"
    assert post(shared, records(ROW), "/models/other/invocations").status_code == 404
    assert httpx.get(f"{shared.url}/health", headers={"Host": "evil.example"}).status_code == 421
    for path in ("/ping", "/version"):
        assert httpx.get(f"{shared.url}{path}").status_code == 200


def test_a_slow_body_is_given_up_and_delays_nobody(own: Settings) -> None:
    with served(own, body_seconds=0.5) as server, socket.create_connection(("127.0.0.1", server.port)) as slow:
        head = (
            "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
        )
        slow.sendall(f"{head}\r\n{{".encode())
        assert post(server, records(ROW)).status_code == 200  # while the other one waits
        slow.settimeout(60)
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_referred_and_refused_are_counted(own: Settings) -> None:
    with served(own) as server:
        post(server, records(ROW, {**ROW, "wind": 9999}))
        post(server, records({"wind": 1}))
        counts = health(server)["models"]["delay"]
        assert [counts[name] for name in ("requests", "rows", "referred", "refused")] == [1, 2, 1, 1]
        assert counts["referred_share"] == 0.5


def test_a_policy_refuses_or_allows_what_the_contract_does_not_know(own: Settings) -> None:
    strange = records({**ROW, "origin": "SFO"})
    with served(own, invalid="refuse") as server:
        answer = post(server, strange)
        assert (answer.status_code, answer.json()["field"]) == (422, "origin")
    with served(own, invalid="allow") as server:
        assert post(server, strange).json()["verdicts"] == ["score"]


def test_several_models_have_addresses_of_their_own_and_tables_take_no_params(own: Settings) -> None:
    with served(own, "delay", "action@champion") as server:
        assert post(server, records(ROW), "/models/delay/invocations").json()["model"] == "delay"
        table = post(server, records({"wind": 100}, {"wind": 900}), "/models/action/invocations")
        assert table.status_code == 200, table.text
        assert table.json()["predictions"] == ["go", "wait"]
        params = post(server, {**records({"wind": 1}), "params": {"x": 1}}, "/models/action/invocations")
        assert (params.status_code, params.json()["field"]) == (400, "params")
        which = post(server, records(ROW))
        assert which.status_code == 404
        assert "/models/delay/invocations" in which.json()["message"]
        validate(httpx.get(f"{server.url}/openapi.json").json())


def test_answers_and_labels_are_in_the_log(own: Settings) -> None:
    with served(own) as server:
        post(server, {**records(ROW, {**ROW, "origin": "SFO"}), "request_ids": ["a", "b"]})
        answer = post(server, {"labels": [{"request_id": "a", "label": 1}]}, "/labels")
        assert (answer.status_code, answer.json()["rows"]) == (200, 1)
        for wrong, field in (
            ({"labels": []}, "labels"),
            ({"labels": [{"request_id": "a"}]}, "label"),
            ({"labels": [{"request_id": 1, "label": 1}]}, "request_id"),
            ({"labels": [{"request_id": "a", "label": 1, "x": 1}]}, "x"),
            ({"labels": [{"request_id": "a", "label": 1}], "model": "other"}, "model"),
        ):
            refused = post(server, wrong, "/labels")
            assert (refused.status_code, refused.json()["field"]) == (400, field)
        assert post(server, {"labels": [{"request_id": "a", "label": "never"}]}, "/labels").status_code == 400
    with Workspace(own) as ws:
        log = ws.log.read("delay", datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC))
        assert log is not None
        found = log.select(["request_id", "version", "alias", "role", "origin", "label"]).to_pylist()
    ours = [row for row in sorted(found, key=lambda row: row["request_id"]) if row["request_id"] in ("a", "b")]
    assert [tuple(row.values()) for row in ours] == [
        ("a", 1, "champion", "served", "JFK", "1"),
        ("b", 1, "champion", "served", "SFO", None),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
CELLS = JSON | st.sampled_from([1, 2.5, "JFK", "2026-01-01", "1e400", True, 2**63, -(2**63), 1e308, "nan", "\x00"])
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(("wind", "origin", "seats", "x"), CELLS))
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "dataframe_records": st.lists(ROWS, max_size=3) | JSON,
        "dataframe_split": st.fixed_dictionaries(
            {"columns": st.just(["wind", "origin", "seats"]) | JSON, "data": JSON}
        ),
        "instances": st.lists(ROWS, max_size=3) | st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=3),
        "inputs": st.fixed_dictionaries(dict.fromkeys(("wind", "origin", "seats"), st.lists(CELLS, max_size=2))),
        "params": JSON,
        "request_ids": JSON,
        "labels": st.lists(st.fixed_dictionaries({"request_id": JSON, "label": JSON}), max_size=2) | JSON,
        "model": JSON,
    },
)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as session:
        yield session


@hypothesis.settings(max_examples=60)
@given(body=BODIES, path=st.sampled_from(["/invocations", "/models/delay/invocations", "/labels"]))
def test_no_body_is_an_error_of_ours(body: object, path: str, shared: EndpointServer, client: httpx.Client) -> None:
    answer = client.post(
        f"{shared.url}{path}", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["message"]
