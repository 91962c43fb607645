"""Files that are summarised by threads, processes or a cluster: the same summary everywhere."""

import errno
import importlib
import json
import platform
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError, EffortError, ExecutorError, StoreError
from hayflick.core.object_faults import without_credentials
from hayflick.core.progress import silent
from hayflick.corpus.files import InputFile
from hayflick.monitor.partitions import Partition, read_partitions
from hayflick.simulation.executors import open_executor, worker_address

READING = {"by": "round", "text": "answer", "group": "model", "values": ("score",)}


@pytest.fixture(scope="module")
def places():
    """Executors of every kind: a process, clusters of two workers and of one, and threads."""
    distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

    def cluster(workers):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
            protocol="tcp",
        )

    with (
        cluster(2) as two,
        cluster(1) as one,
        open_executor("processes", workers=1) as process,
        open_executor(two.scheduler_address) as dask,
        open_executor(one.scheduler_address) as single,
        ThreadPoolExecutor(3) as threads,
    ):
        addresses.append(two.scheduler_address)
        yield {"a process": process, "Dask": dask, "a worker": single, "threads": threads}


addresses: list[str] = []


def parts(folder, number=7):
    """Write files of various lengths, of which later ones are often finished first."""
    draw = random.Random(4)
    paths = [folder / f"part-{place}.jsonl" for place in range(number)]
    for place, path in enumerate(paths):
        rows = [
            {
                "round": 1 + row % 9,
                "answer": " ".join(draw.choices("abcdefgh", k=5)),
                "model": draw.choice(["é", "b"]),
                "score": draw.gauss(0, 1) * 10.0 ** draw.randrange(-8, 8),
            }
            for row in range(400 if place == 0 else 40)
        ]
        path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    return paths


def written(summary, folder):
    return summary.save(folder / "of.summary", force=True).read_bytes()


def test_everywhere_the_summary_is_the_same_to_the_bit(tmp_path, monkeypatch, places):
    paths = parts(tmp_path)
    # Workers of a cluster have another folder of work.
    monkeypatch.chdir(tmp_path)
    names = [path.name for path in paths]
    paths[3].write_text(paths[3].read_text() + "{broken\n")
    here = hf.summarise(names, **READING, capacity=20)
    assert list(here.failed) == ["part-3.jsonl"]
    assert "part-3.jsonl: line 41" in here.failed["part-3.jsonl"]
    expected = written(here, tmp_path)
    for executor in places.values():
        there = hf.summarise(names, **READING, capacity=20, executor=executor)
        assert written(there, tmp_path) == expected
    singles = [hf.summarise(name, **READING, capacity=20) for name in names if "3" not in name]
    for _ in range(3):
        random.shuffle(singles)
        merged = hf.merge(singles)
        assert merged.totals["1"].record() == here.totals["1"].record()


def test_progress_counts_files_and_bytes(tmp_path):
    paths = parts(tmp_path, 3)
    seen = []
    with ThreadPoolExecutor(1) as threads:
        hf.summarise(paths, **READING, executor=threads, progress=lambda *stage: seen.append(stage))
    assert [one[1:] for one in seen if one[0] == "3 files"] == [(1, 3), (2, 3), (3, 3)]
    size = sum(path.stat().st_size for path in paths)
    assert seen[-1] == ("0.04 MB", size, size)


class Told:
    """Progress that is told what work takes."""

    def __init__(self):
        self.efforts = []

    def __call__(self, stage, done, total):
        pass

    def expect(self, effort):
        self.efforts.append(effort)
        if effort.seconds > 1e-9:
            raise EffortError(f"{effort}; add --yes")


def test_what_the_rest_takes_is_said_once_it_is_known(tmp_path, monkeypatch):
    paths, told = parts(tmp_path, 4), Told()
    hf.summarise(paths, **READING, progress=told)
    assert not told.efforts
    monkeypatch.setattr("hayflick.monitor.partitions._MEASURED_S", 0.0)
    with pytest.raises(EffortError, match="summarising 2 more files"):
        hf.summarise(paths, **READING, progress=told)
    assert len(told.efforts) == 1
    with ThreadPoolExecutor(1) as threads, pytest.raises(EffortError):
        hf.summarise(paths, **READING, progress=told, executor=threads)


def test_what_cannot_be_read_anywhere_is_refused_as_here(tmp_path):
    paths = parts(tmp_path, 2)
    with ThreadPoolExecutor(1) as threads:
        for reading in ({"text": "reply", "by": "round"}, {"every": "1d"}, {"by": "round"}):
            with pytest.raises(hf.HayflickError) as here:
                hf.summarise(paths, **reading)
            with pytest.raises(hf.HayflickError) as there:
                hf.summarise(paths, **reading, executor=threads)
            assert str(there.value) == str(here.value)
            assert type(there.value) is type(here.value)


def partitions(folder):
    paths = parts(folder, 3)
    return [Partition(InputFile(path, path.name), path.name) for path in paths]


def summary_of(partition):
    return hf.summarise(partition.file.path, **READING)


def failing_twice(partition, progress):
    if partition.name == "part-1.jsonl" and partition.attempt < 2:
        raise OSError(errno.EIO, "Input/output error")
    return summary_of(partition)


def failing_always(partition, progress):
    if partition.name == "part-1.jsonl":
        attempts.append(partition.attempt)
        raise faults[-1]
    return summary_of(partition)


attempts: list[int] = []
faults: list[Exception] = []


@pytest.mark.parametrize("threads", [0, 2])
def test_what_may_pass_is_tried_again(tmp_path, monkeypatch, threads):
    monkeypatch.setattr("hayflick.monitor.partitions._PAUSE_S", 0.0)
    given = partitions(tmp_path)
    with ThreadPoolExecutor(threads or 1) as pool:
        executor = pool if threads else None
        found = dict(read_partitions(failing_twice, given, executor=executor, progress=silent))
        assert all(isinstance(one, hf.AnswerSummary) for one in found.values())
        for fault, times, message in [
            (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), 3, "reset by"),
            (FileNotFoundError(errno.ENOENT, "No such file"), 3, "all machines share"),
            (PermissionError(errno.EACCES, "Permission denied"), 1, "permission denied"),
            (DataError("part-1.jsonl: is damaged"), 1, "is damaged"),
        ]:
            attempts.clear()
            faults.append(fault)
            found = dict(read_partitions(failing_always, given, executor=executor, progress=silent))
            assert len(attempts) == times
            assert message in str(found["part-1.jsonl"])
            assert isinstance(found["part-2.jsonl"], hf.AnswerSummary)


def failing_on_one_worker(partition, progress):
    worker = worker_address()
    if not bad_workers:
        bad_workers.append(worker)
    if worker in bad_workers:
        raise OSError(errno.EIO, "Input/output error")
    return summary_of(partition)


bad_workers: list[str | None] = []


def test_what_fails_on_one_machine_is_tried_on_another(tmp_path, monkeypatch, places):
    monkeypatch.setattr("hayflick.monitor.partitions._PAUSE_S", 0.0)
    bad_workers.clear()
    given = partitions(tmp_path)
    found = read_partitions(failing_on_one_worker, given, executor=places["Dask"], progress=silent)
    assert all(isinstance(one, hf.AnswerSummary) for one in dict(found).values())
    assert worker_address() is None


def test_a_scheduler_that_is_lost_is_said(tmp_path, monkeypatch, places):
    def lost():
        raise OSError("Connection reset by peer")

    monkeypatch.setattr(places["Dask"]._client, "nthreads", lost)
    with pytest.raises(ExecutorError, match="the scheduler is lost"):
        hf.summarise(parts(tmp_path, 2), **READING, executor=places["Dask"])


KILLING = """
import os

import hayflick as hf

def read(partition, progress):
    if partition.name == "part-1.jsonl":
        os._exit(1)
    return hf.summarise(partition.file.path, by="round", text="answer")
"""


def test_a_file_that_kills_its_process_is_told_from_those_beside_it(tmp_path, monkeypatch):
    # Processes import what they run.
    (tmp_path / "killing_reader.py").write_text(KILLING)
    monkeypatch.syspath_prepend(tmp_path)
    read = importlib.import_module("killing_reader").read
    given = partitions(tmp_path)
    with open_executor("processes", workers=1) as executor:
        found = dict(read_partitions(read, given, executor=executor, progress=silent))
        assert "part-1.jsonl: the process that read it was killed" in str(found["part-1.jsonl"])
        whole = [name for name, one in found.items() if isinstance(one, hf.AnswerSummary)]
        assert sorted(whole) == ["part-0.jsonl", "part-2.jsonl"]
        # A machine that kills whatever runs is not tried with every file.
        monkeypatch.setattr("hayflick.monitor.partitions._MOST_KILLED", 1)
        with pytest.raises(ExecutorError, match="fewer workers"):
            dict(read_partitions(read, given[1:2], executor=executor, progress=silent))


def test_the_command_line_names_where_it_runs(tmp_path, capsys, places):
    paths = [str(path) for path in parts(tmp_path, 2)]
    out = str(tmp_path / "a.summary")
    line = ["summarise", *paths, "--by", "round", "--text", "answer", "-o", out, "--force"]
    assert main(line) == 0
    before = Path(out).read_bytes()
    assert main([*line, "--scheduler", addresses[-1]]) == 0
    assert Path(out).read_bytes() == before
    capsys.readouterr()
    assert main([*line, "--workers", "2"]) == 2
    assert main([*line, "--scheduler", "slurm"]) == 2
    assert "takes threads, processes, or the address" in capsys.readouterr().err


def test_another_process_makes_the_same_vectors(tmp_path, places):
    paths, embedder = parts(tmp_path, 3), "hashing:dimensions=64"
    here = hf.summarise(paths, **READING, embedder=embedder)
    for given in (embedder, hf.HashingEmbedder(dimensions=64)):
        for name in ("a process", "Dask"):
            there = hf.summarise(paths, **READING, embedder=given, executor=places[name])
            assert there.frame.equals(here.frame)
            assert there.settings == here.settings


def test_watch_reads_files_each_by_itself(tmp_path, places):
    paths = parts(tmp_path)
    how = {**READING, "baseline": 4}
    here = hf.watch(paths, **how).to_dict()
    for executor in places.values():
        there = hf.watch(paths, **how, executor=executor).to_dict()
        for key in ("verdict", "charts", "readings", "answers", "measured_answers", "rounds"):
            assert there[key] == here[key]


def test_objects_are_read_where_the_workers_are(tmp_path, bucket, places, capsys):
    for path in parts(tmp_path):
        bucket.put(f"answers/{path.name}", path.read_bytes())
    how = {**READING, "baseline": 4}
    here = hf.watch(tmp_path, **how).to_dict()
    for name in ("Dask", "threads"):
        there = hf.watch(f"{bucket.url}/answers/", **how, executor=places[name]).to_dict()
        for key in ("verdict", "charts", "readings", "answers"):
            assert there[key] == here[key]
    line = ["watch", f"{bucket.url}/answers/", "--by", "round", "--text", "answer"]
    assert main([*line, "--capacity", "20", "--baseline", "4", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["measured_answers"] == 180


def without_credentials_here(partition, progress):
    raise without_credentials(f"s3://bucket/{partition.name}")


def test_of_a_worker_without_credentials_the_machine_is_named(tmp_path, places):
    given = partitions(tmp_path)[:1]
    where = [("Dask", True), ("threads", False)]
    for name, named in where:
        reading = (without_credentials_here, given)
        found = dict(read_partitions(*reading, executor=places[name], progress=silent))
        said = str(found["part-0.jsonl"])
        assert "set AWS_ACCESS_KEY_ID" in said
        assert (f"(said by the worker on {platform.node()})" in said) is named


def test_a_store_that_does_not_answer_is_told_from_a_damaged_file(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.monitor.partitions._PAUSE_S", 0.0)
    given = partitions(tmp_path)
    faults.append(StoreError("s3://bucket/part-1.jsonl: the store does not answer"))
    attempts.clear()
    found = dict(read_partitions(failing_always, given, executor=None, progress=silent))
    assert attempts == [0, 1, 2]
    assert isinstance(found["part-1.jsonl"], StoreError)


def test_of_a_sample_the_number_of_all_answers_is_told(tmp_path, capsys):
    paths = parts(tmp_path)
    number = 400 + 6 * 40
    found = hf.watch(paths, **READING, baseline=4, capacity=20)
    assert (found.answers, found.measured_answers) == (number, 9 * 20)
    assert (found.to_dict()["answers"], found.to_dict()["measured_answers"]) == (number, 9 * 20)
    later = hf.watch(hf.summarise(paths, **READING, capacity=20), start="3", baseline=4)
    rows = sum(1 + (size - row) // 9 for row in range(3, 10) for size in (400, *[40] * 6))
    assert (later.answers, later.measured_answers) == (rows, 7 * 20)
    line = [*map(str, paths), "--by", "round", "--text", "answer", "--baseline", "4"]
    main(["watch", *line, "--capacity", "20"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "640 answers in 9 rounds" in printed
    assert "180 of them are measured: of large rounds a sample is." in printed
    main(["watch", *line])
    assert "of them are measured" not in capsys.readouterr().out


def test_watch_says_which_files_are_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [path.name for path in parts(tmp_path)]
    Path(names[2]).write_text("{broken\n")
    found = hf.watch(names, **READING, baseline=4, capacity=1000)
    assert list(found.failed) == [names[2]]
    line = ["watch", *names, "--by", "round", "--text", "answer", "--capacity", "1000"]
    prometheus = ["--prometheus", "watch.prom"]
    assert main([*line, *prometheus, "--baseline", "4", "--format", "json"]) == 3
    printed = capsys.readouterr()
    assert "line 1 is no JSON" in json.loads(printed.out)["failed"][names[2]]
    assert "error: files are missing that could not be read, 1 in all" in printed.err
    gauges = Path("watch.prom").read_text()
    assert f'hayflick_watch_missing_files{{input="{found.name}"}} 1.0' in gauges
    found.save(tmp_path / "panel.html")
    page = (tmp_path / "panel.html").read_text()
    assert "Missing, as they could not be read: part-2.jsonl." in page
    # An alarm is more than what is missing.
    alike = [json.dumps({"round": at, "answer": "the same"}) for at in range(10, 20) for _ in "abc"]
    Path("later.jsonl").write_text("\n".join(alike * 15))
    assert main([*line, "later.jsonl", "--baseline", "9"]) == 1
    assert "error: files are missing" in capsys.readouterr().err


def test_summaries_take_patterns_and_references(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paths = parts(tmp_path)
    for place, path in enumerate(paths):
        hf.summarise(path, **READING).save(f"{place}.summary")
    main(["watch", "--glob", "*.summary", "--baseline", "4", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert found["readings"] == hf.watch(paths, **READING, baseline=4).to_dict()["readings"]
    folder = tmp_path / "summaries"
    folder.mkdir()
    with pytest.raises(hf.HayflickError, match="holds no summary"):
        hf.merge(folder)
    for place in range(len(paths)):
        Path(f"{place}.summary").rename(folder / f"{place}.summary")
    assert main(["merge", "summaries", "-o", "0.summary"]) == 0
    assert hf.watch("0.summary", baseline=4).to_dict()["readings"] == found["readings"]
    assert main(["watch", "summaries"]) == 2
    assert "summaries/*.summary" in capsys.readouterr().err
    for glob, message in [("*.jsonl", "answers alone"), ("no*.summary", "fits no summary")]:
        assert main(["watch", "--glob", "*.summary", "--glob", glob]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    # A reference may be a summary, or a table that is read as the summary was.
    streams = [paths[1:], hf.summarise(paths[1:], **READING)]
    references = [paths[0], hf.summarise(paths[0], **READING)]
    results = []
    for stream in streams:
        for reference in references:
            how = {} if isinstance(stream, hf.AnswerSummary) else READING
            results.append(hf.watch(stream, **how, baseline_from=reference).to_dict())
    for one in results:
        assert one["readings"] == results[0]["readings"]
        assert one["answers"] == one["measured_answers"] == 640


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 5}, "capacity: got 5, takes no such option beside a summary"),
        ({"executor": ThreadPoolExecutor(1)}, "scheduler: got an executor"),
        ({"skip_bad": True}, "skip_bad"),
        ({"encoding": "latin-1"}, "encoding"),
        ({"normalize": "nfkc"}, "normalize"),
        ({"state": "watch.state"}, "what is kept between calls"),
    ],
)
def test_what_a_summary_has_settled_is_refused(tmp_path, options, message):
    with pytest.raises(hf.HayflickError, match=message):
        hf.watch(hf.summarise(parts(tmp_path, 1), **READING), **options)


def test_a_sample_keeps_no_state(tmp_path):
    with pytest.raises(hf.HayflickError, match="state: got"):
        hf.watch(parts(tmp_path, 2), **READING, capacity=5, state=tmp_path / "a.state")
