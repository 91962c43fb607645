from hayflick.network.mitigation import MitigationCase, cases_table, mark_frontier

ALIKE = {"topology": "complete", "models": 2, "apart": None}


def test_a_case_without_a_share_is_not_on_the_frontier_and_beats_none():
    shares = [(0, None), (0, 0.0), (4, 0.0), (4, 0.5), (8, 0.5)]
    found = [MitigationCase(injected=n, texts=n, kept=kept, **ALIKE) for n, kept in shares]
    marks = [one.on_frontier for one in mark_frontier(found)]
    assert marks == [False, True, False, True, False]


def test_the_share_of_irrelevant_text_is_no_choice_and_all_else_is():
    def case(**settings):
        return MitigationCase(**{"injected": 1, "texts": 9, **ALIKE, **settings})

    cases = [
        case(kept=0.5, irrelevant=0.0),
        case(kept=0.6, irrelevant=0.0, models=8, prompts="varied", topology="star"),
        case(kept=0.4, irrelevant=0.5),
    ]
    assert [one.on_frontier for one in mark_frontier(cases)] == [False, True, True]


def test_the_table_has_a_row_for_every_case():
    cases = [MitigationCase(injected=1, texts=9, kept=None, **ALIKE)]
    (row,) = cases_table(cases).to_dicts()
    assert row == {**ALIKE, "injected": 1, "texts": 9, "kept": None, "irrelevant": 0.0} | {
        "prompts": "one",
        "on_frontier": False,
    }
    assert cases_table([]).height == 0
