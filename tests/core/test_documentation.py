"""Messages name the page that explains a mistake, where its place is known."""

import importlib.metadata
from pathlib import Path

import pytest

from hayflick.cli.help import GUIDES
from hayflick.cli.main import main
from hayflick.core.documentation import page_address
from hayflick.core.errors import HayflickError, MissingExtraError, UnknownLogError

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_that_is_named_is_one():
    pages = {*GUIDES.values()}
    pages |= {kind.page for kind in (HayflickError, MissingExtraError, UnknownLogError)} - {None}
    assert [page for page in pages if not (DOCS / f"{page}.md").is_file()] == []


def test_a_mistake_names_the_page_of_its_command(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HAYFLICK_DOCS", "https://docs.example.org/")
    assert main(["plan", str(tmp_path / "missing.txt")]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        "see https://docs.example.org/planning.html"
    ]
    assert main(["rules", "check", "--no-such-option"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["see https://docs.example.org/rules.html"]
    assert main(["no-such-command"]) == 2
    assert "see" not in capsys.readouterr().err


def test_an_unknown_log_names_the_page_about_logs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HAYFLICK_DOCS", "https://docs.example.org")
    path = tmp_path / "log.jsonl"
    path.write_text('{"colour": "red and green and blue", "when": "2026-10-01"}\n' * 30)
    assert main(["watch", str(path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "see https://docs.example.org/logs.html"


def test_a_folder_names_files_that_are_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HAYFLICK_DOCS", str(tmp_path))
    assert page_address("planning") is None
    (tmp_path / "planning.html").write_text("")
    assert page_address("planning") == str(tmp_path / "planning.html")


@pytest.mark.parametrize("value", ["", None])
def test_nothing_is_named_where_no_place_is_known(value, monkeypatch, capsys, tmp_path):
    if value is None:
        monkeypatch.delenv("HAYFLICK_DOCS")
        monkeypatch.setattr("hayflick.core.documentation.__file__", str(tmp_path / "a/b/c/d.py"))
        monkeypatch.setattr("hayflick.core.documentation._published", str)
    else:
        monkeypatch.setenv("HAYFLICK_DOCS", value)
    assert main(["plan", str(tmp_path / "missing.txt")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_address_in_the_metadata_is_taken(monkeypatch):
    monkeypatch.delenv("HAYFLICK_DOCS")

    class Metadata:
        def get_all(self, name):
            assert name == "Project-URL"
            return ["Source, https://example.org", "Documentation, https://docs.example.org/"]

    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: Metadata())
    assert page_address("how-to/slurm") == "https://docs.example.org/how-to/slurm.html"
