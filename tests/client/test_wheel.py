"""The client's wheel, built from the checkout and installed where nothing else is."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hayflick_client
from hayflick.core.version import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", folder, ROOT / "client"], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_client_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"hayflick_client"}
    sources = {path.name for path in (ROOT / "src" / "hayflick_client").glob("*.py")}
    assert sources <= {Path(name).name for name in names}
    assert "hayflick_client/py.typed" in names
    assert wheel.name == f"hayflick_client-{__version__}-py3-none-any.whl"


def test_its_version_is_that_of_hayflick():
    assert hayflick_client.__version__ == __version__


def test_it_runs_where_httpx_alone_is_installed(wheel, stand_in, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    done = subprocess.run([*pip, "install", "--quiet", wheel], capture_output=True, text=True)
    if "No matching distribution found for httpx" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    code = (
        "import sys; from hayflick_client import Watcher\n"
        f"watcher = Watcher('s', url={stand_in.url!r}, token='t', interval_s=60)\n"
        "watcher.record('from another environment')\n"
        "watcher.close()\n"
        "print(watcher.counts.delivered, 'hayflick' in sys.modules)"
    )
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert run.stdout.strip() == "1 False"
    assert stand_in.texts == ["from another environment"]
