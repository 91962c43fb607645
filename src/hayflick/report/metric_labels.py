"""What metrics of answers are called, and what they mean, in the reader's language."""

from __future__ import annotations

from hayflick.report.language import Language


def metric_label(name: str, language: Language) -> str:
    """Return what a metric is called; a column of the user's own keeps its name.

    Examples
    --------
    >>> metric_label("spread", Language("en")), metric_label("accuracy", Language("en"))
    ('spread of answers', 'accuracy')
    """
    return {**_of_vectors(language), **_of_texts(language)}.get(name, name)


def _of_vectors(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "spread": text("spread of answers"),
        "frobenius_norm": text("norm of all distances ‖D‖"),
        "rms_distance": text("root mean square distance"),
        "mean_cosine": text("mean cosine of two answers"),
        "effective_rank": text("effective rank"),
        "participation_ratio": text("participation ratio"),
        "generalised_variance": text("generalised variance (log)"),
        "vendi_1": text("Vendi score"),
        "near_duplicate_rate": text("answers with a close neighbour"),
        "within": text("scatter within groups"),
        "between": text("scatter between groups"),
        "group_frobenius_norm": text("norm of the groups' distances ‖D‖"),
        "noise_floor": text("the same by chance, if groups are alike"),
        "drift": text("distance from the baseline"),
        "drift_p": text("p-value of no drift"),
    }


def _of_texts(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "answers": text("answers"),
        "empty_answers": text("empty answers"),
        "unpaired_answers": text("answers that could not be paired"),
        "distinct_1": text("different words per word"),
        "distinct_2": text("different pairs of words per pair"),
        "distinct_3": text("different triples of words per triple"),
        "type_token_ratio": text("type-token ratio"),
        "hill_0": text("different words"),
        "hill_1": text("Hill number of order 1"),
        "hill_2": text("Hill number of order 2"),
        "entropy": text("entropy of the words"),
        "compression_ratio": text("compression ratio"),
        "duplicate_rate": text("answers that another one equals"),
        "vocabulary_kept": text("baseline's words still in use"),
        "tail_mass": text("share of the baseline's rare words"),
        "retention": text("share of the must-keep list in use"),
        "pool_size": text("texts in the pool"),
        "pool_read": text("texts in the pool before the round"),
        "texts_read": text("texts that an agent read"),
        "synthetic_share": text("share of the pool that models wrote"),
    }
