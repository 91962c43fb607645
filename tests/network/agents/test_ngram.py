import itertools

import numpy as np
import pytest
from scipy import stats

import hayflick as hf
from hayflick.chains.ngram import BlockTexts, NGram
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.sentences import split_sentences
from hayflick.network.agents.protocol import AnswerSeed

CORPUS = "the cat sat. the dog sat. the cat ran off. a dog ran. the cow slept off."
READ = ["the sea rose. the sea fell.", "a cat fell off."]


def agent(name="anna", texts=(CORPUS,), **settings):
    return hf.NGramAgent.of_texts(name, list(texts), **{"tokenizer": "words", **settings})


def say(agent, context=(), query="What?", index=0, run=1):
    place = AnswerSeed(run, agent=agent.name, index=index)
    return agent.write(query, list(context), seed=place)


def law_behind(sentences, before, order):
    """Return the law of the next word by counting, with back-off to the longest ending seen."""
    words = [["", *sentence, ""] for sentence in sentences]
    for length in range(min(order - 1, len(before)), -1, -1):
        ending = before[len(before) - length :]
        counts = {}
        for sentence in words:
            for place in range(1, len(sentence)):
                start = place - length
                if start >= 0 and sentence[start:place] == ending:
                    counts[sentence[place]] = counts.get(sentence[place], 0) + 1
        if counts:
            total = sum(counts.values())
            return {word: count / total for word, count in counts.items()}
    return {}


def split(*texts):
    return [sentence.split() for text in texts for sentence in text.split(".") if sentence.strip()]


@pytest.mark.parametrize("trust", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("query", "before"), [("Say: the cat", ["the", "cat"]), ("a", ["", "a"]), ("?", [""])]
)
def test_the_first_word_has_the_law_of_the_mixture(trust, query, before):
    one = agent(trust=trust, most_tokens=1, order=3)
    own = law_behind(split(CORPUS), before, 3)
    read = law_behind(split(*READ), before, 3)
    law = {
        word: (1 - trust) * own.get(word, 0) + trust * read.get(word, 0) for word in {*own, *read}
    }
    # Where the sentence ends at once, the answer begins another: with the law of beginnings.
    first_own, first_read = law_behind(split(CORPUS), [""], 3), law_behind(split(*READ), [""], 3)
    ended = law.pop("", 0.0)
    for word in {*first_own, *first_read}:
        begun = (1 - trust) * first_own.get(word, 0) + trust * first_read.get(word, 0)
        law[word] = law.get(word, 0) + ended * begun
    law = {word: p for word, p in law.items() if p > 0}
    draws = 3000
    said = [say(one, READ, query, index).text for index in range(draws)]
    assert set(said) == set(law)
    observed = [said.count(word) for word in law]
    assert (
        len(law) == 1 or stats.chisquare(observed, [p * draws for p in law.values()]).pvalue > 1e-3
    )


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_an_agent_that_trusts_itself_writes_as_the_family_does(order, rng):
    text = "the cat sat on the mat. the dog sat on the cat. a dog ran on. the mat ran." * 3
    family = NGram(split_sentences(text, tokenizer="words"), order=order).chain(20_000)
    block = family.generate(rng, BlockTexts.empty(1), 20_000)
    contexts = family.model.contexts
    words = contexts.last[block.text(0)]
    symbols = ["", *family.model.sentences.symbols]
    expected = pairs_of([symbols[word] for word in words])
    one = agent(texts=[text], trust=0.0, order=order, most_tokens=200, most_sentences=10**6)
    said = []
    for index in range(100):
        for sentence in say(one, index=index).text.split("."):
            said += [*sentence.split(), ""]
    observed = pairs_of(said)
    shared = [pair for pair in expected if expected[pair] + observed.get(pair, 0) >= 20]
    table = [[expected[pair] for pair in shared], [observed.get(pair, 0) for pair in shared]]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def pairs_of(words):
    counts = {}
    for pair in itertools.pairwise(words):
        if pair[0]:
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def test_every_setting_changes_the_answer():
    settings = {"order": 3, "trust": 0.5, "most_tokens": 40, "most_sentences": 3}
    base = [say(agent(**settings), READ, index=index).text for index in range(30)]
    changes = ({"order": 1}, {"trust": 0.9}, {"most_tokens": 2}, {"most_sentences": 1})
    for change in (*changes, {"texts": [CORPUS + " the end."]}):
        other = agent(**{**settings, **change})
        assert [say(other, READ, index=index).text for index in range(30)] != base
    assert [say(agent(**settings), READ[:1], index=index).text for index in range(30)] != base
    assert [say(agent(**settings), READ, index=index, run=2).text for index in range(30)] != base


def test_tokens_are_counted_and_bounded():
    for index in range(50):
        answer = say(agent(most_tokens=7, most_sentences=3), READ, index=index)
        words = answer.text.replace(".", " .").split()
        assert answer.tokens_out in (len(words), len(words) + 1) or answer.finish == "length"
        assert answer.tokens_out <= 7
        assert answer.cost == 0.0
        assert answer.latency_s is None
    # "What?" and its end; 6 + 2 and 4 + 1 tokens of the texts.
    assert say(agent(), READ).tokens_in == 2 + 8 + 5
    assert agent().write("?", READ, seed=AnswerSeed(1), most_tokens=1).tokens_out == 1


def test_an_answer_goes_on_from_the_query_where_its_last_word_is_known():
    one = agent(texts=["what a day."], trust=0.0, most_sentences=1)
    assert say(one, query="Do say what?").text == "a day."
    assert say(one, query="Do say it?").text == "what a day."
    # Known from the context alone.
    trusting = agent(texts=["what a day."], trust=1.0, most_sentences=1)
    assert say(trusting, ["do say it again."], query="It").text == "again."


def test_an_answer_is_read_as_it_was_written():
    one = agent(order=2, trust=0.4, most_sentences=3)
    for index in range(30):
        text = say(one, READ, index=index).text
        numbers = one.vocabulary.encode(text)
        assert one.vocabulary.decode(numbers) in (text, f"{text}.")


def test_a_frozen_agent_stays_itself_and_a_learner_becomes_another():
    frozen, learner = agent(), agent(learning=0.2)
    assert frozen.after_reading(READ) is frozen
    assert learner.after_reading([]) is learner
    assert learner.after_reading([" \n "]) is learner
    later = learner.after_reading(READ)
    assert later is not learner
    assert learner.learned == {}


def test_counts_after_reading_are_a_mixture_of_laws():
    # 17 words and 5 ends of its own; 9 and 4 that were read.
    learner = agent(learning=0.25)
    later = learner.after_reading(READ)
    own = learner._own.tokens.size
    assert share_of(later, own) == pytest.approx(0.75)
    again = later.after_reading([READ[0]])
    assert share_of(again, own) == pytest.approx(0.75**2)
    # A text that is read twice is held once.
    assert again._own.tokens.size == later._own.tokens.size


def share_of(agent, tokens):
    weights = agent._own.weights
    return weights[:tokens].sum() / weights.sum()


def test_what_has_faded_is_not_followed_for_being_the_longest():
    # "red fox" is the own corpus's alone, and "fox" of both.
    one = agent(texts=["red fox hides."], trust=0.0, learning=0.5, most_sentences=1)
    for _ in range(20):
        one = one.after_reading(["the fox runs."])
    said = [say(one, query="a red fox", index=index).text for index in range(200)]
    assert set(said) == {"runs."}
    # Nothing has faded yet after one round: the longest ending goes first.
    fresh = agent(texts=["red fox hides."], trust=0.0, learning=0.5, most_sentences=1)
    early = fresh.after_reading(["the fox runs."])
    assert {say(early, query="a red fox", index=index).text for index in range(50)} == {"hides."}


def test_agents_with_one_corpus_faded_speak_alike():
    vocabularies = {}
    texts = ["the cow slept off.", "a dog ran. the dog sat. the cat sat on the mat. it was cold."]
    learners = [
        agent(name, [text], learning=0.5, vocabularies=vocabularies)
        for name, text in zip(("anna", "bert"), texts, strict=True)
    ]
    for _ in range(60):
        learners = [learner.after_reading([CORPUS]) for learner in learners]
    counts = []
    for learner in learners:
        words = " ".join(say(learner, READ, index=index).text for index in range(2000)).split()
        counts.append(words)
    kinds = sorted(set(counts[0]) | set(counts[1]))
    table = [[words.count(kind) for kind in kinds] for words in counts]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_what_was_read_takes_over_at_the_rate():
    new = ["zebras zigzag."]
    texts = {}
    for rate in (0.0, 0.3, 1.0):
        later = agent(trust=0.0, learning=rate, order=3, most_sentences=1).after_reading(new)
        texts[rate] = [say(later, index=index).text == new[0] for index in range(1000)]
    assert not any(texts[0.0])
    assert all(texts[1.0])
    # Beginnings: 5 of 22 tokens of the corpus, 1 of 3 of what was read.
    share = 0.3 / 3 / (0.3 / 3 + 0.7 * 5 / 22)
    assert np.mean(texts[0.3]) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 1000))


def test_a_run_is_made_again_by_replaying_what_was_read():
    rounds = [[READ[0]], READ, [say(agent(), READ, index=index).text for index in range(5)]]
    first = second = agent(learning=0.1)
    for texts in rounds:
        first = first.after_reading(texts)
        say(first, texts)
    fresh = agent(learning=0.1)
    # Another order of first readings gives other numbers to words, and the same answers.
    fresh.vocabulary.encode("zebras. the sea fell. off")
    for texts in rounds:
        fresh = fresh.after_reading(texts)
    del second
    for index in range(20):
        assert say(first, READ, index=index) == say(fresh, READ, index=index)


def test_agents_of_one_network_share_a_vocabulary():
    vocabularies = {}
    one, two = (agent(name, vocabularies=vocabularies) for name in ("anna", "bert"))
    assert one.vocabulary is two.vocabulary
    other = agent("carl", vocabularies=vocabularies, tokenizer="whitespace")
    assert other.vocabulary is not one.vocabulary
    alone = agent("bert")
    assert say(alone, READ) == say(two, READ)


def test_a_file_and_its_text_make_the_same_agent(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(CORPUS, encoding="utf-16")
    from_file = hf.NGramAgent.from_text("anna", path, tokenizer="words", encoding="utf-16")
    assert say(from_file, READ) == say(agent(), READ)
    assert from_file.describe()["corpus"] == "corpus.txt"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": 0}, "order: got 0"),
        ({"order": 17}, "order: got 17"),
        ({"trust": 1.5}, "trust: got 1.5"),
        ({"learning": -0.1}, "learning: got -0.1"),
        ({"most_tokens": 0}, "most_tokens: got 0"),
        ({"most_sentences": 0}, "most_sentences: got 0"),
        ({"tokenizer": "wrods"}, "did you mean words"),
    ],
)
def test_what_is_out_of_range_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        agent(**settings)


def test_a_corpus_without_words_is_refused(tmp_path):
    with pytest.raises(DataError, match="agent anna: its texts hold no word"):
        agent(texts=["... !"])
    (tmp_path / "empty.txt").write_text("!")
    with pytest.raises(DataError, match="holds no word"):
        hf.NGramAgent.from_text("anna", tmp_path / "empty.txt", tokenizer="words")
