"""The tutorials run, in Python and in the shell, and what they say of the results is true."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from babel.messages.pofile import read_po

from hayflick.cli.main import main

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
MADE = {"1-plan": ["tickets.csv"], "2-watch": ["answers.jsonl"], "3-calibrate": ["round*.json"]}
"""The data that each tutorial makes; all else comes out of them."""


@pytest.fixture
def notebooks(monkeypatch):
    """Return the script that writes the notebooks."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    sys.modules.pop("write_notebooks", None)
    import write_notebooks

    return write_notebooks


@pytest.fixture
def run(notebooks, tmp_path, monkeypatch):
    """Return a function that runs a tutorial in an empty folder and returns its variables."""

    def run(name):
        monkeypatch.chdir(tmp_path)
        variables = {}
        for number, cell in enumerate(notebooks.code(ROOT / "docs" / "tutorials" / f"{name}.md")):
            exec(compile(cell, f"{name}, cell {number + 1}", "exec"), variables)
        return variables

    return run


def commands(name):
    """Yield the shell commands of a tutorial."""
    text = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            program, *arguments = shlex.split(line)
            assert program == "hayflick"
            yield arguments


def in_the_shell(name, folder, monkeypatch, *, leave_out=()):
    """Run the commands of a tutorial where only its data are; return the exit codes."""
    folder.mkdir()
    for pattern in MADE[name]:
        for file in folder.parent.glob(pattern):
            shutil.copy(file, folder)
    monkeypatch.chdir(folder)
    return {
        " ".join(word for word in command[:2] if word.isalpha()): main(command)
        for command in commands(name)
        if command[0] not in leave_out
    }


def test_plan(run, tmp_path, monkeypatch, capsys):
    told = run("1-plan")
    forecast, plan, evaluation = told["forecast"], told["plan"], told["evaluation"]
    assert (len(told["rows"]), len(told["topics"])) == (4991, 24)
    assert forecast.at_least == 5
    assert forecast.first_below is not None
    band = forecast.simulated_band()
    inside = (forecast.left >= band["low"]) & (forecast.left <= band["high"])
    assert inside.all(), "the law lies inside the band of simulated runs"

    assert [design.kind for design in plan.designs] == ["anchor"], "fresh draws cannot do it"
    assert not plan.fresh.feasible
    rarest = sorted(told["topics"], key=told["topics"].get)[: plan.reserve.types]
    assert set(plan.reserve.symbols) == set(rarest)
    page = plan._repr_html_()
    assert "It breaks" in page
    assert "sampling at temperature 0.95 (0.0%)" in page
    assert "Robust: a reserve of" in page

    assert (tmp_path / "rules-reserve.json").exists()
    assert (tmp_path / "rules-kpi.html").exists()
    assert evaluation.holds
    assert (evaluation.without_rule.retained.min(axis=1) >= 0.9).mean() < 0.1
    assert 1 < evaluation.false_alarms_per_thousand < 20, "the plain limit has no rate"

    codes = in_the_shell("1-plan", tmp_path / "shell", monkeypatch)
    assert codes == {"forecast": 0, "plan": 0, "rules check": 0, "rules evaluate": 0}
    assert {"forecast-tickets.html", "plan.html", "rules.toml", "rules.html"} <= {
        file.name for file in Path.cwd().iterdir()
    }


def test_watch(run, tmp_path, monkeypatch, capsys):
    told = run("2-watch")
    watched, judged = told["watched"], told["judged"]
    assert watched.verdict.value == "alarm"
    first = watched.alarms[0]
    assert (first.metric, first.group) == ("effective_answers", "b")
    assert (first.first_alarm.round, first.since_name) == (34, "30")
    assert all(chart.group != "a" for chart in watched.alarms)
    of_both = [chart for chart in watched.alarms if not chart.group]
    assert of_both
    assert all(chart.first_alarm.round > 34 for chart in of_both)
    assert all(
        phrase.phrase in told["stock"].replace(".", "").lower() for phrase in told["grown"][:3]
    )
    assert watched.typical_last[0] == told["stock"]
    with (tmp_path / "answers.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    on_34 = [
        row["answer"] == told["stock"] for row in rows if row["day"] == 34 if row["model"] == "b"
    ]
    assert 0.4 < np.mean(on_34) < 0.6, "about half of the answers"
    assert sum(row["day"] >= 30 for row in rows) == 1320

    assert judged.decision.value == "reject"
    assert (judged.review.pending, judged.review.ok + judged.review.bad) == (0, 120)
    printed = capsys.readouterr().out
    assert re.search(r"^ 20 checked: .* go on$", printed, re.MULTILINE)
    assert re.search(r"^ 40 checked: .* reject$", printed, re.MULTILINE)

    codes = in_the_shell("2-watch", tmp_path / "shell", monkeypatch)
    assert codes == {"watch": 1, "review draw": 0, "review judge": 0}


def test_calibrate(run, tmp_path, monkeypatch, capsys):
    told = run("3-calibrate")
    trainer, recorded = told["trainer"], told["recorded"]
    sharpening, size = trainer.parameters["sharpening"], trainer.effective_size_at(10)
    assert sharpening.low <= 1 / 0.95 <= sharpening.high
    assert size.low <= 1 / (1 + (0.4 / 0.6) / 0.95**2) <= size.high
    assert trainer.verdict == "fits"
    ideal = told["ideal"].surviving_fraction
    for one in trainer.forecast:
        assert one.low <= recorded[one.round] <= one.high
        assert ideal[one.round] > recorded[one.round] + 0.2

    ideal_plan, own_plan = told["ideal_plan"], told["own_plan"]
    assert ideal_plan.best.kind == own_plan.best.kind == "anchor"
    assert 0.3 < ideal_plan.reserve.total / own_plan.reserve.total < 0.37, "a third"
    kept = [told["worst_share"](own_plan.reserve) for _ in range(50)]
    assert np.mean(kept) == pytest.approx(own_plan.best.lowest, abs=0.02)
    assert min(kept) < 0.8
    kept = [told["worst_share"](ideal_plan.reserve) for _ in range(50)]
    assert np.mean(kept) < ideal_plan.best.lowest - 0.2

    # The plan for 95 % of runs takes a minute; tests/planning has smaller ones.
    codes = in_the_shell("3-calibrate", tmp_path / "shell", monkeypatch, leave_out=["plan"])
    assert codes == {"calibrate": 0}
    assert {"calibration.json", "calibration.html"} <= {file.name for file in Path.cwd().iterdir()}


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda source: source.stem)
def test_notebooks_are_up_to_date(source, notebooks):
    path = notebooks.notebook_of(source)
    assert path.read_text(encoding="utf-8") == notebooks.notebook(source), "run make generated"
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for target in re.findall(r"\]\(([^)#]+)\)", "".join(cell["source"])):
            assert target.startswith("http") or (path.parent / target).exists(), target


def test_every_notebook_has_a_tutorial(notebooks):
    written = {path.stem for path in notebooks.NOTEBOOKS.glob("*.ipynb")}
    assert written == {source.stem for source in TUTORIALS}


@pytest.mark.parametrize("source", TUTORIALS, ids=lambda source: source.stem)
def test_the_japanese_texts_are_those_of_the_page(source, notebooks):
    messages = ROOT / "docs/locale/ja/LC_MESSAGES/tutorials" / f"{source.stem}.po"
    page = " ".join(source.read_text(encoding="utf-8").split())
    with messages.open("rb") as file:
        catalog = read_po(file, locale="ja")
    for message in catalog:
        assert message.id in page, "run make translations"
        assert message.string or not message.id, f"not translated: {message.id}"
    texts = [text for kind, text in notebooks.cells(source) if kind == "markdown"]
    headings = re.findall(r"^#+ (.*)", "\n".join(texts), re.MULTILINE)
    assert set(headings) <= {message.id for message in catalog}
