"""Run the tests of integrations, each against real packages in an environment of its own.

`tests/integrations/environments.toml` lists the environments. Each is made in
`build/integrations/NAME`, from nothing or again after its packages changed, and its tests run
there; none may be skipped. This needs nothing but the standard library.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import venv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests" / "integrations" / "environments.toml"
BUILD = ROOT / "build" / "integrations"
TABLE = ROOT / "CONTRIBUTING.md"
START, END = "<!-- versions -->\n", "<!-- end of versions -->\n"
HEAD = "| Environment | Tested with | On |\n|---|---|---|\n"
ALWAYS = ["pytest>=8.3"]
INSTALLED = (
    "import importlib.metadata as m, json, sys; "
    "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
)


@dataclass(frozen=True)
class Environment:
    """Packages that are installed together, and the tests that need them."""

    name: str
    packages: tuple[str, ...]
    tests: tuple[str, ...]
    extras: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """Return where it is installed."""
        return BUILD / self.name

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def distributions(self) -> list[str]:
        """Return the names of the packages, without what is asked of their versions."""
        return [distribution(package) for package in self.packages]

    def install(self) -> None:
        """Make the environment, unless it holds what is asked for already."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        asked = [*ALWAYS, *self.packages]
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        wanted, ready = "\n".join([extras, *asked, project]), self.folder / "ready"
        if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
            return
        has_pip = find_spec("ensurepip") is not None
        venv.create(self.folder, with_pip=has_pip, clear=True)
        if not has_pip:
            self.run([str(ROOT / "build_tools" / "install_pip.py")])
        install = ["-m", "pip", "install", "--quiet"]
        self.run([*install, "--upgrade", "pip"])
        self.run([*install, "--editable", f".{extras}", *asked])
        ready.write_text(wanted, encoding="utf-8")

    def test(self) -> int:
        """Run the tests; return how many passed, and fail if one failed or was skipped."""
        report = self.folder / "tests.xml"
        # Frameworks warn of what is theirs to change, so warnings are shown and are no errors.
        pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default"]
        self.run([*pytest, f"--junitxml={report}", *self.tests])
        suite = next(ElementTree.parse(report).iter("testsuite"))
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        if skipped or not tests:
            raise SystemExit(f"error: {self.name}: {skipped} of {tests} tests were skipped")
        return tests

    def versions(self) -> dict[str, str]:
        """Return the version of each package that was installed."""
        found = subprocess.run(
            [self.python, "-c", INSTALLED, *self.distributions],
            check=True,
            capture_output=True,
            text=True,
        )
        return dict(json.loads(found.stdout))

    def run(self, arguments: list[str]) -> None:
        """Run its interpreter in the project's root."""
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment = {**inherited, **dict(self.variables)}
        subprocess.run([self.python, *arguments], check=True, cwd=ROOT, env=environment)


def distribution(package: str) -> str:
    """Return the name in a requirement such as ``litellm>=1.80``."""
    return re.split(r"[\s\[<>=!~;@]", package, maxsplit=1)[0]


def environments() -> dict[str, Environment]:
    """Return the environments by their names."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return {
        name: Environment(
            name,
            packages=tuple(entry["packages"]),
            tests=tuple(entry["tests"]),
            extras=tuple(entry.get("extras", ())),
            variables=tuple(entry.get("variables", {}).items()),
        )
        for name, entry in listed.items()
    }


def recorded(text: str) -> dict[str, str]:
    """Return the rows of the table of versions by their environments."""
    table = text.partition(START)[2].partition(END)[0].removeprefix(HEAD)
    return {row.split("|")[1].strip(): row for row in table.splitlines() if row.strip()}


def with_row(text: str, environment: str, versions: dict[str, str]) -> str:
    """Return a page with what an environment was tested with today."""
    named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    row = f"| {environment} | {named} | {datetime.date.today().isoformat()} |"
    rows = {**recorded(text), environment: row}
    known = environments()
    lines = "".join(f"{rows[name]}\n" for name in sorted(rows) if name in known)
    before, _, rest = text.partition(START)
    return f"{before}{START}{HEAD}{lines}{END}{rest.partition(END)[2]}"


def main(arguments: list[str]) -> int:
    """Run the tests of the environments that are named, or of all."""
    known = environments()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    parser.add_argument(
        "--record", action="store_true", help=f"write the versions tested with into {TABLE.name}"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no environment {', '.join(unknown)}; there are: {', '.join(known)}")
    failed = []
    for name in options.names or known:
        environment, start = known[name], time.monotonic()
        try:
            environment.install()
            tests = environment.test()
        except (subprocess.CalledProcessError, SystemExit) as fault:
            print(fault, file=sys.stderr)
            failed.append(name)
            continue
        versions = environment.versions()
        seconds = time.monotonic() - start
        named = ", ".join(f"{package} {version}" for package, version in versions.items())
        print(f"{name}: {tests} tests passed in {seconds:.0f} s with {named}", flush=True)
        if options.record:
            page = TABLE.read_text(encoding="utf-8")
            TABLE.write_text(with_row(page, name, versions), encoding="utf-8")
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
