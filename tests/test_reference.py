"""The reference is complete, and what of it comes from the code is up to date."""

import json
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from recorded_rounds import recorded_counts

import hayflick
import hayflick.client

DOCS = Path(__file__).parents[1] / "docs"
ANSWERS = {
    "round": [row // 20 + 1 for row in range(240)],
    "answer": [f"word{row % 7} and word{row % 11} make {row % 23}" for row in range(240)],
}
ROUNDS = [
    {f"w{symbol}": int(number) for symbol, number in enumerate(counts) if number}
    for counts in recorded_counts(types=200, items=2000)[:3]
]
RESULTS = {
    "forecast": lambda: hayflick.forecast(ROUNDS[0], generations=3, replicates=8),
    "forecast of numbers": lambda: hayflick.forecast(
        hayflick.Gaussian(5.0, 2.0, total=30), generations=3, replicates=8
    ),
    "plan": lambda: hayflick.plan(ROUNDS[0], keep=0.5, generations=3, replicates=0),
    "calibrate": lambda: hayflick.calibrate(ROUNDS, ahead=2, replicates=20),
    "watch": lambda: hayflick.watch(ANSWERS, by="round", text="answer"),
    "compare": lambda: hayflick.compare(
        ANSWERS, {"answer": ANSWERS["answer"][:100]}, text="answer"
    ),
    "audit": lambda: hayflick.audit(ANSWERS, text="answer", max_duplicates=0.1),
}


def generator(name, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    sys.modules.pop(name, None)
    return import_module(name)


@pytest.mark.parametrize("module", [hayflick, hayflick.client])
def test_every_public_name_stands_in_one_group(module, monkeypatch):
    groups = generator("write_api", monkeypatch).GROUPS
    names = [
        name for group in groups if group.module == module.__name__ for name in group.names.split()
    ]
    assert sorted(names) == sorted(module.__all__)


def test_the_pages_of_the_names_are_up_to_date(monkeypatch):
    written = generator("write_api", monkeypatch)
    pages = written.pages()
    there = {path: path.read_text(encoding="utf-8") for path in pages if path.exists()}
    assert there == pages, "run make generated"
    kept = set((DOCS / "reference" / "api").glob("*.md"))
    assert kept == {path for path in pages if path.parent.name == "api"}


def test_the_glossary_is_sorted_and_every_term_leads_somewhere():
    text = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")
    entries = text.split(":::{glossary}\n")[1].split("\n:::\n")[0].split("\n\n")
    terms = [entry.splitlines()[0] for entry in entries]
    assert terms == sorted(terms, key=lambda term: term.replace("-", "").casefold())
    assert 40 <= len(terms) <= 70
    assert [entry for entry in entries if not re.search(r"\]\(\S+\)$", entry)] == []


def sections(page):
    """Return the tables of a page by heading: the names in the first column, row by row."""
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
        found[part.partition("\n")[0]] = [re.findall(r"`([^`]+)`", row) for row in rows]
    return found


def holds(value, path):
    """Whether a dotted path leads somewhere; through what is empty, anywhere."""
    if not path or value is None or value == []:
        return True
    if isinstance(value, list):
        return holds(value[0], path)
    return path[0] in value and holds(value[path[0]], path[1:])


@pytest.mark.parametrize("name", RESULTS)
def test_the_keys_of_json_are_those_of_the_results(name):
    named = [key for row in sections("json.md")[name] for key in row]
    record = RESULTS[name]().to_dict()
    assert {key.partition(".")[0] for key in named} | {"format_version", "inputs"} == set(record)
    assert [key for key in named if not holds(record, key.split("."))] == []


def test_the_columns_of_a_review_are_those_of_the_file(tmp_path):
    path = tmp_path / "review.csv"
    hayflick.draw_review(ANSWERS, by="round", text="answer", number=5).save(path)
    written = path.read_text(encoding="utf-8-sig").partition("\n")[0].split(",")
    assert [name for row in sections("file-formats.md")["Review"] for name in row[:7]] == written


def test_the_files_hold_what_is_said_of_them(tmp_path):
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \| (.*) \|$",
            (DOCS / "reference" / "file-formats.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    trainer = RESULTS["calibrate"]().to_dict()
    numbers = hayflick.calibrate_numbers(
        means=[70.1, 70.3, 69.8, 70.6], variances=[144, 139, 131, 127], sizes=1000
    ).to_dict()
    for found in (trainer, numbers):
        assert {"format_version", "family", "parameters", "covariance"} < set(found)
        assert all(f"`{name}`" in rows["parameters"] for name in found["parameters"])
    text = "the cat sat\non the mat\nquinces and medlars\n"
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    hayflick.reserve(tmp_path / "corpus.txt", size=2).save(tmp_path / "reserve.jsonl")
    first, second, _ = (tmp_path / "reserve.jsonl").read_text(encoding="utf-8").splitlines()
    page = (DOCS / "reference" / "file-formats.md").read_text(encoding="utf-8")
    told = page.partition("## Reserve")[2].partition("## Simulated")[0]
    assert [key for key in json.loads(first)["hayflick_reserve"] if f"`{key}`" not in told] == []
    assert set(json.loads(second)) == {"line", "text"}


SIMULATED = {
    "bernoulli": hayflick.Bernoulli(0.2),
    "poisson": hayflick.Poisson(3.0),
    "negative-binomial": hayflick.NegativeBinomial(3.0, 1.0),
    "gaussian": hayflick.Gaussian(0.0, 1.0),
    "multivariate-gaussian": hayflick.MultivariateGaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]),
    "symmetric-mixture": hayflick.SymmetricMixture(1.0, 1.0),
    "discrete": hayflick.Discrete.from_counts({"a": 20, "b": 10}),
}


@pytest.mark.parametrize("family", SIMULATED)
def test_every_variable_of_simulated_runs_is_named(family):
    regime = hayflick.Accumulate() if family == "discrete" else hayflick.Replace()
    runs = hayflick.simulate(
        SIMULATED[family], samples=30, generations=2, replicates=4, regime=regime, seed=1
    )
    named = {key for row in sections("file-formats.md")["Simulated runs"] for key in row}
    assert set(runs.data_vars) <= named


def test_the_columns_of_a_study_are_named():
    page = (DOCS / "reference" / "file-formats.md").read_text(encoding="utf-8")
    settings = {"format_version": 1, "family": "zipf:10", "generations": 2, "samples": [10, 20]}
    columns = set(hayflick.sweep(settings).to_frame().columns)
    assert [
        name for name in columns - set(hayflick.Study.model_fields) if f"`{name}`" not in page
    ] == []


def test_the_tables_of_registries_are_up_to_date(monkeypatch):
    pages = generator("write_tables", monkeypatch).pages()
    assert {path: path.read_text(encoding="utf-8") for path in pages} == pages, "run make generated"


def test_every_gauge_of_prometheus_is_named(tmp_path):
    named = {name for row in sections("conventions.md")["Gauges for Prometheus"] for name in row}
    package = Path(hayflick.__file__).parent
    for source in ("monitor/prometheus.py", "service/metrics.py"):
        text = (package / source).read_text(encoding="utf-8")
        written = re.findall(r"\"(hayflick_\w+)\"", text)
        assert written
        assert set(written) <= named


def test_every_variable_of_the_environment_is_named():
    text = (DOCS / "reference" / "conventions.md").read_text(encoding="utf-8")
    source = Path(hayflick.__file__).parents[1]
    used = {
        name
        for package in ("hayflick", "hayflick_client")
        for path in (source / package).rglob("*.py")
        for name in re.findall(r"\bHAYFLICK_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if f"`{name}`" not in text} == set()


def test_the_settings_files_are_up_to_date(monkeypatch):
    written = generator("write_settings", monkeypatch)
    assert written.PAGE.read_text(encoding="utf-8") == written.page(), "run make generated"


def test_how_far_to_trust_it_is_up_to_date(monkeypatch):
    written = generator("write_trust", monkeypatch)
    text = written.PAGE.read_text(encoding="utf-8")
    checks = written.checks()
    rows = re.findall(r"<!-- checks -->\n(.*?)<!-- end", text, re.DOTALL)[0].splitlines()[2:]
    assert [row.strip("| ").split(" | ")[:3] for row in rows] == [
        [check.what, check.kind, f"{check.law():.5f}"] for check in checks
    ], "run make trust"
    # Two of the simulations: the same seed gives the same runs, but for the last digits of others'
    # mathematical libraries.
    for place in (1, 2):
        found = written.measure(checks[place])
        mean = float(rows[place].strip("| ").split(" | ")[3].partition(" ")[0])
        assert found.mean == pytest.approx(mean, abs=found.error / 5), "run make trust"
    assert written.with_records() == text, "run make generated"


def test_the_distances_from_the_laws_are_those_of_chance():
    page = (DOCS / "explanation" / "trust.md").read_text(encoding="utf-8")
    checks = page.split("<!-- checks -->")[1].split("<!-- end of checks -->")[0]
    distances = [
        float(row.strip("| ").rsplit(" | ", 1)[1].replace("−", "-"))
        for row in checks.strip().splitlines()[2:]
    ]
    assert len(distances) > 20
    assert max(map(abs, distances)) < 4.0
