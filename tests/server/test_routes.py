"""The REST routes in a real Jupyter server that lets nobody in unasked."""

import json
from pathlib import Path
from typing import Any

import pytest
from asking import PREFIX, Ask, Fetch, refused

from modelops_jupyter.workspace import Workspace


async def test_readers_answer_what_the_workspace_says(get: Ask, model: Workspace, jp_root_dir: Path) -> None:
    fleet = await get("models")
    assert fleet == json.loads(json.dumps(model.models().to_dict()))
    assert {"metric", "sparkline", "health", "champion", "open_alerts"} <= set(fleet["rows"][0])
    assert await get("models/delay") == json.loads(json.dumps(model.overview("delay").to_dict()))
    assert await get("overview", name="delay") == await get("models/delay")
    assert [row["version"] for row in (await get("versions", name="delay"))["rows"]] == [2, 1]
    assert (await get("version", version="delay@champion"))["version"] == 1
    assert (await get("card", version="delay/2"))["title"].startswith("delay")
    assert (await get("status"))["history"][0]["reason"] == "first"
    assert len((await get("audit", limit=2))["rows"]) == 2
    assert (await get("verify-audit"))["ok"] is True
    head = await get("audit-head")
    (jp_root_dir / "head.json").write_text(json.dumps(head))
    assert (await get("verify-audit", head="head.json"))["ok"] is True
    (jp_root_dir / "head.json").write_text(json.dumps({**head, "sequence": head["sequence"] + 1}))
    assert (await get("verify-audit", head="head.json"))["first_bad"] == head["sequence"] + 1
    assert (await get("alerts", state="open"))["rows"] == []
    assert (await refused(get("distribution", name="delay", column="wind")))[1]["code"] == "not-found"


async def test_what_jupyterlab_adds_to_an_address_is_no_field(get: Ask, model: Workspace, jp_serverapp: Any) -> None:
    assert (await get("models", **{"1732460000000": "", "token": jp_serverapp.identity_provider.token}))["rows"]


async def test_an_empty_workspace_stays_empty(get: Ask, jp_root_dir: Path) -> None:
    before = sorted(jp_root_dir.rglob("*"))
    for route in ("models", "alerts", "audit"):
        assert (await get(route))["rows"] == []
    assert (await get("status"))["models"] == []
    assert (await refused(get("models/delay")))[0] == 404
    assert sorted(jp_root_dir.rglob("*")) == before


async def test_the_gate_is_asked_before_one_moves(get: Ask, post: Ask, model: Workspace) -> None:
    before = len(model.store.find("gate"))
    closed = await get("gate", version="delay/2")
    assert (closed["passed"], closed["holder"], closed["alias"]) == (False, 1, "champion")
    assert len(model.store.find("gate")) == before
    promotion = {"version": "delay/2", "reason": "better", "expected": 1}
    status, body = await refused(post("promote", promotion))
    assert (status, body["code"]) == (409, "gate-closed")
    assert (await post("comment", {"subject": "delay/2", "text": "<b>looks</b> good"}))["reason"] == "<b>looks</b> good"
    assert (await post("approve", {"version": "delay/2", "reason": "ok"}))["decision"] == "approve"
    assert (await post("check", {"version": "delay/2"}))["passed"] is True
    assert (await post("promote", promotion))["to_version"] == 2
    assert (await refused(post("promote", {**promotion, "version": "delay/1"})))[1]["code"] == "conflict"
    assert (await post("rollback", {"name": "delay", "reason": "worse"}))["to_version"] == 1
    assert (await post("reject", {"version": "delay/2", "reason": "no"}))["decision"] == "reject"
    assert (await get("gate", version="delay/2"))["passed"] is False


async def test_a_second_click_does_nothing_twice(post: Ask, model: Workspace) -> None:
    before = len(model.store.audit())
    words = {"version": "delay/2", "reason": "ok"}
    first = await post("approve", words, Idempotency_Key="k1")
    assert await post("approve", words, Idempotency_Key="k1") == first
    assert len(model.store.audit()) == before + 1
    status, body = await refused(post("approve", {**words, "reason": "other"}, Idempotency_Key="k1"))
    assert (status, "another request" in body["message"]) == (400, True)
    assert (await refused(post("promote", {"version": "delay/9", "reason": "x"}, Idempotency_Key="k2")))[0] == 404
    assert (await post("promote", {"version": "delay/2", "reason": "x"}, Idempotency_Key="k2"))["to_version"] == 2
    assert (await refused(post("approve", words, Idempotency_Key="é" * 5)))[0] == 400


async def test_strangers_are_not_found(get: Ask, model: Workspace) -> None:
    status, body = await refused(get("models/stranger"))
    assert (status, body["code"]) == (404, "not-found")
    assert "stranger" in body["message"]


@pytest.mark.parametrize(
    "name",
    [
        "delay/1",
        "delay@champion",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "a%2e%2e",
        "é" * 300,
        "a\nb",
        "~/x",
        "\0",
    ],
)
async def test_hostile_names_are_data(get: Ask, post: Ask, model: Workspace, name: str) -> None:
    assert (await refused(get("overview", name=name)))[1]["code"] == "invalid-reference"
    if "/" not in name:
        assert (await refused(get(f"models/{name}")))[1]["code"] == "invalid-reference"
    if name not in ("delay/1", "delay@champion"):
        wrong = await refused(post("approve", {"version": name, "reason": "x"}))
        assert wrong[1]["code"] == "invalid-reference"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"version": "delay/1", "reason": "x", "colour": 1}, "'colour'"),
        ({"version": "delay/1"}, "'reason'"),
        ({"version": 3, "reason": "x"}, "'version'"),
        ({"version": "delay/1", "reason": "x" * 10_001}, "'reason'"),
        ({"version": "delay/1", "reason": "\ud800"}, "JSON"),
        ({"version": "delay/1", "reason": float("nan")}, "NaN"),
        ([], "object"),
    ],
)
async def test_wrong_bodies_are_refused_by_name(post: Ask, model: Workspace, body: Any, named: str) -> None:
    before = len(model.store.audit())
    status, answer = await refused(post("approve", body))
    assert (status, answer["code"]) == (400, "invalid-input")
    assert named in answer["message"]
    assert len(model.store.audit()) == before


@pytest.mark.parametrize("raw", ["{", "[" * 100_000, '{"reason": "x", "reason": "y"}', "\x00", "{'a': 1}"])
async def test_what_is_no_json_is_said(jp_fetch: Fetch, model: Workspace, raw: str) -> None:
    status, answer = await refused(jp_fetch(*PREFIX, "approve", method="POST", body=raw))
    assert (status, answer["code"]) == (400, "invalid-input")


async def test_wrong_queries_are_refused_by_name(get: Ask, jp_fetch: Fetch, model: Workspace) -> None:
    for query, named in (
        ({"limit": "many"}, "'limit'"),
        ({"colour": "red"}, "'colour'"),
        ({"limit": "1.5"}, "'limit'"),
    ):
        status, answer = await refused(get("audit", **query))
        assert (status, named in answer["message"]) == (400, True)
    assert (await refused(get("versions")))[0] == 400
    assert (await refused(jp_fetch(*PREFIX, "audit", params=[("limit", 1), ("limit", 2)])))[0] == 400


async def test_a_damaged_store_is_said(get: Ask, jp_root_dir: Path) -> None:
    (jp_root_dir / ".modelops").mkdir()
    (jp_root_dir / ".modelops" / "modelops.db").write_text("this is no database" * 100)
    status, body = await refused(get("models"))
    assert (status, body["code"]) == (503, "store-damaged")


async def test_a_broken_settings_file_is_said(get: Ask, jp_root_dir: Path) -> None:
    (jp_root_dir / "modelops.toml").write_text("typo = 1")
    assert (await refused(get("models")))[1]["code"] == "invalid-input"
