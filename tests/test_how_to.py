"""What the guides for researchers add to the package works there, as they say it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doc_examples import write_example_data

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "how-to"
ADDED = {
    "add-a-regime.md": "regimes/tapered.py",
    "add-a-family.md": "chains/exponential.py",
    "add-a-metric.md": "diversity/longest.py",
    "add-an-agent.md": "network/agents/collage.py",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return a folder with a copy of the package, to which all guides have added their part."""
    folder = tmp_path_factory.mktemp("clone")
    source = ROOT / "src" / "hayflick"
    # Compiled code is taken along; files that other tests are writing are not.
    passing = shutil.ignore_patterns("*.pyc.*", "tmp*")
    shutil.copytree(source, folder / "hayflick", ignore=passing)
    for name, place in ADDED.items():
        page = (GUIDES / name).read_text(encoding="utf-8")
        assert f"`src/hayflick/{place}`" in page
        written = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        [module] = [one.split("\n# Try it")[0] for one in written if "# Try it" in one]
        (folder / "hayflick" / place).write_text(f'"""Added."""\n\n{module}', encoding="utf-8")
        lines = re.findall(r"^   ```py\n   # src/(\S+), (.*?)\n(.*?)^   ```$", page, re.S | re.M)
        assert lines
        for changed, where, text in lines:
            add_lines(folder / changed, where, re.sub(r"^   ", "", text, flags=re.MULTILINE))
    return folder


def add_lines(path, where, text):
    """Put lines into a module: among its imports, or into a table, as its first entry."""
    table = where.removeprefix("in ")
    place = r"^from hayflick" if where == "among the imports" else rf"^{table}\b.*[{{(]$"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if re.search(place, line))
    lines.insert(at + (where != "among the imports"), text)
    path.write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("name", ADDED)
def test_the_command_line_has_what_a_guide_adds(name, package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_example_data()
    page = (GUIDES / name).read_text(encoding="utf-8")
    for file, text in re.findall(r"```toml\n# (\S+)\n(.*?)```", page, re.DOTALL):
        Path(file).write_text(text, encoding="utf-8")
    commands = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        for line in re.sub(r"\\\n\s*", "", block).splitlines()
    ]
    assert commands
    program = (
        "import sys; from hayflick.cli.main import main\n"
        "for command in sys.argv[1:]: print('code', main(command.split()[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *commands],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package)},
    )
    assert done.returncode == 0, done.stderr
    codes = re.findall(r"^code (.*)$", done.stdout, re.MULTILINE)
    # Exit code 1 is an alarm, as the example's answers have one.
    assert len(codes) == len(commands)
    assert {*codes} <= {"0", "1"}, done.stderr
    assert "error" not in done.stderr


@pytest.mark.parametrize("page", sorted(GUIDES.glob("*.md")), ids=lambda page: page.name)
def test_a_guide_is_short_and_says_where_to_go_on(page):
    text = page.read_text(encoding="utf-8")
    [following] = re.findall(r"^## Next\n(.*?)(?=^```|\Z)", text, re.DOTALL | re.MULTILINE)
    assert 1 <= following.count("](") <= 6
    lines = re.sub(r"^```python\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE).splitlines()
    assert len(lines) <= 100
