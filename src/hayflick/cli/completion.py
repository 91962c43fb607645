"""What a shell offers while a command is typed: the names that options take, and short helps."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

CHARTS = ("guaranteed", "rank", "shewhart", "ewma", "cusum")
ESTIMATORS = ("ml", "unbiased", "add", "good-turing", "joint-ml", "approximate-joint-ml")
SLOW_METRICS = ("drift", "near_duplicate_rate")
"""Names whose registers take long to load; a test holds them together."""

ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "cp932", "shift_jis", "euc_jp", "iso2022_jp", "gb18030"),
    *("big5", "euc_kr", "cp1252", "latin-1"),
)
_ASKED = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
_FIRST_WORD = re.compile(r"\S+\s+([\w-]+)\s")
_CONDITION = re.compile(r"^(?:With|Where|In) [^:]+: ")
_END_OF_PHRASE = re.compile(r"[.:;](?:\s|$)|\s\[|, such as")
_LONGEST_PHRASE = 70


def command_asked_for() -> str:
    """Return the first word of the command that a shell completes; empty while it is typed."""
    typed = next((os.environ[name] for name in _ASKED if name in os.environ), "")
    found = _FIRST_WORD.match(typed)
    return found[1] if found else ""


def shorten_helps(command: Any) -> None:
    """Reduce the help of all options and commands to a phrase, as a shell has one line for each."""
    command.short_help = command.get_short_help_str(1000)
    for one in command.params:
        if getattr(one, "help", None):
            phrase = _END_OF_PHRASE.split(_CONDITION.sub("", one.help), maxsplit=1)[0]
            short = textwrap.shorten(phrase, _LONGEST_PHRASE, placeholder=" …")
            one.help = short[:1].upper() + short[1:]
    for inner in getattr(command, "commands", {}).values():
        shorten_helps(inner)


def regimes() -> Iterable[str]:
    """Return the names of regimes."""
    from hayflick.core.source import Source
    from hayflick.regimes.regime import regimes as known

    return known(Source(""))


def families() -> Iterable[str]:
    """Return the names of families."""
    from hayflick.chains.family import FamilyData
    from hayflick.chains.family import families as known

    return known(FamilyData())


def estimators() -> Iterable[str]:
    """Return the names of estimators."""
    return ESTIMATORS


def samplers() -> Iterable[str]:
    """Return the names of samplers."""
    from hayflick.chains.samplers import SAMPLERS

    return SAMPLERS


def degradations() -> Iterable[str]:
    """Return the names of degradations."""
    from hayflick.chains.degradation import DEGRADATIONS

    return DEGRADATIONS


def selections() -> Iterable[str]:
    """Return the names of selections."""
    from hayflick.chains.selection import SELECTIONS

    return SELECTIONS


def tokenizers() -> Iterable[str]:
    """Return the names of tokenizers, without their settings."""
    from hayflick.corpus.tokenizers import NAMES

    return (name.partition(":")[0] for name in NAMES)


def embedders() -> Iterable[str]:
    """Return the names of embedders."""
    from hayflick.embed.embedder import EMBEDDERS

    return EMBEDDERS


def logs() -> Iterable[str]:
    """Return the names of the tools whose logs are known."""
    from importlib import resources

    folder = resources.files("hayflick.corpus.logs") / "presets"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return (*(name.removesuffix(".toml") for name in names), "none")


def charts(incomplete: str) -> Iterator[str | tuple[str, str]]:
    """Yield the kinds of charts, and with ``METRIC=`` before them those of a metric."""
    from hayflick.diversity.metrics import METRICS

    metric, equals, _ = incomplete.rpartition("=")
    yield from (f"{metric}{equals}{name}" for name in CHARTS)
    if not equals:
        yield from ((f"{one.name}=", one.meaning) for one in METRICS)


def slow_metrics() -> Iterable[str]:
    """Return the names of metrics that are measured on request."""
    return SLOW_METRICS


def encodings() -> Iterable[str]:
    """Return encodings in common use."""
    return ENCODINGS


def zones() -> Iterable[str]:
    """Return the names of time zones."""
    from zoneinfo import available_timezones

    return sorted(available_timezones())


def schedulers() -> Iterable[str]:
    """Return where work can run, beside the address of a cluster."""
    return ("threads", "processes")
