"""Values for the arguments and options of commands, valid and absurd ones."""

from __future__ import annotations

import random
from enum import Enum
from pathlib import Path
from typing import Any

NUMBERS = (
    *("0", "1", "2", "3", "7", "0.05", "0.5", "0.9", "1.0", "-1", "-0.5", "1e-9"),
    *("nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "1e999", "9" * 30, "9" * 5_000),
    *("1" + "0" * 400, "9007199254740993", "18446744073709551616", "", " ", "1_000", "0x10"),
    *("１２", "½", "1e3", "1,5", "true", "None", "two", "--", "+3", "007", "1000000000"),
)
TEXTS = (
    *("", " ", "a", "answer", "no such", "a,b", "a:b", "a=b", "=1+1", "@x", "-x", "'", '"'),
    *("x" * 300, "x" * 70_000, "a\nb", "a\tb", "\x00", "a\x00b", "\x1b[31m", "\u2028", "\u202e"),
    *("e\u0301", "ﬁ", "ＡＢＣ", "日本語", "🙂", "\ud800", "[1]", "*", "{}", "%s", "../x", "/", "."),
)
PATHS = (
    *("absent.csv", ".", "/", "/dev/null", "x" * 300, "a\x00b", "", "nowhere/x.csv"),
    *("loop", "folder", "-", "CON", "*.csv", "answers[1].csv", "~", "\ud800.csv"),
)
REGIMES = (
    *("replace", "fresh:{n}", "periodic:{n},every={n}", "scheduled:{f}", "anchor:{f}"),
    *("accumulate", "accumulate-subsample", "triggered:{n},items={n}", "fresh", "fresh:{n},x=1"),
    "triggered:{n},items={n},metric={t}",
)
FAMILIES = (
    *(
        "bernoulli:{n}",
        "poisson:{n}",
        "negative-binomial:{n},dispersion={n}",
        "gaussian",
        "multivariate-gaussian",
        "symmetric-mixture",
    ),
    *(
        "zipf:{n}",
        "discrete",
        "ngram:{n}",
        "gaussian:deviation={n}",
        "zipf:{n},exponent={n}",
        "{t}",
    ),
)
CHARTS = (
    *("cusum", "ewma", "shewhart", "guaranteed:tolerance={n}", "guaranteed:form=product"),
    *("cusum:run_length={n}", "ewma:weight={n}", "shewhart:direction=falls", "{t}"),
)
EMBEDDERS = ("hashing", "hashing:dimensions={n}", "endpoint:http://127.0.0.1:1/v1", "{t}")
TOKENIZERS = (
    *("auto", "words", "whitespace", "lines", "characters:{n}", "mixed", "characters:2", "{t}"),
)
BY_NAME: dict[str, tuple[str, ...]] = {
    "regime": REGIMES,
    "family": FAMILIES,
    "chart": CHARTS,
    "embedder": EMBEDDERS,
    "tokenizer": TOKENIZERS,
    "encoding": ("utf-8", "utf-16", "cp932", "latin-1", "utf-7", "idna", "hex", "{t}"),
    "normalize": ("none", "nfc", "nfkc", "casefold", "{t}"),
    "estimator": ("ml", "unbiased", "add:{n}", "good-turing", "joint-ml", "{t}"),
    "sampler": ("temperature:{n}", "top-k:{n}", "top-p:{n}", "{t}"),
    "degrade": (
        *("label-noise:{n}", "contamination:{n}", "noise:{n}", "{t}"),
        "gaussian-contamination:{n},mean={n},deviation={n}",
    ),
    "select": ("interval:low={n},high={n}", "verifier:{f}", "quality:{f}", "{t}"),
    "round_to": ("step:{n}", "bits:{n}", "{t}"),
    "figure": ("gaussian-runs", "zipf-flat", "{t}"),
    "separator": (",", ";", "|", "tab", "{t}"),
    "decimal": (".", ",", "{t}"),
    "arms": ("control,treated", "a,b,c,d", "a", "a,a", "{t}"),
    "topologies": ("complete", "ring:{n}", "complete ring:1", "{t}"),
    "injections": ("0", "0,3", "{n}", "{t}"),
    "models": ("2", "2,3", "{n}", "{t}"),
    "every": ("1d", "1h", "7d", "{n}", "{n}d", "{t}"),
    "base_url": ("ftp://x", "http://", "{t}"),
    "host": ("256.0.0.1", "{t}"),
}
COLUMNS = ("round", "answer", "model", "prompt", "score", "arm", "value", "label", "number")
SMALL = {
    "generations": "5",
    "replicates": "33",
    "samples": "40",
    "rounds": "3",
    "threads": "2",
    "size": "4",
    "effect": "0.2",
    "sd": "0.3",
    "answers": "4",
    "baseline": "5",
    "number": "8",
}
"""Small values of what sets the size of the work, which are given nearly always."""


class Values:
    """Random values for parameters, drawn from one stream."""

    def __init__(self, draw: random.Random, files: list[str]) -> None:
        self._draw, self._files = draw, files

    def of(self, name: str, kind: Any) -> str:
        """Return a value for a parameter of a name and a type."""
        draw = self._draw
        if draw.random() < 0.02:
            return draw.choice(TEXTS)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return draw.choice([str(one.value) for one in kind])
        if name in SMALL and draw.random() < 0.9:
            return SMALL[name]
        if name in BY_NAME:
            return self.filled(draw.choice(BY_NAME[name]))
        if kind in (int, float) and draw.random() < 0.8:
            return draw.choice(("1", "2", "3", "8") if kind is int else ("0.1", "0.5", "0.9", "2"))
        if kind in (int, float):
            return draw.choice(NUMBERS)
        if kind is Path:
            return draw.choice(self._files) if draw.random() < 0.8 else draw.choice(PATHS)
        return draw.choice(COLUMNS) if draw.random() < 0.7 else draw.choice(TEXTS)

    def filled(self, form: str) -> str:
        """Return a form of the grammar with its gaps filled."""
        draw = self._draw
        while "{n}" in form:
            number = draw.choice(NUMBERS[1:8]) if draw.random() < 0.8 else draw.choice(NUMBERS)
            form = form.replace("{n}", number, 1)
        form = form.replace("{f}", draw.choice(self._files))
        return form.replace("{t}", draw.choice(TEXTS))
