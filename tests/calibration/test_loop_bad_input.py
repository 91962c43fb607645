"""What a loop refuses, and how a trainer fails: named, and never an internal error."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, OutputError, TrainerError
from hayflick.core.locks import file_lock

REAL = "so it is and so it was\n" * 20
PYTHON = sys.executable


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "real.txt").write_text(REAL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(folder, code, *, name="custom.py"):
    (folder / name).write_text(f"import os, sys, time\n{code}\n")
    return f"'{PYTHON}' {name}"


def settings(folder, **values):
    """Write settings in which a value of None is left out."""
    train = script(folder, "open(sys.argv[2], 'w').write('model')", name="train.py")
    generate = script(
        folder, "open(sys.argv[3], 'w').write('it ' * int(sys.argv[2]))", name="generate.py"
    )
    whole = {
        "data": "real.txt",
        "rounds": 1,
        "calibrate": False,
        "train": f"{train} {{data}} {{model}}",
        "generate": f"{generate} {{model}} {{n}} {{out}} {{seed}}",
        **values,
    }
    lines = (f"{key} = {json.dumps(value)}\n" for key, value in whole.items() if value is not None)
    (folder / "trainer.toml").write_text("".join(lines))
    return "trainer.toml"


def refused(kind=(ArgumentError, DataError, OutputError)):
    """Return why a loop is refused, as the command line shows it."""
    with pytest.raises(kind) as fault:
        hf.loop("trainer.toml")
    assert not (Path("trainer-run") / "round1.json").exists()
    return " ".join(str(fault.value).split())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"round": 3}, "trainer.toml: round: got an unknown key"),
        ({"round": 3}, "did you mean rounds?"),
        ({"keep_text": True}, "did you mean keep_texts?"),
        ({"rounds": None}, "trainer.toml: rounds: got nothing, takes a value"),
        ({"data": None}, "trainer.toml: data: got nothing"),
        ({"rounds": 0, "calibrate": False}, "trainer.toml: rounds: got 0, takes"),
        ({"rounds": "3"}, "trainer.toml: rounds: got 3, takes"),
        ({"rounds": True}, "trainer.toml: rounds: got True, takes"),
        ({"samples": 0}, "samples: got 0, takes"),
        ({"hours": 0}, "hours: got 0, takes"),
        ({"timeout": -1.5}, "timeout: got -1.5, takes"),
        ({"seed": -1}, "seed: got -1, takes"),
        ({"seed": 2**63}, "seed: got 9223372036854775808, takes"),
        ({"format_version": 2}, "format_version: got 2, takes"),
        ({"data": "missing.txt"}, "missing.txt: no such file; trainer.toml names it as data"),
        ({"data": ""}, "data: got , takes"),
        ({"tokenizer": "word"}, "did you mean words?"),
        ({"encoding": "utf-9"}, "encoding: got utf-9, takes"),
        ({"column": "label"}, "column: got label, takes a table"),
        ({"regime": "frsh:0.1"}, "did you mean fresh?"),
        ({"regime": "fresh:2"}, "share: got 2.0, takes a number from 0 to 1"),
        ({"regime": "triggered:below=0.5,items=2"}, "anchor or accumulate in a loop"),
        ({"regime": "accumulate-subsample"}, "anchor or accumulate in a loop"),
        ({"regime": "anchor:nothing.txt"}, "nothing.txt: no such file"),
        ({"regime": 'anchor:{"so": 999}'}, "got 999, takes at most 140 items"),
        ({"train": None}, "trainer.toml: trainer: got 'generate', takes train and generate"),
        ({"generate": None}, "trainer.toml: trainer: got 'train', takes train and generate"),
        ({"trainer": "a:b"}, "got 'train', 'generate', 'trainer', takes"),
        ({"train": None, "generate": None}, "got none of them, takes"),
        ({"train": None, "generate": None, "trainer": "a.py"}, "takes module:function"),
        ({"train": None, "generate": None, "trainer": "a:b()"}, "takes module:function"),
    ],
)
def test_settings_that_are_refused(folder, values, message):
    settings(folder, **values)
    assert message in refused()
    assert not (folder / "trainer-run").exists()


def test_the_command_line_shows_why(folder, capsys):
    settings(folder, rounds=None, round=3)
    assert main(["loop", "trainer.toml"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: trainer.toml: round: got an unknown key, takes format_version")
    settings(folder, generate=f"{script(folder, 'sys.exit(4)')} {{model}} {{n}} {{out}}")
    assert main(["loop", "trainer.toml"]) == 3
    assert "generate, round 1: failed with exit status 4" in capsys.readouterr().err


def test_a_file_that_is_none(folder, capsys):
    assert main(["loop", "missing.toml"]) == 2
    assert "missing.toml: no such file; takes the settings of a loop" in capsys.readouterr().err
    (folder / "trainer.toml").write_text("rounds = ")
    assert "trainer.toml: is no TOML" in refused()
    assert main(["loop"]) == 0
    assert "hayflick loop SETTINGS" in capsys.readouterr().out
    assert main(["loop", "step"]) == 2
    assert "SETTINGS" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["{data}", "{model}"])
def test_a_placeholder_of_train_is_missing(folder, missing):
    command = "python train.py {data} {model}".replace(missing, "x")
    settings(folder, train=command)
    shown = refused()
    assert f"trainer.toml: train: got {command}" in shown
    assert f"{missing} is missing" in shown


@pytest.mark.parametrize("missing", ["{model}", "{n}", "{out}"])
def test_a_placeholder_of_generate_is_missing(folder, missing):
    command = "python sample.py {model} {n} {out} {seed}".replace(missing, "")
    settings(folder, generate=command)
    assert f"{missing} is missing" in refused()


@pytest.mark.parametrize(
    ("mark", "remedy"),
    [
        ("{modle}", "did you mean {model}?"),
        ("{dat}", "did you mean {data}?"),
        ("{data.__class__}", "got {data.__class__}, takes"),
        ("{}", "write {{ and }} for braces"),
        ("{0}", "write {{ and }} for braces"),
        ("'{1: 2}'", "write {{ and }} for braces"),
        ("{", "write {{ and }} for braces"),
        ("}", "write {{ and }} for braces"),
        ("{out}", "takes the placeholders {data}, {model}, {seed}, {round}"),
    ],
)
def test_a_placeholder_that_is_unknown(folder, mark, remedy):
    settings(folder, train=f"python train.py {{data}} {{model}} {mark}")
    assert remedy in refused()


@pytest.mark.parametrize(
    ("part", "sign"),
    [
        ("| tee log.txt", "|"),
        ("> log.txt", ">"),
        ("2>&1", ">"),
        ("< in.txt", "<"),
        ("&& echo done", "&&"),
        ("|| true", "||"),
        ("; echo done", ";"),
        ("&", "&"),
        ("--home $HOME", "$HOME"),
        ('"$HOME/x"', "$HOME"),
        ("${HOME}", "${HOME}"),
        ("$(date)", "$(date)"),
        ("`date`", "`"),
        ('"`date`"', "`"),
        ("~/x", "~"),
        ("*.txt", "*"),
        ("(x)", "("),
        ("\npython more.py", "a line break"),
    ],
)
def test_a_command_that_needs_a_shell(folder, part, sign):
    settings(folder, generate=f"python x.py {{model}} {{n}} {{out}} {part}")
    shown = refused()
    assert "trainer.toml: generate: got python x.py" in shown
    assert f"{sign} needs a shell: put the command in a script" in shown


def test_what_a_shell_would_leave_alone_is_passed_on(folder):
    code = (
        "import sys; assert sys.argv[3:] == ['a|b', '$x', '~', 'c~', '{{d}}', 'e f', 'g;h', '5$']"
    )
    command = [PYTHON, "-c", f"{code}; open(sys.argv[2], 'w').write('m')", "{data}", "{model}"]
    import shlex

    quoted = shlex.join([*command, "a|b", "$x", "~", "c~", "{{d}}", "e f"])
    hf.loop(settings(folder, train=quoted + r" g\;h 5$"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program {data} {model}", "no-such-program, takes a program that can be executed"),
        ("./no-such-script {data} {model}", "./no-such-script, takes a program"),
        ("train.py {data} {model}", "train.py, takes a program"),
        ("CUDA=0 python {data} {model}", "write env before it"),
        ("cd x {data} {model}", "cd, takes a program"),
        ("python 'x {data} {model}", "takes a command whose quotes are closed"),
        ("   ", "takes a command"),
    ],
)
def test_a_program_that_cannot_be_run(folder, command, message):
    settings(folder, train=command)
    shown = refused()
    if command.startswith("cd") and "takes a program" not in shown:
        pytest.skip("this system has a program of the name cd")
    assert message in shown


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("pass", "generated.txt was not written, though the command ended well"),
        ("open(sys.argv[3], 'w')", "generated.txt is empty, 140 tokens were wanted"),
        ("open(sys.argv[3], 'w').write(' \\n\\n')", "holds 0 tokens, 140 were wanted"),
        ("open(sys.argv[3], 'w').write('it ' * 139)", "holds 139 tokens, 140 were wanted"),
        ("open(sys.argv[3], 'w').write('it ' * 139)", "let generate write more"),
        ("os.mkdir(sys.argv[3])", "generated.txt is no file"),
        ("os.mkfifo(sys.argv[3])", "generated.txt is no file"),
        ("os.symlink('/dev/zero', sys.argv[3])", "generated.txt is no file"),
        ("open(sys.argv[3], 'wb').write(b'it \\xe9 ' * 99)", "is not UTF-8 (offset 3): let"),
        ("open(sys.argv[3], 'w', encoding='utf-16').write('it' * 99)", "is not UTF-8 (offset 0)"),
        ("open(sys.argv[3], 'wb').write(b'it\\0' * 200)", "looks binary"),
        ("open(sys.argv[3], 'wb').truncate(1 << 40)", "more than the 67,1"),
    ],
)
def test_what_a_trainer_writes_cannot_be_used(folder, code, message):
    settings(folder, generate=f"{script(folder, code)} {{model}} {{n}} {{out}}")
    assert message in refused()
    # The model is there, and what is mended is repeated.
    repeated = settings(folder, generate=f"{script(folder, code)} {{model}} {{n}} {{out}}")
    script(folder, "open(sys.argv[3], 'w').write('it ' * 140)")
    script(folder, "raise SystemExit('trained again')", name="train.py")
    assert hf.loop(repeated).finished


def test_train_writes_no_model(folder):
    settings(folder, train=f"{script(folder, 'pass', name='t.py')} {{data}} {{model}}")
    assert "train, round 1: wrote nothing to {model}" in refused()


def test_a_trainer_that_changes_its_data_changes_no_record(folder):
    code = "open(sys.argv[1], 'a').write('more'); open(sys.argv[2], 'w').write('m')"
    hf.loop(settings(folder, train=f"{script(folder, code)} {{data}} {{model}}"))
    assert (folder / "trainer-run" / "round0.txt").read_text() == REAL


def test_a_command_that_fails(folder):
    code = "print('epoch 1'); sys.stderr.write('\\x1b[31mone\\ntwo\\u202e\\r\\nthree'); sys.exit(7)"
    settings(folder, generate=f"{script(folder, code)} {{model}} {{n}} {{out}}")
    shown = refused(TrainerError)
    assert "generate, round 1: failed with exit status 7; stderr ends with:" in shown
    assert "31mone / two" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "stderr.log" in shown
    log = next((folder / "trainer-run" / "work").glob("generate-*/stdout.log"))
    assert log.read_text() == "epoch 1\n"


def test_a_command_that_is_killed(folder):
    settings(
        folder, train=f"{script(folder, 'os.kill(os.getpid(), 9)', name='t.py')} {{data}} {{model}}"
    )
    shown = refused(TrainerError)
    assert "train, round 1: was ended by the signal SIGKILL" in shown
    assert "said nothing on stderr" in shown


def test_how_to_go_on_is_said(folder, capsys):
    settings(folder, train=f"{script(folder, 'sys.exit(1)', name='t.py')} {{data}} {{model}}")
    assert main(["loop", "trainer.toml", "--out", "my run"]) == 3
    assert "go on with: hayflick loop trainer.toml --out 'my run'" in capsys.readouterr().err


def alive(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(pid, *, within=5.0):
    end = time.monotonic() + within
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


WITH_CHILD = (
    "import subprocess\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"
    "time.sleep(60)"
)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_timeout_ends_the_command_and_its_children(folder):
    settings(folder, timeout=1.0, generate=f"{script(folder, WITH_CHILD)} {{model}} {{n}} {{out}}")
    shown = refused(TrainerError)
    assert "generate, round 1: not done after 1 seconds (timeout), and ended" in shown
    assert "raise timeout" in shown
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert all(gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_command_that_ignores_being_asked_to_end(folder, monkeypatch):
    monkeypatch.setattr("hayflick.calibration.processes._GRACE_S", 0.2)
    code = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('pids', 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    settings(folder, timeout=0.6, generate=f"{script(folder, code)} {{model}} {{n}} {{out}}")
    with pytest.raises(TrainerError, match="timeout"):
        hf.loop("trainer.toml")
    assert gone(int((folder / "pids").read_text()))


def test_hours_end_a_command_that_is_running(folder, capsys):
    code = "open('begun', 'w'); time.sleep(60)"
    settings(folder, hours=0.0003, generate=f"{script(folder, code)} {{model}} {{n}} {{out}}")
    assert main(["loop", "trainer.toml"]) == 3
    assert "the stated 0.0003 hours are used" in capsys.readouterr().err
    assert (folder / "begun").exists()


def test_a_function_that_raises(folder):
    def trainer(data_path, n, out_path, seed):
        raise ZeroDivisionError("no\x1bthing")

    with pytest.raises(TrainerError, match=r"trainer, round 1: raised ZeroDivisionError: no.thing"):
        hf.loop({"data": "real.txt", "rounds": 1, "calibrate": False}, trainer=trainer, out="run")


def test_functions_that_are_refused(folder):
    values = {"data": "real.txt", "rounds": 1, "calibrate": False}
    with pytest.raises(ArgumentError, match="trainer: got 3, takes a function of"):
        hf.loop(values, trainer=3, out="run")
    with pytest.raises(ArgumentError, match="settings: trainer: got 'trainer', takes nothing"):
        hf.loop({**values, "trainer": "a:b"}, trainer=print, out="run")
    with pytest.raises(ArgumentError, match=r"timeout: got 3.0, takes nothing beside a function"):
        hf.loop({**values, "timeout": 3}, trainer=print, out="run")
    with pytest.raises(ArgumentError, match="hours: got 0, takes a number above 0"):
        hf.loop(values, trainer=print, out="run", hours=0)


def test_a_module_that_is_missing(folder):
    settings(folder, train=None, generate=None, trainer="no_such_module:train")
    assert "No module named 'no_such_module'" in refused(TrainerError)


def test_two_loops_in_one_folder(folder):
    settings(folder)
    (folder / "trainer-run").mkdir()
    with file_lock(folder / "trainer-run" / "lock.db", subject="mine"):
        assert "trainer-run: another process is at work on it" in refused()
    assert hf.loop("trainer.toml").finished


def test_a_folder_that_holds_something_else(folder):
    settings(folder)
    (folder / "trainer-run").mkdir()
    (folder / "trainer-run" / "thesis.tex").write_text("x")
    assert "holds 'thesis.tex', and no loop; name another folder" in refused()
    assert (folder / "trainer-run" / "thesis.tex").exists()
    with pytest.raises(OutputError, match="is no folder"):
        hf.loop("trainer.toml", out="real.txt")
    with pytest.raises(OutputError, match="the folder does not exist"):
        hf.loop("trainer.toml", out="no/such/run")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format_version": 1}', "null", '{"format_version": 1, "rounds": [{}]}'],
)
def test_a_damaged_record(folder, content):
    settings(folder)
    (folder / "trainer-run").mkdir()
    (folder / "trainer-run" / "loop.json").write_text(content)
    assert "loop.json" in refused()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("rounds", 1, "types"), "many"),
        (("rounds", 0, "round"), 4),
        (("rounds",), []),
        (("rounds", 1, "seconds"), {"train": "long"}),
        (("sources", 0, "rows"), "x"),
        (("sources", 0, "file"), 3),
        (("sources",), []),
        (("settings", "rounds"), None),
        (("spent_seconds",), "1 hour"),
    ],
)
def test_a_record_whose_values_are_of_another_kind(folder, place, value):
    settings(folder)
    hf.loop("trainer.toml")
    file = folder / "trainer-run" / "loop.json"
    record = json.loads(file.read_text())
    inner = record
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    file.write_text(json.dumps(record))
    with pytest.raises(
        (DataError, ArgumentError), match=r"loop\.json: is damaged|settings: rounds"
    ):
        hf.loop("trainer.toml")


def test_a_record_of_another_version(folder):
    settings(folder)
    (folder / "trainer-run").mkdir()
    (folder / "trainer-run" / "loop.json").write_text('{"format_version": 9}')
    assert "has format_version 9, this version of hayflick reads 1" in refused()


@pytest.mark.parametrize("name", ["round0.json", "round0.txt"])
def test_a_file_of_a_run_is_missing(folder, name):
    settings(folder)
    hf.loop("trainer.toml", out="run")
    settings(folder, rounds=2, regime="replace")
    (folder / "run" / name).unlink()
    if name == "round0.json":
        with pytest.raises(DataError, match=r"round0\.json"):
            hf.loop("trainer.toml", out="run")
    else:
        assert hf.loop("trainer.toml", out="run").finished


def test_a_run_that_is_none(folder):
    with pytest.raises(DataError, match="holds no loop"):
        hf.LoopRun.read(folder)


def test_tables_that_are_refused(folder):
    (folder / "counts.json").write_text('{"a": 3}')
    (folder / "labels.csv").write_text("a,b\n1,\n2,\n")
    values = {"rounds": 1, "calibrate": False}
    for data, more, message in (
        ("counts.json", {}, "holds counts alone"),
        ("labels.csv", {}, "--column"),
        ("labels.csv", {"column": "c"}, "'c'"),
        ("labels.csv", {"column": "b"}, "the column 'b' holds no label"),
        ("labels.csv", {"column": "a", "tokenizer": "words"}, "tokenizer: got words"),
    ):
        with pytest.raises((DataError, ArgumentError), match=message):
            hf.loop({**values, "data": data, **more}, trainer=print, out="run")
        assert not (folder / "run").exists()


def interrupted(folder, *sent):
    """Return how a loop ends that gets signals while a command is running."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from hayflick.cli.main import run; run()"
    )
    running = subprocess.Popen(
        [PYTHON, "-c", code, "loop", "trainer.toml"], stderr=subprocess.PIPE, text=True
    )
    while not (folder / "pids").exists() or not (folder / "pids").read_text():
        assert running.poll() is None
        time.sleep(0.02)
    for number in sent:
        running.send_signal(number)
        time.sleep(0.3)
    _, error = running.communicate(timeout=30)
    assert all(gone(int(pid)) for pid in (folder / "pids").read_text().split())
    return running.returncode, error.splitlines()[-1]


def test_a_second_interrupt_kills(folder):
    ignores = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    settings(folder, generate=f"{script(folder, ignores + WITH_CHILD)} {{model}} {{n}} {{out}}")
    begun = time.monotonic()
    code, said = interrupted(folder, signal.SIGINT, signal.SIGINT)
    assert (code, said) == (130, "interrupted; go on with: hayflick loop trainer.toml")
    assert time.monotonic() - begun < 5.0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_an_interrupt_ends_the_command(folder, sent):
    settings(folder, generate=f"{script(folder, WITH_CHILD)} {{model}} {{n}} {{out}}")
    code, said = interrupted(folder, sent)
    assert (code, said) == (130, "interrupted; go on with: hayflick loop trainer.toml")
    script(folder, "open(sys.argv[3], 'w').write('it ' * 140)")
    script(folder, "raise SystemExit('trained again')", name="train.py")
    assert hf.loop("trainer.toml").finished
