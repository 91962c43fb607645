"""The environments of integrations, and what CONTRIBUTING says that they were tested with."""

import importlib.util
import re
import sys
from pathlib import Path

import doc_examples
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runner():
    place = ROOT / "build_tools" / "test_integrations.py"
    spec = importlib.util.spec_from_file_location("integrations_runner", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_table_names_what_every_environment_was_tested_with(runner):
    rows = runner.recorded(runner.TABLE.read_text(encoding="utf-8"))
    assert list(rows) == sorted(runner.environments()), "run build_tools/test_integrations.py NAME"
    for name, environment in runner.environments().items():
        _, _, tested, day, _ = rows[name].split("|")
        assert re.fullmatch(r" \d{4}-\d\d-\d\d ", day)
        versions = dict(one.split() for one in tested.split(","))
        assert sorted(versions) == sorted(environment.distributions)
        for package in map(Requirement, environment.packages):
            assert package.specifier.contains(versions[package.name], prereleases=True), package


def test_the_tests_of_every_environment_exist(runner):
    for environment in runner.environments().values():
        assert environment.tests
        for path in environment.tests:
            assert (ROOT / path).exists(), path


def test_a_row_is_written_in_its_place_and_one_without_environment_goes(runner, monkeypatch):
    known = {name: runner.Environment(name, (), ()) for name in ("dbt", "airflow", "dagster")}
    monkeypatch.setattr(runner, "environments", lambda: known)
    page = f"Before.\n{runner.START}{runner.HEAD}"
    page += f"| airflow | a 1 | 2026-01-01 |\n| gone | b 2 | 2026-01-01 |\n{runner.END}After.\n"
    page = runner.with_row(page, "dagster", {"dagster": "1.2.3"})
    assert page.startswith("Before.\n")
    assert page.endswith("After.\n")
    assert list(runner.recorded(page)) == ["airflow", "dagster"]
    assert "| dagster | dagster 1.2.3 | 20" in page
    again = runner.with_row(page, "airflow", {"b": "2", "a": "2"})
    assert "| airflow | a 2, b 2 | 20" in again


def test_an_unknown_environment_is_refused(runner, capsys):
    with pytest.raises(SystemExit) as refused:
        runner.main(["langchains"])
    assert refused.value.code == 2
    assert "no environment langchains; there are: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "name"),
    [("litellm>=1.80", "litellm"), ("a-b==2.4b0", "a-b"), ("psycopg[binary]>=3", "psycopg")],
)
def test_the_name_in_a_requirement(runner, package, name):
    assert runner.distribution(package) == name


def test_examples_are_found_under_their_heading(tmp_path, monkeypatch):
    page = "# Page\n\n## One\n\n```py\n# no heading\na = 1\n```\n\n### Part\n\n```py\nb = 2\n```\n"
    (tmp_path / "page.md").write_text(f"{page}\n## Two\n\n```py\nc = 3\n```\n\n```sh\nls\n```\n")
    monkeypatch.setattr(doc_examples, "DOCS", tmp_path)
    assert doc_examples.examples("page.md", "One") == ["# no heading\na = 1\n", "b = 2\n"]
    assert doc_examples.examples("page.md", "Part") == ["b = 2\n"]
    assert doc_examples.examples("page.md", "Two", language="sh") == ["ls\n"]
    with pytest.raises(AssertionError, match="no heading 'Three'"):
        doc_examples.section("page.md", "Three")
