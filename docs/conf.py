"""How Sphinx makes the site: ``make docs``, or ``python -m sphinx -W -n docs docs/_build/html``.

Nothing is taken from the network, neither while the site is made nor while it is read.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

import matplotlib

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_extensions")]
matplotlib.use("Agg")
beside = ROOT.parent / "shared" / "data"
if beside.is_dir():
    os.environ.setdefault("OMNIMEANS_DATA", str(beside))

project = "omnimeans"
author = "The omnimeans developers"
release = version = installed("omnimeans")
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "examples",
    "formulas",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "gallery/*.py.md5"]
templates_path = ["_templates"]
nitpicky = True
nitpick_ignore_regex = [  # these are read in the sources
    ("py:(mod|data|attr)", r"omnimeans\..*"),
    ("py:.*", r"omnimeans\.(_|algorithms|engines|init|looks|selection|sources).*"),
]

# ---- the reference, from the docstrings

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more than the annotations
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the template lists methods, with their text
numpydoc_class_members_toctree = False
add_module_names = False

# ---- Markdown

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
myst_url_schemes = ("http", "https", "mailto")

# ---- the gallery: every example is run, and one that fails ends the build

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "image_srcset": ["2x"],
    "doc_module": ("omnimeans",),
    "backreferences_dir": None,
    "reset_modules": ("matplotlib",),
    "capture_repr": ("_repr_html_", "__repr__"),
    "plot_gallery": True,
}

# ---- looks

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's machine is
html_title = "omnimeans"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "omnimeans"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"quickstart": [], "benchmarks": [], "reliability": [], "changelog": []}
html_math_renderer = "mathml"
copyright = f"{author}. Licence: BSD-3-Clause"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
