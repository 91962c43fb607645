"""The reference is complete, and what of it comes from the code is up to date."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import hayflick
import hayflick.client

DOCS = Path(__file__).parents[1] / "docs"


def generator(name, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    sys.modules.pop(name, None)
    return import_module(name)


@pytest.mark.parametrize("module", [hayflick, hayflick.client])
def test_every_public_name_stands_in_one_group(module, monkeypatch):
    groups = generator("write_api", monkeypatch).GROUPS
    names = [
        name for group in groups if group.module == module.__name__ for name in group.names.split()
    ]
    assert sorted(names) == sorted(module.__all__)


def test_the_pages_of_the_names_are_up_to_date(monkeypatch):
    written = generator("write_api", monkeypatch)
    pages = written.pages()
    there = {path: path.read_text(encoding="utf-8") for path in pages if path.exists()}
    assert there == pages, "run make generated"
    kept = set((DOCS / "reference" / "api").glob("*.md"))
    assert kept == {path for path in pages if path.parent.name == "api"}


def test_the_glossary_is_sorted_and_every_term_leads_somewhere():
    text = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")
    entries = text.split(":::{glossary}\n")[1].split("\n:::\n")[0].split("\n\n")
    terms = [entry.splitlines()[0] for entry in entries]
    assert terms == sorted(terms, key=lambda term: term.replace("-", "").casefold())
    assert 40 <= len(terms) <= 70
    assert [entry for entry in entries if not re.search(r"\]\(\S+\)$", entry)] == []
