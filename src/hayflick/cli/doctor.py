"""``hayflick doctor``: what of an installation works, what is missing, and what to do about it."""

from __future__ import annotations

import locale
import os
import platform
import re
import shutil
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hayflick.cli.options import Format, FormatOption
from hayflick.cli.printing import INCOMPLETE, print_json
from hayflick.core.command_line import masked_text
from hayflick.core.display_text import LONGEST_TEXT, display_text
from hayflick.core.version import __version__

_MAIN = ("numpy", "numba", "scipy", "polars", "xarray", "pydantic", "sqlalchemy")
"""Dependencies whose versions are shown; all are checked, and stand in the JSON object."""

_LITTLE_ROOM = 1e9
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?(?:>=(?P<least>[\d.]+))?")
_EXTRA = re.compile(r"extra == '([\w-]+)'")
_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'
    '<text x="2" y="22" font-family="sans-serif" font-size="20">{}</text></svg>'
)
_REINSTALL = "pip install --force-reinstall hayflick"
_UNASSIGNED = "\u0378"
"""A character that no font has: what is drawn in place of what is missing."""


class FindingState(StrEnum):
    """How something is."""

    GOOD = "ok"
    ABSENT = "absent"
    """Not there, and only some commands or options need it."""
    NOTE = "note"
    """Works, but not as it should."""
    BROKEN = "broken"
    """Keeps the command from working."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part of an installation.

    Parameters
    ----------
    name
        The part.
    state
        How it is.
    found
        What there is.
    remedy
        What to do; empty where nothing has to be done.
    """

    name: str
    state: FindingState
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that hayflick requires, and the version that is installed; None if none is."""

    name: str
    least: str
    extra: str | None
    installed: str | None

    @property
    def met(self) -> bool:
        """Whether it is installed, in a version that is not too old."""
        return self.installed is not None and _numbers(self.installed) >= _numbers(self.least)


def doctor_command(
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Look at this settings file of the service too.",
            show_default=False,
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Look at this store of the service too: a SQLite file, or a URL. It is only read.",
            envvar="HAYFLICK_DATABASE",
            show_default=False,
        ),
    ] = None,
    output_format: FormatOption = Format.TABLE,
) -> int:
    """Check the installation: what works, what is missing.

    Looks at versions, extras, compiled code and where it is kept, charts and their fonts, folders
    and the terminal. Nothing is changed, and no secret is shown.

    Exit code 0: hayflick can work; 3: what is broken keeps it from that.
    """
    required = requirements()
    findings = list(_findings(required, config=config, database=database))
    broken = [one for one in findings if one.state is FindingState.BROKEN]
    if output_format is Format.JSON:
        print_json(
            {
                "works": not broken,
                "findings": [asdict(one) for one in findings],
                "packages": {one.name: one.installed for one in required},
            }
        )
    else:
        _print(findings)
    return INCOMPLETE if broken else 0


def requirements() -> list[Requirement]:
    """Return what the metadata of hayflick require; empty where it is not installed as a package.

    Those of another version of Python are left out.
    """
    import importlib.metadata

    try:
        texts = importlib.metadata.requires("hayflick") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    found = []
    for text in texts:
        requirement, _, marker = text.partition(";")
        match = _REQUIREMENT.match(requirement.strip())
        older = re.search(r"python_version < '([\d.]+)'", marker)
        if match is None or (older and sys.version_info[:2] >= _numbers(older[1])):
            continue
        extra = _EXTRA.search(marker)
        installed = _installed(match["name"])
        name, least = match["name"], match["least"] or "0"
        found.append(Requirement(name, least, None if extra is None else extra[1], installed))
    return found


def _installed(name: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _findings(
    required: Sequence[Requirement], *, config: Path | None, database: str | None
) -> Iterator[Finding]:
    """Yield all findings; a check that fails is one."""
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("hayflick", _program),
        ("packages", lambda: _packages(required)),
        ("extras", lambda: _extras(required)),
        ("compiled code", _compiled_code),
        ("charts", _charts),
        ("processors", _processors),
        ("folders", _folders),
        ("terminal", _terminal),
    ]
    if config is not None:
        checks.append(("settings", lambda: _settings(config)))
    if database:
        checks.append(("store", lambda: _store(database)))
    for name, check in checks:
        try:
            yield from check()
        except Exception as fault:
            # Whatever goes wrong is what was looked for.
            yield Finding(name, FindingState.BROKEN, _told(fault), _REINSTALL)


def _told(fault: Exception) -> str:
    """Return an error as one line, without the password of an address in it."""
    return masked_text(f"{type(fault).__name__}: {' '.join(str(fault).split())}")


def _program() -> Iterator[Finding]:
    yield Finding("hayflick", FindingState.GOOD, f"{__version__} in {Path(__file__).parents[1]}")
    version = f"{platform.python_implementation()} {platform.python_version()}"
    old = sys.version_info < (3, 11)
    yield Finding(
        "Python",
        FindingState.BROKEN if old else FindingState.GOOD,
        f"{version}, {sys.executable}",
        "install Python 3.11 or newer" if old else "",
    )
    yield Finding("system", FindingState.GOOD, f"{platform.platform()}, {platform.machine()}")


def _packages(required: Sequence[Requirement]) -> Iterator[Finding]:
    """Yield what is missing of what every command needs; a line if it is all there."""
    main = [one for one in required if one.extra is None]
    if not main:
        remedy = "install it with pip, so that its extras are known"
        yield Finding(
            "packages", FindingState.NOTE, "hayflick is not installed as a package", remedy
        )
        return
    wrong = [one for one in main if not one.met]
    shown = [f"{one.name} {one.installed}" for one in main if one.met and one.name in _MAIN]
    found = ", ".join(shown)
    if not wrong:
        more = len(main) - len(shown)
        yield Finding("packages", FindingState.GOOD, f"{found} and {more} more")
    for one in wrong:
        has = "not installed" if one.installed is None else f"{one.installed} is too old"
        remedy = f'pip install "{one.name}>={one.least}"'
        yield Finding(one.name, FindingState.BROKEN, has, remedy)


def _extras(required: Sequence[Requirement]) -> Iterator[Finding]:
    for extra in dict.fromkeys(one.extra for one in required if one.extra is not None):
        parts = [one for one in required if one.extra == extra]
        missing = [one.name for one in parts if one.installed is None]
        old = [f"{one.name} {one.installed}" for one in parts if one.installed and not one.met]
        remedy = f'pip install "hayflick[{extra}]"'
        if len(missing) == len(parts):
            yield Finding(f"extra {extra}", FindingState.ABSENT, "not installed", remedy)
        elif missing or old:
            problems = [f"{one} is missing" for one in missing]
            problems += [f"{one} is too old" for one in old]
            yield Finding(f"extra {extra}", FindingState.NOTE, ", ".join(problems), remedy)
        else:
            found = ", ".join(f"{one.name} {one.installed}" for one in parts)
            yield Finding(f"extra {extra}", FindingState.GOOD, found)


def _compiled_code() -> Iterator[Finding]:
    """Compile a function as the package does, and say where the result is kept."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import numba

        from hayflick.core.compiled import njit

        doubled: Any = njit(cache=True)(_doubled)
        result = doubled(21)
    if result != 42:
        yield Finding(
            "compiled code", FindingState.BROKEN, f"2 times 21 is {result}", "reinstall numba"
        )
        return
    remedy = "set NUMBA_CACHE_DIR to a folder that you can write to"
    settings: Any = numba.config
    if settings.DISABLE_JIT:
        found = "switched off by NUMBA_DISABLE_JIT: everything is slow"
        yield Finding("compiled code", FindingState.NOTE, found, "unset it")
        return
    yield Finding("compiled code", FindingState.GOOD, f"numba {numba.__version__} compiles")
    place = doubled.stats.cache_path
    if place is None:
        yield Finding(
            "its cache",
            FindingState.NOTE,
            "nothing is kept: code is compiled on every start",
            remedy,
        )
    elif not _writable(Path(place)):
        found = f"{place} cannot be written to: code is compiled on every start"
        yield Finding("its cache", FindingState.NOTE, found, remedy)
    elif caught:
        yield Finding("its cache", FindingState.NOTE, str(caught[0].message))
    else:
        yield Finding("its cache", FindingState.GOOD, place)


def _doubled(value: int) -> int:
    return 2 * value


def _charts() -> Iterator[Finding]:
    """Draw a chart, and letters of which a font may be missing."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})
    if "<svg" not in drawn:
        remedy = "reinstall vl-convert-python"
        yield Finding("charts", FindingState.BROKEN, "the renderer draws nothing", remedy)
        return
    yield Finding(
        "charts", FindingState.GOOD, f"vl-convert {_installed('vl-convert-python')} draws"
    )
    # All missing letters are drawn alike.
    absent = vl_convert.svg_to_png(_PICTURE.format(_UNASSIGNED))
    letters = [
        letter for letter in "あ語" if vl_convert.svg_to_png(_PICTURE.format(letter)) == absent
    ]
    if letters:
        found = (
            "no font has Japanese letters: pictures saved as .png show boxes; pages do not need it"
        )
        remedy = "install one, such as Noto Sans CJK (Debian: apt-get install fonts-noto-cjk)"
        yield Finding("Japanese fonts", FindingState.NOTE, found, remedy)
    else:
        yield Finding("Japanese fonts", FindingState.GOOD, "found")


def _processors() -> Iterator[Finding]:
    count = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    limits = [
        f"{name}={os.environ[name]}"
        for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS")
        if name in os.environ
    ]
    found = ", ".join([f"{count} processors", *limits])
    if usable < count:
        remedy = f"give --threads {usable} where a command takes it"
        yield Finding(
            "threads", FindingState.NOTE, f"{found}; this process may use {usable}", remedy
        )
    else:
        yield Finding("threads", FindingState.GOOD, found)


def _folders() -> Iterator[Finding]:
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as fault:
        remedy = "set TMPDIR to a folder that you can write to"
        yield Finding("temporary folder", FindingState.BROKEN, _told(fault), remedy)
    else:
        free = shutil.disk_usage(temporary).free
        room = f"{temporary}, {free / 1e9:,.1f} GB are free"
        little = free < _LITTLE_ROOM
        remedy = "make room, or set TMPDIR to another folder" if little else ""
        state = FindingState.NOTE if little else FindingState.GOOD
        yield Finding("temporary folder", state, room, remedy)
    try:
        here = Path.cwd()
    except OSError:
        yield Finding("this folder", FindingState.NOTE, "was removed", "go to another one")
        return
    if _writable(here):
        free = shutil.disk_usage(here).free
        yield Finding(
            "this folder", FindingState.GOOD, f"can be written to, {free / 1e9:,.1f} GB are free"
        )
    else:
        remedy = "go to another one, or say with --out where pages are to go"
        yield Finding("this folder", FindingState.NOTE, f"{here} cannot be written to", remedy)


def _writable(folder: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _terminal() -> Iterator[Finding]:
    encoding = (getattr(sys.stdout, "encoding", None) or "unknown").lower()
    found = f"{encoding}, locale {locale.setlocale(locale.LC_CTYPE, None)}"
    if encoding.replace("-", "") == "utf8":
        yield Finding("encoding", FindingState.GOOD, found)
    else:
        remedy = "set PYTHONUTF8=1, or LANG to a locale such as C.UTF-8"
        yield Finding(
            "encoding", FindingState.NOTE, f"{found}: letters it lacks are escaped", remedy
        )


def _settings(path: Path) -> Iterator[Finding]:
    from hayflick.core.errors import HayflickError
    from hayflick.service.serve import read_settings

    try:
        settings = read_settings(path)
    except HayflickError as fault:
        yield Finding("settings", FindingState.BROKEN, _told(fault), f"correct {path}")
        return
    found = f"{path}: streams {len(settings.streams)}, alert targets {len(settings.targets)}"
    yield Finding("settings", FindingState.GOOD, found)


def _store(place: str) -> Iterator[Finding]:
    from hayflick.core.errors import HayflickError, MissingExtraError
    from hayflick.storage.database import Database, is_server

    try:
        if not is_server(place) and not Path(Database.named(place)).exists():
            found = f"there is none at {Database.named(place)}"
            yield Finding("store", FindingState.NOTE, found, "hayflick serve makes it")
            return
        with Database(place, read_only=True) as store:
            found = f"{store.name}, {store.dialect}, version {store.schema_version}"
    except MissingExtraError as fault:
        yield Finding("store", FindingState.BROKEN, str(fault))
    except HayflickError as fault:
        remedy = "see hayflick db check, and hayflick db upgrade"
        yield Finding("store", FindingState.BROKEN, _told(fault), remedy)
    else:
        yield Finding("store", FindingState.GOOD, found, "")


def _print(findings: Sequence[Finding]) -> None:
    """Print findings, each with its remedy, without any library that may be missing."""
    wide = shutil.get_terminal_size().columns
    states = max(len(one.state) for one in findings)
    names = max(len(one.name) for one in findings)
    before = " " * (states + names + 4)
    for one in findings:
        text = display_text(one.found, longest=LONGEST_TEXT)
        lines = textwrap.wrap(text, max(40, wide - len(before)), break_on_hyphens=False) or [""]
        print(f"{one.state:<{states}}  {one.name:<{names}}  {lines[0]}")
        for line in lines[1:]:
            print(f"{before}{line}")
        if one.remedy:
            print(f"{before}-> {one.remedy}")
    broken = sum(one.state is FindingState.BROKEN for one in findings)
    print()
    print(f"what is needed to work is broken: {broken}" if broken else "all that is needed works")
