"""Write the docstrings of this interpreter's standard library to one text file.

Real text of a few hundred thousand words that every machine with Python has:

    python examples/collect_docstrings.py docstrings.txt
    hayflick forecast docstrings.txt
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test"}


def docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def library_docstrings(folder: Path) -> Iterator[str]:
    """Yield the docstrings of every module below a folder, installed ones and tests left out."""
    for path in sorted(folder.rglob("*.py")):
        if LEFT_OUT.isdisjoint(path.parts):
            try:
                yield from docstrings(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError):
                # Templates for other versions of Python are no modules of this one.
                continue


def main() -> None:
    """Collect the docstrings into the file named on the command line."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = "\n\n".join(library_docstrings(Path(sysconfig.get_path("stdlib"))))
    target.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
