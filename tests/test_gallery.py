"""The gallery shows every command that writes a page, and its lines of Python can be called."""

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.report.drawing import DARK

DOCS = Path(__file__).parents[1] / "docs"
ALIKE = {"hayflick network resume": "hayflick network run"}
"""Commands that write the pages of others."""


@pytest.fixture(scope="module")
def gallery():
    sys.path.insert(0, str(DOCS))
    import write_gallery

    sys.path.remove(str(DOCS))
    return write_gallery


def test_it_has_every_command_that_writes_a_page(gallery):
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    sections = re.split(r"^##+ (hayflick .*)$", text, flags=re.MULTILINE)[1:]
    helps = dict(zip(sections[::2], sections[1::2], strict=True))
    page = re.compile(
        r"HTML page|\.html\b.*page|page \(\.html\)|Report to write|gallery page", re.I
    )
    writing = {name for name, text in helps.items() if page.search(text.partition("```text")[2])}
    assert len(writing) > 10
    shown = list(gallery.commands())
    missing = [
        name
        for name in sorted(writing)
        if not any(one.startswith(name.removesuffix(" run")) for one in shown)
    ]
    assert missing == []


def entries(gallery):
    return [entry for part in gallery.parts() for entry in part["entry"]]


def test_its_python_can_be_called(gallery):
    lines = [entry["python"] for entry in entries(gallery) if "python" in entry]
    assert len(lines) > 10
    for line in lines:
        save = ast.parse(line, mode="eval").body
        made = save.func.value
        assert save.func.attr == "save"
        arguments = [ast.literal_eval(one) for one in made.args]
        named = {one.arg: ast.literal_eval(one.value) for one in made.keywords}
        inspect.signature(getattr(hf, made.func.attr)).bind(*arguments, **named)


def test_its_links_lead_somewhere_and_its_pages_are_written(gallery):
    for entry in entries(gallery):
        assert (DOCS / "gallery" / entry["guide"]).exists(), entry["title"]
        page = entry.get("page", "")
        assert page.partition("/")[0] in " ".join(entry["commands"])


def test_a_command_of_it_runs_and_its_picture_is_drawn_for_both_schemes(
    gallery, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    gallery.write_data()
    (tmp_path / "site" / "pages").mkdir(parents=True)
    (tmp_path / "site" / "pictures").mkdir()
    [entry] = [one for one in entries(gallery) if one.get("page") == "calibration.html"]
    shown = gallery._entry(entry, tmp_path / "site")
    assert entry["commands"][0] in shown
    light, dark = (
        (tmp_path / "site" / "pictures" / f"calibration-{name}.svg").read_text(encoding="utf-8")
        for name in ("light", "dark")
    )
    assert "#24292f" in light
    assert "#24292f" not in dark
    assert DARK["#24292f"] in dark
