"""What the tests of notifications share."""

import base64
from collections.abc import Iterator

import pytest
from receiver import Receiver

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
