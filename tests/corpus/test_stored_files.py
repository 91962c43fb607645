"""Inputs that lie in an object store."""

import gc
import gzip
import json
import pickle
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.files import input_files

LINE = '{"answer": "It rains."}\n'


def names(found):
    return [file.name for file in found.files]


def rounds(number, answers=30):
    """Yield the lines of rounds that differ a little."""
    for place in range(number * answers):
        words = " ".join(f"w{place * place * factor % 97}" for factor in (1, 3, 7))
        yield json.dumps({"round": place // answers + 1, "answer": words}) + "\n"


def test_an_object_is_one_file(bucket):
    url = bucket.put("logs/a.jsonl", LINE)
    found = input_files(url)
    (file,) = found.files
    assert (found.name, file.name, file.shown, file.url) == ("a.jsonl", "a.jsonl", url, url)
    assert file.size == len(LINE)
    with pickle.loads(pickle.dumps(file)).on_disk() as path:
        assert (path.suffix, path.read_text()) == (".jsonl", LINE)
    assert not path.exists()


def test_the_tables_below_a_folder_are_taken_as_those_on_a_disk(bucket, tmp_path):
    keys = ("day=2/part-10.jsonl", "day=2/part-2.jsonl", "day=10/a b.jsonl.gz", "x.csv")
    hidden = ("_temporary/a.jsonl", ".b.jsonl", "notes.pdf", "empty.jsonl")
    for key in (*keys, *hidden):
        data = b"" if key == "empty.jsonl" else LINE.encode()
        data = gzip.compress(data) if key.endswith(".gz") else data
        bucket.put(f"logs/{key}", data)
        path = tmp_path / "logs" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    bucket.put("logs-of-others/a.jsonl", LINE)
    there, here = input_files(f"{bucket.url}/logs"), input_files(tmp_path / "logs")
    assert names(there) == names(here)
    assert [file.partitions for file in there.files] == [file.partitions for file in here.files]
    assert there.name == here.name == "logs (4 files)"
    assert names(input_files(f"{bucket.url}/logs/")) == names(here)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*.jsonl", ["a.jsonl"]),
        ("**/*.jsonl", ["a.jsonl", "day=1/b.jsonl", "day=1/c/d.jsonl"]),
        ("day=*", ["day=1/b.jsonl", "day=1/c/d.jsonl", "day=2/e.csv"]),
        ("day=[2-9]/*", ["day=2/e.csv"]),
        ("?.jsonl", ["a.jsonl"]),
        ("**", ["a.jsonl", "day=1/b.jsonl", "day=1/c/d.jsonl", "day=2/e.csv"]),
    ],
)
def test_patterns_take_the_tables_that_fit(bucket, tmp_path, pattern, fits):
    for key in ("a.jsonl", "day=1/b.jsonl", "day=1/c/d.jsonl", "day=2/e.csv", "day=1/.f.jsonl"):
        bucket.put(f"logs/{key}", LINE)
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LINE)
    here = {
        str(file.path.relative_to(tmp_path))
        for file in input_files([], patterns=[f"{tmp_path}/{pattern}"]).files
    }
    for found in (
        input_files([], patterns=[f"{bucket.url}/logs/{pattern}"]),
        input_files(f"{bucket.url}/logs/{pattern}"),
    ):
        keys = {file.url.removeprefix(f"{bucket.url}/logs/") for file in found.files}
        assert keys == set(fits) == here
    assert all(file.partitions for file in found.files if "=" in file.url)


def test_what_cannot_be_read_is_refused(bucket):
    bucket.put("notes/a.pdf", "x")
    empty = bucket.put("empty.jsonl", "")
    for given, message in (
        (f"{bucket.url}/no.jsonl", "there is no such object, nor is anything below it"),
        (f"{bucket.url}/notes/", "holds no table that is not empty"),
        (f"{bucket.url}/notes/a.pdf", "is no table"),
        (f"{bucket.url}/*.csv", "the pattern fits no table"),
        (empty, "is empty"),
        ("s3://*/a.jsonl", "takes the name of the bucket"),
        ("s3://no-such-bucket-here/", "there is no such bucket"),
        (f"{bucket.url}/a//b.jsonl", "is not read; rename it"),
    ):
        with pytest.raises(DataError, match=message):
            input_files(given)
    url = bucket.put("a.jsonl", LINE)
    with pytest.raises(ArgumentError, match=f"the file {url} twice"):
        input_files([url, url])
    assert len(input_files([url, f"{bucket.url}/"]).files) == 1


def test_copies_go_with_their_last_user(bucket):
    found = input_files([bucket.put("a.jsonl", LINE), bucket.put("b/a.jsonl", LINE * 2)])
    told = []
    local = found.local(lambda *done: told.append(done))
    paths = [file.path for file in local.files]
    assert [path.read_text() for path in paths] == [LINE, LINE * 2]
    assert told[-1] == ("fetch", 3 * len(LINE), 3 * len(LINE))
    assert local.local() is local
    # Whoever asks again is given the same copies.
    assert [file.path for file in found.local().files] == paths
    del found
    gc.collect()
    assert paths[0].exists()
    del local
    gc.collect()
    assert not paths[0].exists()
    with input_files(bucket.put("a.jsonl", LINE)) as files:
        path = files.local().files[0].path
    assert not path.exists()


def test_an_object_that_changes_while_it_is_read_is_refused(bucket):
    found = input_files(bucket.put("a.jsonl", LINE))
    bucket.put("a.jsonl", LINE * 2)
    with pytest.raises(DataError, match=r"a\.jsonl: was written while it was read"):
        found.local()


def test_a_stream_is_watched_where_it_lies(bucket, tmp_path, capsys):
    lines = list(rounds(15, 20))
    for part in range(3):
        text = "".join(lines[part * 100 : (part + 1) * 100])
        bucket.put(f"logs/part-{part}.jsonl", text)
        (tmp_path / "logs").mkdir(exist_ok=True)
        (tmp_path / "logs" / f"part-{part}.jsonl").write_text(text)
    options = ["--by", "round", "--text", "answer", "--format", "json"]
    found = []
    for source in (f"{bucket.url}/logs/", str(tmp_path / "logs")):
        assert main(["watch", source, *options]) in (0, 1)
        found.append(json.loads(capsys.readouterr().out))
        found[-1].pop("command", None)
        found[-1].get("provenance", {}).pop("command", None)
    assert str(found[0]).replace(f"{bucket.url}/logs/", "X") == str(found[1]).replace(
        str(tmp_path / "logs"), "X"
    )
    assert (
        main(
            [
                "compare",
                f"{bucket.url}/logs/part-0.jsonl",
                f"{bucket.url}/logs/part-1.jsonl",
                "--text",
                "answer",
            ]
        )
        == 0
    )


def test_files_of_a_disk_stand_beside_objects(bucket, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(rounds(12)))
    url = bucket.put("b.jsonl", "".join(rounds(12)))
    both = hf.watch([str(tmp_path / "a.jsonl"), url], by="round", text="answer", baseline=5)
    assert both.name == "a.jsonl and 1 more file"
    assert sum(source.rows for source in both.sources) == 720


def test_a_reference_lies_in_a_store(bucket, tmp_path, monkeypatch):
    text = "".join(rounds(24))
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "old.jsonl").write_text(text[: len(text) // 3].rpartition("\n")[0] + "\n")
    url = bucket.put("old.jsonl", (tmp_path / "old.jsonl").read_text())
    how = {"by": "round", "text": "answer"}
    there, here = (
        hf.watch(tmp_path / "a.jsonl", **how, baseline_from=reference).to_dict()
        for reference in (url, tmp_path / "old.jsonl")
    )
    assert there["readings"] == here["readings"]
    with pytest.raises(ArgumentError, match="another file than the stream's"):
        hf.watch(url, **how, baseline_from=url)


def test_a_review_is_drawn_from_a_store(bucket, tmp_path):
    url = bucket.put("a.jsonl", "".join(rounds(12)))
    out = tmp_path / "review.csv"
    options = ["--by", "round", "--text", "answer", "--number", "5", "--out", str(out)]
    assert main(["review", "draw", url, *options]) == 0
    assert len(out.read_text().splitlines()) == 6


def test_errors_name_the_object(bucket, capsys):
    url = bucket.put("a.jsonl", LINE * 3 + "{\n")
    assert main(["watch", url, "--by", "answer", "--text", "answer"]) == 2
    said = capsys.readouterr().err
    assert f"error: {url}: line 4" in said
    assert "/tmp" not in said


def test_other_commands_refuse_a_url(capsys):
    url = "s3://bucket/words.txt"
    for command in (["forecast", url], ["reserve", url]):
        assert main(command) == 2
        assert f"error: {url}: lies in an object store" in capsys.readouterr().err
    assert main(["forecast", "zipf:100", "--out", "s3://bucket/a.html"]) == 2
    said = capsys.readouterr().err
    assert "s3://bucket/a.html: lies in an object store, which takes no such file" in said
    assert not Path("s3:").exists()
