"""What the tests of live views share."""

from collections.abc import Iterator

import ipywidgets
import pytest


@pytest.fixture
def widgets_closed() -> Iterator[None]:
    """Every widget of a test is closed after it: ipywidgets keeps them all."""
    yield
    ipywidgets.Widget.close_all()
