import os
import re

import pytest

import hayflick as hf
from hayflick.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


URL = "http://127.0.0.1:9/v1"
ASKED = ("--base-url", URL, "--model", "small")


def reproduce(*arguments):
    return main(["reproduce", "suresh2024", *arguments])


def test_a_figure_comes_as_picture_page_and_numbers(folder, capsys):
    assert reproduce("--figure", "theorem-3", "--figure", "bernoulli-runs") == 0
    out, err = capsys.readouterr()
    assert "Theorem 3" in out
    assert err == f"wrote suresh2024{os.sep}index.html\n"
    suffixes = ("csv", "html", "nc", "png", "svg")
    expected = {f"{name}.{s}" for name in ("theorem-3", "bernoulli-runs") for s in suffixes}
    assert {*os.listdir("suresh2024")} == {*expected, "index.html"}
    gallery = (folder / "suresh2024" / "index.html").read_text(encoding="utf-8")
    assert gallery.count("<svg") == 2
    assert "in standard errors" in gallery


def test_the_default_folder_is_numbered_if_taken(folder, capsys):
    for _ in range(2):
        assert reproduce("--figure", "theorem-1-common", "--lang", "ja") == 0
    assert {"suresh2024", "suresh2024-2"} == {*os.listdir(folder)}
    page = (folder / "suresh2024-2" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page


def test_a_named_folder_that_exists_needs_force(folder, capsys):
    (folder / "there").mkdir()
    assert reproduce("--figure", "theorem-1-common", "--out", "there") == 2
    assert "there: exists already" in capsys.readouterr().err
    assert reproduce("--figure", "theorem-1-common", "--out", "there", "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "theorem-9"], "figure: got theorem-9, takes one of bernoulli-runs"),
        (["--out", "no/where"], "no: the folder does not exist"),
        (["--figure", "unigrams", "--corpus", "nowhere.txt"], "nowhere.txt: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(folder, capsys, arguments, message):
    assert reproduce(*arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(folder) == []


def test_ctrl_c_keeps_the_figures_that_are_done(folder, capsys, monkeypatch):
    from hayflick.report import gallery

    original, made = gallery.save_figure, []

    def save_once(figure, *arguments, **settings):
        if made:
            raise KeyboardInterrupt
        made.append(figure.name)
        return original(figure, *arguments, **settings)

    monkeypatch.setattr(gallery, "save_figure", save_once)
    assert reproduce("--figure", "theorem-1-common", "--figure", "theorem-1-rare") == 130
    assert "interrupted: what was finished is reported" in capsys.readouterr().err
    assert "index.html" in os.listdir("suresh2024")


def test_the_figures_of_a_network_come_with_their_own_title(folder, capsys):
    figures = ("--figure", "surrogate-two", "--figure", "network-ring")
    assert main(["reproduce", "wang2025", *figures, "--lang", "ja"]) == 0
    out, err = capsys.readouterr()
    assert "環状" in out
    cost, written = err.splitlines()
    assert re.fullmatch(
        r"surrogate-two: 10,848,000 evaluations, about [\d.]+ s on this machine", cost
    )
    assert written == f"wrote wang2025{os.sep}index.html"
    gallery = (folder / "wang2025" / "index.html").read_text(encoding="utf-8")
    assert "LLM Web Dynamics" in gallery
    assert gallery.count("<svg") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "theorem-3"], "figure: got theorem-3, takes one of surrogate-two"),
        (["--corpus", "text.txt"], "corpus: got text.txt, takes nothing for wang2025"),
        (["--figure", "models"], "figure: got models, takes an endpoint to measure it on; give"),
        (["--rounds", "3"], "rounds: got 3, takes nothing for wang2025 without --base-url"),
        (["--base-url", URL], "model: got none, takes the name of a model"),
        ([*ASKED, "--model", "b"], "model: got 2 names, takes one name, or one for each"),
        ([*ASKED, "--query", "Why?"], "corpus and query: got one of them, takes both"),
        ([*ASKED, "--answers", "0"], "models: answers: got 0"),
        ([*ASKED, "--figure", "models", "--embedder", "nothing"], "embedder"),
    ],
)
def test_what_another_paper_has_is_refused(folder, capsys, arguments, message):
    assert main(["reproduce", "wang2025", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert os.listdir(folder) == []


def test_an_endpoint_is_no_setting_of_the_other_paper(folder, capsys):
    assert reproduce("--base-url", URL) == 2
    assert "takes nothing for suresh2024: no language model is asked" in capsys.readouterr().err
    assert os.listdir(folder) == []


@pytest.fixture
def endpoint(served):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    from hayflick.papers.wang2025.models import TEXTS
    from hayflick.service.agent import application

    return f"{served(application([hf.NGramAgent.of_texts('small', TEXTS, most_tokens=12)]))}/v1"


def models(url, *arguments):
    asked = ("--base-url", url, "--model", "small", "--rounds", "3", "--answers", "4")
    return main(["reproduce", "wang2025", "--figure", "models", *asked, *arguments])


def test_models_are_asked_and_a_stopped_run_is_taken_up_by_the_same_command(
    endpoint, folder, capsys
):
    assert models(endpoint, "--tokens", "8000") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"models: 36 requests to {endpoint} (3 agents × 4 answers × 3 rounds)" in err
    assert "stopped: the budget of 8,000 tokens is exhausted" in err
    run = f"wang2025{os.sep}models-run"
    assert f"or: hayflick network resume {run}" in err
    assert os.listdir("wang2025") == ["models-run"]
    assert models(endpoint, "--tokens", "1000000") == 0
    assert "are kept already" in capsys.readouterr().err
    assert os.listdir(folder) == ["wang2025"]
    page = (folder / "wang2025" / "index.html").read_text(encoding="utf-8")
    assert f"Measured on small ({endpoint}): this is what that endpoint answered" in page
    assert "arXiv:2506.15690" in page
    # Drawn again, from what is kept.
    assert models(endpoint, "--lang", "ja") == 0
    assert capsys.readouterr().err == f"wrote wang2025{os.sep}index.html\n"
    assert os.listdir(folder) == ["wang2025"]
    # Another run gets a folder of its own, unless one is named that is taken.
    assert models(endpoint, "--seed", "2") == 0
    assert {*os.listdir(folder)} == {"wang2025", "wang2025-2"}
    assert models(endpoint, "--seed", "3", "--out", "wang2025") == 2
    assert models(endpoint, "--seed", "3", "--out", "wang2025", "--force") == 2
    assert "models-run: holds a run of something else" in capsys.readouterr().err


def test_a_run_that_network_resume_finished_is_drawn(endpoint, folder, capsys):
    assert models(endpoint, "--out", "there", "--tokens", "8000") == 3
    run = f"there{os.sep}models-run"
    assert main(["network", "resume", run, "--tokens", "1000000"]) == 0
    assert models(endpoint, "--out", "there") == 0
    assert (folder / "there" / "models.png").exists()


def test_an_endpoint_that_is_down_leaves_a_run_to_take_up(folder, capsys, monkeypatch):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    monkeypatch.setattr("hayflick.core.http.Retries.wait_s", _at_once)
    assert models(URL, "--figure", "network-ring") == 3
    err = capsys.readouterr().err
    assert f"stopped: agent one, {URL}: no connection" in err
    assert "go on with the same command" in err
    assert "network-ring.png" not in os.listdir("wang2025")


def test_ctrl_c_keeps_what_was_answered(endpoint, folder, capsys, monkeypatch):
    from hayflick.papers.wang2025 import models as room

    begun = room.run_network

    def interrupted(experiment, *, out, say, progress):
        def stop(stage, done, total):
            if done == 1:
                raise KeyboardInterrupt

        begun(experiment, out=out, say=say, progress=stop)

    monkeypatch.setattr(room, "run_network", interrupted)
    assert models(endpoint) == 130
    err = capsys.readouterr().err
    assert "go on with the same command" in err
    assert err.endswith("interrupted: what was answered is kept\n")
    assert models(endpoint) == 0
    assert "; 12 are kept already" in capsys.readouterr().err


def _at_once(retries, attempt, *, random, asked):
    return None if attempt > retries.most else 0.01
