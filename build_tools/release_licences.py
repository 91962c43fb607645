"""Write the licences of everything that pip would install with hayflick and its extras.

Run by ``release.py licences``. What a package says of itself is what counts: its licence
expression, else its classifiers, else the first line of its licence field.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|EUPL|CDDL|GNU|Mozilla)", re.IGNORECASE)
PROPRIETARY = re.compile(r"propriet|nvidia|cuda", re.IGNORECASE)
HEAD = """\
# Licences of dependencies

hayflick is under [Apache-2.0](https://www.apache.org/licenses/LICENSE-2.0) and holds no code of
others; pip installs what it needs. The table says what was chosen on {day} for Python {python} on
Linux, and what each package states; `python build_tools/release.py licences` writes it anew. The
extra `embeddings` is not in it: it takes sentence-transformers and PyTorch, with their own.
"""
NEXT = """
## Next

[Check the installation](../how-to/check-installation.md); [security](../../SECURITY.md).
"""


def write(python: Path, uv: Path, wheel: Path, *, extras: Sequence[str]) -> None:
    """Write the page from an environment with these extras; print what is to be looked at."""
    installed = {plain(one["name"]): one for one in metadata_of(python)}
    needed_by: dict[str, list[str]] = {}
    for extra in ("", *extras):
        asked = f"hayflick[{extra}] @ {wheel.as_uri()}".replace("[]", "")
        for name in resolved(python, uv, asked):
            users = needed_by.setdefault(name, [])
            if "always" not in users:
                users.append(extra or "always")
    rows = [
        (name, installed[name]["version"], licence(installed[name]), ", ".join(users))
        for name, users in sorted(needed_by.items())
        if name != "hayflick"
    ]
    version = subprocess.check_output([python, "--version"], text=True).split()[1]
    PAGE.write_text(page(rows, python=version, day=f"{datetime.now(UTC):%Y-%m-%d}"), "utf-8")
    for name, _, stated, needed in rows:
        if note(stated):
            print(f"{note(stated)}: {name} ({stated}), {needed}")
    print(f"{len(rows)} packages in {PAGE.relative_to(ROOT)}")


def metadata_of(python: Path) -> list[Mapping]:
    """Return the metadata of everything that is installed in an environment."""
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps([d.metadata.json for d in m.distributions()]))"
    )
    found: list[Mapping] = json.loads(subprocess.check_output([python, "-c", code], text=True))
    return found


def resolved(python: Path, uv: Path, requirement: str) -> list[str]:
    """Return the names of the packages that a requirement takes."""
    command = [uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", "-"]
    lines = subprocess.check_output([*command, "--python", python], input=requirement, text=True)
    return [plain(re.split(r"[=@ ;]", line)[0]) for line in lines.splitlines()]


def plain(name: str) -> str:
    """Return the name of a package as packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(metadata: Mapping) -> str:
    """Return what a package says of its licence."""
    if metadata.get("license_expression"):
        return str(metadata["license_expression"])
    classified = [
        line.rpartition(" :: ")[2]
        for line in metadata.get("classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    stated = (metadata.get("license") or "").strip().partition("\n")[0]
    return ", ".join(classified) or stated[:60] or "not stated"


def note(stated: str) -> str:
    """Return what to look at in a licence; empty where there is nothing."""
    if COPYLEFT.search(stated):
        return "weak copyleft" if re.search(r"LGPL|MPL|Mozilla|Lesser", stated) else "copyleft"
    if PROPRIETARY.search(stated):
        return "proprietary"
    return "not stated" if stated == "not stated" else ""


def page(rows: Iterable[tuple[str, str, str, str]], *, python: str, day: str) -> str:
    """Return the page: what to look at, then the table."""
    rows = list(rows)
    noted = [(name, stated, users) for name, _, stated, users in rows if note(stated)]
    lines = [HEAD.format(python=python, day=day), "## To look at\n"]
    lines += [f"- `{name}`, {note(stated)}: {stated} ({users})" for name, stated, users in noted]
    lines += [] if noted else ["None is copyleft, proprietary or without a stated licence."]
    lines += ["\n## All packages\n", "*Needed by* names the extras; *always* is hayflick itself.\n"]
    lines += ["| Package | Version | Licence | Needed by |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n" + NEXT
