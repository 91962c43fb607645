"""Write the notebooks of examples/notebooks from the tutorials; a test holds the two together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = sorted((HERE / "tutorials").glob("*.md"))
NOTEBOOKS = HERE.parent / "examples" / "notebooks"
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cells(source: Path) -> Iterator[tuple[str, str]]:
    """Iterate over the cells of a tutorial: ``markdown`` or ``code``, and the text."""
    parts = _CELL.split(_FRONT_MATTER.sub("", source.read_text(encoding="utf-8")))
    for number, part in enumerate(parts):
        if part.strip():
            yield ("code" if number % 2 else "markdown"), part.strip()


def code(source: Path) -> list[str]:
    """Return the code cells of a tutorial, in order."""
    return [text for kind, text in cells(source) if kind == "code"]


def notebook(source: Path) -> str:
    """Return a tutorial as a notebook without outputs."""
    written = [_cell(number, *cell) for number, cell in enumerate(cells(source), start=1)]
    content = {"cells": written, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    shown = text if kind == "code" else _moved_links(text)
    cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    outputs = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {**cell, **outputs, "source": shown.splitlines(keepends=True)}


def _moved_links(text: str) -> str:
    """Return a text whose links lead from the notebooks to where they led from the tutorials."""
    to_pages = re.sub(r"(?<=\]\()\.\./", "../../docs/", text)
    return re.sub(r"(?<=\]\()([\w-]+)\.md", r"\1.ipynb", to_pages)


def notebook_of(source: Path) -> Path:
    """Return where the notebook of a tutorial is."""
    return NOTEBOOKS / f"{source.stem}.ipynb"


if __name__ == "__main__":
    NOTEBOOKS.mkdir(exist_ok=True)
    for source in SOURCES:
        notebook_of(source).write_text(notebook(source), encoding="utf-8")
