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
others; pip installs what it needs. The table says what pip chose on {day} for Python {python} on
Linux, and what each package states; `python build_tools/release.py licences` writes it anew.
"""
NEXT = """
## Next

[Installation](../../README.md#installation) has the extras, [Security](../../SECURITY.md) what the
service protects against.
"""


def write(python: Path, wheel: Path, *, extras: Sequence[str]) -> None:
    """Write the page, and print what is copyleft or proprietary."""
    needed_by: dict[str, list[str]] = {}
    packages: dict[str, Mapping] = {}
    for extra in ("", *extras):
        for item in resolved(python, f"{wheel}[{extra}]" if extra else str(wheel)):
            name = item["name"]
            packages[name] = item
            users = needed_by.setdefault(name, [])
            if "always" not in users:
                users.append(extra or "always")
    packages.pop("hayflick", None)
    rows = [
        (name, packages[name]["version"], licence(packages[name]), ", ".join(needed_by[name]))
        for name in sorted(packages, key=str.lower)
    ]
    version = subprocess.check_output(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
    ).strip()
    PAGE.write_text(page(rows, python=version, day=f"{datetime.now(UTC):%Y-%m-%d}"), "utf-8")
    for name, _, stated, users in rows:
        if note(stated):
            print(f"{note(stated)}: {name} ({stated}), {users}")
    print(f"{len(rows)} packages in {PAGE.relative_to(ROOT)}")


def resolved(python: Path, requirement: str) -> list[Mapping]:
    """Return the metadata of the packages that pip would install for a requirement."""
    command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    report = subprocess.check_output([*command, "--report", "-", requirement], text=True)
    return [item["metadata"] for item in json.loads(report)["install"]]


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
