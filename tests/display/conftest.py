"""What the tests of drawings and live views share."""

from collections.abc import Iterator

import ipywidgets
import pytest


@pytest.fixture(autouse=True)
def widgets_closed() -> Iterator[None]:
    """Close every widget of a test after it: ipywidgets keeps them all."""
    yield
    ipywidgets.Widget.close_all()
