"""Real, small trainers in a loop, and what is calibrated on them: opt in by installing torch."""

import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.cli.main import main

# Found, not imported: they belong to the processes that are started here.
LIBRARIES = ("torch", "transformers", "sklearn")
MISSING = ", ".join(name for name in LIBRARIES if find_spec(name) is None)
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{MISSING}: not installed; run make test-trainers"
)

EXAMPLES = Path(__file__).parents[2] / "examples"
TRAINERS = EXAMPLES / "trainers"
ROUNDS = 3
LONGEST_ROUND_S = 300.0


def run_script(name, *arguments):
    command = [sys.executable, str(TRAINERS / name), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def shipped(folder, name, **changed):
    """Write the settings that ship for a trainer, with its scripts' paths, and return the file."""
    text = (TRAINERS / f"{name}.toml").read_text(encoding="utf-8")
    for script in TRAINERS.glob("*.py"):
        text = text.replace(f"python {script.name}", shlex.join([sys.executable, str(script)]))
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with 6,000 words of docstrings, 700 of them different."""
    folder = tmp_path_factory.mktemp("trainers")
    text = folder / "docstrings.txt"
    command = [sys.executable, str(EXAMPLES / "collect_docstrings.py"), str(text)]
    subprocess.run(command, check=True, capture_output=True)
    run_script("prepare_words.py", text, folder / "words.txt", "--words", 700, "--items", 6000)
    return folder


@pytest.fixture(scope="module")
def clocks(folder):
    """Return what is calibrated on the recurrent network, by its temperature."""
    clocks = {}
    for temperature in (1.0, 0.9):
        heat = ("--temperature 0.9", f"--temperature {temperature}")
        file = shipped(folder, "gru", heat=heat, rounds=("rounds = 4", f"rounds = {ROUNDS}"))
        out = folder / f"gru {temperature}"
        assert main(["loop", str(file), "--out", str(out)]) == 0
        files = [out / f"round{number}.json" for number in range(ROUNDS + 1)]
        clocks[temperature] = hf.LoopRun.read(out), hf.calibrate(files)
    return clocks


def test_a_low_temperature_sharpens(clocks):
    (warm, even), (cold, sharp) = clocks[1.0], clocks[0.9]
    assert len(warm.rounds) == len(cold.rounds) == ROUNDS + 1
    assert sharp.resampler.sharpening > even.resampler.sharpening
    assert cold.record.kept[-1] < warm.record.kept[-1]


def test_a_loop_that_is_killed_goes_on_to_the_same_record(clocks, folder):
    whole, cut = folder / "gru 0.9", folder / "cut"
    command = [sys.executable, "-m", "hayflick", "loop", str(folder / "gru.toml")]
    process = subprocess.Popen([*command, "--out", str(cut)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + LONGEST_ROUND_S
        while not (cut / "round1.json").exists():
            assert time.monotonic() < end, "no round is done"
            time.sleep(0.05)
        time.sleep(1.0)  # into the second training
    finally:
        process.kill()
        process.wait(timeout=30)
    assert len(hf.LoopRun.read(cut).rounds) < ROUNDS + 1
    assert main(["loop", str(folder / "gru.toml"), "--out", str(cut)]) == 0
    for number in range(ROUNDS + 1):
        name = f"round{number}.json"
        assert (cut / name).read_text() == (whole / name).read_text()


def test_the_same_seed_trains_and_writes_the_same(folder, tmp_path):
    for name in ("a", "b"):
        run_script("gru.py", "train", folder / "words.txt", tmp_path / name, "--epochs", 1)
        run_script("gru.py", "generate", tmp_path / name, 1010, tmp_path / f"{name}.txt", 3)
    first = (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert len(first.split()) == 1010
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == first


def test_top_k_of_one_always_writes_the_same_line(folder, tmp_path):
    run_script("gru.py", "train", folder / "words.txt", tmp_path / "model", "--epochs", 1)
    out = tmp_path / "out.txt"
    run_script("gru.py", "generate", tmp_path / "model", 100, out, 3, "--top-k", 1)
    assert len(set(out.read_text(encoding="utf-8").splitlines())) == 1


def test_a_transformers_model_made_on_the_spot(folder):
    few = ("train {data}", "train --steps 40 {data}")
    file = shipped(folder, "transformers", few=few, rounds=("rounds = 4", "rounds = 2"))
    out = folder / "transformers"
    assert main(["loop", str(file), "--out", str(out)]) == 0
    assert hf.LoopRun.read(out).rounds[-1].items == 6000


def test_a_transformers_model_from_a_folder(folder, tmp_path):
    base, model, out = tmp_path / "base", tmp_path / "model", tmp_path / "out.txt"
    data = folder / "words.txt"
    run_script("transformers_lm.py", "train", data, base, "--steps", 2)
    run_script("transformers_lm.py", "train", data, model, "--steps", 2, "--base", base)
    run_script("transformers_lm.py", "generate", model, 500, out, 1)
    assert len(out.read_text(encoding="utf-8").split()) == 500


def test_a_table(folder):
    run_script("tabular.py", "example", folder / "customers.csv", "--rows", 2000)
    file = shipped(folder, "tabular")
    out = folder / "tabular"
    assert main(["loop", str(file), "--out", str(out)]) == 0
    run = hf.LoopRun.read(out)
    assert run.rounds[-1].items == 2000
    assert run.record.kept[-1] < 1.0
