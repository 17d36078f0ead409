"""The model's page says what is muted, and its audit trail is by kind with the monitor's runs folded away."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboard_fixtures import shoot
from playwright.sync_api import Page, expect

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser
SAYS = r"uted until 2013-06-01 by \w+: a new mast"


@pytest.fixture
def muted(workspace: Path) -> Iterator[None]:
    """Mute the column that drifts while a test runs."""
    with Workspace(find_settings(workspace)) as ws:
        ws.mute("flight-delay", column="wind", until="2013-06-01", reason="a new mast")
    yield
    with Workspace(find_settings(workspace)) as ws:
        ws.revoke("flight-delay", column="wind", reason="a test")


def test_what_is_muted_and_the_audit_trail(muted: None, dashboard: str, open_page: Callable[..., Page]) -> None:
    for scheme in ("light", "dark"):
        page = open_page(dashboard.replace("fleet.ipynb?", "model.ipynb?model=flight-delay&"), scheme)
        expect(page.locator("body")).to_contain_text(re.compile(f"wind: m{SAYS}"))
        alerts = page.locator(".mo-card", has=page.get_by_role("heading", name="Alerts", exact=True))
        expect(alerts.locator("tr", has_text="“wind”").first).to_contain_text("muted")
        trail = page.locator(".mo-card", has=page.get_by_role("heading", name="Audit trail"))
        expect(trail).to_contain_text("alerts.mute")
        runs = trail.locator("details")
        expect(runs).to_contain_text(re.compile(r"\d+ runs? of the monitor"))
        expect(trail.locator("tbody tr:visible", has_text="monitor")).to_have_count(0)
        trail.scroll_into_view_if_needed()
        page.set_viewport_size({"width": 1280, "height": 5200})
        shoot(page, f"record-{scheme}")
        trail.get_by_label("Kind").select_option("Approvals, rejections, comments")
        expect(trail).to_contain_text("approve")
        expect(trail).not_to_contain_text("alerts.mute")
        expect(runs).to_have_count(0)
    page = open_page(dashboard.replace("fleet.ipynb?", "alerts.ipynb?"))
    expect(page.locator("body")).to_contain_text("muted or accepted")
    expect(page.locator("body")).to_contain_text(re.compile(f"M{SAYS}"))
    shoot(page, "alerts-muted")
