"""The design page and the code say the same."""

import re
from pathlib import Path

from modelops_jupyter.display import palette
from modelops_jupyter.display.words import HEALTH, METRICS

PACKAGE = Path(palette.__file__).parents[1]
PAGE = (PACKAGE / "display" / "DESIGN.md").read_text()


def test_the_page_has_the_codes_health_words() -> None:
    for icon, word in HEALTH.values():
        assert f"{icon} {word}" in PAGE


def test_jupyterlab_names_metrics_as_python_does() -> None:
    source = (PACKAGE.parent / "labextension" / "src" / "format.ts").read_text()
    table = source.split("const METRICS")[1].split("};")[0]
    assert dict(re.findall(r"(\w+): '(.*)'", table)) == METRICS


def test_what_the_page_names_exists() -> None:
    for name in re.findall(r"`(words|tables|palette|series|svg|page)\.(\w+)`", PAGE):
        folder = "dashboards" if name[0] == "page" else "display"
        source = (PACKAGE / folder / f"{name[0]}.py").read_text()
        assert re.search(rf"^(def )?{name[1]}\b", source, re.MULTILINE), name


def test_colours_come_from_the_palette() -> None:
    known = {value.lower() for value in vars(palette).values() if isinstance(value, str) and value.startswith("#")}
    for file in (PACKAGE / "display").rglob("*.py"):
        if file.name != "palette.py":
            assert set(re.findall(r"#[0-9a-f]{6}\b", file.read_text().lower())) <= known, file.name


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_is_seen_on_white_and_on_black() -> None:
    """Graphical objects need a contrast of 3 to 1 (WCAG 2.2, 1.4.11); orange is never without its word or dots."""
    for colour in (palette.BLUE, palette.GREEN, palette.RED, palette.GREY):
        light = luminance(colour)
        assert 1.05 / (light + 0.05) >= 3, colour
        assert (light + 0.05) / (luminance("#1c222b") + 0.05) >= 3, colour
