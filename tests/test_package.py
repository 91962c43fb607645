import ast
import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import hayflick
from hayflick.core import display

SOURCE = Path(hayflick.__file__).parent


def test_every_public_name_loads():
    for name in hayflick.__all__:
        assert getattr(hayflick, name) is not None
    assert dir(hayflick) == sorted(hayflick.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'collapse'"):
        hayflick.collapse  # noqa: B018


def test_importing_loads_no_heavy_library():
    code = (
        "import sys, hayflick; "
        "heavy = {'numpy', 'numba', 'scipy', 'polars', 'xarray', 'altair', 'babel', 'typer'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", ["simulation.simulate", "auditing.audit"])
def test_a_room_does_not_hide_the_function_of_its_verb(verb):
    name = verb.rpartition(".")[2]
    code = f"import hayflick as hf, hayflick.{verb}; assert callable(hf.{name})"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("draw_answers", "draw_review"),
        ("read_review", "judge_review"),
        ("write_review", "ReviewSample.save"),
    ],
)
def test_an_old_name_works_and_warns(name, replacement):
    with pytest.warns(DeprecationWarning, match=f"hayflick.{name} is hayflick.{replacement} now"):
        assert callable(getattr(hayflick, name))


def test_no_public_class_name_means_two_things():
    names = Counter(
        node.name
        for path in SOURCE.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_every_result_has_a_report_with_all_its_parts():
    for name, report in display._REPORTS.items():
        module, _, kind = name.partition(":")
        assert issubclass(getattr(importlib.import_module(module), kind), display.Result)
        for part in ("record", "tables", "page", "fragment"):
            assert callable(getattr(importlib.import_module(report), part)), (report, part)
