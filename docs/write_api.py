"""The pages of docs/reference/api: every public name in the group of its question."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).with_name("reference")


@dataclass(frozen=True)
class Group:
    """A page of the reference: the names that answer one question."""

    page: str
    title: str
    question: str
    names: str
    guide: tuple[str, str]
    module: str = "hayflick"


GROUPS = (
    Group(
        "data",
        "Data",
        "What is read, and how: counts, tables, lists of what has to stay.",
        "Counts TableFormat MustKeepList",
        ("inputs.md", "What hayflick reads, and what it says of it"),
    ),
    Group(
        "families",
        "Families and estimators",
        "Which model is retrained on its own output, and how it is fitted.",
        "Discrete NGram Bernoulli Poisson NegativeBinomial Gaussian MultivariateGaussian"
        " SymmetricMixture AddDelta GoodTuring",
        ("families.md", "Families, stages and estimators"),
    ),
    Group(
        "stages",
        "Stages",
        "What else happens in a round: sampling, noise, selection, rounding.",
        "Stages Temperature TopK TopP LabelNoise Confusion Contamination AdditiveNoise"
        " GaussianContamination Verifier Quality Interval Grid",
        ("families.md", "Families, stages and estimators"),
    ),
    Group(
        "regimes",
        "Regimes",
        "What a round is trained on.",
        "Replace Fresh Periodic Scheduled Anchor Accumulate AccumulateSubsample Triggered"
        " Threshold",
        ("families.md", "Families, stages and estimators"),
    ),
    Group(
        "laws",
        "Laws and simulation",
        "What becomes of a model after so many rounds: by law, and by drawing it.",
        "survival expected_diversity loss_time gaussian_scale simulate plot_runs save_plot"
        " progress_bar",
        ("laws.md", "The laws, and how far to trust them"),
    ),
    Group(
        "forecasting",
        "Forecasting",
        "How many rounds until the rare things are gone.",
        "forecast Forecast SeriesForecast AtRisk ClassOutlook expressivity Expressivity",
        ("forecast.md", "Forecasting, step by step"),
    ),
    Group(
        "planning",
        "Planning",
        "How much real data has to go into each round, how sure that is, and what it costs.",
        "plan Plan Design Assurance PlanAnswer Robustness StressTest CostModel reserve Reserve"
        " fresh_share sample_size period recovery inspection",
        ("planning.md", "Planning"),
    ),
    Group(
        "calibration",
        "Calibration",
        "How your own trainer differs from an ideal one.",
        "calibrate Calibration CurveCalibration Resampler calibrate_numbers NumbersFit"
        " GaussianResampler loop step_loop LoopRun LoopSettings",
        ("calibration.md", "How to measure your own trainer"),
    ),
    Group(
        "measuring",
        "Measuring",
        "From texts to vectors, and from vectors and words to numbers.",
        "Scatter NgramCounts vendi_score embed_all HashingEmbedder EndpointEmbedder"
        " SentenceEmbedder EmbeddingCache",
        ("diversity.md", "Every number, and what it can see"),
    ),
    Group(
        "watching",
        "Watching",
        "Are the answers becoming one voice, and since when.",
        "watch WatchResult Reading GuaranteedChart ShewhartChart EwmaChart CusumChart"
        " early_warning gate markdown_summary summarise merge AnswerSummary",
        ("watching.md", "Watching what models say"),
    ),
    Group(
        "comparing",
        "Comparing, reviewing and pilots",
        "Do two sets differ, what do people say of them, and what helps.",
        "compare Comparison draw_review ReviewSample judge_review ReviewResult pilot PilotDesign"
        " Aim Variation analyse_pilot PilotResult",
        ("comparing.md", "Comparing two sets of answers"),
    ),
    Group(
        "auditing",
        "Auditing",
        "What a data set holds before something is trained on it, and what a store takes.",
        "audit AuditResult admit Admission AdmissionSummary AdmissionGate AdmissionRules",
        ("audit.md", "Auditing a data set"),
    ),
    Group(
        "rules",
        "Rules",
        "What is done about a reading.",
        "RuleSet write_rules PlannedRules check_rules RulesCheck evaluate_rules RulesEvaluation"
        " SimulatedRules schema_rules",
        ("rules.md", "Rules: from numbers to action"),
    ),
    Group(
        "networks",
        "Networks",
        "What happens to models that read one another.",
        "network_law injection_share Experiment NGramAgent estimate_network NetworkEstimate"
        " run_network resume_network record_network report_network NetworkRun verify_network"
        " NetworkVerification mitigation_network MitigationStudy probe ProbeRound trace"
        " PhraseTrace",
        ("networks-of-models.md", "Language models over one shared store"),
    ),
    Group(
        "studies",
        "Studies and papers",
        "Many settings at once, and the published figures.",
        "sweep Study SweepResult query_sweep reproduce",
        ("sweeps.md", "Studies over a grid of settings"),
    ),
    Group(
        "errors",
        "Errors, storage, version",
        "What is raised, and where things are kept.",
        "HayflickError Database __version__",
        ("service.md", "The monitor as a service"),
    ),
    Group(
        "client",
        "The client",
        "What an application imports to report its answers. Also a package of its own:"
        " `pip install hayflick-client`.",
        "Watcher AsyncWatcher AnswerRecorder AnswerLog WatchHandler DeliveryCounts gate GateResult"
        " GateError verify_webhook WebhookError",
        ("reporting.md", "Reporting answers"),
        module="hayflick.client",
    ),
)
# What the docstrings name in single backticks is a link where it is on a page.
_PAGE = """\
# {group.title}

{group.question} The guide: [{title}]({guide}).

```{{eval-rst}}
.. default-role:: py:obj
.. currentmodule:: {group.module}

.. autosummary::
   :nosignatures:

{listed}
```
{tree}
{sections}

## Next

- [{title}]({guide})
- [All names](../api.md)
"""
_TREE = """
A message names the argument, what it got, what it takes and what to do. All but the first are in
`{module}`.

```text
{tree}
```
"""
_OVERVIEW = """\
# Python

Written by `make generated` from the docstrings. `import hayflick as hf`: every verb of the command
line is a function of the same name, and returns a result with `save`, `to_dict` and a view for
notebooks. After the first argument all are keywords.

| group | question | names |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:

{entries}
```

## Next

- [The command line](../cli.md)
- [The terms](glossary.md)
"""
# What bases give every family, regime and stage: for those who add one, who read CONTRIBUTING.
_PLUMBING = {"NamedModel", "NamedRegime", "Term", "_Valued"}
_ALWAYS = {"save", "to_dict", "to_frame", "merge", "numbers", "update", "restart", "state"}
# The errors' tree is in their module's docstring.
_ERRORS = "hayflick.core.errors"


def _definers(kind: type, name: str) -> Iterator[tuple[type, Any]]:
    return ((base, vars(base)[name]) for base in kind.__mro__ if name in vars(base))


def _is_shown(kind: type, name: str) -> bool:
    base, member = next(_definers(kind, name))
    if name.startswith("_") or not base.__module__.startswith("hayflick"):
        return False
    if base.__name__ in _PLUMBING:
        return False
    function = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
    function = getattr(function, "func", function)
    if not inspect.isfunction(function):
        return False
    return bool(function.__doc__) or name in _ALWAYS


def members(kind: type) -> list[str]:
    """Return the methods and properties of a class that its page shows."""
    return [name for name in dir(kind) if any(_definers(kind, name)) and _is_shown(kind, name)]


def _directive(group: Group, name: str) -> str:
    found = getattr(import_module(group.module), name)
    path = f"{group.module}.{name}"
    if inspect.isclass(found):
        return _class(path, found)
    if callable(found):
        return f".. autofunction:: {path}"
    return f".. py:data:: {path}\n\n   The version of the package."


def _class(path: str, kind: type) -> str:
    lines = [f".. autoclass:: {path}"]
    shown = members(kind)
    if shown:
        lines += [f"   :members: {', '.join(shown)}", "   :inherited-members: BaseModel"]
    return "\n".join(lines)


def returned(group: Group) -> list[type]:
    """Return the classes of what a group's functions return that are no public names."""
    package = import_module(group.module)
    found = []
    for name in group.names.split():
        function = getattr(package, name)
        if inspect.isfunction(function):
            module = import_module(function.__module__)
            kinds = str(function.__annotations__["return"]).split(" | ")
            found += [getattr(module, kind, None) for kind in kinds if kind not in package.__all__]
    ours = [one for one in found if inspect.isclass(one) and one.__module__.startswith("hayflick")]
    return list(dict.fromkeys(ours))


def page(group: Group) -> str:
    """Return the page of a group."""
    names = group.names.split()
    directives = {name: _directive(group, name) for name in names}
    for kind in returned(group):
        directives[kind.__name__] = _class(f"{kind.__module__}.{kind.__name__}", kind)
    sections = [f"## {name}\n\n```{{eval-rst}}\n{one}\n```" for name, one in directives.items()]
    return _PAGE.format(
        group=group,
        title=group.guide[1],
        guide=f"../../{group.guide[0]}",
        listed="\n".join(f"   {name}" for name in names if not name.startswith("_")),
        tree=_tree() if group.page == "errors" else "",
        sections="\n\n".join(sections),
    )


def _tree() -> str:
    """Return the tree of errors, which is drawn in the docstring of their module."""
    text = inspect.getdoc(import_module(_ERRORS)) or ""
    return _TREE.format(
        module=_ERRORS, tree=inspect.cleandoc(text.partition("::\n")[2].partition("\nA message")[0])
    )


def overview() -> str:
    """Return the page that lists the groups."""
    rows = []
    for group in GROUPS:
        names = ", ".join(f"`{name}`" for name in group.names.split())
        rows.append(f"| [{group.title}](api/{group.page}.md) | {group.question} | {names} |")
    entries = "\n".join(f"api/{group.page}" for group in GROUPS)
    return _OVERVIEW.format(rows="\n".join(rows), entries=entries)


def pages() -> dict[Path, str]:
    """Return every page by its path."""
    written = {HERE / "api.md": overview()}
    return written | {HERE / "api" / f"{group.page}.md": page(group) for group in GROUPS}
