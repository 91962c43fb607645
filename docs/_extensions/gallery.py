"""The gallery of pages and charts, made by docs/write_gallery.py before pages are read.

``HAYFLICK_GALLERY=keep`` keeps one that was made before, whatever has changed since.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from languages import is_partial

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
FOLDER = DOCS.parent / "build" / "gallery"
SCRIPT = DOCS / "write_gallery.py"


def make(app: Sphinx) -> None:
    """Make the gallery for the English site; the others leave it out, or have no entries in it."""
    entries = FOLDER / "entries.md"
    if app.builder.format != "html" or is_partial(app.config):
        if not entries.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            entries.write_text("", encoding="utf-8")
        return
    if os.environ.get("HAYFLICK_GALLERY") != "keep" or not (FOLDER / "site").exists():
        subprocess.run([sys.executable, str(SCRIPT)], check=True)
    app.config.html_extra_path = [*app.config.html_extra_path, str(FOLDER / "site")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the gallery when a builder is ready."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
