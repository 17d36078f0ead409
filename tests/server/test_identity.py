"""Who goes on record for what is done over REST."""

from typing import Any

import pytest
from asking import Ask
from jupyter_server.auth import IdentityProvider, User

from modelops_jupyter.workspace import Workspace


class Directory(IdentityProvider):
    """Knows whoever has the token as Vera, as a hub's provider would."""

    async def get_user(self, handler: Any) -> User | None:
        known = await super()._get_user(handler)
        return None if known is None else User(username="vera", name="Vera")


@pytest.fixture
def jp_server_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    app = {"jpserver_extensions": {"modelops_jupyter": True}, "allow_unauthenticated_access": False}
    return {"ServerApp": app | ({"identity_provider_class": Directory} if request.param else {})}


@pytest.mark.parametrize("jp_server_config", [True], indirect=True)
async def test_whom_the_identity_provider_knows_goes_on_record(post: Ask, model: Workspace) -> None:
    given = await post("approve", {"version": "delay/2", "reason": "ok"})
    assert (given["actor"], given["assurance"], given["self_review"]) == ("vera", "authenticated", False)
    assert (model.store.audit()[-1].actor, model.store.audit()[-1].assurance) == ("vera", "authenticated")


@pytest.mark.parametrize("jp_server_config", [False], indirect=True)
async def test_an_anonymous_visitor_acts_as_whoever_runs_the_server(
    post: Ask, model: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELOPS_ACTOR", "ann")
    given = await post("approve", {"version": "delay/2", "reason": "ok"})
    assert (given["actor"], given["assurance"], given["self_review"]) == ("ann", "self-asserted", True)
