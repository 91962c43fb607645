"""Endpoints that mean harm: memory, the budget and the key are safe from them."""

import base64
import contextlib
import json
import re
import subprocess
import sys
import urllib.parse

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import BudgetExhausted, DataError, EndpointError
from hayflick.embed.endpoint import EndpointEmbedder

from .conftest import REAL, village
from .hostile import FAULTS, HEAD, KEY, HostileServer, chat, dripping, forms, whole

MOST_MEMORY = 500_000_000

# Peak memory is that of a whole process, so that each campaign gets one of its own. On Linux,
# ru_maxrss begins with the memory of the process that started it.
PEAK = """
import resource, sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found * (1 if sys.platform == "darwin" else 1024)
"""
CAMPAIGN = """
import json, time
import hayflick as hf
from hayflick.core.errors import HayflickError
from hayflick.embed.endpoint import EndpointEmbedder

found, urls, folder = {}, json.loads(sys.argv[1]), sys.argv[2]
agent = dict(name="a", kind="openai", model="m", retries=0, max_tokens=40)
for number, (name, url) in enumerate(urls.items()):
    # These two end at no size, and are waited for in full.
    agent["timeout_s"] = waited = 1.0 if name in ("endless hints", "drip") else 10.0
    begun = time.monotonic()
    experiment = hf.Experiment.of(dict(
        format_version=1, rounds=1, answers=2, query="q", budget=dict(tokens=5_000),
        pool=dict(texts=["It rains.", "It snows."]), agents=[dict(agent, base_url=url)]))
    try:
        hf.run_network(experiment, out=f"{folder}/{number}")
        found[name] = ["nothing", 0]
    except HayflickError as fault:
        found[name] = [str(fault), hf.report_network(f"{folder}/{number}").spent[0]]
    try:
        EndpointEmbedder(url=url, model="m", retries=0, timeout=waited).embed(["a"])
        found[name] += ["nothing"]
    except HayflickError as fault:
        found[name] += [str(fault)]
    found[name] += [time.monotonic() - begun]
print(json.dumps([found, peak()]))
"""

NAMED = {
    "gzip bomb": "larger than 4 MB",
    "deflate bomb": "larger than 4 MB",
    "raw deflate bomb": "larger than 4 MB",
    "bomb in a bomb": "compressed by 'gzip, gzip', which was not asked for",
    "br": "compressed by 'br', which was not asked for",
    "zstd": "compressed by 'zstd', which was not asked for",
    "gzip cut off": "cut off",
    "no gzip": "compressed, and damaged",
    "bomb of an error": "it answers 500",
    "endless body": "larger than 4 MB",
    "endless chunks": "larger than 4 MB",
    "endless text": "larger than 4 MB",
    "endless headers": "no HTTP, or its headers are too large",
    "endless header": "no HTTP, or its headers are too large",
    "endless hints": "no reply within 1 s|the connection broke off",
    "drip": "no reply within 1 s",
    "deep": "has more than 100,000 brackets",
    "deep objects": "has more than 100,000 brackets",
    "lists": "has more than 100,000 brackets",
    "digits": "cut off or no JSON",
    "long answer": "too long: it has 3,500,000 bytes, and 40 tokens were asked for",
}


@pytest.fixture
def serving():
    servers = []

    def start(reply):
        servers.append(HostileServer(reply))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.fixture(scope="module", autouse=True)
def _compiled(tmp_path_factory):
    """Compile what a run needs: a compiler's memory is not that of replies."""
    work = (
        "import sys, hayflick as hf\n"
        "agent = dict(name='a', kind='ngram', texts=['It rains in May. The sea is calm.'])\n"
        "pool = dict(texts=['It rains.', 'It snows.'])\n"
        "hf.run_network(hf.Experiment.of(dict(format_version=1, rounds=2, answers=2, query='q',"
        " pool=pool, agents=[agent])), out=sys.argv[1])\n"
    )
    out = tmp_path_factory.mktemp("compiled") / "run"
    subprocess.run([sys.executable, "-c", work, str(out)], check=True, timeout=300)


def test_no_reply_takes_memory_or_time_without_end_and_each_fault_is_named(serving, tmp_path):
    assert set(NAMED) == set(FAULTS)
    urls = {name: serving(lambda _, __, make=make: make()).url for name, make in FAULTS.items()}
    done = subprocess.run(
        [sys.executable, "-c", PEAK + CAMPAIGN, json.dumps(urls), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found, peak = json.loads(done.stdout)
    assert peak < MOST_MEMORY
    for name, (message, spent, embedding, seconds) in found.items():
        assert re.search(NAMED[name], message), (name, message)
        assert "see to it and resume the run" in message
        assert embedding != "nothing", name
        assert 0 <= spent <= 5_000, name
        assert seconds < 30, name
    # What an endpoint may charge for is counted in full, what it refused is not.
    assert all(one[1] >= 40 for name, one in found.items() if name != "bomb of an error")
    assert found["bomb of an error"][1] == 0


def test_many_large_replies_at_once_are_refused_not_held(serving, tmp_path):
    def large(number, body):
        yield HEAD + b'\r\n{"choices": [{"message": {"content": "'
        yield b"x" * 3_900_000
        yield b'"}}]}'

    url = serving(large).url
    work = (
        "import hayflick as hf\n"
        "from hayflick.core.errors import HayflickError\n"
        "agent = dict(name='a', kind='openai', model='m', retries=0, max_tokens=40, timeout_s=60.0,"
        " base_url=sys.argv[1], concurrency=1000)\n"
        "run = hf.Experiment.of(dict(format_version=1, rounds=1, answers=120, query='q',"
        " concurrency=1000, pool=dict(texts=['It rains.', 'It snows.']), agents=[agent]))\n"
        "try:\n    hf.run_network(run, out=sys.argv[2])\n"
        "except HayflickError as fault:\n    print(fault)\n"
        "print(peak())\n"
    )
    command = [sys.executable, "-c", PEAK + work, url, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    *_, message, peak = done.stdout.splitlines()
    assert "the reply is too long" in message or "are under way" in message
    assert int(peak) < MOST_MEMORY


USAGES = (
    None,
    {},
    {"prompt_tokens": 0, "completion_tokens": 0},
    {"prompt_tokens": -5, "completion_tokens": -1},
    {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
    {"prompt_tokens": 10**9, "completion_tokens": 10**11},
    {"prompt_tokens": 15_000, "completion_tokens": 3},
    {"prompt_tokens": 10**30, "completion_tokens": 10**30},
    {"prompt_tokens": "7", "completion_tokens": [1]},
    {"prompt_tokens": True, "completion_tokens": 1.5},
)


@pytest.mark.parametrize("usage", USAGES, ids=str)
def test_a_budget_is_never_exceeded_whatever_usage_is_claimed(serving, tmp_path, usage):
    server = serving(lambda *_: whole(chat("word " * 40, usage)))
    prices = {"price_in": 1000.0, "price_out": 2000.0}
    agent = {"name": "a", "kind": "openai", "model": "m", "base_url": server.url, "max_tokens": 60}
    experiment = village(
        agents=[{**agent, **prices, "retries": 0}],
        rounds=14,
        budget={"tokens": 20_000, "money": 24.0},
    )
    with contextlib.suppress(BudgetExhausted):
        hf.run_network(experiment, out=tmp_path / "run")
    tokens, money = hf.report_network(tmp_path / "run").spent
    assert tokens <= 20_000
    assert money <= 24.0
    # At least what the texts themselves can have.
    assert tokens >= server.requests * (200 // 32)
    assert money >= server.requests * (200 // 32) * 2000 / 1e6
    assert not any(one.differences for one in hf.verify_network(tmp_path / "run").checks)


def test_a_reply_that_claims_too_few_tokens_is_charged_by_its_length(serving, tmp_path):
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    server = serving(lambda *_: whole(chat("word " * 640, usage)))
    agent = {"name": "a", "kind": "openai", "model": "m", "base_url": server.url, "persona": ""}
    experiment = village(
        agents=[agent], rounds=1, answers=1, query="q" * 3200, retrieval="uniform:1"
    )
    run = hf.run_network(experiment, out=tmp_path / "run")
    (answer,) = run.answers
    assert answer.tokens_out == 100
    assert answer.tokens_in >= 100
    assert run.spent[0] == answer.tokens_in + answer.tokens_out


def test_a_reply_that_drips_is_given_up_after_its_time(serving):
    server = serving(lambda *_: dripping(chat()))
    embedder = EndpointEmbedder(url=server.url, model="m", retries=0, timeout=0.5)
    with pytest.raises(DataError, match=r"no answer in 0\.5 s"):
        embedder.embed(["a"])


def spellings(text):
    """Yield a text as it is, and what a person would try to read in it."""
    for one in (text, urllib.parse.unquote(urllib.parse.unquote(text)), text[::-1]):
        yield re.sub(r"[\W_]+", "", one).lower()
        yield re.sub(r"[\W_]+", "", re.sub(r"<[^<>]*>", "", one)).lower()


def holds_key(content: bytes) -> str:
    """Return the form of the key that stands in a file, or nothing."""
    key = KEY.encode()
    hidden = {re.sub(r"[\W_]+", "", one).lower() for one in (KEY, KEY[:13], KEY[13:], key.hex())}
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + key).decode()
        hidden.add(re.sub(r"[\W_]+", "", packed[4:-4]).lower())
    for codec in ("utf-8", "utf-16-le"):
        for spelling in spellings(content.decode(codec, errors="ignore")):
            if found := next((one for one in hidden if one in spelling), ""):
                return found
    return ""


def replies_with_key(number, body):
    """Answer with the key in one form after the other, in every place of a reply."""
    shown = list(forms().values())[number % len(forms())]
    place = (number // len(forms())) % 4
    if place == 3:
        error = json.dumps({"error": {"message": f"wrong: {shown}"}, "detail": shown}).encode()
        field = f"X-Key: {KEY}".encode()
        return whole(error, field, status=b"503 Busy")
    reply = json.loads(chat(f"It rains on {shown} here.", {"prompt_tokens": 9}))
    if place == 1:
        reply["choices"][0]["finish_reason"] = shown
    if place == 2:
        reply["model"] = shown
    return whole(json.dumps(reply).encode())


def settings(url, *, name="a", **more):
    lines = {
        "name": name,
        "kind": "openai",
        "base_url": url,
        "model": "m",
        "key_variable": "HOSTILE_KEY",
        "retries": 1,
        **more,
    }
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())


@pytest.fixture
def keyed(monkeypatch, tmp_path):
    monkeypatch.setenv("HOSTILE_KEY", KEY)
    monkeypatch.setattr("hayflick.core.http.Retries.wait_s", _short)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _short(retries, attempt, *, random, asked):
    return None if attempt > retries.most else 0.001


def test_a_key_that_is_echoed_is_found_in_no_file_log_or_page(serving, keyed, capsys, caplog):
    caplog.set_level("DEBUG", logger="aiohttp")
    server = serving(replies_with_key)
    head = f"""
format_version = 1
rounds = 3
answers = {len(forms())}
query = "q"
concurrency = 1
[pool]
texts = {json.dumps(REAL)}
"""
    (keyed / "run.toml").write_text(f"{head}[[agents]]\n{settings(server.url)}\n")
    (keyed / "panel.toml").write_text(
        f'format_version = 1\nprompts = ["q"]\nanswers = {len(forms())}\nfile = "answers.jsonl"\n'
        f"concurrency = 1\n[[agents]]\n{settings(server.url)}\n"
    )
    for line in (
        "network run run.toml --out run --format json",
        *["network resume run"] * 12,
        "network report run --out page.html",
        "network record run --out record.jsonl",
        *["probe panel.toml"] * 12,
    ):
        assert main(line.split()) in (0, 3)
    assert server.requests > 3 * len(forms())
    printed = capsys.readouterr()
    assert holds_key(f"{printed.out}{printed.err}{caplog.text}".encode()) == ""
    files = [path for path in keyed.rglob("*") if path.is_file()]
    assert {"run.db", "page.html", "record.jsonl", "answers.jsonl"} <= {one.name for one in files}
    for path in files:
        assert holds_key(path.read_bytes()) == "", path


def test_an_error_of_an_embedding_endpoint_shows_no_key(serving, keyed):
    for shown in forms().values():
        for reply in (whole(shown.encode()), whole(shown.encode(), status=b"401 No")):
            url = serving(lambda _, __, reply=reply: reply).url
            embedder = EndpointEmbedder(url=url, model="m", key="HOSTILE_KEY", retries=0)
            with pytest.raises(DataError) as caught:
                embedder.embed(["a"])
            assert holds_key(str(caught.value).encode()) == ""


def test_a_key_that_is_a_word_leaves_answers_as_they_are(serving, keyed, monkeypatch):
    monkeypatch.setenv("HOSTILE_KEY", "none")
    server = serving(lambda *_: whole(chat("none of the nonetheless")))
    agent = {"kind": "openai", "model": "m", "base_url": server.url, "key_variable": "HOSTILE_KEY"}
    run = hf.run_network(
        village(agents=[{"name": "a", **agent}], rounds=1, answers=1), out=keyed / "run"
    )
    assert run.answers[0].text == "none of the nonetheless"
    refusing = serving(lambda *_: whole(b'{"error": "bad key none"}', status=b"400 No"))
    experiment = village(agents=[{"name": "a", **agent, "base_url": refusing.url}], rounds=1)
    with pytest.raises(EndpointError, match=r"400 \(bad key …\)"):
        hf.run_network(experiment, out=keyed / "other")
