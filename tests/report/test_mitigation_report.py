import json

import pytest

from hayflick.core.errors import ArgumentError, OutputError
from hayflick.network.experiment import Experiment
from hayflick.network.mitigation import MitigationCase, MitigationStudy, mark_frontier
from hayflick.report.language import Language
from hayflick.report.mitigation import charts, page, tables

EXPERIMENT = Experiment.of(
    {
        "format_version": 1,
        "rounds": 1,
        "query": "What is <new>",
        "pool": {"texts": ["It rains."]},
        "agents": [{"name": "anna", "kind": "ngram", "texts": ["It rains."]}],
    }
)


def study(*, kept=0.5, irrelevant=(0.0, 0.25)):
    def case(**settings):
        return MitigationCase(**{"topology": "complete", "models": 4, "apart": 1.5, **settings})

    agents = [
        case(injected=n, texts=30 * n, kept=kept, irrelevant=share, prompts=prompts)
        for n in (0, 3)
        for share in irrelevant
        for prompts in ("one", "varied")
    ]
    mixtures = [case(injected=n, texts=60 * n, kept=0.6 + 0.1 * n, models=n + 2) for n in (0, 3)]
    return MitigationStudy(
        experiment=EXPERIMENT,
        axes={"models": [4]},
        agents=mark_frontier(agents),
        surrogate=mark_frontier(mixtures),
    )


def test_the_page_shows_both_frontiers_in_both_languages():
    shown = page(study())
    assert shown.count("<svg") == 2
    for words in (
        "real texts injected",
        "real points injected",
        "complete, varied prompts",
        "irrelevant texts: 25%",
        "models: 5",
        "What is &lt;new&gt;",
        "not on language models",
    ):
        assert words in shown
    japanese = page(study(), lang="ja")
    assert '<html lang="ja">' in japanese
    assert "投入した実テキストの数" in japanese
    with pytest.raises(ArgumentError, match="lang"):
        page(study(), lang="tlh")


def test_a_single_share_has_no_heading_and_one_kind_of_prompt_no_name():
    agents, mixtures = charts(study(irrelevant=(0.0,)), Language("en"))
    assert "irrelevant" not in agents.svg
    assert "complete, one prompt" in agents.svg
    assert "prompt" not in mixtures.svg
    assert agents.numbers["on_frontier"].sum() == 2


def test_what_is_undefined_is_in_the_numbers_and_not_in_the_picture():
    nothing = study(kept=None)
    agents, _ = charts(nothing, Language("en"))
    assert agents.numbers["kept"].null_count() == 8
    assert nothing.to_dict()["cases"][0]["kept"] is None
    table, _ = tables(nothing)
    assert set(table.columns[5].cells) == {"–"}


def test_tables_and_record_hold_every_case():
    agents, mixtures = tables(study(), lang="ja")
    assert (agents.row_count, mixtures.row_count) == (8, 2)
    assert "変化あり" in list(agents.columns[2].cells)
    record = json.loads(json.dumps(study().to_dict()))
    assert (len(record["cases"]), len(record["surrogate"])) == (8, 2)
    assert record["provenance"]["parameters"]["axes"] == {"models": [4]}


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_files_are_written_whole(tmp_path, suffix):
    path = tmp_path / f"grid.{suffix}"
    assert study().save(path) == path
    start = {"html": b"<!doctype", "svg": b"<svg", "png": b"\x89PNG"}[suffix]
    assert path.read_bytes().startswith(start)
    with pytest.raises(OutputError, match="exists"):
        study().save(path)
    study().save(path, force=True, lang="ja")


def test_other_names_and_languages_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"out: got .*grid.pdf, takes a name ending in .html"):
        study().save(tmp_path / "grid.pdf")
    with pytest.raises(ArgumentError, match="lang"):
        study().save(tmp_path / "grid.svg", lang="tlh")


def test_a_notebook_shows_both_frontiers():
    assert study()._repr_html_().count("<svg") == 2
