"""The dashboards used as people do: addresses and the back button, files, every view, by keyboard and by ear."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from dashboard_fixtures import shoot
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
READY = {
    "fleet.ipynb?": ".mo-name",
    "model.ipynb?model=flight-delay&": ".mo-grid figure",
    "alerts.ipynb?": ".mo-list td",
    "governance.ipynb?": ".mo-list td",
}


def at(dashboard: str, path: str) -> str:
    return dashboard.replace("fleet.ipynb?", path)


def test_an_address_leads_back_to_what_was_shown(dashboard: str, open_page: Open) -> None:
    page = open_page(at(dashboard, "model.ipynb?model=flight-delay&from=2013-04-10&to=2013-04-20&"))
    chosen = page.locator(".mo-chosen")
    expect(page.locator("rect[data-pick^='window']")).to_have_count(11)
    page.locator("[data-pick='cell 2013-04-15T00:00:00+00:00 wind']").click()
    expect(chosen).to_contain_text("2013-04-15")
    expect(page).to_have_url(re.compile(r"from=2013-04-10.*window=2013-04-15.*column=wind"))
    assert "token" not in page.url
    page.locator("text[data-pick='column rain']").click()
    expect(page).to_have_url(re.compile("column=rain"))
    page.go_back()
    expect(page.locator("[data-overlay] text")).to_have_text("wind")
    expect(page.locator(".mo-state")).to_have_text(re.compile(r"Updated \d{4}-\d\d-\d\d \d\d:\d\d"))
    page.get_by_role("button", name="Refresh").click()
    expect(chosen).to_contain_text("2013-04-15")
    page.get_by_role("link", name="Alerts").click()
    expect(page.locator("h1")).to_have_text("Alerts and incidents")
    expect(page).to_have_title("Alerts and incidents")
    page.go_back()
    expect(page.locator("h1")).to_have_text("flight-delay")
    expect(chosen).to_contain_text("2013-04-15")
    page.reload()
    expect(chosen).to_contain_text("2013-04-15")


def test_what_is_shown_can_be_saved(dashboard: str, open_page: Open, tmp_path: Path) -> None:
    page = open_page(at(dashboard, "model.ipynb?model=flight-delay&from=2013-04-10&to=2013-04-12&"))
    expect(page.locator(".mo-grid figure")).to_have_count(3)
    files = {}
    for name in ("CSV", "HTML"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name, exact=True).click()
        files[name] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(files[name])
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save the chart as PNG").first.click()
    waiting.value.save_as(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "chart.png").stat().st_size > 10_000
    assert len((tmp_path / "flight-delay.csv").read_text().splitlines()) == 4
    alone = open_page(files["HTML"].as_uri())
    expect(alone.locator("svg").first).to_be_visible()
    expect(alone.locator("section", has_text="How good for each group").locator("tbody tr")).to_have_count(4)
    shoot(alone, "standalone")


def test_an_alert_leads_to_its_window(dashboard: str, open_page: Open) -> None:
    page = open_page(at(dashboard, "alerts.ipynb?"))
    row = page.locator("tr", has=page.locator("a[href*='column=wind']")).first
    expect(row).to_contain_text("open")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("flight-delay")
    expect(page.locator("[data-selected='column']")).to_have_count(1)
    expect(page.locator("[data-selected='window']")).to_have_count(2)


def test_the_board_shows_who_decided_and_when_in_the_readers_zone(dashboard: str, open_page: Open) -> None:
    page = open_page(at(dashboard, "governance.ipynb?"))
    expect(page.locator(".mo-card", has_text="Waiting")).to_contain_text("churn/1")
    expect(page.locator(".mo-card", has_text="Waiting")).to_contain_text("nobody yet")
    expect(page.locator(".mo-card", has_text="In service")).to_contain_text("flight-delay/2")
    expect(page.locator(".mo-tiles")).to_contain_text("whole")
    time = page.locator("time").last
    expect(time).to_have_attribute("title", re.compile(r"\d\d:\d\d UTC"))
    expect(time).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d$"))


@pytest.mark.parametrize("path", READY)
def test_a_page_fits_a_phone_and_paper_and_axe_finds_nothing_serious(
    dashboard: str, open_page: Open, path: str
) -> None:
    page, name = open_page(at(dashboard, path), width=390), path.partition(".")[0]
    expect(page.locator(READY[path]).first).to_be_visible()
    assert page.evaluate("document.querySelector('.mo-page').scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, f"{name}-phone")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".mo-bar")).to_be_hidden()
    expect(page.locator(".mo-body")).to_have_css("background-color", "rgb(255, 255, 255)")
    shoot(page, f"{name}-print")
    page.set_viewport_size({"width": 1280, "height": 2200})
    page.emulate_media(media="screen")
    for fold in page.locator("details > summary").all():
        fold.click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        shoot(page, f"{name}-{scheme}")
        found = Axe().run(page).response["violations"]
        grave = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
        assert grave == []


def test_everything_is_reached_by_keyboard(dashboard: str, open_page: Open) -> None:
    page = open_page(dashboard)
    expect(page.locator(".mo-name").first).to_be_visible()
    page.locator("h1").focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.placeholder"))
    assert "flight-delay" in reached
    page.get_by_role("link", name="flight-delay").press("Enter")
    expect(page.locator("text[data-pick='column wind']")).to_be_visible()
    page.locator("text[data-pick='column wind']").press(" ")
    expect(page.locator(".mo-chosen")).to_contain_text("last 24 days together")
    expect(page.locator("[data-selected='column']")).to_have_count(1)


def test_a_model_says_what_needs_attention_and_for_whom_it_is_good(dashboard: str, open_page: Open) -> None:
    page = open_page(at(dashboard, "model.ipynb?model=flight-delay&"))
    needs = page.locator(".mo-card", has_text="Needs attention")
    expect(needs).to_contain_text("nobody yet")
    needs.locator("summary").first.press("Enter")
    expect(needs.get_by_text("What may be the cause")).to_be_visible()
    groups = page.locator(".mo-bars")
    expect(groups.locator("tbody tr")).to_have_count(4)
    rows = groups.locator("th", has_text="Rows")
    rows.press("Enter")
    expect(rows).to_have_attribute("aria-sort", "ascending")
    counts = [int(text) for text in groups.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts)
    figures = groups.locator("tbody td:nth-child(3)").all_inner_texts()
    page.locator("[data-pick='window 2013-04-03T00:00:00+00:00']").click()
    expect(page.locator(".mo-chosen")).to_contain_text("2013-04-03")
    expect(groups.locator("tbody td:nth-child(3)")).not_to_have_text(figures)


def test_an_incident_is_told_to_its_end(dashboard: str, open_page: Open) -> None:
    page = open_page(at(dashboard, "alerts.ipynb?"))
    case = page.locator(".mo-card", has_text="Incidents to look after")
    expect(case).to_contain_text("nobody yet")
    case.locator("summary").first.click()
    expect(case.get_by_text("bad windows from 2013-04-15")).to_be_visible()
    case.locator("summary", has_text="What happened so far").click()
    expect(case.get_by_role("cell", name="opened").first).to_be_visible()
    case.get_by_role("link", name="flight-delay:").click()
    expect(page).to_have_url(re.compile("incident=flight-delay%3A"))
    page.reload()  # as whoever is sent this address
    expect(case.get_by_text("bad windows from 2013-04-15")).to_be_visible()
    case.get_by_role("link", name="flight-delay", exact=True).click()
    expect(page.locator(".mo-chosen")).to_contain_text("2013-04-15")
