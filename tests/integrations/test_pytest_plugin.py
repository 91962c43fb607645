"""The plugin of pytest: a test that fails where answers have become alike."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from doc_examples import examples

import hayflick as hf
from hayflick.client import AnswerLog
from hayflick.core.errors import ArgumentError, DataError
from hayflick.integrations.assertions import DiversityError, assert_diverse

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
WORDS = [f"word{number}" for number in range(300)]
SUITE = """
    import random

    words = [f"word{number}" for number in range(300)]

    def answers(vocabulary, seed, number=60):
        rng = random.Random(seed)
        return [" ".join(rng.choices(words[:vocabulary], k=8)) for _ in range(number)]
"""


def answers(vocabulary: int = 300, *, seed: int = 1, number: int = 60) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS[:vocabulary], k=8)) for _ in range(number)]


def by_prompt(texts: list[str], prompts: int = 3) -> dict[str, list[str]]:
    return {f"question {one}": texts[one::prompts] for one in range(prompts)}


def table(path: Path, texts: list[str]) -> Path:
    lines = [{"reply": text, "asked": f"question {k % 3}"} for k, text in enumerate(texts)]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


def test_answers_that_are_as_diverse_pass() -> None:
    compared = assert_diverse(answers(), answers(seed=2))
    assert isinstance(compared, hf.Comparison)
    assert not compared.below(0.8)
    assert assert_diverse(iter(answers()), tuple(answers())).is_identical


def test_the_message_says_what_was_lost_and_what_is_said_now() -> None:
    now = [f"As an AI model, {text}" for text in answers(20)]
    with pytest.raises(AssertionError) as raised:
        assert_diverse(now, answers())
    first, *rest = str(raised.value).splitlines()
    assert first == "the answers are less diverse than the baseline:"
    number = re.match(
        r"  effective number of words: ([\d.]+), and ([\d.]+) in the baseline: (\d+)% of it",
        rest[0],
    )
    assert number is not None
    new, old, share = map(float, number.groups())
    assert share == pytest.approx(100 * new / old, abs=1)
    assert any('said more often: "as an ai model" in 100% of the' in line for line in rest)
    assert "60 answers were compared with 60" in rest[-1]
    assert "in at most 5% of all runs" in rest[-1]
    assert isinstance(raised.value, DiversityError)
    assert raised.value.comparison.below(0.8)


def test_least_decides() -> None:
    with pytest.raises(DiversityError, match="At least 90%"):
        assert_diverse(answers(190), answers(seed=2), least=0.9)
    assert assert_diverse(answers(190), answers(seed=2), least=0.5).below(0.9)


def test_answers_are_compared_to_the_same_prompts(tmp_path: Path) -> None:
    old, new = by_prompt(answers()), by_prompt(answers(seed=2))
    assert assert_diverse(new, old).prompts == 3
    path = table(tmp_path / "baseline.jsonl", answers())
    compared = assert_diverse(new, path, text="reply", prompt="asked")
    assert compared.prompts == 3
    assert assert_diverse(answers(seed=2), path, text="reply").prompts is None


def test_a_log_of_hayflicks_own_is_a_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.jsonl"
    with AnswerLog(path) as log:
        for text in answers():
            log.record(text, group="a")
    assert assert_diverse(answers(seed=2), path).old.compared == 60
    with pytest.raises(DiversityError):
        assert_diverse(answers(20), path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answers(number=12), "answers: has 12 answers that are not empty"),
        ([*answers(number=19), " "], "answers: has 19 answers that are not empty"),
        ([1, 2], "answers: text 0 is int 1; give the text of each answer"),
        (12, "answers: got int 12, takes several texts"),
        ({"q": "one text"}, "answers: got str 'one text', takes several texts"),
        ("no/such.jsonl", "no/such.jsonl"),
    ],
)
def test_what_cannot_be_compared_is_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        assert_diverse(given, answers())


def test_a_table_whose_text_is_not_named_is_answered_with_its_columns(tmp_path: Path) -> None:
    path = table(tmp_path / "baseline.jsonl", answers())
    with pytest.raises(DataError, match=r'(?s)reply  ".*with text=\.\.\.'):
        assert_diverse(answers(), path)


@pytest.mark.parametrize("least", [0, 1.5, float("nan")])
def test_shares_out_of_range_are_refused(least: float) -> None:
    with pytest.raises(ArgumentError, match="least: got"):
        assert_diverse(answers(), answers(), least=least)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project whose tests take the fixture."""
    table(pytester.path / "here.jsonl", answers())
    table(pytester.mkdir("tests") / "beside.jsonl", answers())
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugin = "hayflick.integrations.pytest_plugin"
    return suite.runpytest("-p", plugin, "-p", "no:cacheprovider", "-p", "no:hayflick", *arguments)


def test_the_fixture_in_a_suite(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        **{
            "tests/test_release": SUITE
            + """
    def test_same(assert_diverse):
        assert_diverse(answers(300, 2), "here.jsonl", text="reply")

    def test_beside(assert_diverse):
        assert assert_diverse(answers(300, 2), "beside.jsonl", text="reply").old.answers == 60

    def test_one_voice(assert_diverse):
        assert_diverse(answers(9, 2), "beside.jsonl", text="reply")

    def test_too_few(assert_diverse):
        assert_diverse(answers(300, 2, number=3), "beside.jsonl", text="reply")
    """
        }
    )
    result = run(suite, "--diversity-pages", "pages")
    result.assert_outcomes(passed=2, failed=2)
    said = result.stdout.str()
    assert "E       hayflick.integrations.assertions.DiversityError: the answers are less" in said
    assert "effective number of words: " in said
    assert "assert_diverse: answers: has 3 answers that are not empty" in said
    assert "During handling of" not in said
    # Of hayflick's own files nothing is shown: the line of the test is what matters.
    assert "assertions.py" not in said.replace("hayflick.integrations.assertions", "")
    assert "monitor/compare.py" not in said
    pages = sorted(page.name for page in (suite.path / "pages").iterdir())
    assert pages == [
        f"tests-test_release.py-{name}-1.html"
        for name in ("test_beside", "test_one_voice", "test_same")
    ]


def test_the_example_of_the_docs(suite: pytest.Pytester) -> None:
    (example,) = examples("gates.md", "A test of pytest")
    lines = [json.dumps({"answer": text}) for text in answers()]
    (suite.path / "baseline.jsonl").write_text("\n".join(lines))
    for vocabulary, outcome in ((300, {"passed": 1}), (20, {"failed": 1})):
        drawn = f"drawn = iter(answers({vocabulary}, 2))"
        asked = f"{drawn}\n\ndef ask(prompt):\n    return next(drawn)\n"
        name = f"test_docs_{vocabulary}"
        suite.makepyfile(**{name: f"{textwrap.dedent(SUITE)}\n{asked}\n{example}"})
        run(suite, f"{name}.py").assert_outcomes(**outcome)


def test_the_plugin_loads_nothing_before_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "HEAVY = {'numpy', 'polars', 'scipy', 'numba', 'rich', 'hayflick.monitor'}\n"
        "def test_light():\n"
        "    assert 'hayflick.integrations.pytest_plugin' in sys.modules\n"
        "    assert not HEAVY & set(sys.modules)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "hayflick.integrations.pytest_plugin"]
    command += ["-p", "no:cacheprovider", str(tmp_path)]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr


def test_pytest_finds_the_plugin_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {
        "hayflick": "hayflick.integrations.pytest_plugin"
    }
