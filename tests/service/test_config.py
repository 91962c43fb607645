"""The TOML file of the service."""

from __future__ import annotations

import pytest

from hayflick.core.errors import DataError
from hayflick.service.serve import declare, read_settings
from hayflick.service.streams import settings_of
from hayflick.storage.database import Database
from hayflick.storage.rules import rules_of
from hayflick.storage.streams import streams_of
from hayflick.storage.targets import targets_of

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
    variables = {"MAIL_PASSWORD": "p$w", "HOOK_SECRET": "a secret of the hook"}
    settings = read_settings(written(tmp_path, FILE), environment=variables)
    assert settings.defaults.every == "15m"
    assert settings.streams["talk"].every == 200
    assert settings.streams["sizes"].kind == "counts"
    assert settings.rules == {"usual": "format_version = 1\n"}
    assert settings.targets["mail"].url == "mailtos://hayflick:p$w@example.org"
    assert settings.targets["hook"].secret == "a secret of the hook"
    assert (settings.limits.items, settings.create_streams) == (500, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stream = 3", "stream: there is no such key"),
        ("[streams.talk]\nevry = 3", "evry: there is no such key; did you mean every?"),
        ("[defaults]\nevery = '1x'", "defaults.every: got 1x"),
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


RULES = """format_version = 1
mode = "warn"
[[watch]]
name = "few"
metric = "spread"
below = 0.5
"""


def test_what_is_declared_is_made_and_brought_up_to_date(tmp_path):
    (tmp_path / "usual.toml").write_text(RULES)
    variables = {"MAIL_PASSWORD": "p", "HOOK_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}
    settings = read_settings(written(tmp_path, FILE), environment=variables)
    changed = read_settings(written(tmp_path, FILE.replace("200", "300")), environment=variables)
    with Database(tmp_path / "kept.db") as database:
        for number, one in enumerate((settings, settings, changed)):
            declare(database, one, now=5.0 + number)
        with database.connect() as connection:
            found = {one.name: settings_of(one).every for one in streams_of(connection, 1)}
            assert found == {"sizes": "1h", "talk": 300}
            assert [one.version for one in rules_of(connection, 1)] == [1]
            assert [one.name for one in targets_of(connection, 1)] == ["hook", "mail"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[streams.talk]\ncharts = ['cusumm']", "streams.talk: .*cusum"),
        ("[streams.'a/b']", "streams.a/b: stream"),
        ("[streams.talk]\nrules = 'absent'", "streams.talk: rules"),
        ("[defaults]\ntokenizer = 'wordz'", "defaults: tokenizer"),
        ("redact = 'nothing'", "redact: "),
        ('[rules]\nusual = "a = 1\\n"', "rules.usual: "),
        ("[targets.a]\nurl = 'songs'", "targets.a: "),
    ],
)
def test_what_cannot_be_declared_is_named(tmp_path, text, message):
    settings = read_settings(written(tmp_path, text), environment={})
    with (
        Database(tmp_path / "kept.db") as database,
        pytest.raises(DataError, match=f"settings, {message}"),
    ):
        declare(database, settings, now=5.0)
