"""Forty hostile texts, and every result with them in each place that a user can name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import hayflick as hf
from hayflick.auditing.audit_result import (
    AuditResult,
    ClassMix,
    CommonPhrase,
    EffectiveItems,
    LengthBin,
    LengthMix,
    MixPart,
    ThresholdCheck,
)
from hayflick.auditing.duplicates import find_duplicates
from hayflick.core.display import report_of
from hayflick.core.notes import Note
from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.corpus.sentences import split_sentences
from hayflick.monitor.pilot_variation import PilotData
from hayflick.network.mitigation import MitigationCase, MitigationStudy, mark_frontier
from hayflick.network.probe import MissingAnswers, Panel, ProbeRound
from hayflick.rules.parsing import parse_rules

TEXTS = (
    "<script>document.title='ran'</script>",
    "<img src=http://evil.test/a.png onerror=\"document.title='ran'\">",
    "</script><script>document.title='ran'</script>",
    "</style><style>body{background:url(http://evil.test/b)}</style>",
    "</title></pre></svg></text><svg onload=\"document.title='ran'\">",
    "\"><iframe src='http://evil.test/c'></iframe>",
    "' onmouseover='document.title=1' autofocus onfocus='document.title=1",
    "javascript:document.title='ran'",
    "<a href='javascript:alert(1)'>x</a><base href='http://evil.test/'>",
    "<link rel=stylesheet href=http://evil.test/d.css><meta http-equiv=refresh content=0;url=http://e>",
    "&lt;b&gt; &#x3c;script&#x3e; &amp;",
    "<!-- ]]> <![CDATA[ --!>",
    "@import url(http://evil.test/e.css); * { color: red }",
    "url(data:text/html,<script>1</script>)",
    "{{ 7 * 7 }} {% for x in y %} {# z #}",
    "{name} {0} {} {{}} {x.__class__.__mro__} }{",
    "%s %d %(name)s %n 100%",
    "${7*7} #{7*7} `id` $(id)",
    'datum.value ? \'a\' : "b" || []; \\" ] ) }',
    "[bold red]rich[/bold red] [link=http://evil.test]x[/link] [/]",
    ":smile: :warning:",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "a\x00b\x01c\x7fd\x08e",
    "line\u2028separator\u2029paragraph\x85next",
    "lone \ud800 and \udfff",
    "\ufffe noncharacter \uffff \ufdd0 \U0010ffff",
    "\u202egnp.exe\u202c \u2066left\u2067right\u2069",
    "\u2069\u2069 \u2068 unbalanced",
    "שלום עולם",
    "العربية ١٢٣ (abc)",
    "\u200b\u200d\ufeff",
    "x\u200by",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 e\u0301\u0302",
    "=cmd|' /C calc'!A0",
    " =1+1",
    "\uff1d1+1",
    "@SUM(1)",
    "\t-1+1\r\n+2",
    "",
    " ",
    "new\nline\r\nand\ttab",
    'msgid "" \\n "quoted" \\',
    "../../etc/passwd",
    "CON",
    "aux.txt:stream*?",
    "all answers",
    "x" * 1_000_000,
    "長" * 1_000_000 + "!",
)
"""Hostile texts; the names of everything that a user can name."""

NAMES = tuple(text for text in TEXTS if text.strip())
"""Those that may be a name where an empty one is refused."""
ENCODABLE = tuple(text for text in NAMES if text.encode(errors="replace").decode() == text)
"""Those that a table of polars can hold."""

_EXPERIMENT: dict[str, Any] = {"format_version": 1, "rounds": 4, "answers": 2}


def _source(name: str, **more: Any) -> Source:
    return Source(name, column=name, **more)


def forecast_of_labels(name: str) -> hf.Forecast:
    """Return a forecast with hostile labels, the likeliest to go among them."""
    counts = {text: 1 + place % 4 for place, text in enumerate(TEXTS)}
    return hf.forecast(
        hf.Discrete.from_counts(counts, source=_source(name)), generations=4, replicates=32
    )


def _forecast_of_words(name: str) -> hf.Forecast:
    counts = {text: 1 + place for place, text in enumerate(TEXTS)}
    source = Source(name, tokenizer="words")
    regime = hf.Anchor.from_mapping({TEXTS[0]: 1, TEXTS[22]: 1})
    model = hf.Discrete.from_counts(counts, source=source)
    return hf.forecast(model, generations=3, replicates=0, regime=regime)


def _series(model: Any, name: str) -> Any:
    forecast = hf.forecast(model, generations=3, replicates=32)
    return dataclasses.replace(forecast, source=_source(name))


def _plan(name: str) -> hf.Plan:
    model = hf.Discrete.from_counts(
        {f"w{n}": 1 + 90 // n for n in range(1, 20)}, source=_source(name)
    )
    costs = hf.CostModel(real=0.5, check=4.0, currency="=<b>{x}\u202e")
    return hf.plan(model, keep=0.7, generations=3, replicates=0, costs=costs)


def _sweep(name: str, folder: Path) -> hf.SweepResult:
    """Return a study whose column, and the files that its regimes name, are hostile."""
    (folder / "stored.json").write_text(json.dumps({"w1": 2}))
    table = folder / "labels.csv"
    table.write_text("label\n" + "w1\nw2\nw3\n" * 9)
    study = {"format_version": 1, "family": "discrete", "corpus": str(table), "generations": 3}
    regimes = ["replace", f"anchor:{folder / 'stored.json'}", 'anchor:{"w1": 1}', "accumulate"]
    found = hf.sweep({**study, "samples": [5, 9], "regime": regimes, "replicates": 32})
    marked = found.study.model_copy(update={"column": name, "family": [name]})
    ready = [
        dataclasses.replace(
            one,
            cell=dataclasses.replace(one.cell, settings={**one.cell.settings, "family": name}),
            regime_text=name,
        )
        for one in found.ready
    ]
    return dataclasses.replace(found, study=marked, ready=tuple(ready), read=(_source(name),))


def _answers(name: str, *, groups: bool = True) -> Answers:
    """Return answers that become the same, in rounds and groups with hostile names."""
    rng = np.random.default_rng(1)
    rounds = np.repeat(np.arange(1, len(NAMES) + 1), 12)
    texts = list(ENCODABLE)
    said = [
        f"{texts[place % len(texts)][:3000]} w{rng.integers(40)} w{rng.integers(40)}"
        if number < 30
        else f"same {texts[1]}"
        for place, number in enumerate(rounds)
    ]
    columns: dict[str, Any] = {"row": np.arange(rounds.size), "round": rounds, "text": said}
    frame = pl.DataFrame(columns).with_columns(
        group=pl.Series([texts[place % 6 if groups else 0] for place in range(rounds.size)]),
        prompt=pl.Series([texts[place % 7] for place in range(rounds.size)]),
    )
    return Answers(name, NAMES, frame)


def _retrieved(name: str) -> Answers:
    """Return such answers with what was retrieved for them, some of it earlier answers."""
    answers = _answers(name)
    texts = [*answers.frame["text"][:200], *ENCODABLE]
    documents = pl.DataFrame(
        {
            "name": [*[None] * 200, *ENCODABLE],
            "text": texts,
            "generated": [*[None] * 200, *[False] * len(ENCODABLE)],
            "source": [ENCODABLE[place % 5] for place in range(len(texts))],
        },
        schema_overrides={"name": pl.String},
    )
    read = [
        [place % len(texts), (7 * place + 1) % len(texts)] for place in range(len(answers.frame))
    ]
    frame = answers.frame.with_columns(retrieved=pl.Series(read))
    return dataclasses.replace(answers, frame=frame, documents=documents)


def _compared(name: str) -> hf.Comparison:
    """Return a comparison of hostile answers to hostile prompts."""
    table = _answers(name).frame.filter(pl.col("text").str.strip_chars() != "")
    table = table.with_columns(pl.col("round").cast(pl.Float64))
    sides = table.filter(pl.col("round") < 20), table.filter(pl.col("round") > 20)
    found = hf.compare(*sides, text="text", prompt="prompt", values=["round"])
    old, new = (dataclasses.replace(side, name=name) for side in (found.old, found.new))
    return dataclasses.replace(found, old=old, new=new)


def _rules(name: str) -> Any:
    """Return rules whose every name is hostile."""
    watched, told = ENCODABLE[0], ENCODABLE[14]
    text = (
        'format_version = 1\nmode = "act"\nbaseline = 10\n'
        f'[[watch]]\nname = {_toml(watched)}\nmetric = "duplicate_rate"\nabove = 0.2\n'
        f"actions = [{_toml(told)}]\n"
        f'[[action]]\nname = {_toml(told)}\nkind = "notify"\nmessage = {_toml(ENCODABLE[20])}\n'
    )
    return hf.RuleSet.of(parse_rules(text), name=name)


def _toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(sign):08x}" for sign in text) + '"'


def _pilot(name: str) -> hf.PilotDesign:
    return hf.PilotDesign(
        arms=NAMES[:12] + NAMES[20:28] + NAMES[-3:],
        rounds=9,
        answers=5,
        aim=hf.Aim(effect=0.2),
        variation=hf.Variation(sd=0.5, correlation=0.02, rounds=20),
        price=0.1,
        currency=name[:200],
    )


def _pilot_result(name: str) -> hf.PilotResult:
    design = _pilot(name)
    arms = tuple(arm for arm in design.arms for _ in range(8))
    numbers = np.tile(np.arange(1, 9), len(design.arms))
    values = np.random.default_rng(3).normal(1.0, 0.03, numbers.size)
    return hf.analyse_pilot(PilotData(name, values, numbers, arms, numbers), plan=design)


def experiment(name: str) -> hf.Experiment:
    """Return an experiment with hostile agents, query and texts."""
    texts = [f"{text[:300]} so it is." for text in ENCODABLE]
    agents = [
        {"name": text[:200], "kind": "ngram", "texts": texts, "tokenizer": "whitespace"}
        for text in ENCODABLE[:36]
    ]
    values = {**_EXPERIMENT, "query": name[:500], "embedder": "hashing:dimensions=16"}
    return hf.Experiment.of({**values, "pool": {"texts": texts}, "agents": agents})


def _network(name: str, folder: Path) -> hf.NetworkRun:
    # A browser keeps an event loop in the thread of its test, and a run takes its own.
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(hf.run_network, experiment(name), out=folder / "run").result()


def _trace(name: str, folder: Path) -> hf.PhraseTrace:
    """Return the trace of what every hostile text says."""
    found = hf.trace(_network(name, folder), "so it is")
    return dataclasses.replace(found, name=name, phrase=name, sources=(_source(name),))


def _mitigation(name: str) -> MitigationStudy:
    cases = [
        MitigationCase(
            topology=text[:200], models=4, injected=n, texts=n, kept=0.5 + n / 9, apart=1.5
        )
        for n in (0, 3)
        for text in ENCODABLE[:4]
    ]
    marked = mark_frontier(cases)
    return MitigationStudy(
        experiment=experiment(name), axes={name: [4]}, agents=marked, surrogate=marked
    )


def _probe(name: str) -> ProbeRound:
    agents = [{"name": text[:200], "kind": "ngram", "texts": ["It rains."]} for text in NAMES[:3]]
    panel = {"format_version": 1, "prompts": [name], "agents": agents, "file": "answers.jsonl"}
    missing = tuple(MissingAnswers(text, 3, name) for text in NAMES[:3])
    file = Path(name[:200].replace("\x00", ""))
    return ProbeRound(1, file, 4, 1, Panel.model_validate(panel), missing=missing, closed=2)


def _review(name: str) -> Any:
    return hf.draw_review(_answers(name), number=30, seed=2)


def _judged(name: str, folder: Path) -> Any:
    path = _review(name).save(folder / "review.csv", force=True)
    return hf.judge_review(path)


def _reserve(name: str, folder: Path) -> hf.Reserve:
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps({"a": text[:5000]}) + "\n" for text in ENCODABLE))
    found = hf.reserve(path, size=3, column="a", must_keep=[ENCODABLE[0]])
    return dataclasses.replace(found, source=_source(name), must_keep=NAMES)


_MODEL = {f"w{n}": 1 + 300 // n for n in range(1, 100)}


def _rules_tried(name: str) -> Any:
    rules = hf.RuleSet.of(
        parse_rules(
            'format_version = 1\nmode = "act"\n[[watch]]\n'
            f'name = {_toml(ENCODABLE[1])}\nmetric = "surviving_fraction"\nbelow = 0.7\n'
            f'actions = ["t"]\n[[watch]]\nname = {_toml(ENCODABLE[4])}\nmetric = "retention"\n'
            'below = 0.7\nactions = ["t"]\n[[action]]\nname = "t"\nkind = "notify"\n'
        ),
        name=name,
    )
    model = hf.Discrete.from_counts(_MODEL, source=_source(name))
    return hf.evaluate_rules(rules, corpus=model, generations=6, replicates=32)


def _planned_rules(name: str) -> Any:
    from hayflick.rules.from_plan import rules_from_plan

    counts = {f"w{n}": 1 + 90 // n for n in range(1, 30)}
    model = hf.Discrete.from_counts(counts, source=_source(name))
    costs = hf.CostModel(real=0.5, check=4.0, currency="+<b>{x}\u202e")
    return rules_from_plan(
        hf.plan(model, keep=0.7, generations=8, replicates=0, at_least=1, costs=costs)
    )


def _gallery(name: str, folder: Path) -> Any:
    found = hf.reproduce(
        "suresh2024", figure=("theorem-3", "theorem-2-low"), seed=2, out=folder / "g"
    )
    figures = tuple(dataclasses.replace(figure, text=name) for figure in found.figures)
    return dataclasses.replace(found, figures=figures)


def _loop(name: str, folder: Path) -> hf.LoopRun:
    """Return a loop with hostile words and a hostile name."""

    def trainer(data_path: str, n: int, out_path: str, seed: int) -> None:
        Path(out_path).write_text(Path(data_path).read_text(encoding="utf-8"), encoding="utf-8")

    real = folder / "hostile.csv"
    labels = [text[:5000] for text in ENCODABLE if "\0" not in text]
    pl.DataFrame({"a": labels}).write_csv(real)
    settings = {"data": str(real), "column": "a", "rounds": 1, "calibrate": False}
    run = hf.loop(settings, trainer=trainer, out=folder / "loop")
    stopped = Note("{done} of {rounds} rounds are done, and the stated {hours} hours are used",
                   done=1, rounds=2, hours=name)  # fmt: skip
    settings = run.settings.model_copy(update={"data": name, "train": name, "regime": name})
    return dataclasses.replace(run, sources=(_source(name),), settings=settings, stopped=stopped)


def _curve_calibration(name: str) -> hf.CurveCalibration:
    counts = {text[:5000]: 2 + place for place, text in enumerate(ENCODABLE)}
    found = hf.calibrate(counts, curve=[0.9, 0.8, 0.7], ahead=2, replicates=20)
    corpus = dataclasses.replace(found.corpus, source=_source(name))
    curve = dataclasses.replace(found.curve, source=_source(name, role="curve"))
    return dataclasses.replace(found, corpus=corpus, curve=curve)


def _calibration(name: str) -> hf.Calibration:
    """Return a calibration with hostile labels, rounds, notes and a hostile name."""
    rng = np.random.default_rng(4)
    counts = [2 + np.arange(len(ENCODABLE))]
    for _ in range(3):
        counts.append(rng.poisson(counts[-1]))
    table = [
        {"label": text[:5000], "round": f"{ENCODABLE[place][:200]} {place}"}
        for place, row in enumerate(counts)
        for text, number in zip(ENCODABLE, row, strict=True)
        for _ in range(int(number))
    ]
    found = hf.calibrate(table, by="round", column="label", ahead=2, replicates=20)
    (source,) = found.rounds.sources
    named = dataclasses.replace(source, name=name, column=name)
    rounds = dataclasses.replace(found.rounds, names=NAMES[:4], sources=(named,))
    return dataclasses.replace(found, rounds=rounds)


def _audit(name: str) -> AuditResult:
    """Return an audit of hostile texts, phrases, languages and classes."""
    phrases = tuple(CommonPhrase(text[:5000], 9, 0.5, text) for text in NAMES)
    parts = tuple(MixPart(text, 40 - place, 0.02, 0.1) for place, text in enumerate(NAMES))
    return AuditResult(
        name=name,
        duplicates=find_duplicates([*ENCODABLE, *ENCODABLE]),
        effective_items=EffectiveItems(
            value=9.0, low=8.0, high=10.0, confidence=0.95, kernel=name, order=1.0, measured=80
        ),
        phrases=phrases,
        templates=phrases,
        searched=80,
        scripts=(MixPart("Latin", 80, 1.0, 0.5),),
        languages=(*parts, MixPart(None, 1, 0.01, 0.0)),
        lengths=LengthMix(mean=9.0, quantiles={0.5: 9.0}, bins=(LengthBin(8, 15, 80),)),
        classes=ClassMix(name, parts, 9.0, 0.05),
        thresholds=(ThresholdCheck("max-duplicates", 0.1, 0.5),),
        rows=np.arange(1, 2 * len(ENCODABLE) + 1),
        sources=(_source(name),),
        settings={"dataset": name},
        seed=1,
    )


def _admission(name: str) -> Any:
    """Return what is said of hostile texts, whose names and sources are hostile too."""
    texts = [{"text": text, "id": text, "from": text} for text in [*TEXTS, *NAMES[:9]]]
    rules = hf.AdmissionRules(max_source_share=0.01, min_words=2)
    pool = {"text": [f"word{n} and more" for n in range(30)], "id": ["p"] * 30, "from": ["p"] * 30}
    answers = hf.admit(texts, pool=pool, rules=rules, id="id", source="from", update=True)
    return dataclasses.replace(answers.finish(), name=name, sources=(_source(name),))


RESULTS: dict[str, Callable[[str, Path], Any]] = {
    "admission": lambda name, _: _admission(name),
    "audit": lambda name, _: _audit(name),
    "forecast-labels": lambda name, _: forecast_of_labels(name),
    "forecast-words": lambda name, _: _forecast_of_words(name),
    "forecast-gaussian": lambda name, _: _series(hf.Gaussian(70.0, 12.0, total=40), name),
    "forecast-vectors": lambda name, _: _series(
        hf.MultivariateGaussian(np.zeros(2), np.eye(2), total=30, names=(name, ENCODABLE[1])), name
    ),
    "forecast-poisson": lambda name, _: _series(hf.Poisson(0.2, total=30), name),
    "forecast-negative-binomial": lambda name, _: _series(
        hf.NegativeBinomial(2.0, 1.0, total=30), name
    ),
    "forecast-ngram": lambda name, _: _series(
        hf.NGram(split_sentences(". ".join(text[:500] for text in ENCODABLE)), order=2), name
    ),
    "expressivity": lambda name, _: hf.expressivity(
        hf.Discrete.from_counts(_MODEL, source=_source(name)), generations=3, replicates=8
    ),
    "plan": lambda name, _: _plan(name),
    "planned-rules": lambda name, _: _planned_rules(name),
    "sweep": _sweep,
    "reserve": _reserve,
    "watch": lambda name, _: hf.watch(_answers(name)),
    "watch-retrieved": lambda name, _: hf.watch(_retrieved(name)),
    "watch-rules": lambda name, _: hf.watch(_answers(name), rules=_rules(name)),
    "rules-check": lambda name, _: hf.check_rules(_rules(name)),
    "rules-evaluation": lambda name, _: _rules_tried(name),
    "review-sample": lambda name, _: _review(name),
    "review": _judged,
    "pilot-design": lambda name, _: _pilot(name),
    "pilot-result": lambda name, _: _pilot_result(name),
    "network": _network,
    "network-estimate": lambda name, _: hf.estimate_network(experiment(name)),
    "gallery": _gallery,
    "trace": _trace,
    "mitigation": lambda name, _: _mitigation(name),
    "probe": lambda name, _: _probe(name),
    "compare": lambda name, _: _compared(name),
    "calibration": lambda name, _: _calibration(name),
    "curve-calibration": lambda name, _: _curve_calibration(name),
    "loop": _loop,
    "number-calibration": lambda name, _: hf.calibrate_numbers(
        means=[[5.0, 5.1, 5.0], [0.0, 0.1, 0.2]],
        variances=[[4.0, 3.9, 4.2], [1.0, 1.1, 0.9]],
        sizes=200,
        columns=[name, ENCODABLE[1]],
    ),
}
"""How every result is made, by name, from the name of its input and a folder."""


def pages(kind: str, folder: Path, *, name: str = TEXTS[4]) -> Iterator[tuple[str, str]]:
    """Iterate over all that is shown of a result: page and brief by language, notebook's view."""
    result = RESULTS[kind](name, folder)
    report = report_of(result)
    for lang in ("en", "ja"):
        yield f"{kind}-{lang}", report.page(result, lang=lang)
        if hasattr(report, "brief"):
            yield f"{kind}-brief-{lang}", report.brief(result, lang=lang)
    yield f"{kind}-notebook", report.fragment(result)
