import json

import pytest

from hayflick.cli.main import main

PANEL = """
format_version = 1
prompts = ["How is it"]
answers = 3
file = "answers.jsonl"
[[agents]]
name = "anna"
"""
BUILT_IN = f'{PANEL}kind = "ngram"\ntexts = ["It rains in May. The sea is calm."]\n'
DOWN = f'{PANEL}kind = "openai"\nmodel = "m"\nretries = 0\nbase_url = "http://127.0.0.1:9/v1"\n'


def test_every_call_is_a_round(tmp_path, capsys):
    panel = tmp_path / "panel.toml"
    panel.write_text(BUILT_IN)
    assert main(["probe", str(panel)]) == 0
    first, read = capsys.readouterr().out.splitlines()
    assert first == "round 1: 3 answers, 0 of them empty"
    assert read.startswith("Read panel.toml (panel): SHA-256 ")
    assert main(["probe", str(panel), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["round"] == 2
    assert len((tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()) == 6


def test_an_endpoint_that_is_down_is_named(tmp_path, capsys):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    panel = tmp_path / "panel.toml"
    panel.write_text(DOWN)
    assert main(["probe", str(panel)]) == 3
    said = capsys.readouterr().err
    assert "stopped: agent anna, http://127.0.0.1:9/v1: no connection" in said
    assert f"go on with: hayflick probe {panel}" in said
    assert not (tmp_path / "answers.jsonl").exists()
