"""Every command of the command line is one function of `hayflick`, with the same answer."""

import json
import random

import pytest
import typer
from recorded_rounds import count_files, recorded_counts

import hayflick as hf
from hayflick.cli.app import app
from hayflick.cli.main import main

EXEMPT = {"db", "doctor", "serve", "serve-agent"}
DRAW = random.Random(3)
WORDS = [f"word{number}" for number in range(60)]
WEIGHTS = [1 / (number + 1) for number in range(60)]
SENTENCES = [" ".join(DRAW.choices(WORDS, WEIGHTS, k=9)) + "." for _ in range(120)]
ANSWERS = [
    {"round": row // 12 + 1, "answer": SENTENCES[row % len(SENTENCES)]} for row in range(240)
]
RESULTS = [
    {"arm": arm, "round": f"{arm} {number}", "value": DRAW.gauss(0.5, 0.1)}
    for arm in ("control", "treated")
    for number in range(8)
    for _ in range(5)
]
NETWORK = """
format_version = 1
seed = 1
rounds = 3
answers = 4
query = "What is new"
retrieval = "uniform:0.5"
embedder = "hashing:dimensions=32"

[pool]
texts = {pool}

[reserve]
texts = {pool}

[[agents]]
name = "one"
kind = "ngram"
texts = {one}

[[agents]]
name = "two"
kind = "ngram"
texts = {two}
"""


def lines(records):
    return "".join(f"{json.dumps(record)}\n" for record in records)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with one input of every kind."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "corpus.txt").write_text("\n".join(SENTENCES))
    (folder / "answers.jsonl").write_text(lines(ANSWERS))
    (folder / "later.jsonl").write_text(lines(ANSWERS[100:]))
    wanted = [{"answer": text} for text in ("It rains in the far north.", "Short.", SENTENCES[0])]
    (folder / "wanted.jsonl").write_text(f"no JSON\n{lines([*ANSWERS[:3], *wanted])}")
    (folder / "results.jsonl").write_text(lines(RESULTS))
    texts = {"pool": SENTENCES[:8], "one": SENTENCES[8:60], "two": SENTENCES[60:]}
    filled = {name: json.dumps(values) for name, values in texts.items()}
    (folder / "village.toml").write_text(NETWORK.format(**filled))
    (folder / "sampler.py").write_text(
        "def sample(data, n, out, seed):\n"
        "    import random\n"
        "    words = open(data).read().split()\n"
        "    open(out, 'w').write(' '.join(random.Random(seed).choices(words, k=n)))\n"
    )
    count_files(folder, recorded_counts(types=300, items=3000))
    (folder / "curve.json").write_text("[0.9, 0.8, 0.72]")
    trainer = 'data = "corpus.txt"\nrounds = 2\ntrainer = "sampler:sample"\n'
    (folder / "trainer.toml").write_text(trainer)
    hf.loop(folder / "trainer.toml")
    design = hf.pilot(effect=0.1, sd=0.1, rounds=8, answers=5)
    design.save(folder / "pilot.json")
    plan = hf.plan(folder / "corpus.txt", keep=0.5, generations=5, replicates=0)
    hf.write_rules(plan, folder / "rules.toml")
    hf.draw_review(folder / "answers.jsonl", by="round", text="answer", number=10).save(
        folder / "review.csv"
    )
    hf.run_network(folder / "village.toml", out=folder / "run")
    (folder / "study.toml").write_text(
        'format_version = 1\nfamily = "zipf:30"\ngenerations = 3\nsamples = [20, 40]\n'
        'regime = ["replace", "fresh:0.2", "accumulate"]\nreplicates = 32\nkeep = 0.5\n'
    )
    return folder


def commands(command, *above):
    """Yield the name of every command, with the groups that it stands in.

    One that is hidden is what its group does where no command of it is named.
    """
    for name, inner in getattr(command, "commands", {}).items():
        if getattr(inner, "commands", None):
            if inner.params or any(one.hidden for one in inner.commands.values()):
                # It does something; another group, named alone, shows its commands.
                yield (*above, name)
            yield from commands(inner, *above, name)
        elif not inner.hidden:
            yield (*above, name)


@pytest.mark.parametrize(
    "path",
    [path for path in commands(typer.main.get_command(app)) if not EXEMPT & set(path)],
    ids=" ".join,
)
def test_every_command_has_a_function_of_its_name(path):
    name = "_".join(reversed(path))
    assert callable(getattr(hf, name)), f"hayflick {' '.join(path)} lacks hayflick.{name}"


PAIRS = {
    "forecast corpus.txt --generations 5 --seed 3": lambda: hf.forecast(
        "corpus.txt", generations=5, seed=3
    ),
    "plan corpus.txt --keep 0.5 --generations 5 --cost-real 2": lambda: hf.plan(
        "corpus.txt", keep=0.5, generations=5, costs=hf.CostModel(real=2.0)
    ),
    "reserve corpus.txt --size 5 --out reserve.jsonl --force": lambda: hf.reserve(
        "corpus.txt", size=5
    ),
    "expressivity corpus.txt --generations 5 --replicates 8": lambda: hf.expressivity(
        "corpus.txt", generations=5, replicates=8
    ),
    "calibrate round0.json round1.json round2.json --ahead 2 --replicates 20": (
        lambda: hf.calibrate([f"round{k}.json" for k in range(3)], ahead=2, replicates=20)
    ),
    "calibrate round0.json --curve curve.json --ahead 2 --replicates 20": lambda: hf.calibrate(
        "round0.json", curve="curve.json", ahead=2, replicates=20
    ),
    "sweep study.toml --resume": lambda: hf.sweep("study.toml"),
    "watch answers.jsonl --by round --text answer": lambda: hf.watch(
        "answers.jsonl", by="round", text="answer"
    ),
    "compare answers.jsonl later.jsonl --text answer --value round": lambda: hf.compare(
        "answers.jsonl", "later.jsonl", text="answer", values=["round"]
    ),
    "audit answers.jsonl --text answer --class round --max-duplicates 0.1": lambda: hf.audit(
        "answers.jsonl", text="answer", label="round", max_duplicates=0.1
    ),
    "admit wanted.jsonl --pool answers.jsonl --text answer --min-words 3 --fail-on reject": (
        lambda: hf.admit(
            "wanted.jsonl",
            pool="answers.jsonl",
            text="answer",
            rules=hf.AdmissionRules(min_words=3),
        ).finish()
    ),
    "review judge review.csv": lambda: hf.judge_review("review.csv"),
    "rules check rules.toml --corpus corpus.txt": lambda: hf.check_rules(
        "rules.toml", corpus="corpus.txt"
    ),
    "rules evaluate rules.toml --corpus corpus.txt --generations 5 --replicates 8": (
        lambda: hf.evaluate_rules("rules.toml", corpus="corpus.txt", generations=5, replicates=8)
    ),
    "pilot --effect 0.1 --sd 0.1 --rounds 8": lambda: hf.pilot(effect=0.1, sd=0.1, rounds=8),
    "pilot analyse results.jsonl --plan pilot.json": lambda: hf.analyse_pilot(
        "results.jsonl", plan="pilot.json"
    ),
    "loop trainer.toml": lambda: hf.loop("trainer.toml"),
    "loop step trainer.toml": lambda: hf.step_loop("trainer.toml"),
    "network estimate village.toml": lambda: hf.estimate_network("village.toml"),
    "network verify run": lambda: hf.verify_network("run"),
    "trace run word1": lambda: hf.trace("run", "word1"),
    "network resume run": lambda: hf.resume_network("run"),
    "network mitigation village.toml --injections 0 --topologies complete --models 2 "
    "--irrelevant 0": lambda: hf.mitigation_network(
        "village.toml", injections=[0], topologies=["complete"], models=[2], irrelevant=[0.0]
    ),
}


@pytest.mark.parametrize("line", PAIRS)
def test_the_command_line_and_python_give_the_same_answer(line, inputs, monkeypatch, capsys):
    monkeypatch.chdir(inputs)
    code = main([*line.split(), "--format", "json"])
    printed = json.loads(capsys.readouterr().out)
    assert code in (0, 1)
    assert json.loads(json.dumps(PAIRS[line]().to_dict())) == printed


@pytest.mark.parametrize("line", [line for line in PAIRS if not line.startswith("network resume")])
def test_every_result_is_saved_as_a_page(line, inputs, monkeypatch, tmp_path):
    monkeypatch.chdir(inputs)
    result = PAIRS[line]()
    for lang in ("en", "ja"):
        page = result.save(tmp_path / f"page-{lang}.html", lang=lang)
        assert f'<html lang="{lang}">' in page.read_text(encoding="utf-8")
    assert result._repr_html_().startswith("<")


def test_simulations_are_the_same(inputs, monkeypatch):
    import xarray

    monkeypatch.chdir(inputs)
    assert (
        main(["simulate", "zipf:20", "--samples", "50", "--generations", "4", "--out", "runs.nc"])
        == 0
    )
    words = hf.Discrete.from_zipf(20) if hasattr(hf.Discrete, "from_zipf") else "zipf:20"
    runs = hf.simulate(words, samples=50, generations=4, seed=1)
    with xarray.open_dataset("runs.nc", engine="h5netcdf") as saved:
        for name in runs.data_vars:
            assert (saved[name].to_numpy() == runs[name].to_numpy()).all()


def test_the_schema_of_rules_is_the_same(capsys):
    assert main(["rules", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == hf.schema_rules()
