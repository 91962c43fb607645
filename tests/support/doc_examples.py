"""Examples of other people's frameworks in the documents, for the tests that execute them.

What runs with hayflick alone is fenced as ``python`` and executed by tests/test_docs.py. What needs
a framework is fenced as ``py``, and its test runs in that framework's environment.
"""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
TITLE = "Make the example data of these guides"


def section(page: str, heading: str) -> str:
    """Return what stands under a heading of a page, up to the next one of its level or above."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.split(r"(```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE)
    found, level = [], 0
    for number, block in enumerate(blocks):
        if number % 2:  # a fenced block, where # begins a comment
            found += [block] if level else []
            continue
        for line in block.splitlines(keepends=True):
            title = re.match(r"(#+) (.*)", line)
            if title and title[2].strip() == heading:
                level = len(title[1])
            elif title and level and len(title[1]) <= level:
                level = 0
            elif level:
                found.append(line)
    assert found, f"{page} has no heading {heading!r}"
    return "".join(found)


def examples(page: str, heading: str, *, language: str = "py") -> list[str]:
    """Return the fenced blocks of a language under a heading of a page, in their order.

    Examples
    --------
    >>> examples("gates.md", "Dagster")  # doctest: +SKIP
    ['import dagster as dg\\n...']
    """
    text = section(page, heading)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def write_example_data() -> None:
    """Write the files of the how-to guides into the working folder, as their readers do."""
    [example] = examples("how-to/example-data.md", TITLE, language="python")
    exec(compile(example, "example-data.md", "exec"), {})
