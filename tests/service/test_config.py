"""The TOML file of the service."""

from __future__ import annotations

import pytest

from hayflick.core.errors import DataError
from hayflick.service.config import read_settings

FILE = """
create_streams = false
[defaults]
every = "15m"
[streams.talk]
every = 200
rules = "usual"
[streams.sizes]
kind = "counts"
[rules]
usual = "usual.toml"
[targets.mail]
url = "mailtos://hayflick:${MAIL_PASSWORD}@example.org"
[targets.hook]
kind = "webhook"
url = "https://example.org/hook"
secret = "$HOOK_SECRET"
[limits]
items = 500
"""


def written(tmp_path, text):
    path = tmp_path / "service.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_its_rules_and_the_environment(tmp_path):
    (tmp_path / "usual.toml").write_text("format_version = 1\n")
    variables = {"MAIL_PASSWORD": "p$w", "HOOK_SECRET": "s"}
    settings = read_settings(written(tmp_path, FILE), environment=variables)
    assert settings.defaults.every == "15m"
    assert settings.streams["talk"].every == 200
    assert settings.streams["sizes"].kind == "counts"
    assert settings.rules == {"usual": "format_version = 1\n"}
    assert settings.targets["mail"].url == "mailtos://hayflick:p$w@example.org"
    assert settings.targets["hook"].secret == "s"
    assert (settings.limits.items, settings.create_streams) == (500, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream = 3", "stream: there is no such key"),
        ("[streams.talk]\nevry = 3", "streams.talk.evry: there is no such key"),
        ("[streams.talk]\nbaseline = 1", "streams.talk.baseline: .*greater than or equal to 2"),
        ("[streams.talk]\nkind = 'songs'", "streams.talk.kind: .*'answers'"),
        ("[streams]\ntalk = 3", "streams.talk: "),
        ("targets = 3", "targets: "),
        ("[targets]\na = 3", "targets.a: "),
        ("[targets.a]\nurl = '$ABSENT'", "targets.a.url: the environment has no variable ABSENT"),
        ("[targets.a]\nurl = 3", "targets.a.url: "),
        ("[rules]\nusual = 'absent.toml'", "absent.toml"),
        ("[rules]\nusual = 3", "rules.usual: "),
        ("rules = 3", "rules: "),
        ("limits = [", "is no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_settings(written(tmp_path, text), environment={})
