"""As a user with no home directory, from an installation that cannot be written to."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import hayflick

ANSWERS = "".join(
    f'{{"round": {number}, "answer": "answer {place} of {number} and {number * place}"}}\n'
    for number in range(12)
    for place in range(8)
)


@pytest.fixture(scope="module")
def installed():
    """Return the interpreter of an environment that belongs to root, with a copy of hayflick."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        pytest.skip("only root can run a command as nobody")
    pwd = pytest.importorskip("pwd")
    try:
        pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("there is no user nobody here")
    with tempfile.TemporaryDirectory(prefix="hayflick-install-") as made:
        root = Path(made)
        root.chmod(0o755)
        # An interpreter of the same version that is not in a home which only root can read.
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for number, base in enumerate((sys._base_executable, shutil.which(name, path="/usr/bin"))):
            if base is not None:
                environment = _environment(root / str(number), base=base)
                if environment is not None:
                    yield environment
                    return
        pytest.skip("nobody can read this interpreter or its libraries")


def _environment(folder, *, base):
    """Make an environment with a copy of hayflick; return its interpreter if nobody can run it."""
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    without_bytecode = shutil.ignore_patterns("__pycache__")
    source = Path(hayflick.__file__).parent
    shutil.copytree(source, packages / "hayflick", ignore=without_bytecode)
    (packages / "libraries.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    python = folder / "bin" / "python"
    try:
        tried = subprocess.run([python, "-c", "import numba"], user="nobody", cwd="/")
    except PermissionError:
        return None
    return python if tried.returncode == 0 else None


@pytest.fixture
def folder():
    """Return a folder that belongs to nobody, outside of those that only root may enter."""
    import pwd

    with tempfile.TemporaryDirectory(prefix="hayflick-nobody-") as made:
        os.chown(made, pwd.getpwnam("nobody").pw_uid, -1)
        yield Path(made)


def run_as_nobody(installed, folder, *arguments, **environment):
    """Run a command in the folder as nobody, with nothing in the environment but what is given."""
    code = "import sys; from hayflick.cli.main import run; run()"
    path = {"PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": str(folder)}
    return subprocess.run(
        [installed, "-c", code, *arguments],
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd=folder,
        env={**path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_forecast_watch_and_simulate_work_without_a_home(installed, folder):
    (folder / "words.txt").write_text("the cat sat on the mat and the dog sat by the cat\n" * 9)
    (folder / "answers.jsonl").write_text(ANSWERS)
    forecast = ("forecast", "words.txt", "--generations", "5", "--out", "forecast.html")
    watch = ("watch", "answers.jsonl", "--text", "answer", "--by", "round", "--baseline", "5")
    watch = (*watch, "--out", "watch.html")
    simulate = ("simulate", "poisson:3", "--samples", "20", "--generations", "3")
    simulate = (*simulate, "--out", "runs.nc")
    for home in ({"HOME": "/nonexistent"}, {}):
        for arguments in (forecast, watch, simulate):
            done = run_as_nobody(installed, folder, *arguments, **home)
            assert done.returncode in (0, 1), done.stderr
            assert "Traceback" not in done.stderr
            # A short stream takes no compiled code, which is what a home is for.
            warned = done.stderr.count("warning: there is no home directory")
            assert warned == (arguments is not watch), done.stderr
            page = folder / arguments[-1]
            assert page.stat().st_size > 1000
            page.unlink()


def test_a_folder_that_others_could_have_written_to_is_not_used(installed, folder):
    """A private folder of the same name that is open to others, or a link, holds no code."""
    simulate = ("simulate", "poisson:3", "--samples", "20", "--generations", "3")
    import pwd

    user = pwd.getpwnam("nobody").pw_uid
    place = folder / f"hayflick-{user}"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    os.chown(place, user, -1)
    done = run_as_nobody(installed, folder, *simulate)
    assert done.returncode == 0, done.stderr
    assert "is compiled anew on every start" in done.stderr
    assert not list(place.iterdir())
    place.rmdir()
    (folder / "elsewhere").mkdir()
    place.symlink_to(folder / "elsewhere")
    done = run_as_nobody(installed, folder, *simulate)
    assert "is compiled anew on every start" in done.stderr
    assert not list((folder / "elsewhere").iterdir())


def test_without_a_temporary_folder_either(installed, folder):
    """Nothing at all can be written to: the result still comes."""
    folder.chmod(0o555)
    simulate = ("simulate", "poisson:3", "--samples", "20", "--generations", "3")
    done = run_as_nobody(installed, folder, *simulate, TMPDIR="/nonexistent")
    assert done.returncode == 0, done.stderr
