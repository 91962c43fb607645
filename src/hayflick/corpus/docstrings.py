"""The docstrings of this interpreter's standard library: real text that is always there."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

_LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test"}


def write_docstrings(path: Path) -> None:
    """Write a text of a few hundred thousand words, a blank line between docstrings."""
    with warnings.catch_warnings():
        # Old modules have escapes that today's compiler warns of.
        warnings.simplefilter("ignore")
        text = "\n\n".join(_library_docstrings(Path(sysconfig.get_path("stdlib"))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def _library_docstrings(folder: Path) -> Iterator[str]:
    """Yield the docstrings of every module below a folder, installed ones and tests left out."""
    for path in sorted(folder.rglob("*.py")):
        if _LEFT_OUT.isdisjoint(path.parts):
            try:
                yield from _docstrings(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError):
                # Templates for other versions of Python are no modules of this one.
                continue


def _docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text
