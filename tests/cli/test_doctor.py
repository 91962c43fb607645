"""``hayflick doctor``: what it finds where all is well, and where something is not."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile

import pytest

from hayflick.cli.main import main
from hayflick.core.version import __version__
from hayflick.storage.database import Database


@pytest.fixture(autouse=True)
def _no_store(monkeypatch):
    monkeypatch.delenv("HAYFLICK_DATABASE", raising=False)


def examined(capsys, *arguments):
    """Return the exit code, and the findings by name."""
    code = main(["doctor", "--format", "json", *arguments])
    shown = json.loads(capsys.readouterr().out)
    assert shown["works"] == (code == 0)
    return code, {one["name"]: one for one in shown["findings"]}


def test_a_good_installation_is_found_good(capsys):
    code, found = examined(capsys)
    assert code == 0
    assert __version__ in found["hayflick"]["found"]
    for name in ("Python", "packages", "compiled code", "charts", "temporary folder"):
        assert found[name]["state"] == "ok", found[name]
    assert "numpy" in found["packages"]["found"]
    assert not any(one["state"] == "broken" for one in found.values())


def test_the_table_has_a_line_for_each_part_and_a_verdict(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok ")
    assert lines[-1] == "all that is needed works"


def without(monkeypatch, *names, older=()):
    """Let packages look as if they were not installed, or were old."""
    version = importlib.metadata.version

    def changed(name):
        if name in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.0.1" if name in older else version(name)

    monkeypatch.setattr(importlib.metadata, "version", changed)


def test_an_extra_that_is_missing_is_named_with_what_installs_it(capsys, monkeypatch):
    without(monkeypatch, "sudachipy", "sudachidict-core", "fastexcel", older=["aiohttp"])
    code, found = examined(capsys)
    assert code == 0
    japanese, excel, models = (found[f"extra {name}"] for name in ("ja", "excel", "llm"))
    assert (japanese["state"], excel["state"], models["state"]) == ("absent", "note", "note")
    assert japanese["remedy"] == 'pip install "hayflick[ja]"'
    assert excel["found"] == "fastexcel is missing"
    assert models["found"] == "aiohttp 0.0.1 is too old"


def test_a_package_that_every_command_needs_is_broken_where_it_is_missing(capsys, monkeypatch):
    without(monkeypatch, "numba", older=["numpy"])
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "hayflick.core.compiled", raising=False)
    code, found = examined(capsys)
    assert code == 3
    assert found["numba"]["state"] == found["compiled code"]["state"] == "broken"
    assert found["numba"]["remedy"].startswith('pip install "numba>=')
    assert found["numpy"]["found"] == "0.0.1 is too old"
    assert main(["doctor"]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "what is needed to work is broken: 3"


def test_a_renderer_that_fails_is_a_finding(capsys, monkeypatch):
    def fail(chart):
        raise ValueError("no\nengine")

    monkeypatch.setattr("vl_convert.vegalite_to_svg", fail)
    code, found = examined(capsys)
    assert code == 3
    assert found["charts"]["found"] == "ValueError: no engine"


def test_a_missing_font_is_noted(capsys, monkeypatch):
    monkeypatch.setattr("vl_convert.svg_to_png", lambda picture: b"a box")
    code, found = examined(capsys)
    assert code == 0
    assert found["Japanese fonts"]["state"] == "note"
    assert "Noto" in found["Japanese fonts"]["remedy"]


def test_folders_that_cannot_be_written_to_are_noted(capsys, monkeypatch):
    def refuse(**where):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    code, found = examined(capsys)
    assert code == 0
    assert found["its cache"]["state"] == found["this folder"]["state"] == "note"
    assert "NUMBA_CACHE_DIR" in found["its cache"]["remedy"]


def test_no_temporary_folder_is_broken(capsys, monkeypatch):
    def missing():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", missing)
    code, found = examined(capsys)
    assert code == 3
    assert "TMPDIR" in found["temporary folder"]["remedy"]


def test_a_poor_environment_is_no_error(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii", "COLUMNS": "20"}
    environment |= {"NUMBA_CACHE_DIR": "/dev/null/cache", "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", "from hayflick.cli.main import run; run()", "doctor"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "NUMBA_DISABLE_JIT" in " ".join(done.stdout.split())
    assert "set PYTHONUTF8=1" in done.stdout


def test_settings_and_a_store_are_looked_at(capsys, tmp_path):
    config, store = tmp_path / "hayflick.toml", tmp_path / "kept.db"
    config.write_text('[streams."help desk"]\nevery = "1d"\n')
    given = ["--config", str(config), "--database", str(store)]
    code, found = examined(capsys, *given)
    assert code == 0
    assert found["settings"]["found"].endswith("streams 1, alert targets 0")
    assert (found["store"]["state"], store.exists()) == ("note", False)
    Database(store).close()
    before = store.read_bytes()
    code, found = examined(capsys, *given)
    assert (code, found["store"]["state"]) == (0, "ok")
    assert store.read_bytes() == before
    config.write_text("colour = 1\n")
    store.write_text("no store")
    code, found = examined(capsys, *given)
    assert code == 3
    assert found["settings"]["state"] == found["store"]["state"] == "broken"
    assert "colour" in found["settings"]["found"]


def test_no_password_is_shown(capsys):
    place = "postgresql://me:verysecret@127.0.0.1:1/store"
    assert main(["doctor", "--database", place]) == 3
    shown = capsys.readouterr()
    assert "verysecret" not in shown.out + shown.err
    assert "127.0.0.1" in shown.out
