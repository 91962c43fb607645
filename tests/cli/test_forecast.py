import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

import hayflick as hf
from hayflick.cli.main import main


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corpus.txt"
    path.write_text("rain snow rain hail rain snow sun [bold] " * 20)
    return path


QUICK = ["--generations", "5", "--replicates", "32"]
LAW_ALONE = ["--generations", "5", "--replicates", "0"]


def test_a_table_is_printed_and_a_report_written(corpus, tmp_path, capsys):
    assert main(["forecast", "corpus.txt", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "corpus.txt holds 160 words in all; different ones: 5." in out
    assert "fresh real data in every round" in out
    assert err == "wrote forecast-corpus.html\n"
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "forecast-corpus.html"]


def test_the_default_report_is_numbered_if_taken(corpus, tmp_path, capsys):
    for _ in range(3):
        assert main(["forecast", "corpus.txt", *QUICK]) == 0
    assert {"forecast-corpus.html", "forecast-corpus-2.html", "forecast-corpus-3.html"} <= {
        *os.listdir(tmp_path)
    }


def test_json_alone_goes_to_standard_output(corpus, tmp_path, capsys):
    assert main(["forecast", "corpus.txt", "--format", "json", *QUICK]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert (record["tokens"], record["types"], record["tokenizer"]) == (160, 5, "words")
    assert err == ""
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_out_and_brief_are_written_where_asked(corpus, tmp_path, capsys):
    names = ["--out", "r.html", "--brief", "b.html"]
    assert main(["forecast", "corpus.txt", "--format", "json", *names, *QUICK]) == 0
    assert {"r.html", "b.html"} <= {*os.listdir(tmp_path)}
    assert main(["forecast", "corpus.txt", *names, *QUICK]) == 2
    assert (
        "exists already; choose another name, or replace it with --force" in capsys.readouterr().err
    )
    assert main(["forecast", "corpus.txt", "--force", *names, *QUICK]) == 0


def test_two_pages_need_two_files(corpus, tmp_path, capsys):
    assert main(["forecast", "corpus.txt", "--out", "r.html", "--brief", "r.html"]) == 2
    assert "brief: got r.html, takes another file than out" in capsys.readouterr().err
    assert main(["forecast", "corpus.txt", "--brief", "b.pdf"]) == 2
    assert "brief: got b.pdf, takes a name ending in .html, .htm" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_japanese_labels_in_cp932_work_the_first_time(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = ["返品"] * 30 + ["感謝"] * 12 + ["解約\u3000手続き"] * 2
    path = tmp_path / "問い合わせ.csv"
    path.write_bytes(("番号,分類\r\n" + "".join(f"1,{row}\r\n" for row in rows)).encode("cp932"))
    arguments = ["問い合わせ.csv", "--column", "分類", "--encoding", "cp932", "--lang", "ja"]
    assert main(["forecast", *arguments, *QUICK]) == 0
    out, _ = capsys.readouterr()
    assert "問い合わせ.csv には延べ 44 のラベルがあり、異なるものは 3 です。" in out
    page = (tmp_path / "forecast-問い合わせ.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    assert "解約\u3000手続き" in page


def test_the_same_seed_prints_the_same(corpus, capsys):
    printed = []
    for seed in ("3", "3", "4"):
        main(["forecast", "corpus.txt", "--format", "json", "--seed", seed, *QUICK])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_names_cannot_move_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps({"\x1b[31mred\n": 1, "plain": 9}))
    assert main(["forecast", "a.json", *QUICK]) == 0
    assert "\x1b[31m" not in capsys.readouterr().out


def test_empty_cells_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("id,label\n1,x\n2,\n3,x\n4,y\n")
    assert main(["forecast", "a.csv", "--column", "label", *QUICK]) == 0
    assert "warning: empty cells left out: 1" in capsys.readouterr().err


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hayflick 0.")
    assert main(["forecast", "--help"]) == 0
    assert "--regime" in capsys.readouterr().out
    assert main([]) == 0
    assert "forecast" in capsys.readouterr().out


def test_the_reader_may_leave(corpus):
    command = [sys.executable, "-m", "hayflick", "forecast", "corpus.txt", "--format", "json"]
    done = subprocess.run(
        f"{' '.join([*command, *LAW_ALONE])} | head -1", shell=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "{"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [(">&-", 0, "wrote"), ("> /dev/full", 2, "error: standard output: No space left on device\n")],
)
def test_standard_output_may_be_closed_or_full(corpus, output, code, said):
    command = [sys.executable, "-m", "hayflick", "forecast", "corpus.txt", "--out", "r.html"]
    done = subprocess.run(
        f"{' '.join([*command, *LAW_ALONE])} {output}", shell=True, capture_output=True, text=True
    )
    assert done.returncode == code
    assert said in done.stderr
    assert "Error" not in done.stderr


def test_ctrl_c_reports_what_is_finished(corpus, tmp_path, monkeypatch, capsys):
    generations, finished = 40, 3

    @contextmanager
    def impatient(*, yes):
        def progress(stage, done, total):
            if stage == "simulating" and done == finished * generations:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        yield progress

    monkeypatch.setattr("hayflick.cli.forecast.progress_bar", impatient)
    settings = ["--generations", str(generations), "--replicates", "3200000", "--threads", "1"]
    pages = ["--format", "json", "--out", "r.html"]
    assert main(["forecast", "corpus.txt", *settings, *pages]) == 130
    out, err = capsys.readouterr()
    assert "interrupted: what was finished is reported" in err
    record = json.loads(out)
    assert record["interrupted"]
    assert record["simulated"]["replicates"] >= 32 * finished
    assert record["simulated"]["replicates"] % 32 == 0
    assert "was interrupted" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_ctrl_c_before_anything_is_finished(corpus, tmp_path):
    code = (
        "import os, signal, sys\n"
        "from hayflick.cli import forecast, main\n"
        "forecast.check_folder = lambda path: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['hayflick', 'forecast', 'corpus.txt']\n"
        "main.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: interrupted; nothing was finished\n"
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_a_fault_in_the_data_leaves_nothing_behind(corpus, tmp_path, capsys):
    assert main(["forecast", "missing.txt", "--out", "r.html", "--brief", "b.html"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_a_forecast_in_python_writes_nothing(corpus, tmp_path):
    hf.forecast("corpus.txt", generations=2, replicates=0)
    assert os.listdir(tmp_path) == ["corpus.txt"]
