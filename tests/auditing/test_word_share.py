"""The share of synthetic texts by words: against the likelihood itself, coverage, other topics."""

import random

import numpy as np
import pytest

from hayflick.auditing.word_share import word_share
from hayflick.core.errors import ArgumentError, DataError

WORDS = np.array([f"w{number}" for number in range(500)])
TOPICS = 5


class Writers:
    """People and a model, who use words at different rates; a text has a topic."""

    def __init__(self, seed=1, *, spread=0.7, words=WORDS):
        self.rng = np.random.default_rng(seed)
        self.words = words
        common = 1 / np.arange(1, words.size + 1)
        self.rates = {
            "human": common,
            "model": common * np.exp(self.rng.normal(0, spread, words.size)),
        }
        self.topics = np.exp(self.rng.normal(0, 0.8, (TOPICS, words.size)))

    def texts(self, who, number, *, topics=(1, 1, 1, 1, 1), length=30):
        topic = self.rng.choice(TOPICS, number, p=np.array(topics) / sum(topics))
        written = []
        for one in range(TOPICS):
            heights = np.cumsum(self.rates[who] * self.topics[one])
            drawn = self.rng.random((np.count_nonzero(topic == one), length)) * heights[-1]
            written += [" ".join(row) for row in self.words[np.searchsorted(heights, drawn)]]
        return written

    def mixture(self, share, number, **settings):
        generated = self.rng.binomial(number, share)
        return self.texts("human", number - generated, **settings) + self.texts(
            "model", generated, **settings
        )


def references(writers, number):
    return {who: writers.texts(who, number) for who in ("human", "model")}


def test_the_uncorrected_share_has_the_largest_likelihood():
    writers = Writers()
    known, texts = references(writers, 200), writers.mixture(0.3, 300)
    found = word_share(texts, **known)
    sets = {who: [set(text.split()) for text in known[who]] for who in known}
    words = sorted(set().union(*sets["human"], *sets["model"]))
    numbers = {who: [sum(word in one for one in sets[who]) for word in words] for who in sets}
    kept = [
        place
        for place in range(len(words))
        if numbers["human"][place] + numbers["model"][place] >= 5
    ]
    logs = []
    for text in texts:
        present = set(text.split())
        of = {}
        for who in sets:
            rates = [(numbers[who][place] + 0.5) / 201 for place in kept]
            of[who] = sum(
                np.log(rate if words[place] in present else 1 - rate)
                for place, rate in zip(kept, rates, strict=True)
            )
        logs.append((of["human"], of["model"]))
    human, model = np.array(logs).T

    def likelihood(share):
        return np.logaddexp(np.log1p(-share) + human, np.log(share) + model).sum()

    best = max(np.linspace(0.001, 0.999, 999), key=likelihood)
    assert found.uncorrected == pytest.approx(best, abs=0.001)


def test_the_interval_holds_its_coverage_where_words_depend_on_one_another():
    writers = Writers(2)
    held, widths = [], []
    for number in range(40):
        share = 0.9 * number / 39
        found = word_share(writers.mixture(share, 400), **references(writers, 250))
        held.append(found.low <= share <= found.high)
        widths.append(found.high - found.low)
        assert found.low <= found.value <= found.high
    # 0.95 less two standard errors of 40 mixtures.
    assert np.mean(held) >= 0.88
    assert np.mean(widths) < 0.25


def test_more_texts_and_more_references_make_it_narrower():
    writers = Writers(3)
    few, many = (
        word_share(writers.mixture(0.4, number), **references(writers, number))
        for number in (200, 3000)
    )
    assert many.high - many.low < 0.4 * (few.high - few.low)
    small = word_share(writers.mixture(0.4, 3000), **references(writers, 200))
    assert small.high - small.low > 1.5 * (many.high - many.low)


def test_the_order_of_texts_changes_nothing():
    writers = Writers(4)
    texts, known = writers.mixture(0.4, 400), references(writers, 200)
    found = word_share(texts, **known)
    turned = word_share(texts[::-1], human=known["human"][::-1], model=known["model"][::-1])
    assert turned == found


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_another_topic_is_diagnosed_and_not_absorbed(share):
    writers = Writers(5)
    known = references(writers, 1000)
    same = word_share(writers.mixture(share, 3000), **known)
    assert (same.misfits, same.notes) == ((), ())
    other = word_share(writers.mixture(share, 3000, topics=(3, 1, 1, 1, 1)), **known)
    assert other.misfits
    assert "differ from both" in str(other.notes[0])
    assert other.high - other.low > 1.2 * (same.high - same.low)
    assert other.low <= share <= other.high


_SYNONYMS = {
    "also": "additionally", "but": "however", "was": "remained", "had": "possessed",
    "first": "initial", "many": "numerous", "used": "utilized", "made": "crafted",
}  # fmt: skip


def test_other_articles_of_an_encyclopedia_are_diagnosed_and_not_absorbed(wikitext):
    articles = [[]]
    for line in wikitext.read_text(encoding="utf-8").splitlines():
        if line.startswith(" = ") and not line.startswith(" = ="):
            articles.append([])
        elif not line.startswith(" ="):
            articles[-1] += [one for one in line.split(" . ") if len(one.split()) > 8]
    draw = random.Random(3)

    def sentences(some):
        found = [sentence for article in some for sentence in article]
        draw.shuffle(found)
        return found

    def reworded(texts):
        return [
            " ".join(_SYNONYMS.get(word, word) if draw.random() < 0.5 else word for word in words)
            for words in map(str.split, texts)
        ]

    half = len(articles) // 2
    ours, others = sentences(articles[:half]), sentences(articles[half:])
    number = len(ours) // 3
    known = {"human": ours[:number], "model": reworded(ours[number : 2 * number])}
    for texts, is_other in ((ours[2 * number :], False), (others[:number], True)):
        generated = len(texts) * 3 // 10
        found = word_share(reworded(texts[:generated]) + texts[generated:], **known)
        assert found.low <= 0.3 <= found.high
        assert bool(found.misfits) == is_other
        assert any("differ from both" in str(note) for note in found.notes) == is_other


def test_texts_that_are_beyond_a_reference_have_no_share():
    draw, words = random.Random(4), ["it", "was", "so", "and", "is", "to", "be"]

    def texts(number, share):
        return [
            " ".join("vivid" if draw.random() < share else draw.choice(words) for _ in range(8))
            for _ in range(number)
        ]

    # A human reference that is not all human: the data have less of the model's word than it.
    found = word_share(texts(2000, 0.0), human=texts(1000, 0.1), model=texts(1000, 0.5))
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)
    assert "no share can be told" in str(found.notes[0])


def test_no_generated_text_among_some_hundreds_leaves_room_for_one_in_a_hundred():
    draw = random.Random(5)

    def texts(number, words):
        return [" ".join(draw.choices(words, k=10)) for _ in range(number)]

    plain, ornate = [f"plain{n}" for n in range(50)], [f"ornate{n}" for n in range(50)]
    found = word_share(texts(400, plain), human=texts(200, plain), model=texts(200, ornate))
    assert found.value < 0.001
    # The rule of three: 3 / 400.
    assert 3 / 400 < found.high < 0.02


def test_texts_about_something_else_have_no_share():
    writers = Writers(6)
    texts = [f"{text} sonnet stanza rhyme" for text in writers.mixture(0.5, 500)]
    found = word_share(texts, **references(writers, 300))
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)
    assert {gap.word for gap in found.misfits} == {"sonnet", "stanza", "rhyme"}
    assert "take references about the same things" in str(found.notes[0])


def test_references_that_do_not_differ_tell_nothing():
    writers = Writers(7, spread=0.0)
    found = word_share(writers.mixture(0.5, 300), **references(writers, 150))
    assert found.low == 0.0
    assert found.high - found.low > 0.6


def test_all_of_one_kind():
    writers = Writers(8)
    known = references(writers, 500)
    assert word_share(writers.texts("human", 500), **known).low == 0.0
    assert word_share(writers.texts("model", 500), **known).high == 1.0


def test_scripts_without_spaces():
    letters = np.array([chr(0x3042 + number) for number in range(40)])
    writers = Writers(9, words=letters)
    written = {
        who: [text.replace(" ", "") for text in writers.texts(who, 300)]
        for who in ("human", "model")
    }
    texts = [text.replace(" ", "") for text in writers.mixture(0.35, 600)]
    found = word_share(texts, **written)
    assert found.low <= 0.35 <= found.high
    assert found.high - found.low < 0.3


def test_blank_rows_do_not_count():
    writers = Writers(10)
    known = references(writers, 150)
    assert word_share(["", None, " ", *writers.mixture(0.5, 100)], **known).texts == 100


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"texts": ["", None]}, "texts: every row is blank"),
        ({"human": ["the same"] * 500}, "human: the reference has 1 different texts"),
        ({"model": ["a b"] * 3}, "model: the reference has 1 different texts"),
        ({"model": [1, 2]}, "not every row is a text"),
        ({name: [f"{name}{n}" for n in range(100)] for name in ("human", "model")}, "5 texts"),
    ],
    ids=["blank", "copies", "few", "numbers", "rare words"],
)
def test_what_cannot_be_used_is_refused(changed, named):
    texts = [f"some word{number}" for number in range(200)]
    samples = {"texts": texts, "human": texts, "model": texts} | changed
    with pytest.raises(DataError, match=named):
        word_share(samples.pop("texts"), **samples)


@pytest.mark.parametrize("setting", [{"confidence": 1.5}, {"tokenizer": "letters"}])
def test_settings_out_of_range_are_refused(setting):
    texts = [f"some word{number}" for number in range(200)]
    with pytest.raises(ArgumentError, match=next(iter(setting))):
        word_share(texts, human=texts, model=texts, **setting)
