"""The page docs/reference/settings.md: every key of the settings files, from their models."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hayflick.calibration.loop_settings import LoopSettings
from hayflick.network.agents.chat import ChatSection
from hayflick.network.agents.ngram import NGramSection
from hayflick.network.agents.replay import ReplaySection
from hayflick.network.experiment import Experiment
from hayflick.network.probe import Panel
from hayflick.rules.model import RulesFile
from hayflick.service.settings import ServiceSettings
from hayflick.sweeps.network_study import ExperimentStudy, NetworkStudy, TrainedNetworkStudy
from hayflick.sweeps.study import Study

HERE = Path(__file__).parent
PAGE = HERE / "reference" / "settings.md"
_MEANINGS = tomllib.loads((HERE / "settings_fields.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class File:
    """A settings file: its name, who reads it, its models."""

    title: str
    used: str
    guide: str
    models: dict[str, type[BaseModel]]


FILES = (
    File(
        "Rules",
        "`rules.toml`, read by `watch`, `simulate`, `network run`, `rules check` and"
        " `rules evaluate`, by the service and by `hf.RuleSet.from_file`; written by"
        " `plan --write-rules`. Its schema for editors: `hayflick rules schema`.",
        "[Rules](../rules.md)",
        {"rules.toml": RulesFile},
    ),
    File(
        "Experiment",
        "`experiment.toml`, read by `network run`, `network estimate`, `network mitigation` and"
        " `hf.Experiment.of`.",
        "[Language models over one shared store](../networks-of-models.md#the-file)",
        {
            "experiment.toml": Experiment,
            "An agent of kind ngram": NGramSection,
            "An agent of kind openai": ChatSection,
            "An agent of kind replay": ReplaySection,
        },
    ),
    File(
        "Probe panel",
        "`panel.toml`, read by `probe`.",
        "[A probe in production](../networks-of-models.md#a-probe-in-production)",
        {"panel.toml": Panel},
    ),
    File(
        "Study",
        "`study.toml`, read by `sweep` and `hf.Study.of`. What takes a list is a setting that can"
        " be varied, and takes a single value too.",
        "[Studies over a grid of settings](../sweeps.md)",
        {
            "A study of chains": Study,
            "A study of interacting mixtures": NetworkStudy,
            "A study of trained networks": TrainedNetworkStudy,
            "A study of an experiment": ExperimentStudy,
        },
    ),
    File(
        "Loop",
        "`trainer.toml`, read by `loop` and `loop step`.",
        "[Your own trainer in the loop](../loop.md)",
        {"trainer.toml": LoopSettings},
    ),
    File(
        "Service",
        "`service.toml`, read by `serve --config`.",
        "[The settings file](../service.md#the-settings-file)",
        {"service.toml": ServiceSettings},
    ),
)
_HEAD = """\
# Settings files

Written by `make generated` from the models that read the files. All are TOML. An unknown key, or
a value out of its range, is an error that names the key and suggests the nearest one. What is bold
has to be there.
"""
_NEXT = """\
## Next

- [File formats](file-formats.md): what hayflick writes
- [The command line](../cli.md)
"""
_KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
    "null": "",
}
_ENDLESS = 1e12
"""A limit that nobody reaches is not shown."""

_LIMITS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def kind(schema: dict[str, Any], models: dict[str, Any]) -> str:
    """Return what a key takes, in words."""
    if "$ref" in schema:
        return kind(models[schema["$ref"].rpartition("/")[2]], models)
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        taken = dict.fromkeys(filter(None, (kind(one, models) for one in choices)))
        return " or ".join(taken)
    if schema.get("type") == "array":
        inner = kind(schema.get("items", {}), models)
        return f"list: {inner}" if inner else "list"
    shown = _KINDS[schema["type"]] if "type" in schema else "value"
    limits = [
        f"{word} {_number(schema[key])}"
        for key, word in _LIMITS
        if abs(schema.get(key, inf)) < _ENDLESS
    ]
    return f"{shown}, {' and '.join(limits)}" if limits else shown


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the meanings of keys that stand in the docstrings of a model and its bases."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        text = inspect.cleandoc(vars(base).get("__doc__") or "")
        section = re.search(
            r"^Parameters\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE
        )
        for names, told in re.findall(
            r"^(\S.*)\n((?:    .*\n?|\n)+)", section[1] if section else "", re.MULTILINE
        ):
            for name in names.split(", "):
                found[name] = re.sub(r"``?", "`", " ".join(told.split()))
        found |= _MEANINGS.get(base.__name__, {})
    return found


def default(field: FieldInfo) -> str:
    """Return what holds where a key is left out."""
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is None or value in ([], {}, ()):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def table(model: type[BaseModel], *, only: Sequence[str] = ()) -> str:
    """Return the table of a model's keys."""
    schema = model.model_json_schema()
    models = schema.get("$defs", {})
    told = _MEANINGS["every"] | meanings(model)
    rows = ["| key | takes | where left out | what it is |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if only and name not in only:
            continue
        shown = f"**`{name}`**" if field.is_required() else f"`{name}`"
        takes = kind(schema["properties"][name], models)
        meaning = (field.description or told[name]).rstrip(".")
        if meaning[1:2].islower():
            meaning = meaning[0].lower() + meaning[1:]
        cells = (shown, takes, default(field), meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


@dataclass(frozen=True)
class Section:
    """A section of a settings file: how it is headed, and the model of its keys."""

    header: str
    model: type[BaseModel]


def sections(model: type[BaseModel], *, above: str = "") -> list[Section]:
    """Return the sections of a model's keys, in their order."""
    found: list[Section] = []
    for name, field in model.model_fields.items():
        path = f"{above}{name}"
        for inner, header in _models(field.annotation, path):
            found += [Section(header, inner), *sections(inner, above=f"{path}.")]
    return found


def _models(annotation: Any, path: str) -> list[tuple[type[BaseModel], str]]:
    """Return the models of an annotation, each with the header of its section."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [(annotation, f"[{path}]")]
    inner = [one for part in getattr(annotation, "__args__", ()) for one in _models(part, path)]
    origin = getattr(annotation, "__origin__", None)
    if origin is list:
        return [(model, f"[[{path}]]") for model, _ in inner]
    if origin is dict:
        return [(model, f"[{path}.NAME]") for model, _ in inner]
    return inner


def _kind_of(model: type[BaseModel]) -> str:
    """Return what tells a section from others with the same header."""
    kind_field = model.model_fields.get("kind")
    fixed = kind_field is not None and kind_field.is_required()
    return f' with `kind = "{kind_field.annotation.__args__[0]}"`' if fixed else ""


def _section(section: Section, shown: dict[type[BaseModel], str]) -> str:
    model = section.model
    above = next((shown[base] for base in model.__mro__[1:] if base in shown), None)
    told = inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0]
    told = re.sub(r"``?", "`", " ".join(told.split()))
    if above is not None:
        own = [name for name in model.__annotations__ if name in model.model_fields]
        told = f"{told} The keys of `{above}`, and:"
        rows = table(model, only=own)
    else:
        rows = table(model)
    return f"#### `{section.header}`{_kind_of(model)}\n\n{told}\n\n{rows}\n"


def page() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for file in FILES:
        parts.append(f"## {file.title}\n\n{file.used} The guide: {file.guide}.\n")
        for title, model in file.models.items():
            parts.append(f"### {title}\n\n{table(model)}\n")
            shown: dict[type[BaseModel], str] = {}
            for section in sections(model):
                parts.append(_section(section, shown))
                shown.setdefault(section.model, section.header)
    return "\n".join([*parts, _NEXT])
