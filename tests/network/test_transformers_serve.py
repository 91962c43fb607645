"""A network of real language models behind ``transformers serve``: opt in by installing it."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from hayflick.cli.main import main

# Found, not imported: torch belongs to the processes that are started here.
LIBRARIES = ("torch", "transformers", "uvicorn", "aiohttp")
MISSING = ", ".join(name for name in LIBRARIES if find_spec(name) is None)
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{MISSING}: not installed; pip install torch 'transformers[serving]'"
)

EXAMPLES = Path(__file__).parents[2] / "examples"
ALONE = {**os.environ, "HF_HUB_OFFLINE": "1"}
LONGEST_START_S = 180.0
AGENT = """
[[agents]]
name = "{name}"
kind = "openai"
base_url = "{url}/v1"
model = "{model}"
temperature = 0.8
max_tokens = 30
concurrency = 1
retries = 1
"""
EXPERIMENT = """
format_version = 1
rounds = 3
answers = 2
query = "What is new in the village?"
embedder = "hashing:dimensions=64"
[pool]
texts = ["It rains in May.", "The sea is calm.", "The wind is cold.", "The mill stands still."]
"""
PANEL = """
format_version = 1
prompts = ["What is new?"]
answers = 3
file = "answers.jsonl"
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the folder of a model that was trained for a few steps."""
    folder = tmp_path_factory.mktemp("model")
    texts = "".join(path.read_text(encoding="utf-8") for path in EXAMPLES.glob("village/*.txt"))
    (folder / "village.txt").write_text(texts, encoding="utf-8")
    script = str(EXAMPLES / "tiny_model.py")
    arguments = [str(folder / "village.txt"), str(folder / "tiny"), "20"]
    subprocess.run([sys.executable, script, *arguments], check=True, capture_output=True, env=ALONE)
    return folder / "tiny"


@pytest.fixture(scope="module")
def url(model):
    """Return the address of a server of the model, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = shutil.which("transformers", path=Path(sys.executable).parent)
    arguments = ["serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    with (model.parent / "log").open("wb") as log:
        server = subprocess.Popen([command, *arguments], stdout=log, stderr=log, env=ALONE)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address, server):
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end:
        assert server.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail(f"{address} does not answer")


def written(path, head, url, model, names):
    agents = (AGENT.format(name=name, url=url, model=model) for name in names)
    path.write_text(head + "".join(agents), encoding="utf-8")
    return str(path)


def kept(folder):
    """Return the answers of a run by their places."""
    # Looking must not make the file.
    address = f"{(folder / 'run.db').absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
        query = "select round, agent, query, place, text, tokens_in, tokens_out from run_answers"
        return {row[:4]: row[4:] for row in database.execute(query)}


def test_a_network_runs_and_goes_on_after_a_kill(url, model, tmp_path, capsys):
    path = written(tmp_path / "three.toml", EXPERIMENT, url, model, ("anna", "bert", "carl"))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert main(["network", "run", path, "--out", str(whole), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
    answers = kept(whole)
    assert len(answers) == 18
    # An endpoint that says what it took, and answers that are not all alike.
    assert all(tokens_in > 0 and tokens_out > 0 for _, tokens_in, tokens_out in answers.values())
    assert len({text for text, *_ in answers.values()}) > 9
    before = started_and_killed(path, cut)
    assert 4 <= len(before) < 18
    assert main(["network", "resume", str(cut)]) == 0
    after = kept(cut)
    assert len(after) == 18
    assert before.items() <= after.items()
    assert main(["network", "report", str(cut), "--out", str(tmp_path / "page.html")]) == 0


def started_and_killed(path, folder):
    """Return the answers that a run has kept when it is killed, once there are four."""
    code = "import sys; from hayflick.cli.main import run; run()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "network", "run", path, "--out", folder]
    )
    try:
        while process.poll() is None:
            with contextlib.suppress(sqlite3.Error):
                if len(kept(folder)) >= 4:
                    break
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait(timeout=30)
    return kept(folder)


def test_a_probe_asks_a_round(url, model, tmp_path):
    panel = written(tmp_path / "panel.toml", PANEL, url, model, ("support",))
    assert main(["probe", panel]) == 0
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["model"] for line in lines] == [str(model)] * 3


def test_another_model_is_refused_in_the_words_of_the_server(url, tmp_path, capsys):
    panel = written(tmp_path / "panel.toml", PANEL, url, "other", ("support",))
    assert main(["probe", panel]) == 3
    assert "400 (Server is pinned to" in capsys.readouterr().err
