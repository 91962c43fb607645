"""Pages that stand outside docs/, such as benchmarks/README.md, as pages of the site.

A stub in docs/project/ begins with a link to such a file. On a code host a reader follows it; in
the site the file itself stands there, followed by what the stub has below its first blank line.
Links of all pages, which are paths in the repository, lead to the stub where they name such a file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
LINK = re.compile(r"(?<=\]\()([^)#\s]+)")
# Code is left alone; a directive, "```{name}", is text.
CODE = re.compile(r"^(```[^{\n]*\n.*?^```$)", re.DOTALL | re.MULTILINE)


def stubs() -> dict[Path, Path]:
    """Return the stub of each page outside docs; the start page stands for the README."""
    found = {DOCS.parent / "README.md": DOCS / "index.md"}
    for stub in sorted((DOCS / "project").glob("*.md")):
        link = LINK.search(stub.read_text(encoding="utf-8"))
        if link is not None:
            found[(stub.parent / link[1]).resolve()] = stub
    return found


def original(page: Path) -> Path:
    """Return the file whose text a page shows: the one outside docs for a stub, itself else."""
    if page.parent != DOCS / "project":
        return page
    return next((path for path, stub in stubs().items() if stub == page), page)


def moved(text: str, *, origin: Path, to: Path, pages: dict[Path, Path]) -> str:
    """Return a text whose links lead from `to` where they led from `origin`."""

    def target(link: re.Match[str]) -> str:
        if re.match(r"[a-z]+:", link[1]):
            return link[1]
        path = (origin.parent / link[1]).resolve()
        return Path(os.path.relpath(pages.get(path, path), to.parent)).as_posix()

    parts = CODE.split(text)
    return "".join(
        part if number % 2 else LINK.sub(target, part) for number, part in enumerate(parts)
    )


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the file in place of its stub, and let links lead to stubs."""
    page = Path(app.env.doc2path(docname))
    if page.suffix != ".md":
        return
    pages = stubs()
    file = original(page)
    text = source[0]
    if file != page:
        app.env.note_dependency(str(file))
        shown = moved(file.read_text(encoding="utf-8"), origin=file, to=page, pages=pages)
        text = shown + "\n" + text.split("\n\n", maxsplit=1)[1]
    source[0] = moved(text, origin=page, to=page, pages=pages)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
