"""Summaries of answers that lie in an object store, written there and merged from there."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError, OutputError
from hayflick.monitor.summaries import read_summary


def answers(part, number=120):
    """Return the lines of a part of a stream."""
    for place in range(number):
        words = " ".join(f"w{(place + part) * factor % 89}" for factor in (1, 3, 7))
        yield json.dumps({"round": place // 10 + 1, "answer": words, "who": "ab"[place % 2]}) + "\n"


@pytest.fixture
def stream(bucket, tmp_path):
    """Return the URL of a stream in three parts, beside a folder that holds the same."""
    (tmp_path / "logs").mkdir()
    for part in (1, 2, 10):
        text = "".join(answers(part))
        bucket.put(f"logs/part-{part}.jsonl", text)
        (tmp_path / "logs" / f"part-{part}.jsonl").write_text(text)
    return f"{bucket.url}/logs/"


HOW = {"by": "round", "text": "answer", "group": "who"}


def test_a_folder_of_a_store_is_summarised_as_one_on_a_disk(stream, tmp_path):
    there, here = hf.summarise(stream, **HOW), hf.summarise(tmp_path / "logs", **HOW)
    assert there.frame.equals(here.frame)
    assert there.to_dict()["rounds"] == here.to_dict()["rounds"]
    assert [file.sha256 for file in there.files] == [file.sha256 for file in here.files]
    assert [file.name for file in there.files][-1] == f"{stream}part-10.jsonl"
    with ThreadPoolExecutor(2) as executor:
        spread = hf.summarise(stream, **HOW, executor=executor)
    assert spread.frame.equals(here.frame)
    assert spread.files == there.files


def test_summaries_are_kept_in_a_store(stream, bucket, tmp_path, capsys):
    options = ["--by", "round", "--text", "answer", "--group", "who"]
    for part in (1, 2):
        out = f"{bucket.url}/summaries/{part}.summary"
        assert main(["summarise", f"{stream}part-{part}.jsonl", *options, "-o", out]) == 0
    out = f"{bucket.url}/summaries/10.summary"
    like = f"{bucket.url}/summaries/1.summary"
    assert main(["summarise", f"{stream}part-10.jsonl", "--like", like, "-o", out]) == 0
    assert f"{out}: 1 file, 12 rounds, 120 answers" in capsys.readouterr().out
    whole = hf.summarise(tmp_path / "logs", **HOW)
    for given in ("summaries/", "summaries/*.summary", "summaries"):
        assert hf.merge(f"{bucket.url}/{given}").frame.equals(whole.frame)
    all_of_them = f"{bucket.url}/all.summary"
    assert main(["merge", f"{bucket.url}/summaries/", "-o", all_of_them]) == 0
    assert main(["merge", f"{bucket.url}/summaries/", "-o", all_of_them]) == 2
    assert f"{all_of_them}: exists already" in capsys.readouterr().err
    assert main(["merge", f"{bucket.url}/summaries/", "-o", all_of_them, "--force"]) == 0
    assert read_summary(all_of_them).frame.equals(whole.frame)
    with pytest.raises(OutputError, match="exists already"):
        whole.save(all_of_them)
    assert whole.save(all_of_them, force=True) == all_of_them


def test_summaries_of_a_store_are_watched(stream, bucket, tmp_path):
    for part in (1, 2, 10):
        one = hf.summarise(f"{stream}part-{part}.jsonl", **HOW)
        one.save(f"{bucket.url}/summaries/{part}.summary")
    there = hf.watch(f"{bucket.url}/summaries/*.summary", baseline=5)
    here = hf.watch(tmp_path / "logs", **HOW, baseline=5)
    assert there.verdict == here.verdict
    assert there.to_dict()["readings"] == here.to_dict()["readings"]


def test_what_is_no_summary_is_refused(stream, bucket):
    url = bucket.put("bad.summary", b"PAR1 no")
    with pytest.raises(DataError, match=f"{url}: is no summary, or damaged"):
        hf.merge(url)
    with pytest.raises(DataError, match=r"no\.summary: there is no such object"):
        hf.merge(f"{bucket.url}/no.summary")
    with pytest.raises(DataError, match="holds no summary; takes names that end in"):
        hf.merge(stream)
    with pytest.raises(DataError, match=r"summaries are named by their ending: .*/\*\.summary"):
        hf.watch(f"{bucket.put('s/1.summary', b'x').rpartition('/')[0]}/", **HOW)


def test_a_part_that_fails_is_named_by_its_url(stream, bucket, capsys):
    bad = bucket.put("logs/part-3.jsonl", '{"answer": "no round"}\n')
    options = ["--by", "round", "--text", "answer"]
    out = f"{bucket.url}/all.summary"
    assert main(["summarise", stream, *options, "-o", out]) == 3
    said = capsys.readouterr().err
    assert f"error: {bad} is missing in the summary: {bad}: line 1" in said
    assert "/tmp" not in said
    assert list(read_summary(out).failed) == [bad]
