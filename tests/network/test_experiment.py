import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.network.experiment import Experiment, read_experiment, texts_of
from hayflick.network.setup import set_up_network

from .conftest import REAL, village

VALUES = village().model_dump(exclude_none=True)


def refused(**changes):
    with pytest.raises(ArgumentError) as caught:
        Experiment.of({**VALUES, **changes}, name="e.toml")
    return str(caught.value)


def test_unknown_keys_are_met_with_the_nearest(tmp_path):
    assert refused(ronds=3).startswith("e.toml: ronds: got an unknown key, takes format_version,")
    assert refused(ronds=3).endswith("did you mean rounds?")
    said = refused(pool={"texts": REAL, "polcy": "add-all"})
    assert said.startswith("e.toml: pool.polcy: got an unknown key")
    assert said.endswith("did you mean policy?")
    said = refused(query=None, queries=[{"txt": "Why?"}])
    assert said.startswith("e.toml: queries.1.txt")
    assert said.endswith("did you mean text?")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rounds": 0}, "e.toml: rounds: got 0, takes a value of its kind: input should be gr"),
        ({"format_version": 2}, "e.toml: format_version: got 2, takes a value of its kind"),
        ({"queries": [{"text": "Why?"}]}, "takes either query or sections [[queries]]"),
        ({"pool": {}}, "e.toml: pool: got another, takes either file or texts"),
        ({"pool": {"texts": REAL, "inject": 2}}, "a section [reserve] where pool.inject is set"),
        ({"prompt_variations": ["Shout!"]}, "prompt_variations with {query} in each"),
        ({"vary_prompts": "always"}, "prompt_variations where vary_prompts is always"),
        ({"agents": []}, "e.toml: agents"),
    ],
)
def test_values_out_of_range(changes, said):
    assert said in refused(**changes)


def test_topology_is_stated_once():
    later = [{"from_round": 1, "topology": "ring"}]
    with pytest.raises(ArgumentError, match="either topology or sections"):
        village(topology="complete", topologies=later)
    late = [*later, {"from_round": 9, "topology": "ring"}]
    with pytest.raises(ArgumentError, match="topologies from one of the 3 rounds on"):
        village(rounds=3, topologies=late)
    with pytest.raises(ArgumentError, match="did you mean from_round"):
        village(topologies=[{"from_rounds": 1, "topology": "ring"}])


def test_what_is_missing_is_named():
    values = {key: value for key, value in VALUES.items() if key != "pool"}
    with pytest.raises(ArgumentError, match=r"e.toml: pool: got nothing, takes a value"):
        Experiment.of(values, name="e.toml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"none.toml: no such file"):
        read_experiment(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("rounds = = 3")
    with pytest.raises(DataError, match=r"bad.toml: is no TOML"):
        read_experiment(tmp_path / "bad.toml")


def test_texts_of_files(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\n  two \n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two", "by": 1}\n')
    for name in ("a.txt", "a.jsonl"):
        section = village(pool={"file": name}).pool
        assert texts_of(section, folder=tmp_path) == ["one", "two"]
    (tmp_path / "b.jsonl").write_text('{"txt": "one"}\n')
    with pytest.raises(DataError, match=r"b.jsonl: line 1 takes an object with a key text"):
        texts_of(village(pool={"file": "b.jsonl"}).pool, folder=tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match="holds no text"):
        texts_of(village(pool={"file": "empty.txt"}).pool, folder=tmp_path)


def test_a_first_pool_has_the_size_and_the_owners_that_are_asked_for(tmp_path):
    experiment = village(pool={"texts": REAL, "size": 5, "owners": "split"})
    pool = set_up_network(experiment, folder=tmp_path).first_pool(folder=tmp_path)
    assert [one.author for one in pool.texts] == ["anna", "bert", "cleo", "anna", "bert"]
    too_many = village(pool={"texts": REAL, "size": 21})
    with pytest.raises(ArgumentError, match=r"pool.size: got 21, takes at most the 20 texts"):
        set_up_network(too_many, folder=tmp_path).first_pool(folder=tmp_path)


def test_personas_go_to_language_models_in_turn():
    models = [
        {"name": name, "kind": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m"}
        for name in "abc"
    ]
    models[1]["persona"] = "My own."
    sections = village(agents=models, personas=["Terse.", "Warm."]).agent_sections()
    assert [section["persona"] for section in sections] == ["Terse.", "My own.", "Warm."]
    with pytest.raises(ArgumentError, match="personas: got 1 texts, takes nothing where no agent"):
        village(personas=["Terse."]).agent_sections()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retrieval": "unifrom:0.5"}, "did you mean uniform"),
        ({"topology": "rng:1"}, "did you mean ring"),
        ({"topologies": [{"from_round": 2, "topology": "ring"}]}, "from_round: got 2, takes"),
        ({"pool": {"texts": REAL, "policy": "windw:3"}}, "did you mean window"),
        ({"embedder": "hasing"}, "did you mean hashing"),
    ],
)
def test_names_in_the_grammar_offer_the_nearest(tmp_path, changes, said):
    with pytest.raises(ArgumentError, match=said):
        set_up_network(village(**changes), folder=tmp_path)
