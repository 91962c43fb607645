"""What the documents show works, and what they say of the command line is what it says."""

import functools
import re
import shlex
import sys
from pathlib import Path

import pytest
from doc_examples import write_example_data
from example_log import write_example_log

import hayflick
from hayflick.cli.main import main

ROOT = Path(__file__).parents[1]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OUTSIDE = ["CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "deploy/README.md"]
PAGES = [*GUIDES, *(ROOT / name for name in [*OUTSIDE, "examples/trainers/README.md"])]
CORPUS = "the cat sat on the mat and the dog sat by the door " * 40
REPEATED = {"planning.md": 10}  # where no reserve is needed, a plan takes a tenth of the time
LABELS = "id,category\n" + "".join(
    f"{row},{label}\n"
    for row, label in enumerate(["refund"] * 50 + ["delivery"] * 300 + ["legal"] * 2)
)

MEASUREMENTS = "weight,height,visits\n" + "".join(
    f"{60 + row % 17 + row / 10},{150 + row * 7 % 40 + 0.5},{row % 3}\n" for row in range(40)
)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_python_examples_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(CORPUS * REPEATED.get(page.name, 1))
    (tmp_path / "labels.csv").write_text(LABELS)
    (tmp_path / "measurements.csv").write_text(MEASUREMENTS)
    if page.parent.name == "how-to":
        write_example_data()
    text = page.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python"), "an example is not closed"
    for example in examples:
        exec(compile(example, page.name, "exec"), {})


def sessions(page):
    """Yield the commands of a page's console examples, each with the lines that it prints."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *printed = part.splitlines()
            while command.endswith("\\"):  # goes on in the next line
                command = f"{command[:-1].rstrip()} {printed.pop(0).lstrip()}"
            yield command, printed


@pytest.mark.parametrize(
    "page",
    [page for page in GUIDES if "```console" in page.read_text(encoding="utf-8")],
    ids=lambda page: page.name,
)
def test_console_examples_print_what_they_show(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    write_example_log(tmp_path / "traces.jsonl")
    write_example_data()
    code = 0
    for command, printed in sessions(page):
        program, *arguments = shlex.split(command)
        if program == "cat":
            Path(arguments[0]).write_text("\n".join([*printed, ""]), encoding="utf-8")
            continue
        if program == "echo":  # $?, what the last command has ended with
            assert printed == [str(code)], command
            continue
        code = main(arguments)
        out, err = capsys.readouterr()
        found = re.sub("[\u2066-\u2069]", "", out + err).splitlines()
        found = [" ".join(one.split()) for one in found]  # the columns of a table are wider here
        for line in printed:
            # What an example leaves out is "…": a part of a line, or lines.
            pattern = ".*".join(map(re.escape, " ".join(line.split()).split("…")))
            assert any(re.fullmatch(pattern, one) for one in found), (command, line, found)


def test_every_public_name_stands_in_the_documentation():
    guides = [page for page in GUIDES if "reference" not in page.parts]
    text = "\n".join(page.read_text(encoding="utf-8") for page in guides)
    public = [name for name in hayflick.__all__ if not name.startswith("_")]
    missing = [name for name in public if not re.search(rf"\b{name}\b", text)]
    assert missing == []


def prose(page):
    """Return a page without its code and directives' options."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^( *)```[^{\n].*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


@functools.cache
def anchors(page):
    """Return what links to a page can name: its headings, as code hosts and the site make them."""
    found = []
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            path = page.parent / target if target else page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path.resolve()), (target, anchor)


@pytest.mark.parametrize("page", GUIDES[1:], ids=lambda page: page.name)
def test_every_page_says_what_to_read_next(page):
    last = re.split(r"^## ", prose(page), flags=re.MULTILINE)[-1]
    assert last.startswith("Next\n"), "no section Next at the end"
    links = re.findall(r"\]\(([^)]+)\)", last)
    assert 1 <= len(links) <= 5, links


def test_the_pages_of_the_command_line_are_up_to_date(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    sys.modules.pop("write_cli", None)
    import write_cli

    assert write_cli.PAGE.read_text(encoding="utf-8") == write_cli.page(), "run make generated"
