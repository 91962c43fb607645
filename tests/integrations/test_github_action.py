"""`action.yml`: its steps as GitHub's runner takes them, run by a plain shell."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import hayflick as hf

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORDS = [f"word{number}" for number in range(300)]
BASH = shutil.which("bash")
WATCH = "watch answers.jsonl --by day --text answer"

pytestmark = pytest.mark.skipif(BASH is None, reason="the steps are for bash")


def written(path: Path, *, alarm: bool = False) -> Path:
    lines = []
    for day in range(30):
        words = WORDS[:6] if alarm and day >= 15 else WORDS
        for place in range(20):
            rng = random.Random(f"{day} {place}")
            lines.append({"day": day, "answer": " ".join(rng.choices(words, k=8))})
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


@dataclass
class Job:
    """What a run of the action leaves."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]
    uploaded: list[str]


def run(folder: Path, **inputs: str) -> Job:
    """Run the steps of the action but those that use other actions, as the runner does.

    Installing is left out: the tests run in an environment with hayflick.
    """
    given = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | inputs
    runner = folder / "runner"
    runner.mkdir(exist_ok=True)
    outputs: dict[str, dict[str, str]] = {}
    summary, log, code, uploaded = runner / "summary", [], 0, []
    contexts = {"github.action_path": str(ROOT), "runner.temp": str(runner)}

    def filled(text: str) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("inputs."):
                return given[name.removeprefix("inputs.")]
            if step := re.fullmatch(r"steps\.(\w+)\.outputs\.([\w-]+)", name):
                return outputs.get(step[1], {}).get(step[2], "")
            return contexts[name]

        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", value, text)

    for step in ACTION["runs"]["steps"]:
        if "uses" in step:
            if step["uses"].startswith("actions/upload-artifact@") and given["artifact"]:
                paths = filled(step["with"]["path"]).split("\n")
                uploaded = [Path(path).name for path in paths if path]
            continue
        if "pip install" in step["run"]:
            continue
        script, wrote = runner / "step.sh", runner / "output"
        script.write_text(step["run"], encoding="utf-8")
        wrote.write_text("")
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "GITHUB_OUTPUT": str(wrote),
            "GITHUB_STEP_SUMMARY": str(summary),
            **{name: filled(value) for name, value in step.get("env", {}).items()},
        }
        assert step["shell"] == "bash"
        ran = subprocess.run(
            [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            env=environment,
            cwd=folder / filled(step.get("working-directory", ".")),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        log.append(ran.stdout + ran.stderr)
        pairs = [line.split("=", 1) for line in wrote.read_text().splitlines()]
        outputs[step.get("id", "")] = dict(pairs)
        code = ran.returncode
        if code:
            break
    shown = {name: filled(one["value"]) for name, one in ACTION["outputs"].items()}
    told = summary.read_text(encoding="utf-8") if summary.exists() else ""
    return Job(code, "".join(log), told, shown, uploaded)


def test_an_alarm_fails_the_job_and_is_told_in_its_summary(tmp_path: Path) -> None:
    written(tmp_path / "answers.jsonl", alarm=True)
    job = run(tmp_path, run=WATCH)
    assert job.code == 1
    assert "::error::hayflick: an alarm" in job.log
    result = hf.watch(tmp_path / "answers.jsonl", by="day", text="answer")
    assert job.summary == f"{hf.markdown_summary(result)}\n"
    assert "```mermaid" in job.summary
    assert job.outputs["exit-code"] == "1"
    assert job.outputs["alarm"] == "true"
    assert "<html" in Path(job.outputs["page"]).read_text(encoding="utf-8")
    assert Path(job.outputs["plot"]).read_text(encoding="utf-8").startswith("<svg")
    assert job.uploaded == ["watch.html", "watch.svg"]


def test_compare_then_gate_in_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    written(folder / "old answers.jsonl")
    written(folder / "new.jsonl", alarm=True)
    call = "compare 'old answers.jsonl' new.jsonl --text answer --fail-below 0.9"
    job = run(tmp_path, run=call, **{"working-directory": "my data"})
    assert job.code == 1
    assert "below 90% of the old number" in job.summary
    state = folder / "watch.state"
    hf.watch(folder / "new.jsonl", by="day", text="answer", state=state)
    job = run(tmp_path, run="gate --state watch.state", **{"working-directory": "my data"})
    assert job.code == 1
    assert "### hayflick gate\n\n```text\nwatch.state: alarm since round" in job.summary
    assert job.outputs["page"] == ""
    call = f"gate --state '{state}'"
    job = run(tmp_path, run=call, fail="false")
    assert job.code == 0
    assert "::warning::hayflick: an alarm" in job.log
    assert job.outputs["alarm"] == "true"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("plan corpus.txt", "::error::run: got 'plan', takes watch, compare or gate"),
        ("", "::error::run: got '', takes watch, compare or gate"),
        ("watch 'answers", "::error::run: a quote is not closed"),
        ("watch $(touch stolen) `touch stolen`; touch stolen", "error: "),
        ("gate --state none.state", "none.state: there is no such state"),
    ],
)
def test_mistakes_fail_whatever_is_asked(tmp_path: Path, call: str, said: str) -> None:
    job = run(tmp_path, run=call, fail="false")
    assert job.code == 2
    assert said in job.log
    assert not (tmp_path / "stolen").exists()


def test_no_reading_fails_unless_it_may_not(tmp_path: Path) -> None:
    state = tmp_path / "watch.state"
    empty = [
        {"day": day, "text": "" if day > 12 else WORDS[place]}
        for day in range(14)
        for place in range(20)
    ]
    hf.watch(empty, by="day", text="text", state=state)
    assert run(tmp_path, run=f"gate --state {state}").code == 3
    job = run(tmp_path, run=f"gate --state {state}", fail="false")
    assert job.code == 0
    assert "::warning::hayflick: no reading" in job.log


def test_the_inputs_are_described_and_reach_no_script() -> None:
    assert all(
        one["description"] for one in (*ACTION["inputs"].values(), *ACTION["outputs"].values())
    )
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
