"""Rule files of the service open no files."""

from __future__ import annotations

import pytest

from hayflick.core.errors import DataError
from hayflick.service.rule_files import LONGEST_RULES, rules_of_text

WATCH = '[[watch]]\nname = "few"\nmetric = "spread"\n'


def _file(watch: str, *, top: str = "", actions: str = "") -> str:
    return f'format_version = 1\nmode = "act"\n{top}\n{WATCH}{watch}\n{actions}'


def _action(kind: str, line: str) -> str:
    return f'[[action]]\nname = "it"\nkind = "{kind}"\n{line}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_file("below = 0.5", top='corpus = "/etc/passwd"'), "corpus: the service reads no files"),
        (
            _file("below = 0.5", actions=_action("inject", 'items = 5\nreserve = "/etc/passwd"')),
            r"\[\[action\]\] it: reserve: the service reads no files",
        ),
        (
            _file("below = 0.5", actions=_action("vary_prompts", 'prompts = "/etc/passwd"')),
            r"\[\[action\]\] it: prompts: the service reads no files",
        ),
        (_file("target = 0.9"), r"\[\[watch\]\] few: a target takes the real data"),
        (_file("belwo = 0.5"), "unknown key belwo; did you mean below"),
        (_file('chart = "nelson"'), "nelson"),
        ("x = [" * 3000, "usual"),
        ("\0", "usual"),
        (_file("below = 0.5\n" + WATCH * 100), r"has 101 tables \[\[watch\]\], .* at most 100"),
        ("#" * (LONGEST_RULES + 1), "takes at most 100,000"),
    ],
)
def test_what_the_service_cannot_use_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rules_of_text(text, name="usual")


def test_rules_without_files_are_ready_to_start() -> None:
    prompts = _action("vary_prompts", 'prompts = ["Why?", "How?"]')
    rule_set = rules_of_text(_file('below = 0.5\nactions = ["it"]', actions=prompts))
    assert rule_set.resources.prompts == {"it": ("Why?", "How?")}
    assert rule_set.start().rule_set is rule_set
