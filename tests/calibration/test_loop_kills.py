"""A loop that is killed at any moment is repeated, and its record is the same."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hayflick as hf

PYTHON = sys.executable
TRAIN = """
import sys, time
data, model = sys.argv[1:3]
text = open(data).read()
with open(model, "w") as file:
    # Written in two halves, so that a kill finds half of it.
    file.write(text[: len(text) // 2]); file.flush(); time.sleep(0.03)
    file.write(text[len(text) // 2 :])
"""
SAMPLE = """
import random, sys, time
model, n, out, seed = sys.argv[1:]
drawn = random.Random(int(seed)).choices(open(model).read().split(), k=int(n))
with open(out, "w") as file:
    file.write(" ".join(drawn[: len(drawn) // 2]) + " "); file.flush(); time.sleep(0.03)
    file.write(" ".join(drawn[len(drawn) // 2 :]))
"""
# Ends itself, as kill -9 would, at the n-th call of one of the functions that change the folder.
KILLED = """
import os, signal, sys
function, calls = sys.argv[1], int(sys.argv[2])
module, _, name = function.rpartition(".")
from importlib import import_module
module = import_module(module)
whole = getattr(module, name)
def counted(*given, **named):
    global calls
    calls -= 1
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*given, **named)
setattr(module, name, counted)
import hayflick as hf
hf.loop("trainer.toml", out="killed")
"""


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """A folder with a trainer, and a run that nobody killed."""
    folder = tmp_path_factory.mktemp("kills")
    (folder / "train.py").write_text(TRAIN)
    (folder / "sample.py").write_text(SAMPLE)
    words = [f"w{number * number % 83}" for number in range(600)]
    (folder / "real.txt").write_text("\n".join(" ".join(words[at::60]) for at in range(60)))
    settings = {
        "data": "real.txt",
        "rounds": 2,
        "regime": "fresh:0.1",
        "keep_models": True,
        "calibrate": False,
        "train": f"'{PYTHON}' train.py {{data}} {{model}}",
        "generate": f"'{PYTHON}' sample.py {{model}} {{n}} {{out}} {{seed}}",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (folder / "trainer.toml").write_text("\n".join(lines))
    hf.loop(folder / "trainer.toml", out=folder / "whole")
    return folder


def recorded(run):
    """Return what a run has recorded, but for times, and the names of its files."""
    state = json.loads((run / "loop.json").read_text())
    rounds = [
        {key: value for key, value in one.items() if "seconds" not in key}
        for one in state["rounds"]
    ]
    counts = [json.loads((run / f"round{n}.json").read_text()) for n in range(len(rounds))]
    files = sorted(str(one.relative_to(run)) for one in run.rglob("*"))
    last = (run / f"round{len(rounds) - 1}.txt").read_text()
    return rounds, counts, files, last


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        ("os.replace", 1),  # The copy of the real data is made.
        ("os.replace", 5),  # The first model is trained.
        ("os.replace", 8),  # The counts of the first round are written.
        ("os.replace", 10),  # The first round is moved to its place, but not yet recorded.
        ("subprocess.Popen", 4),  # The second model is trained, and is about to write.
    ],
)
def test_killed_between_two_steps(trainer, function, calls, tmp_path):
    done = subprocess.run(
        [PYTHON, "-c", KILLED, function, str(calls)], cwd=trainer, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = hf.loop(trainer / "trainer.toml", out=trainer / "killed")
    assert run.finished
    assert recorded(trainer / "killed") == recorded(trainer / "whole")
    os.rename(trainer / "killed", tmp_path / "killed")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_program_that_outlives_a_kill_is_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("real.txt").write_text("so it is\n" * 9)
    Path("train.py").write_text("import sys; open(sys.argv[1], 'w')")
    Path("slow.py").write_text(
        "import os, sys, time\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "if os.path.exists('again'):\n"
        "    open(sys.argv[1], 'w').write('it ' * 27)\n"
        "else:\n"
        "    time.sleep(60)\n"
        "    open(sys.argv[1], 'w').write('so ' * 27)\n"
    )
    train = f"'{PYTHON}' train.py {{model}} {{data}}"
    generate = f"'{PYTHON}' slow.py {{out}} {{model}} {{n}}"
    settings = f'train = "{train}"\ngenerate = "{generate}"\ndata = "real.txt"\n'
    Path("trainer.toml").write_text(f"{settings}rounds = 1\ncalibrate = false\n")
    loop = subprocess.Popen([PYTHON, "-c", "import hayflick as hf; hf.loop('trainer.toml')"])
    while not Path("pid").exists() or not Path("pid").read_text():
        assert loop.poll() is None
        time.sleep(0.02)
    begun = time.monotonic()
    time.sleep(0.2)
    loop.kill()
    loop.wait()
    pid = int(Path("pid").read_text())
    assert Path(f"/proc/{pid}").exists()
    Path("again").touch()
    run = hf.loop("trainer.toml")
    # What was lost counts too.
    assert 0.2 < run.spent - sum(run.rounds[1].seconds.values()) < time.monotonic() - begun + 5
    assert json.loads(Path("trainer-run/round1.json").read_text()) == {"it": 27}
    status = Path(f"/proc/{pid}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
