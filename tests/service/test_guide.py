"""The operators' guide: its commands work against a service, and its settings are settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hayflick.service.serve import read_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
TOKEN = "hf_a-token-of-the-tests-of-the-guide"


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def served(tmp_path):
    """The environment of the examples, with a service that runs."""
    environment = {**os.environ, "HAYFLICK_ADMIN_TOKEN": TOKEN, "HAYFLICK_TOKEN": TOKEN}
    command = [sys.executable, "-m", "hayflick", "serve", "--port", "0", "--database", "a.db"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = iter(process.stdout.readline, "")
            line = next(line for line in said if line.startswith("listening at "))
            yield {**environment, "HAYFLICK_URL": line.split()[-1]}
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_commands_of_the_guide_work(served, tmp_path):
    examples = blocks("bash")
    assert len(examples) > 5
    for example in examples:
        command = ["bash", "-euo", "pipefail", "-c", example.replace("-sS", "-sS --fail-with-body")]
        done = subprocess.run(command, cwd=tmp_path, env=served, capture_output=True, text=True)
        assert done.returncode == 0, (example, done.stdout, done.stderr)
        decoder, rest = json.JSONDecoder(), done.stdout
        while rest.strip():
            found, end = decoder.raw_decode(rest)
            assert found, example
            rest = rest[end:]


def test_the_settings_of_the_guide_are_settings(tmp_path):
    [settings] = blocks("toml")
    (tmp_path / "service.toml").write_text(settings)
    (tmp_path / "usual.toml").write_text("format_version = 1\n")
    environment = {"ALERTS_URL": "json://x", "HOOK_SECRET": "whsec_c2VjcmV0IG9m"}
    found = read_settings(tmp_path / "service.toml", environment=environment)
    assert found.targets["oncall"].url == "json://x"
    assert found.streams["help desk"].rules == "usual"


def test_the_guide_names_every_setting_of_a_stream():
    from hayflick.service.stream_settings import StreamSettings

    missing = [name for name in StreamSettings.model_fields if f"`{name}`" not in GUIDE]
    assert missing == []
