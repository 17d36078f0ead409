"""What the tests of notifications share."""

import base64
from collections.abc import Callable, Iterator

import pytest
from receiver import Receiver

from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.workspace import Workspace

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that is up."""
    made = Receiver()
    yield made
    made.hold.set()
    made.stop()


@pytest.fixture
def secret() -> str:
    """Return a signing secret."""
    return SECRET


@pytest.fixture
def open_telling(
    settings: Settings, receiver: Receiver, secret: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Workspace]:
    """Open a workspace that tells the receiver; what modelops.toml says of delay's use case is given."""

    def opened(use_case: str) -> Workspace:
        monkeypatch.setenv("MODELOPS_SECRET_OPS", secret)
        monkeypatch.chdir(settings.project)
        (settings.project / "modelops.toml").write_text(
            f'actor = "ann"\n[notify.ops]\nurl = "{receiver.url}"\n'
            'secret = "$MODELOPS_SECRET_OPS"\nallow_private = true\n'
            f"[use_case.delay]\n{use_case}\n"
        )
        return Workspace(find_settings(settings.project, environ={}))

    return opened
