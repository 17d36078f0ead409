"""Settings of the documentation site: `make docs` builds it into build/docs."""

import re
from pathlib import Path

VERSION = (Path(__file__).parents[1] / "modelops_jupyter" / "_version.py").read_text(encoding="utf-8")

project = "modelops-jupyter"
copyright = "modelops-jupyter contributors"
release = re.search(r"\"(.+?)\"", VERSION)[1]
extensions = ["myst_parser", "sphinx_copybutton", "sphinx_design"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "pydata_sphinx_theme"
html_title = "modelops-jupyter"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"tutorial": [], "coming-from": []}
