import asyncio
import json
import signal
import socket
import subprocess
import sys
import time

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, BudgetExhausted, DataError, EndpointError
from hayflick.core.locks import file_lock
from hayflick.network.agents.ngram import NGramAgent

from .hostile import HostileServer, chat, dripping, whole

PANEL = """
format_version = 1
prompts = ["How is it", "Where is it"]
answers = 3
file = "answers.jsonl"
[[agents]]
name = "anna"
kind = "ngram"
texts = ["It rains in May. The wind is cold. The sea is calm."]
[[agents]]
name = "bert"
kind = "ngram"
texts = ["It snows in June. The wind is warm. The road is long."]
"""


@pytest.fixture
def panel(tmp_path):
    path = tmp_path / "panel.toml"
    path.write_text(PANEL)
    return path


def rows(panel):
    lines = (panel.parent / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_call_adds_a_round_of_all_answers(panel):
    first, second = hf.probe(panel), hf.probe(panel)
    assert (first.round, second.round, first.answers, first.empty) == (1, 2, 12, 0)
    found = rows(panel)
    places = [(row["round"], row["agent"], row["query"], row["index"]) for row in found]
    assert places == [
        (number, name, query, index)
        for number in (1, 2)
        for name in ("anna", "bert")
        for query in (0, 1)
        for index in range(3)
    ]
    assert {row["prompt"] for row in found} == {"How is it", "Where is it"}
    assert not (panel.parent / "answers.jsonl.partial").exists()
    assert [row["answer"] for row in found[:12]] != [row["answer"] for row in found[12:]]


@pytest.fixture
def failing(monkeypatch):
    """Return a function that lets agents answer so many times, and a list of what was asked."""
    write, asked, left = NGramAgent.write, [], []

    def answer(agent, query, context, *, seed, **more):
        if left and left[0] == len(asked):
            raise BudgetExhausted("the budget is spent")
        asked.append(seed)
        return write(agent, query, context, seed=seed, **more)

    monkeypatch.setattr(NGramAgent, "write", answer)
    return asked, left


def test_a_round_that_is_cut_off_is_finished_and_nothing_asked_again(panel, failing):
    asked, left = failing
    hf.probe(panel)
    whole = rows(panel)
    left[:] = [17]
    with pytest.raises(BudgetExhausted, match="spent"):
        hf.probe(panel)
    assert rows(panel) == whole
    partial = panel.parent / "answers.jsonl.partial"
    kept = partial.read_text(encoding="utf-8")
    assert len(kept.splitlines()) == 5
    # As a kill in the middle of a line leaves it.
    partial.write_text(kept + '{"round": 2, "agent": "an', encoding="utf-8")
    left.clear()
    assert hf.probe(panel).round == 2
    assert len(asked) == len(set(asked)) == 24
    assert len(rows(panel)) == 24


def test_a_kill_after_the_round_was_written_adds_it_once(panel):
    hf.probe(panel)
    lines = (panel.parent / "answers.jsonl").read_text(encoding="utf-8")
    (panel.parent / "answers.jsonl.partial").write_text(lines, encoding="utf-8")
    assert hf.probe(panel).round == 2
    assert [row["round"] for row in rows(panel)] == [1] * 12 + [2] * 12


def test_watch_reads_the_rounds(panel):

    for _ in range(7):
        hf.probe(panel)
    answers = panel.parent / "answers.jsonl"
    columns = {"by": "round", "text": "answer", "group": "agent", "prompt": "prompt"}
    watched = hf.watch(answers, **columns, baseline=6, embedder="hashing:dimensions=64")
    assert list(watched.groups) == ["anna", "bert"]
    assert watched.answers == 84


def test_bad_panels_and_files(panel):
    panel.write_text(PANEL.replace("prompts", "promts"))
    with pytest.raises(ArgumentError, match=r"panel.toml: promts: .*did you mean prompts\?"):
        hf.probe(panel)
    panel.write_text(PANEL.replace("[[agents]]", "[budget]\ntoken = 3\n[[agents]]", 1))
    with pytest.raises(ArgumentError, match=r"budget.token: .*did you mean tokens\?"):
        hf.probe(panel)
    panel.write_text(PANEL)
    (panel.parent / "answers.jsonl").write_text("something else\n")
    with pytest.raises(DataError, match="its last line is no round of a probe"):
        hf.probe(panel)


def test_two_processes_do_not_probe_into_one_file(panel):
    lock = panel.parent / ".answers.jsonl.lock"
    with (
        file_lock(lock, subject="mine"),
        pytest.raises(DataError, match="another process is at work"),
    ):
        hf.probe(panel)


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [
        ("answers.jsonl", '{"round": 1e400}', "answers.jsonl: its last line is no round"),
        ("answers.jsonl", '{"round": -3}', "answers.jsonl: its last line is no round"),
        ("answers.jsonl.partial", "garbage", "partial: a line is no answer"),
        ("answers.jsonl.partial", "[1]", "partial: a line is no answer"),
        ("answers.jsonl.partial", '{"agent": "anna"}', "partial: a line is no answer"),
    ],
)
def test_files_of_someone_else_are_named(panel, name, kept, said):
    (panel.parent / name).write_text(f"{kept}\n")
    with pytest.raises(DataError, match=said):
        hf.probe(panel)


def test_a_folder_is_no_file_to_add_to(panel):
    (panel.parent / "answers.jsonl").mkdir()
    with pytest.raises(DataError, match=r"answers\.jsonl: is a folder"):
        hf.probe(panel)


def test_a_line_that_was_cut_off_by_a_full_disk_is_written_again_whole(panel, monkeypatch):
    class Full:
        """Writes half of what it is given, once."""

        left = 1

        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, text):
            if not Full.left:
                return self.file.write(text)
            Full.left = 0
            self.file.write(text[: len(text) // 2])
            raise OSError("no space left")

    def full(path, mode="r", **more):
        file = open(path, mode, **more)  # noqa: SIM115
        return Full(file) if mode == "a" and str(path).endswith(".partial") else file

    monkeypatch.setattr("hayflick.network.probe.open", full, raising=False)
    with pytest.raises(OSError, match="no space"):
        hf.probe(panel)
    lines = (panel.parent / "answers.jsonl.partial").read_text(encoding="utf-8").splitlines()
    assert lines
    assert all(json.loads(line)["answer"] for line in lines)
    assert hf.probe(panel).answers == 12


def test_a_round_is_saved_as_a_page(panel, tmp_path):
    probed = hf.probe(panel)
    page = probed.save(tmp_path / "probe.html").read_text(encoding="utf-8")
    assert "round 1: 12 answers, 0 of them empty" in page
    assert "round 1: 12 answers" in probed._repr_html_()
    assert probed.to_dict()["file"] == str(panel.parent / "answers.jsonl")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"round": 1, "agent": "a", "query": 0, "index": 0}\n',
        b'{"round": 1, "agent": 1, "query": [], "index": {}}\n',
        b'{"round": "1"}\n',
        b"7\n",
        b'{"round": ' + b"9" * 5000 + b"}\n",
    ],
)
def test_damaged_answers_of_a_round_under_way_are_named(tmp_path, capsys, content):
    panel = tmp_path / "panel.toml"
    panel.write_text(
        'format_version = 1\nprompts = ["q"]\nfile = "a.jsonl"\n'
        '[[agents]]\nname = "a"\nkind = "ngram"\ntexts = ["It rains."]\n'
    )
    (tmp_path / "a.jsonl.partial").write_bytes(content)
    assert main(["probe", str(panel)]) == 2
    assert "a.jsonl.partial: a line is no answer of a probe" in capsys.readouterr().err


class Endpoint:
    """What an agent of the panel does in place of writing."""

    def __init__(self, monkeypatch):
        self.down, self.hanging = set(), set()
        write = NGramAgent.answer

        async def answer(agent, query, context, *, seed, **more):
            if agent.name in self.down:
                raise EndpointError("down", agent=agent.name, url="http://127.0.0.1:9/v1")
            if agent.name in self.hanging:
                await asyncio.sleep(60)
            return await write(agent, query, context, seed=seed, **more)

        monkeypatch.setattr(NGramAgent, "answer", answer)


@pytest.fixture
def endpoint(monkeypatch):
    return Endpoint(monkeypatch)


@pytest.mark.parametrize(
    ("kind", "reason"), [("down", "127.0.0.1:9/v1: down"), ("hanging", "no answer within 2 s")]
)
def test_an_endpoint_that_fails_costs_its_own_answers_alone(panel, endpoint, kind, reason):
    getattr(endpoint, kind).add("bert")
    probed = hf.probe(panel, deadline=2.0)
    assert (probed.round, probed.answers) == (1, 6)
    [lacking] = probed.missing
    assert (lacking.agent, lacking.number) == ("bert", 6)
    assert reason in lacking.reason
    found = rows(panel)
    assert [row["answer"] is None for row in found] == [False] * 6 + [True] * 6
    assert all(reason in row["missing"] for row in found[6:])
    getattr(endpoint, kind).clear()
    again = hf.probe(panel)
    assert (again.round, again.answers, again.missing) == (2, 12, ())


def test_an_agent_that_is_down_has_no_reading_and_the_others_do(panel, endpoint):
    for number in range(14):
        endpoint.down = {"bert"} if number > 11 else set()
        hf.probe(panel)
    columns = {"by": "round", "text": "answer", "group": "agent", "prompt": "prompt"}
    answers = panel.parent / "answers.jsonl"
    watched = hf.watch(answers, **columns, embedder="hashing:dimensions=64")
    silent = {chart.group: chart.silent_since for chart in watched.charts if chart.group}
    assert silent == {"anna": None, "bert": 13}
    # Without it, all answers together are another mix.
    assert watched.silent_since == 13
    assert [(one.kind, one.group) for one in watched.mix_changes] == [("silent", "bert")]


def test_a_round_that_nobody_answers_is_not_recorded(panel, endpoint, capsys):
    endpoint.down = {"anna", "bert"}
    assert main(["probe", str(panel)]) == 3
    assert "down" in capsys.readouterr().err
    assert not (panel.parent / "answers.jsonl").exists()
    endpoint.down = set()
    assert main(["probe", str(panel)]) == 0
    assert {row["round"] for row in rows(panel)} == {1}


def test_a_round_in_which_everybody_hangs_is_not_recorded(panel, endpoint, capsys):
    endpoint.hanging = {"anna", "bert"}
    assert main(["probe", str(panel), "--deadline", "0.5"]) == 3
    assert "no agent answered within 0.5 s" in capsys.readouterr().err
    assert not (panel.parent / "answers.jsonl").exists()
    endpoint.hanging = set()
    assert main(["probe", str(panel)]) == 0
    assert {row["round"] for row in rows(panel)} == {1}


def test_the_command_says_who_is_down(panel, endpoint, capsys):
    endpoint.down = {"bert"}
    assert main(["probe", str(panel), "--deadline", "5"]) == 0
    said = capsys.readouterr()
    assert "round 1 is closed without answers of: bert (6)" in said.err
    assert "bert: 6 answers missing: agent bert" in said.out
    assert main(["probe", str(panel), "--deadline", "0"]) == 2
    assert "deadline: got 0" in capsys.readouterr().err


def test_a_round_that_was_cut_off_long_ago_is_closed_before_a_new_one(panel, failing):
    _, left = failing
    left[:] = [5]
    with pytest.raises(BudgetExhausted):
        hf.probe(panel)
    left.clear()
    partial = panel.parent / "answers.jsonl.partial"
    today = json.loads(partial.read_text().splitlines()[0])["time"]
    partial.write_text(partial.read_text().replace(today, "2026-01-01T00:00:00+00:00"))
    probed = hf.probe(panel)
    assert (probed.round, probed.closed, probed.answers) == (2, 1, 12)
    found = rows(panel)
    assert [row["round"] for row in found] == [1] * 12 + [2] * 12
    assert sum(row["answer"] is None for row in found) == 7
    assert {row["time"] for row in found[:12]} == {"2026-01-01T00:00:00+00:00"}


def test_a_deadline_stands_in_the_panel(panel, endpoint):
    endpoint.hanging = {"anna"}
    panel.write_text("deadline = 1\n" + PANEL)
    assert [one.agent for one in hf.probe(panel).missing] == ["anna"]
    panel.write_text("deadline = -1\n" + PANEL)
    with pytest.raises(ArgumentError, match="deadline"):
        hf.probe(panel)


def test_a_dead_endpoint_in_a_panel_of_two(panel, cases):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()[1]
    server = HostileServer(lambda _, __: whole(chat("It rains.")))
    text = (cases / "panel_one_dead.toml").read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:18431/v1", server.url).replace("18999", str(dead))
    panel.write_text(text, encoding="utf-8")
    try:
        rounds = [hf.probe(panel), hf.probe(panel)]
    finally:
        server.close()
    assert [(one.round, one.answers) for one in rounds] == [(1, 3), (2, 3)]
    assert {(one.agent, one.number) for done in rounds for one in done.missing} == {("dead", 3)}
    assert all(f"127.0.0.1:{dead}" in one.missing[0].reason for one in rounds)


def test_a_later_round_that_nobody_answers_is_a_gap_in_the_record(panel, endpoint, capsys):
    assert main(["probe", str(panel)]) == 0
    endpoint.down = {"anna", "bert"}
    assert main(["probe", str(panel)]) == 3
    said = capsys.readouterr()
    assert "round 2 is closed without answers of: anna (6), bert (6)" in said.err
    assert "round 2: 0 answers" in said.out
    endpoint.down, endpoint.hanging = set(), {"anna", "bert"}
    probed = hf.probe(panel, deadline=0.5)
    assert (probed.round, probed.answers, len(probed.missing)) == (3, 0, 2)
    endpoint.hanging = set()
    assert hf.probe(panel).round == 4
    found = rows(panel)
    assert [row["round"] for row in found] == [number for number in (1, 2, 3, 4) for _ in range(12)]
    gaps = [row for row in found if row["round"] in (2, 3)]
    assert all(row["answer"] is None and row["missing"] for row in gaps)


def test_a_record_with_whole_gaps_is_watched(panel, endpoint):
    for number in range(1, 18):
        endpoint.down = {"anna", "bert"} if number in (4, 14, 17) else set()
        hf.probe(panel)
    columns = {"by": "round", "text": "answer", "group": "agent", "prompt": "prompt"}
    answers = panel.parent / "answers.jsonl"
    watched = hf.watch(answers, **columns, embedder="hashing:dimensions=64")
    assert len(watched.rounds) == 17
    gaps = [{one.group: one.rounds for one in watched.mix_changes if one.kind == "silent"}]
    assert gaps == [{"anna": ("4", "14", "17"), "bert": ("4", "14", "17")}]
    assert watched.series("spread")[3] is watched.series("spread")[16] is None
    assert all(watched.series("effective_words")[place] for place in (4, 9, 14))


def served(panel, reply, *, agents=("live", "bad"), more="", deadline=""):
    """Return the endpoint of `live`, and write a panel whose other agents have other ones."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    live = HostileServer(lambda _, __: whole(chat("It rains.")))
    bad = HostileServer(reply)
    sections = "".join(
        f'[[agents]]\nname = "{name}"\nkind = "openai"\nmodel = "m"\n'
        f'base_url = "{live.url if name == "live" else bad.url}"\n{more}\n'
        for name in agents
    )
    panel.write_text(PANEL.split("[[agents]]")[0] + deadline + "\n" + sections)
    return live, bad


@pytest.mark.parametrize(
    ("status", "reason"),
    [(b"503 Service Unavailable", "503"), (b"429 Too Many Requests", "429"), (None, "broke off")],
)
def test_a_short_deadline_hides_no_reason(panel, status, reason):
    reply = (lambda _, __: b"") if status is None else lambda _, __: whole(b"no", status=status)
    servers = served(panel, reply)
    try:
        probed = hf.probe(panel, deadline=1.0)
    finally:
        for server in servers:
            server.close()
    [lacking] = probed.missing
    assert (lacking.agent, probed.answers) == ("bad", 6)
    assert servers[1].url in lacking.reason
    assert reason in lacking.reason
    assert "no answer within" not in lacking.reason
    assert "asked again until the deadline, 1.0 s" in lacking.reason


def test_a_refused_connection_of_all_agents_is_said(panel, capsys):
    servers = served(panel, lambda _, __: b"", agents=("one", "two"))
    for server in servers:
        server.close()
    assert main(["probe", str(panel), "--deadline", "1"]) == 3
    said = capsys.readouterr().err
    assert "agent one" in said
    assert "no connection" in said
    assert "no agent answered" not in said


def test_one_endpoint_of_two_agents_tells_their_failures_apart(panel):
    def reply(_, body):
        return whole(b"no", status=b"503 Busy") if b'"bad"' in body else whole(chat("It rains."))

    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    server = HostileServer(reply)
    sections = "".join(
        f'[[agents]]\nname = "{name}"\nkind = "openai"\nmodel = "{name}"\n'
        f'base_url = "{server.url}"\n'
        for name in ("good", "bad")
    )
    panel.write_text(PANEL.split("[[agents]]")[0] + sections)
    try:
        probed = hf.probe(panel, deadline=1.0)
    finally:
        server.close()
    assert [one.agent for one in probed.missing] == ["bad"]
    assert "503" in probed.missing[0].reason


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(panel, tmp_path):
    hf.probe(panel)
    text = panel.read_text()
    servers = served(panel, lambda _, __: dripping(b"{"), more="timeout_s = 60")
    assert text != panel.read_text()
    command = [sys.executable, "-m", "hayflick", "probe", str(panel)]
    try:
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        partial = panel.parent / "answers.jsonl.partial"
        for _ in range(200):
            time.sleep(0.1)
            if partial.exists() and partial.read_text().count("\n") == 6:
                break
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=30)[1]
    finally:
        for server in servers:
            server.close()
    assert running.returncode == 130
    assert "interrupted: 6 of 12 answers of round 2 are kept; whole rounds in the file: 1" in said
    assert f"s with: hayflick probe {panel}" in said
    assert "nothing was finished" not in said
    assert partial.read_text().count("\n") == 6


def test_every_agent_has_its_progress(panel):
    told = []
    hf.probe(panel, progress=lambda *stage: told.append(stage))
    stages = [f"answers of {name}" for name in ("anna", "bert")]
    for stage in stages:
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps[0] == (0, 6)
        assert steps[-1] == (6, 6)
