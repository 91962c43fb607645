"""What a paper's figures are called, and a line on what each shows."""

from __future__ import annotations

from collections.abc import Mapping

from hayflick.papers.figure import Figure
from hayflick.report.language import Language
from hayflick.report.metric_labels import metric_label


def figure_texts(language: Language) -> Mapping[str, tuple[str, str]]:
    """Return title and explanation of every figure, by name."""
    return {
        **_of_numbers(language),
        **_of_symbols(language),
        **_of_networks(language),
        **_of_models(language),
    }


def paper_title(paper: str, language: Language) -> str:
    """Return what the gallery of a paper is called."""
    text = language.text
    titles = {
        "suresh2024": text("Rate of Model Collapse in Recursive Training: the figures"),
        "wang2025": text("LLM Web Dynamics: the figures"),
    }
    return titles[paper]


def paper_note(paper: str, language: Language) -> str:
    """Return whose work the gallery of a paper follows."""
    text = language.text
    notes = {
        "suresh2024": text(
            "After Suresh, Thangaraj and Khandavally, arXiv:2412.17646; the laws are added here."
        ),
        "wang2025": text(
            "After Wang et al., arXiv:2506.15690; the silos after arXiv:2506.00077. The laws and "
            "the networks of chains are added here."
        ),
    }
    return notes[paper]


def agreement_text(figure: Figure, language: Language) -> str:
    """Return how well simulation and law agree, and which text was used or who was asked."""
    text = language.text
    if figure.measured_on is not None:
        return text(
            "Measured on {models}: this is what that endpoint answered, not the paper's run.",
            models=figure.measured_on,
        )
    if figure.agreement is None:
        measured = text("There is no exact law to hold it against.")
    else:
        measured = text(
            "Largest distance of the simulation from the law over all rounds, in standard "
            "errors: {errors}.",
            errors=language.number(round(figure.agreement, 1)),
        )
    if figure.text is None:
        return measured
    return language.joined(measured, text("Text: {name}.", name=figure.text))


def series_label(name: str, language: Language) -> str:
    """Return what a series is called."""
    text = language.text
    if name.startswith("nearest_"):
        return text("one of the {number} nearest", number=name.removeprefix("nearest_"))
    labels = {
        "simulated": text("simulated"),
        "exact": text("exact law"),
        "branching": text("branching law"),
        "median": text("median by the law"),
        "low": text("5% below, by the law"),
        "high": text("95% below, by the law"),
        "lower": text("lower bound"),
        "upper": text("upper bound"),
        "sharp": text("sharper bound, t = 0.7"),
        "chernoff": text("Chernoff bound, best t"),
        "joint": text("simulated, exact joint estimator"),
        "unigrams": text("words drawn one by one, by the law"),
        "floor": text("noise floor, by its approximate law"),
        "measured": text("measured"),
        "noise": text("noise floor: the same by chance, if the agents are alike"),
        "synthetic_share": metric_label("synthetic_share", language),
        "vocabulary_kept": metric_label("vocabulary_kept", language),
    }
    return labels[name]


def quantity_label(quantity: str, language: Language) -> str:
    """Return what a figure's curves are of."""
    text = language.text
    labels = {
        "probability": text("chance of a one"),
        "deviation": text("standard deviation"),
        "present": text("probability of not having collapsed"),
        "surviving_types": text("symbols left"),
        "distance": text("distance of all agents, ‖D‖"),
        "silos": text("silos, mean of 40 runs"),
        "share": text("share"),
    }
    return labels[quantity]


def _of_numbers(language: Language) -> dict[str, tuple[str, str]]:
    text = language.text
    return {
        "bernoulli-runs": (
            text("Bernoulli: 25 runs, n = 100, p = 0.2"),
            text("Every run ends at 0 or at 1 and stays there."),
        ),
        "gaussian-runs": (
            text("Gaussian: 25 runs, n = 100"),
            text("The spread falls by a steady factor per round, up to a random walk of its log."),
        ),
        "theorem-1-rare": (
            text("Theorem 1: Bernoulli, n = 10,000, p = 0.001"),
            text("The exact law hardly leaves the lower bound; the upper bound is good early on."),
        ),
        "theorem-1-common": (
            text("Theorem 1: Bernoulli, n = 100, p = 0.01"),
            text("With so few draws the upper bound says nothing after some rounds; the law does."),
        ),
        "theorem-2-low": (
            text("Theorem 2: Poisson, n = 10, rate 1"),
            text("The rate reaches 0 about as a branching process dies out."),
        ),
        "theorem-2-high": (
            text("Theorem 2: Poisson, n = 10, rate 10"),
            text("A tenfold rate lasts about ten times as long."),
        ),
        "theorem-3": (
            text("Theorem 3: Gaussian, n = 10, threshold 0.1"),
            text("The bounds fall exponentially but late; the law shows collapse far earlier."),
        ),
        "theorem-4": (
            text("Theorem 4: two mirrored Gaussians, n = 10, threshold 0.1"),
            text("Both estimators of the mixture collapse; the bound holds for the approximate."),
        ),
    }


def _of_symbols(language: Language) -> dict[str, tuple[str, str]]:
    text = language.text
    return {
        "zipf-flat": (
            text("Zipf law with a long tail: exponent 1, offset 2.7"),
            text("Most symbols are rare and go within a few rounds."),
        ),
        "zipf-steep": (
            text("Steep Zipf law: exponent 2, offset 5"),
            text("Fewer symbols are drawn at all, and fewer of those are lost."),
        ),
        "unigrams": (
            text("The words of a text, drawn one by one"),
            text("Rare words go first; the frequent ones stay."),
        ),
        "bigrams": (
            text("A bigram language model of the same text"),
            text("Its text repeats whole passages, so it loses words a little differently."),
        ),
    }


def _of_networks(language: Language) -> dict[str, tuple[str, str]]:
    text = language.text
    return {
        "surrogate-two": (
            text("Interacting mixtures of two components: 3 agents, 20 runs"),
            text(
                "The agents come together within a few rounds. What is left is the noise of what "
                "they read, and it shrinks as the pool grows. A run in which one component is lost "
                "at the start has no distance left, and no curve."
            ),
        ),
        "surrogate-eleven": (
            text("Interacting mixtures of eleven components: 3 agents, 20 runs"),
            text(
                "The components stand 10 standard deviations apart. With more of them in play the "
                "agents meet as fast, but what is left is louder."
            ),
        ),
        "silos": (
            text("Silos among 30 agents that ask their nearest neighbours"),
            text("Whoever asks only the most similar stays in small groups; otherwise all join."),
        ),
        "network-complete": (
            text("Ten models that all read one another, 2% real data"),
            text("The models stay as close as the noise of their samples lets them."),
        ),
        "network-ring": (
            text("Ten models in a ring, 2% real data"),
            text("Who hears only two neighbours drifts away from the far side."),
        ),
        "network-blocks": (
            text("Two groups of five models with two bridges, 2% real data"),
            text("The groups drift apart, each of one mind within."),
        ),
        **mitigation_texts(language),
    }


def mitigation_texts(language: Language) -> dict[str, tuple[str, str]]:
    """Return title and explanation of both grids of what keeps diversity."""
    text = language.text
    return {
        "mitigation": (
            text("What keeps built-in agents diverse, and what it costs"),
            text(
                "Every point is a run; nothing beats the ringed ones on the grey line: most real "
                "words in use for the fewest injected texts. All runs give as many answers a "
                "round, and the same real text is split among the models. Differences of a few "
                "percent are chance."
            ),
        ),
        "mitigation-surrogate": (
            text("What keeps interacting mixtures diverse, and what it costs"),
            text(
                "Every point is a mean of 20 runs; nothing beats the ringed ones on the grey "
                "line: most of 30 components among 120 points of a round for the fewest real "
                "points injected."
            ),
        ),
    }


def _of_models(language: Language) -> dict[str, tuple[str, str]]:
    text = language.text
    return {
        "models": (
            text("Three agents that answer from one pool: how far apart they are"),
            text(
                "‖D‖ is the norm of all distances between the agents' mean answers. Agents that "
                "are alike still differ by the noise of their answers."
            ),
        ),
        "models-pool": (
            text("Three agents that answer from one pool: what the pool is made of"),
            text(
                "The share of the pool that models wrote, and the share of the real texts' words "
                "that a round's answers still use."
            ),
        ),
    }
