import json

import pytest

from hayflick.cli.main import main

VILLAGE = """
format_version = 1
seed = 3
rounds = 4
answers = 3
query = "How is it"
embedder = "hashing:dimensions=64"
[pool]
texts = ["It rains in May.", "It snows in June.", "The sea is calm."]
[[agents]]
name = "anna"
kind = "ngram"
texts = ["It rains in May.", "The wind is cold."]
[[agents]]
name = "bert"
kind = "ngram"
texts = ["It snows in June.", "The wind is warm."]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "village.toml").write_text(VILLAGE)
    return tmp_path


def test_run_resume_and_report(folder, capsys):
    assert main(["network", "run", "village.toml"]) == 0
    shown = capsys.readouterr()
    assert "Finished: 4 rounds." in shown.out
    assert "the run is in village" in shown.err
    assert main(["network", "run", "village.toml", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["finished"]
    assert (folder / "village-2").is_dir()
    assert main(["network", "resume", "village", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == record
    assert main(["network", "report", "village", "--out", "page.html", "--lang", "ja"]) == 0
    assert "<svg" in (folder / "page.html").read_text(encoding="utf-8")
    assert main(["network", "report", "village", "--out", "page.html"]) == 2


def test_a_run_is_repeated_from_its_records(folder, capsys):
    assert main(["network", "run", "village.toml", "--out", "first"]) == 0
    assert main(["network", "record", "first", "--out", "answers.jsonl"]) == 0
    lines = VILLAGE.splitlines()
    replayed = [
        'kind = "replay"'
        if line.startswith("kind")
        else 'file = "answers.jsonl"'
        if line.startswith("texts") and number > lines.index("[[agents]]")
        else line
        for number, line in enumerate(lines)
    ]
    (folder / "again.toml").write_text("\n".join(replayed))
    assert main(["network", "run", "again.toml", "--out", "again"]) == 0
    assert main(["network", "record", "again", "--out", "again.jsonl"]) == 0
    assert (folder / "again.jsonl").read_text() == (folder / "answers.jsonl").read_text()
    assert main(["network", "record", "again", "--out", "again.jsonl"]) == 2
    capsys.readouterr()


def test_an_estimate_asks_nobody(folder, capsys):
    assert main(["network", "estimate", "village.toml"]) == 0
    shown = capsys.readouterr().out
    assert "24 answers, about " in shown
    assert "In the last round an agent reads 4 texts" in shown
    assert main(["network", "estimate", "village.toml", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["answers"] == sum(one["answers"] for one in record["agents"]) == 24
    assert main(["network", "estimate", "village.toml", "--lang", "ja"]) == 0
    assert "回答 24 件" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == ["village.toml"]


def test_an_endpoint_that_stays_down_is_named_and_the_run_is_left_to_resume(folder, capsys):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    agent = '[[agents]]\nname = "cleo"\nkind = "openai"\nmodel = "m"\nretries = 0\n'
    (folder / "down.toml").write_text(f'{VILLAGE}{agent}base_url = "http://127.0.0.1:9/v1"\n')
    for command in (["run", "down.toml"], ["resume", "down"]):
        assert main(["network", *command]) == 3
        shown = capsys.readouterr()
        assert "stopped: agent cleo, http://127.0.0.1:9/v1: no connection" in shown.err
        assert "go on with: hayflick network resume down" in shown.err
        assert "Stopped: 0 of 4 rounds are done." in shown.out


def test_a_review_stops_with_code_3(folder, capsys):
    (folder / "admit.toml").write_text(VILLAGE.replace("[pool]", '[pool]\npolicy = "admit"'))
    assert main(["network", "run", "admit.toml"]) == 3
    assert "review-1.jsonl: waits for a review" in capsys.readouterr().err


def test_mistakes_are_the_users(folder, capsys):
    (folder / "bad.toml").write_text(VILLAGE.replace("rounds", "ronds"))
    assert main(["network", "run", "bad.toml"]) == 2
    assert "did you mean rounds?" in capsys.readouterr().err
    assert main(["network", "resume", "nowhere"]) == 2
    assert "nowhere: holds no run" in capsys.readouterr().err


RESERVE = """
[reserve]
texts = ["The sun is warm.", "The sea is cold in June."]
"""
GRID = ["--models", "2", "--topologies", "complete", "--irrelevant", "0", "--injections", "0,1"]


def mitigation(*arguments):
    return main(["network", "mitigation", "grid.toml", *GRID, *arguments])


@pytest.fixture
def grid(folder):
    values = VILLAGE.replace("[pool]", f'prompt_variations = ["{{query}} in May"]{RESERVE}[pool]')
    (folder / "grid.toml").write_text(values)
    return folder


def test_a_grid_is_a_table_a_record_and_a_page(grid, capsys):
    assert mitigation("--out", "grid.html", "--lang", "ja") == 0
    shown = capsys.readouterr()
    assert "組み込みエージェント" in shown.out
    assert "wrote grid.html" in shown.err
    assert (grid / "grid.html").read_text(encoding="utf-8").count("<svg") == 2
    assert mitigation("--format", "json", "--prompts", "varied", "--out", "grid.png") == 0
    record = json.loads(capsys.readouterr().out)
    assert [case["prompts"] for case in record["cases"]] == ["varied"] * 2
    assert [case["injected"] for case in record["surrogate"]] == [0, 1]
    assert (grid / "grid.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompts", "both"], "prompts: got both, takes one of one, varied"),
        (["--models", "2,"], "models: got "),
        (["--topologies", ""], "topologies: got nothing, takes at least one value"),
        (["--out", "grid.pdf"], "out: got grid.pdf, takes a name ending in .html, .svg, .png"),
        (["--out", "grid.toml"], "grid.toml"),
    ],
)
def test_a_grid_that_cannot_be_made_is_one_line(grid, capsys, arguments, message):
    assert mitigation(*arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out
