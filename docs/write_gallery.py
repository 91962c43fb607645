"""Make the gallery: every page and chart of docs/gallery/gallery.toml, by the command shown there.

    python docs/write_gallery.py        # into build/gallery; nothing if it is up to date

Commands run as they stand, in a folder with the files of docs/how-to/example-data.md. Pictures are
the first charts of the pages, once for a light site and once for a dark one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import runpy
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from hayflick.cli.main import main as hayflick
from hayflick.report.drawing import DARK

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FOLDER = ROOT / "build" / "gallery"
ENTRIES = DOCS / "gallery" / "gallery.toml"
EXAMPLE_DATA = DOCS / "how-to" / "example-data.md"
_CHART = re.compile(r"<figure[^>]*>.*?(<svg.*?</svg>)", re.DOTALL)
_COLOUR = re.compile(r'\b(fill|stroke)="([^"]+)"')
_MOST_LINES = 24


def main() -> None:
    """Make the gallery if anything that it is made of has changed."""
    state = digest()
    stamp = FOLDER / "digest"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    FOLDER.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as name:
        made = Path(name) / "gallery"
        write(made)
        (made / "digest").write_text(state, encoding="utf-8")
        shutil.rmtree(FOLDER, ignore_errors=True)
        made.rename(FOLDER)


def digest() -> str:
    """Return what changes with the program and with the sources of the gallery."""
    own = [Path(__file__), ENTRIES, EXAMPLE_DATA]
    program = [path for path in (ROOT / "src").rglob("*") if path.suffix in _PARTS]
    found = hashlib.sha256()
    for path in sorted([*own, *program]):
        found.update(path.read_bytes())
    return found.hexdigest()


_PARTS = (".py", ".jinja", ".css", ".po")


def parts() -> list[dict[str, Any]]:
    """Return the parts of the gallery, each with its entries."""
    found: list[dict[str, Any]] = tomllib.loads(ENTRIES.read_text(encoding="utf-8"))["part"]
    return found


def write(folder: Path) -> None:
    """Write pages, pictures and the text of the gallery."""
    for name in ("pages", "pictures"):
        (folder / "site" / "gallery" / name).mkdir(parents=True)
    written = []
    with tempfile.TemporaryDirectory() as work, contextlib.chdir(work):
        write_data()
        for part in parts():
            written.append(f"## {part['title']}\n")
            written += [_entry(one, folder / "site" / "gallery") for one in part["entry"]]
    (folder / "entries.md").write_text("\n".join(written), encoding="utf-8")


def write_data() -> None:
    """Write the files that the commands read into the working folder."""
    text = EXAMPLE_DATA.read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example is not None, EXAMPLE_DATA
    exec(compile(example[1], EXAMPLE_DATA.name, "exec"), {})
    shutil.copytree(ROOT / "examples" / "village", "village")
    shutil.copy(ROOT / "examples" / "village.toml", "village.toml")


def _entry(entry: Mapping[str, Any], site: Path) -> str:
    """Run an entry's commands, and return what the gallery says of it."""
    for name, text in entry.get("files", {}).items():
        Path(name).write_text(text.lstrip("\n"), encoding="utf-8")
    printed = "" if "picture" in entry else "".join(map(run, entry["commands"]))
    shown = [f"### {entry['title']}\n"]
    page = entry.get("page", "")
    picture = _picture(page, entry["title"], site) if page else ""
    if "picture" in entry:
        shown.append(f"![{entry['title']}](../{entry['picture']})\n")
    elif picture:
        shown.append(picture)
    else:
        lines = printed.strip("\n").splitlines()
        cut = lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "…"]
        shown += ["```text", *cut, "```\n"]
    for name, text in entry.get("files", {}).items():
        kind = {".py": "py", ".toml": "toml"}.get(Path(name).suffix, "text")
        shown += [f"With `{name}`:\n", f"```{kind}", text.strip("\n"), "```\n"]
    shown += ["```sh", *entry["commands"], "```\n"]
    if "python" in entry:
        shown += ["```py", entry["python"], "```\n"]
    links = [f"[The guide]({entry['guide']})"]
    for label, name in {"the whole page": page, **entry.get("more", {})}.items():
        if name:
            links.append(f'<a href="{_kept(name, site)}">{label}</a>')
    return "\n".join([*shown, " · ".join(links), ""])


def run(command: str) -> str:
    """Run a command in the working folder, and return what it prints.

    Raises
    ------
    RuntimeError
        If it ends otherwise than well or with an alarm.
    """
    program, *arguments = shlex.split(command)
    if program == "python":
        runpy.run_path(arguments[0])
        return ""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = hayflick(arguments)
    if code not in (0, 1):
        raise RuntimeError(f"{command}: exit code {code}: {err.getvalue()}")
    return re.sub("[\u2066-\u2069]", "", out.getvalue())


def _kept(page: str, site: Path) -> str:
    """Copy a page into the site, and return its address."""
    name = page.replace("/", "-")
    shutil.copy(page, site / "pages" / name)
    return f"pages/{name}"


def _picture(page: str, title: str, site: Path) -> str:
    """Write the first chart of a page for both schemes, and return how it is shown."""
    found = _CHART.search(Path(page).read_text(encoding="utf-8"))
    if found is None:
        return ""
    name = Path(page.replace("/", "-")).stem
    shown = []
    for scheme, svg in (("light", found[1]), ("dark", dark(found[1]))):
        file = f"{name}-{scheme}.svg"
        (site / "pictures" / file).write_text(svg, encoding="utf-8")
        alternative = f"{escape(title)}: the first chart"
        shown.append(
            f'<img class="only-{scheme}" src="pictures/{file}" alt="{alternative}" loading="lazy">'
        )
    return f'<a href="{_kept(page, site)}">\n{chr(10).join(shown)}\n</a>\n'


def dark(svg: str) -> str:
    """Return a chart in the colours of a dark page, on no ground."""
    svg = svg.replace('fill="white"/>', 'fill="none"/>', 1)
    return _COLOUR.sub(lambda found: f'{found[1]}="{DARK.get(found[2], found[2])}"', svg)


def commands() -> Iterator[str]:
    """Iterate over the commands of the gallery."""
    for part in parts():
        for entry in part["entry"]:
            yield from entry["commands"]


if __name__ == "__main__":
    sys.exit(main())
