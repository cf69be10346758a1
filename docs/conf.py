"""The documents as a site: `make docs` builds them, strictly, into build/docs."""

import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

project = "tocsin"
author = "the tocsin authors"
copyright = "the tocsin authors, Apache-2.0"  # noqa: A001 - Sphinx's own name
release = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = ["myst_parser", "sphinx_design"]
source_suffix = {".md": "markdown"}
nitpicky = True  # a reference that leads nowhere fails the build

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_theme = "furo"
html_title = f"tocsin {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
# Addresses of the files of the site alone: it is read from a disk, behind a proxy, without the internet.
html_theme_options = {"navigation_with_keys": True}
pygments_style = "default"
