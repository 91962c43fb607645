"""Build a release, and try it where nothing but the release is installed.

Each step can run alone, builds the wheel first, and says what it found; all of them leave their
work in build/release::

    python build_tools/release.py wheel        # build sdist and wheels, check what is in them
    python build_tools/release.py suite 3.12   # the tests against the wheel, in a new environment
    python build_tools/release.py lowest       # the same on 3.11, with the lowest dependencies
    python build_tools/release.py no-home      # forecast, plan and watch as a user without a home
    python build_tools/release.py licences     # write docs/reference/licences.md
    python build_tools/release.py all          # all of these, on every version of Python

What follows ``--`` goes to pytest: ``suite 3.13 -- tests/cli -n 4``. A version of Python is looked
for on the path and in ~/.pyenv. PyPI must be in reach; build, twine and uv are installed first.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
DIST = BUILD / "dist"
PYTHONS = ("3.11", "3.12", "3.13")
LOWEST = "3.11"
# What a test environment takes. The extra embeddings is left out: its tests replace the model.
EXTRAS = ("client", "cluster", "excel", "ja", "llm", "objects", "postgres", "server")
# Of each kind, something that a user would miss.
NEEDED = (
    "hayflick/py.typed",
    "hayflick/__init__.pyi",
    "hayflick/report/locale/ja/LC_MESSAGES/hayflick.po",
    "hayflick/report/templates/*.jinja",
    "hayflick/report/templates/*.css",
    "hayflick/service/templates/*.jinja",
    "hayflick/service/static/*.js",
    "hayflick/storage/*.sql",
    "hayflick/corpus/logs/presets/*.toml",
    "hayflick_client/py.typed",
)
UNWANTED = ("tests", "benchmarks", "shared", "build", ".venv", "__pycache__")


class ReleaseError(Exception):
    """A step found something that must not be released."""


# ---------------------------------------------------------------------------------------------
# Tools


def run(*command: str | Path, cwd: Path = ROOT, **options: object) -> str:
    """Run a command, which prints what it prints; return its output where it is captured."""
    print("$", *command, flush=True)
    done = subprocess.run([str(word) for word in command], cwd=cwd, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        print(done.stdout or "", done.stderr or "", file=sys.stderr)
        raise ReleaseError(f"{Path(command[0]).name} ended with exit code {done.returncode}")
    return done.stdout or ""


def tool(name: str) -> Path:
    """Return a program of the environment of tools, which is made where it is missing."""
    folder = BUILD / "tools" / "bin"
    if not (folder / name).exists():
        venv.create(BUILD / "tools", with_pip=True)
        run(folder / "python", "-m", "pip", "install", "--quiet", "build", "twine", "uv")
    return folder / name


def interpreter(version: str) -> Path:
    """Return a Python of the version, of the path or of pyenv."""
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    found = shutil.which(f"python{version}")
    for python in (*reversed(pyenv), *([Path(found)] if found else [])):
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    raise ReleaseError(
        f"there is no Python {version} on the path or in ~/.pyenv: pyenv install {version}"
    )


def environment(name: str, version: str) -> Path:
    """Make an empty environment; return its interpreter."""
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    run(tool("uv"), "venv", "--quiet", "--python", interpreter(version), folder)
    return folder / "bin" / "python"


def install(python: Path, *packages: str | Path) -> None:
    """Install packages into an environment."""
    run(tool("uv"), "pip", "install", "--quiet", "--python", python, *packages)


def project() -> dict:
    """Return what pyproject.toml says of the project and of the groups of packages."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wheel() -> Path:
    """Return the wheel that was built."""
    (path,) = DIST.glob("hayflick-*.whl")
    return path


# ---------------------------------------------------------------------------------------------
# Steps


def step_wheel() -> None:
    """Build the sdist, from it the wheel, and the client's wheel; check what is in them."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(tool("python"), "-m", "build", "--outdir", DIST, ROOT)
    run(tool("python"), "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", DIST, ROOT / "client")
    run(tool("twine"), "check", "--strict", *sorted(DIST.iterdir()))
    with zipfile.ZipFile(wheel()) as archive:
        in_wheel = archive.namelist()
    (sdist,) = DIST.glob("hayflick-*.tar.gz")
    with tarfile.open(sdist) as archive:
        in_sdist = [name.partition("/")[2] for name in archive.getnames()]
    faults = [*wheel_faults(in_wheel, tracked("src")), *sdist_faults(in_sdist, tracked("src"))]
    if faults:
        raise ReleaseError("\n".join(faults))
    for path in sorted(DIST.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.2f} MB")
    print(f"{len(in_wheel)} files in the wheel, {len(in_sdist)} in the sdist")


def tracked(folder: str) -> list[str]:
    """Return the paths of a folder that are under version control."""
    listed = subprocess.check_output(["git", "ls-files", folder], cwd=ROOT, text=True)
    return listed.splitlines()


def wheel_faults(names: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Return what a wheel lacks of the sources, and what it holds beside them."""
    names = set(names)
    expected = {path.removeprefix("src/") for path in sources}
    extra = {name for name in names - expected if ".dist-info/" not in name}
    missing = [one for one in NEEDED if not any(fnmatch(name, one) for name in names)]
    return [
        *(f"not in the wheel: {name}" for name in sorted(expected - names)),
        *(f"nothing in the wheel matches {name}" for name in missing),
        *(f"in the wheel, and no source: {name}" for name in sorted(extra)),
    ]


def sdist_faults(names: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Return what an sdist lacks, and which folders stand in it that should not."""
    names = set(names)
    missing = {*sources, "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} - names
    return [
        *(f"not in the sdist: {name}" for name in sorted(missing)),
        *(f"in the sdist: {name}" for name in sorted(names) if set(UNWANTED) & {*name.split("/")}),
    ]


def step_suite(version: str, arguments: Sequence[str]) -> None:
    """Install the wheel with its extras into an empty environment, and run the tests there."""
    python = environment(version, version)
    install(python, f"{wheel()}[{','.join(EXTRAS)}]", "pip", "--group", "dev")
    run_tests(python, arguments)


def step_lowest(arguments: Sequence[str]) -> None:
    """Do so with the lowest versions of the dependencies that pyproject.toml allows."""
    python = environment("lowest", LOWEST)
    kept = BUILD / "lowest.txt"
    kept.write_text("\n".join(lowest_versions()) + "\n", encoding="utf-8")
    print(kept.read_text(encoding="utf-8"))
    install(python, f"{wheel()}[{','.join(EXTRAS)}]", "pip", "-r", kept, "--group", "dev")
    # The lowest FastAPI takes an anyio whose plugin does not load in the newest pytest.
    run_tests(python, ["-p", "no:anyio", *arguments])


def lowest_versions() -> list[str]:
    """Return the lowest versions of the direct dependencies; what tests take is of the day."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    compile_ = ("pip", "compile", "--quiet", "--no-annotate", "--no-header", "--resolution")
    lines = run(
        *(tool("uv"), *compile_, "lowest-direct", "--python-version", LOWEST, *extras),
        ROOT / "pyproject.toml",
        stdout=subprocess.PIPE,
    ).splitlines()
    described = project()["project"]
    optional = described["optional-dependencies"]
    asked = [*described["dependencies"], *(one for extra in EXTRAS for one in optional[extra])]
    direct = {normal(one) for one in asked}
    return [line for line in lines if normal(line) in direct]


def normal(requirement: str) -> str:
    """Return the name of a requirement as packages are compared."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", name.group()).lower() if name else ""


def run_tests(python: Path, arguments: Sequence[str]) -> None:
    """Run the tests from a copy of the checkout, against what is installed."""
    tree = BUILD / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in tracked("."):
        if (ROOT / name).is_file():  # else deleted, and not yet committed
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    where = "import hayflick, hayflick_client; print(hayflick.__file__, hayflick_client.__file__)"
    if "site-packages" not in run(python, "-c", where, cwd=tree, stdout=subprocess.PIPE):
        raise ReleaseError("the tests would not run against the wheel")
    parallel = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
    paths = [word for word in arguments if not word.startswith("-") and (tree / word).exists()]
    # Examples in docstrings are those of the installed package.
    chosen = [] if paths else ["tests", "--ignore", "tests/browser", "--pyargs", "hayflick"]
    run(python, "-m", "pytest", "-p", "no:cacheprovider", *parallel, *chosen, *arguments, cwd=tree)


def step_no_home() -> None:
    """Forecast, plan and watch as nobody, without a home, where only root can write."""
    if os.geteuid():
        raise ReleaseError(
            "only root can run a command as another user: sudo make release, or leave it out"
        )
    with tempfile.TemporaryDirectory(prefix="hayflick-release-") as made:
        root, work = Path(made), Path(made) / "work"
        root.chmod(0o755)
        python = root / "python" / "bin" / "python"
        # An interpreter of a home that only root can read is no use to anybody else.
        base = Path(os.path.realpath(interpreter(LOWEST))).parents[1]
        shutil.copytree(base, root / "base", symlinks=True, ignore=ignore_packages)
        run(
            root / "base" / "bin" / f"python{LOWEST}",
            "-m",
            "venv",
            "--without-pip",
            root / "python",
        )
        install(python, wheel())
        work.mkdir()
        shutil.chown(work, "nobody")
        write_small_data(work)
        for command in SMALL_COMMANDS:
            as_nobody(python.with_name("hayflick"), work, command)
        for name in ("forecast.html", "plan.html", "watch.html"):
            if (work / name).stat().st_size < 10_000:
                raise ReleaseError(f"{name} is hardly a page")


SMALL_COMMANDS = (
    "--version",
    "forecast words.txt --generations 5 --out forecast.html",
    "plan words.txt --keep 0.8 --generations 5 --out plan.html",
    "watch answers.jsonl --text answer --by round --baseline 5 --out watch.html",
)


def ignore_packages(_folder: str, names: list[str]) -> list[str]:
    """Leave out what is installed beside an interpreter, and its tests."""
    return [name for name in names if name in ("site-packages", "test", "share", "__pycache__")]


def write_small_data(folder: Path) -> None:
    """Write a text, and twelve rounds of answers."""
    text = "the cat sat on the mat and the dog sat by the cat\n" * 9
    (folder / "words.txt").write_text(text, encoding="utf-8")
    answers = "".join(
        f'{{"round": {number}, "answer": "answer {place} of {number} and {number * place}"}}\n'
        for number in range(12)
        for place in range(8)
    )
    (folder / "answers.jsonl").write_text(answers, encoding="utf-8")


def as_nobody(program: Path, folder: Path, command: str) -> None:
    """Run a command of hayflick as nobody, with next to nothing in its environment."""
    print(f"$ hayflick {command}    # as nobody", flush=True)
    done = subprocess.run(
        [program, *command.split()],
        user="nobody",
        extra_groups=[],
        cwd=folder,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    print(*done.stdout.splitlines()[:3], *done.stderr.splitlines()[-2:], sep="\n")
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise ReleaseError(f"{command} ended with exit code {done.returncode}: {done.stderr}")


def step_licences() -> None:
    """Write the page of the licences of everything that pip would install."""
    import release_licences

    python = environment("licences", PYTHONS[-1])
    install(python, f"{wheel()}[{','.join(EXTRAS)}]")
    release_licences.write(python, tool("uv"), wheel(), extras=EXTRAS)


def step_all(arguments: Sequence[str]) -> None:
    """Take every step; run the other suites too where one fails, as each takes long."""
    step_no_home()
    step_licences()
    faults = []
    for name in ("lowest", *PYTHONS):
        try:
            if name == "lowest":
                step_lowest(arguments)
            else:
                step_suite(name, arguments)
        except ReleaseError as fault:
            faults.append(f"{name}: {fault}")
    if faults:
        raise ReleaseError("\n".join(faults))


def main(words: Sequence[str]) -> int:
    """Take the steps that are named; return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("step", choices=["wheel", "suite", "lowest", "no-home", "licences", "all"])
    parser.add_argument("version", nargs="?", choices=PYTHONS, help="of suite: a version of Python")
    cut = words.index("--") if "--" in words else len(words)
    options, arguments = parser.parse_args(words[:cut]), words[cut + 1 :]
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        step_wheel()  # always: one of yesterday would be tried with the tests of today
        match options.step:
            case "suite":
                for version in [options.version] if options.version else PYTHONS:
                    step_suite(version, arguments)
            case "lowest":
                step_lowest(arguments)
            case "no-home":
                step_no_home()
            case "licences":
                step_licences()
            case "all":
                step_all(arguments)
    except ReleaseError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
