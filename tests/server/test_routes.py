"""The REST routes in a real Jupyter server that lets nobody in unasked."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jupyter_server.auth import Authorizer
from sklearn.linear_model import LogisticRegression
from tornado.httpclient import HTTPClientError, HTTPResponse

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

Fetch = Callable[..., Awaitable[HTTPResponse]]
API = ("modelops", "api", "v1", "models")
ROUTES = [API, (*API, "delay")]
ASKED: list[tuple[str, str]] = []


class Recording(Authorizer):
    """Allows all but Mallory, and keeps what was asked."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        ASKED.append((action, resource))
        return "Mallory" not in handler.request.headers


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"modelops_jupyter": True},
            "allow_unauthenticated_access": False,
            "authorizer_class": Recording,
        }
    }


@pytest.fixture
def model(jp_root_dir: Path, mlflow_database: Path) -> Workspace:
    """Register one model in the folder that the server serves."""
    root = jp_root_dir / ".modelops"
    root.mkdir()
    (root / "mlflow.db").write_bytes(mlflow_database.read_bytes())
    ws = Workspace(Settings(project=jp_root_dir, root=root, actor="ann"))
    x = pd.DataFrame({"wind": np.random.default_rng(0).normal(size=200)})
    y = (x["wind"] > 0).astype(int)
    ws.register(LogisticRegression().fit(x, y), "delay", data=x, target=y, metrics={"roc_auc": 0.9})
    ws.approve("delay/1", reason="ok")
    ws.promote("delay/1", reason="first")
    return ws


async def refused(fetch: Fetch, *parts: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Return status and body of a request that must not succeed."""
    with pytest.raises(HTTPClientError) as caught:
        await fetch(*parts, **options)
    assert caught.value.response is not None
    body: dict[str, Any] = json.loads(caught.value.response.body)
    assert set(body) == {"message", "code"}
    return caught.value.code, body


async def test_the_routes_answer_what_the_workspace_says(jp_fetch: Fetch, model: Workspace) -> None:
    fleet = json.loads((await jp_fetch(*API)).body)
    assert fleet == json.loads(json.dumps(model.models().to_dict()))
    assert {"metric", "sparkline", "health", "champion", "open_alerts"} <= set(fleet["rows"][0])
    page = json.loads((await jp_fetch(*API, "delay")).body)
    assert page == json.loads(json.dumps(model.overview("delay").to_dict()))


async def test_an_empty_workspace_stays_empty(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    before = sorted(jp_root_dir.rglob("*"))
    assert json.loads((await jp_fetch(*API)).body)["rows"] == []
    assert (await refused(jp_fetch, *API, "delay"))[0] == 404
    assert sorted(jp_root_dir.rglob("*")) == before


async def test_strangers_are_not_found(jp_fetch: Fetch, model: Workspace) -> None:
    status, body = await refused(jp_fetch, *API, "stranger")
    assert (status, body["code"]) == (404, "not-found")
    assert "stranger" in body["message"]


@pytest.mark.parametrize(
    "name",
    ["delay/1", "delay@champion", "<script>alert(1)</script>", "' OR 1=1 --", "a%2e%2e", "é" * 300, "a\nb", "~/x"],
)
async def test_hostile_names_are_data(jp_fetch: Fetch, model: Workspace, name: str) -> None:
    status, body = await refused(jp_fetch, *API, name)
    assert (status, body["code"]) == (400, "invalid-reference")


@pytest.mark.parametrize("route", ROUTES, ids=["models", "model"])
@pytest.mark.parametrize("header", ["", "token wrong"], ids=["none", "wrong"])
async def test_nobody_gets_in_without_the_token(
    jp_fetch: Fetch, model: Workspace, route: tuple[str, ...], header: str
) -> None:
    assert (await refused(jp_fetch, *route, headers={"Authorization": header}))[0] == 403


@pytest.mark.parametrize("route", ROUTES, ids=["models", "model"])
async def test_each_route_asks_the_authorizer_for_its_own_resource(
    jp_fetch: Fetch, model: Workspace, route: tuple[str, ...]
) -> None:
    ASKED.clear()
    await jp_fetch(*route)
    assert ASKED == [("read", "modelops:models")]
    status, body = await refused(jp_fetch, *route, headers={"Mallory": "yes"})
    assert (status, body["code"]) == (403, "forbidden")


@pytest.mark.parametrize("route", ROUTES, ids=["models", "model"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_reading_is_all_there_is(jp_fetch: Fetch, model: Workspace, route: tuple[str, ...], method: str) -> None:
    body = None if method == "DELETE" else "{}"
    assert (await refused(jp_fetch, *route, method=method, body=body))[0] == 405


async def test_a_damaged_store_is_said(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    (jp_root_dir / ".modelops").mkdir()
    (jp_root_dir / ".modelops" / "modelops.db").write_text("this is no database" * 100)
    status, body = await refused(jp_fetch, *API)
    assert (status, body["code"]) == (503, "store-damaged")


async def test_a_broken_settings_file_is_said(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    (jp_root_dir / "modelops.toml").write_text("typo = 1")
    assert (await refused(jp_fetch, *API))[1]["code"] == "invalid-input"
