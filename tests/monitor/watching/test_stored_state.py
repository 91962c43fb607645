"""The state of a watched stream as an object of a store."""

import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError, OutputError
from hayflick.monitor import watch as watching

HOW = {"by": "round", "text": "answer", "baseline": 5}


def write(path, rounds):
    lines = [
        json.dumps({"round": place // 10, "answer": f"w{place * 7 % 89} w{place * place % 97}"})
        for place in range(10 * rounds)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def answers(tmp_path):
    return write(tmp_path / "a.jsonl", 20)


def numbers(result):
    found = result.to_dict()
    return found["verdict"], found["readings"]


def test_it_goes_on_as_a_file_does(bucket, answers, tmp_path):
    url = f"{bucket.url}/states/watch.state"
    hf.watch(answers, **HOW, state=url)
    first = bucket.get("states/watch.state")
    assert first.startswith(b"SQLite format 3")
    write(answers, 25)
    gone_on = hf.watch(answers, **HOW, state=url)
    assert numbers(gone_on) == numbers(hf.watch(answers, **HOW))
    assert any("20 rounds were known" in str(note) for one in gone_on.sources for note in one.notes)
    assert bucket.get("states/watch.state") != first
    assert bucket.keys() == ["states/watch.state"]


def test_of_two_calls_at_once_one_is_refused_and_nothing_is_lost(
    bucket, answers, monkeypatch, capsys
):
    url = f"{bucket.url}/watch.state"
    judged = watching._judged
    for rounds, there_was in ((20, "none"), (25, "one")):
        write(answers, rounds)
        calls = iter((True, False))

        def judged_late(*given, calls=calls, rounds=rounds):
            if next(calls):
                # Another call reads and writes between the reading and the writing of this one.
                write(answers, rounds + 2)
                hf.watch(answers, **HOW, state=url)
            return judged(*given)

        monkeypatch.setattr(watching, "_judged", judged_late)
        with pytest.raises(OutputError, match="another process has written it since it was read"):
            hf.watch(answers, **HOW, state=url)
        monkeypatch.setattr(watching, "_judged", judged)
        assert hf.gate(state=url).health.rounds == rounds + 2, there_was
    # What was left can be gone on from.
    write(answers, 30)
    assert numbers(hf.watch(answers, **HOW, state=url)) == numbers(hf.watch(answers, **HOW))


def test_a_pipeline_is_gated_by_it(bucket, answers, capsys):
    url = f"{bucket.url}/watch.state"
    how = ["--by", "round", "--text", "answer", "--baseline", "5"]
    assert main(["gate", "--state", url]) == 2
    assert f"error: {url}: there is no such object" in capsys.readouterr().err
    code = main(["watch", str(answers), *how, "--state", url])
    before = bucket.get("watch.state")
    assert main(["gate", "--state", url]) == code
    assert "watch.state: " in capsys.readouterr().out
    # Whoever only reads it writes nothing.
    assert main(["watch", str(answers), *how, "--state", url]) == code
    hf.gate(state=url)
    assert bucket.get("watch.state")[:100] == before[:100]


def test_what_is_no_state_is_refused(bucket, answers):
    url = bucket.put("watch.state", "no state")
    for call in (lambda: hf.watch(answers, **HOW, state=url), lambda: hf.gate(state=url)):
        with pytest.raises(DataError, match=url) as refused:
            call()
        assert "/tmp" not in str(refused.value)
    source = bucket.put("a.jsonl", answers.read_text())
    with pytest.raises(OutputError, match="is the input"):
        hf.watch(source, **HOW, state=source)
    assert bucket.get("a.jsonl") == answers.read_bytes()


def test_an_error_leaves_it_as_it_was(bucket, answers):
    url = f"{bucket.url}/watch.state"
    hf.watch(answers, **HOW, state=url)
    before = bucket.get("watch.state")
    with pytest.raises(DataError, match="no such file"):
        hf.watch(answers, **HOW, state=url, rules="no such file.toml")
    answers.write_text("{")
    with pytest.raises(DataError):
        hf.watch(answers, **HOW, state=url)
    assert bucket.get("watch.state") == before
