"""Write docs/explanation/trust.md: laws against simulations that this runs, campaigns as recorded.

`make trust` takes a minute. What is cheap to hold up to date, a test does: the laws, two of the
simulations, and the figures of benchmarks/README.md.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import erfc, sqrt
from pathlib import Path
from typing import Any

import numpy as np

import hayflick as hf
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.gaussian_moments import accumulate_moments, fresh_moments
from hayflick.laws.network import network_law
from hayflick.laws.poisson import poisson_law
from hayflick.network.discrete_network import simulate_discrete_network
from hayflick.network.topology import parse_topology

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "trust.md"
PICTURE = PAGE.with_name("trust-distances.svg")
RECORDS = ROOT / "benchmarks" / "README.md"
SEED = 20
_FAR = 3.5
_WIDTH, _STEP, _TOP, _ROW = 640, 70, 24, 8
_OPENING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" font-family="sans-serif" font-size="12" fill="#0b0b0b" role="img">
<rect width="{width}" height="{height}" fill="#fcfcfb"/>"""
_WORDS = hf.Discrete.from_counts({f"w{k}": max(1, round(120 / (k + 1))) for k in range(60)})
_ZIPF = hf.Discrete.zipf_mandelbrot(3000, exponent=1.1, offset=2.7)


@dataclass(frozen=True)
class Check:
    """A number that a law gives and a simulation estimates.

    Parameters
    ----------
    what, kind
        The number, and what its law is: exact, or a bound with its error.
    law
        Returns the law's number.
    values
        Returns the simulated one of every run, shape ``(runs,)``.
    """

    what: str
    kind: str
    law: Callable[[], float]
    values: Callable[[], Any]


def _last(runs: Any, name: str) -> Any:
    return runs[name].to_numpy()[:, -1]


def _gaussian(samples: int, generations: int, threshold: float) -> Check:
    def values() -> Any:
        model = hf.Gaussian(0.0, 1.0)
        settings = {"samples": samples, "generations": generations}
        return _last(hf.simulate(model, replicates=20_000, seed=SEED, **settings), "deviation")

    law = hf.gaussian_scale(samples, generations=generations)
    return Check(
        f"Gaussian, replace, n = {samples}, round {generations}: Pr(Σ > {threshold:g})",
        "exact",
        lambda: float(law.survival(2.0 * np.log(threshold))[-1]),
        lambda: values() > threshold,
    )


def _moments(regime: str) -> list[Check]:
    if regime == "fresh:0.1":
        law, how = fresh_moments(20, fresh=2, generations=60), hf.Fresh(share=0.1)
    else:
        law, how = accumulate_moments(20, generations=60), hf.Accumulate()
    # The law of accumulating data begins with the fit to n items, the simulation with a given fit.
    start = float(law.displacement[0])

    def runs() -> Any:
        model = hf.Gaussian(0.0, 1.0, total=20)
        settings = {"samples": 20, "generations": 60, "regime": how}
        return hf.simulate(model, replicates=20_000, seed=SEED, **settings)

    what = f"Gaussian, {regime}, n = 20, round 60"
    return [
        Check(
            f"{what}: E Σ²",
            "exact",
            lambda: float(law.variance[-1]),
            lambda: _last(runs(), "deviation") ** 2,
        ),
        Check(
            f"{what}: E (μ − μ₀)²",
            "exact",
            lambda: float(law.displacement[-1]) - start,
            lambda: _last(runs(), "mean") ** 2,
        ),
    ]


def _counts(
    name: str, regime: Any, *, law: str = "exact", model: hf.Discrete = _WORDS, **more: Any
) -> Check:
    settings = {"generations": 30, "regime": regime, **more}
    runs = 500 if law == "branching" else 4000
    kind = "exact"
    if law == "branching":
        proven = hf.survival(model, law=law, **settings).error
        kind = f"lower bound, at most {proven:.1g} below"
    return Check(
        f"{name}, round 30: share of the symbols left",
        kind,
        lambda: float(hf.survival(model, law=law, **settings).surviving_fraction[-1]),
        lambda: _last(
            hf.simulate(model, replicates=runs, seed=SEED, **settings), "surviving_fraction"
        ),
    )


def _diversity(name: str, regime: Any) -> Check:
    settings = {"generations": 30, "regime": regime}
    return Check(
        f"{name}, round 30: diversity",
        "exact",
        lambda: float(hf.expected_diversity(_WORDS, **settings).expected[-1]),
        lambda: _last(hf.simulate(_WORDS, replicates=4000, seed=SEED, **settings), "diversity"),
    )


def _network(topology: str) -> Check:
    settings: dict[str, Any] = {
        "reading": parse_topology(topology, agents=6).reading(itself=True),
        "samples": [20, 40, 20, 80, 40, 10],
        "real_shares": [0.0, 0.2, 0.05, 0.0, 0.1, 0.5],
        "generations": 40,
    }
    model = hf.Discrete.zipf_mandelbrot(30, exponent=1.0)
    return Check(
        f"network of 6 chains, {topology}, round 40: E‖D‖²",
        "exact",
        lambda: float(network_law(model, **settings).squared_distance[-1]),
        lambda: _last(
            simulate_discrete_network(model, replicates=1000, seed=SEED, **settings),
            "squared_distance",
        ),
    )


def checks() -> list[Check]:
    """Return what is checked, the cheap ones first."""
    bernoulli = bernoulli_law(0.01, samples=100, generations=50)
    poisson = poisson_law(1.0, samples=10, generations=50)
    smoothed = _WORDS.with_estimator(hf.AddDelta(0.1))

    def coin() -> Any:
        model, settings = hf.Bernoulli(0.01), {"samples": 100, "generations": 50}
        return _last(hf.simulate(model, replicates=20_000, seed=SEED, **settings), "probability")

    def rate() -> Any:
        model, settings = hf.Poisson(1.0), {"samples": 10, "generations": 50}
        return _last(hf.simulate(model, replicates=20_000, seed=SEED, **settings), "rate")

    multivariate = hf.gaussian_scale(12, generations=20, dimensions=3)
    return [
        Check(
            "Bernoulli, replace, n = 100, p = .01, round 50: Pr(P > 0)",
            "exact",
            lambda: float(bernoulli.present[-1]),
            lambda: coin() > 0.0,
        ),
        Check(
            "Poisson, replace, n = 10, λ = 1, round 50: Pr(Λ > 0)",
            "exact",
            lambda: float(poisson.present[-1]),
            lambda: rate() > 0.0,
        ),
        _gaussian(10, 51, 0.1),
        _gaussian(100, 60, 0.8),
        *_moments("fresh:0.1"),
        *_moments("accumulate"),
        Check(
            "Gaussian vectors, d = 3, n = 12, round 20: Pr(ln det S > −9)",
            "exact",
            lambda: float(multivariate.survival(-9.0)[-1]),
            lambda: (
                _last(
                    hf.simulate(
                        hf.MultivariateGaussian(np.zeros(3), np.diag([1.0, 4.0, 0.25])),
                        samples=12,
                        generations=20,
                        replicates=20_000,
                        seed=SEED,
                    ),
                    "log_variance_ratio",
                )
                > -9.0
            ),
        ),
        _counts("words, replace", hf.Replace()),
        _counts("words, fresh:0.05", hf.Fresh(share=0.05)),
        _counts("words, periodic:0.2,every=4", hf.Periodic(share=0.2, every=4)),
        _counts(
            "words, anchor of 20 items", hf.Anchor.from_mapping({f"w{k}": 1 for k in range(40, 60)})
        ),
        _counts("words, add:0.1, replace", hf.Replace(), model=smoothed),
        _counts(
            "3,000 types, n = 20,000, replace",
            hf.Replace(),
            law="branching",
            model=_ZIPF,
            samples=20_000,
        ),
        _counts(
            "3,000 types, n = 20,000, fresh:0.05",
            hf.Fresh(share=0.05),
            law="branching",
            model=_ZIPF,
            samples=20_000,
        ),
        _diversity("words, replace", hf.Replace()),
        _diversity("words, accumulate", hf.Accumulate()),
        _diversity("words, accumulate-subsample", hf.AccumulateSubsample()),
        _network("complete"),
        _network("ring:1"),
        _network("star"),
    ]


@dataclass(frozen=True)
class Measured:
    """A check that was made.

    Parameters
    ----------
    law, mean, error
        The law's number, the simulation's, and its standard error.
    """

    check: Check
    law: float
    mean: float
    error: float

    @property
    def distance(self) -> float:
        """How far the simulation is from the law, in standard errors."""
        return (self.mean - self.law) / self.error


def measure(check: Check) -> Measured:
    """Make a check."""
    values = np.asarray(check.values(), dtype=np.float64)
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    return Measured(check, check.law(), float(values.mean()), error)


@dataclass(frozen=True)
class Record:
    """A row of benchmarks/README.md.

    Parameters
    ----------
    topic
        What it is about.
    row
        A pattern of its beginning.
    what
        What the row says, where it does not say that by itself.
    """

    topic: str
    row: str
    what: str = ""


RECORDED = (
    Record("False alarms", r"product form at the boundary, Gaussian"),
    Record("False alarms", r"product form at the boundary, heavy-tailed"),
    Record("False alarms", r"sum form at the boundary, discrete"),
    Record("False alarms", r"cusum, run length 500"),
    Record("False alarms", r"default panel, .* sum form.*within 20 rounds"),
    Record("False alarms", r"default panel, .* product form"),
    Record("Losses found", r"spread halved, tolerance 0.05, mean 0"),
    Record("Losses found", r"spread × .95, tolerance 0.02, mean 0"),
    Record("Losses found", r"2% of the types lost a round"),
    Record("Losses found", r"25% of the types lost at once"),
    Record("Calibration", r"the ideal chain: sharpening within"),
    Record("Calibration", r"planted b = 1.1: sharpening within"),
    Record("Calibration", r"200 trainers drawn at random, 4 rounds"),
    Record("Calibration", r"200 trainers drawn at random whose b drifts .*, 4 rounds"),
    Record(
        *("Calibration", r"all 20 runs"),
        what="20 recorded runs of recurrent networks: shares in 90 % intervals, one to five rounds"
        " ahead",
    ),
    Record(
        *("Calibration", r"the ideal one"),
        what="an ideal trainer of numbers: 90 % intervals of the spread that hold",
    ),
    Record(
        *("Calibration", r"a kernel density"),
        what="a kernel density: 90 % intervals of the spread that hold",
    ),
    Record("Comparisons", r"intervals of 100 and 100 answers"),
    Record("Comparisons", r"intervals of 1 and 1 answers"),
    Record("Comparisons", r"two random halves"),
    Record(
        *("Audits", r"the same: recall"),
        what="100,000 copies with 5 edits in 60 words among 1,000,000 texts: recall, precision",
    ),
    Record("Audits", r"share of synthetic texts"),
    Record("Audits", r"effective items, 300 items"),
    Record("Retrieval", r"retrieval, weight 1:"),
    Record("Retrieval", r"retrieval, weight 3:"),
    Record("Who started it", r"100 runs of 4 to 8 agents"),
    Record("Who started it", r"199 simulated logs"),
)


def recorded() -> str:
    """Return the table of what the long campaigns found."""
    lines = RECORDS.read_text(encoding="utf-8").splitlines()
    # Days are looked up in the history where the page does not have the row yet.
    days = dict(_dated_rows(PAGE.read_text(encoding="utf-8")))
    rows = ["| about | what | measured | target | command | on |", "| --- |" + " --- |" * 5]
    for one in RECORDED:
        number = next(k for k, line in enumerate(lines) if re.match(rf"\| {one.row}", line))
        campaign = next(filter(None, map(_CAMPAIGN.match, lines[number::-1])))[1]
        what, ours, _, measured, target, _ = lines[number].strip("| ").split(" | ")
        found = f"{measured} ({ours})" if re.search(r"\d of [\d,]+ streams", ours) else measured
        told = f"| {one.topic} | {one.what or what} | {found} | {target} |"
        day = days.get(told) or _recorded_on(number + 1)
        rows.append(f"{told} `python benchmarks {campaign}` | {day} |")
    return "\n".join(rows)


_CAMPAIGN = re.compile(r"<!-- (\w+) -->")


def _dated_rows(page: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"^(\|.*\|) `python \w+ \w+` \| (\S+) \|$", page, re.MULTILINE):
        yield found[1], found[2]


def _recorded_on(number: int) -> str:
    """Return the day on which a line of the records was written."""
    place = ["-L", f"{number},{number}", "--porcelain", str(RECORDS.relative_to(ROOT))]
    blame = ["git", "-C", str(ROOT), "blame", *place]
    told = subprocess.run(blame, check=True, capture_output=True, text=True).stdout
    seconds = int(re.search(r"^committer-time (\d+)", told, re.MULTILINE)[1])  # type: ignore[index]
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def row(found: Measured) -> str:
    """Return a check as a row of the table."""
    simulated = f"{found.mean:.5f} ± {found.error:.5f}"
    cells = (found.check.what, found.check.kind, f"{found.law:.5f}", simulated, _signed(found))
    return f"| {' | '.join(cells)} |"


def _signed(found: Measured) -> str:
    return f"{round(found.distance, 1) + 0.0:+.1f}".replace("-", "−")


def table(found: Sequence[Measured]) -> str:
    """Return the table of the checks."""
    head = "| what | law | law says | simulated | distance, standard errors |"
    return "\n".join([head, "| --- |" + " --- |" * 4, *map(row, found)])


def summary(found: Sequence[Measured]) -> str:
    """Return what the checks say together."""
    distances = np.array([one.distance for one in found])
    beyond = 1.0 - (1.0 - erfc(_FAR / sqrt(2.0))) ** len(found)
    largest, scatter = np.abs(distances).max(), np.sqrt((distances**2).mean())
    return (
        f"{len(found)} checks. The largest distance is {largest:.1f} standard errors, the root of"
        f" the mean square {scatter:.2f}.\n"
        f"Of correct laws the second is about 1, and the first is beyond {_FAR:g} in"
        f" {beyond:.1%} of such tables."
    )


def picture(found: Sequence[Measured]) -> str:
    """Return the distances as dots on a line of standard errors, SVG."""
    bottom = _TOP + _ROW * len(found)
    parts = [
        _OPENING.format(width=_WIDTH, height=bottom + 46),
        f'<rect x="{_at(-2)}" y="14" width="{4 * _STEP}" height="{bottom - 14}" fill="#eef3fa"/>',
    ]
    for mark in range(-4, 5):
        colour = "#c3c2b7" if mark else "#52514e"
        name = f"{mark:+d}".replace("-", "−") if mark else "0"
        x = _at(mark)
        parts += [
            f'<line x1="{x}" x2="{x}" y1="14" y2="{bottom}" stroke="{colour}"/>',
            f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{name}</text>',
        ]
    for place, one in enumerate(found):
        x, y = _at(one.distance), _TOP + _ROW * place
        told = escape(f"{one.check.what}: {_signed(one)}")
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="3.5" fill="#2a78d6"><title>{told}</title></circle>'
        )
    label = "simulation minus law, in standard errors"
    parts += [f'<text x="{_at(0)}" y="{bottom + 36}" text-anchor="middle">{label}</text>', "</svg>"]
    return "\n".join([*parts, ""])


def _at(distance: float) -> float:
    return round(_WIDTH / 2 + _STEP * distance, 1)


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Return a page with what stands between its markers replaced."""
    for marker, part in parts.items():
        between = re.compile(f"(<!-- {marker} -->\n).*?(<!-- end of {marker} -->)", re.DOTALL)
        text = between.sub(lambda m, part=part: f"{m[1]}{part}\n{m[2]}", text)
    return text


def with_records() -> str:
    """Return the page with what is recorded now, and no check made anew."""
    return filled(PAGE.read_text(encoding="utf-8"), {"recorded": recorded()})


def main() -> None:
    """Make the checks, and write the page and its picture."""
    found = [measure(one) for one in checks()]
    parts = {"checks": table(found), "summary": summary(found), "recorded": recorded()}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), parts), encoding="utf-8")
    PICTURE.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()
