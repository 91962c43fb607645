"""The documentation site: `make docs` builds it in build/site, without a network."""

import sys
from pathlib import Path

from hayflick.core.version import __version__

sys.path.insert(0, str(Path(__file__).with_name("_extensions")))

project = "hayflick"
author = "The hayflick developers"
release = version = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "numpydoc",
    "gallery",
    "languages",
    "mathml",
    "repository_pages",
]
exclude_patterns = ["_build", "_extensions", "_templates", "locale"]
locale_dirs = ["locale"]
gettext_compact = False

# A page is a notebook only where its first lines say so.
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "build" / "site-cache")
nb_execution_raise_on_error = True
nb_execution_timeout = 240
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

numpydoc_show_class_members = False
autosummary_generate = True

html_theme = "furo"
html_title = "hayflick"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
# The folder is the whole site: formulas need no code from elsewhere.
html_copy_source = False
html_math_renderer = "mathml"
