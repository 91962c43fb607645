"""What deploy/ holds fits together: settings, the container, the unit, the dashboard."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from hayflick.service.config import read_settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def variables():
    """Return the variables of the example of an environment."""
    lines = (DEPLOY / "example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_settings_are_settings():
    settings = read_settings(DEPLOY / "hayflick.toml", environment=variables())
    assert settings.targets["oncall"].url == variables()["ALERTS_URL"]
    assert settings.hosts == (settings.public_url.removeprefix("https://"),)


def test_the_container_installs_extras_that_exist_and_runs_without_rights():
    text = (DEPLOY / "Containerfile").read_text()
    extras = set(re.search(r"ARG EXTRAS=(\S+)", text)[1].split(","))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras <= set(project["optional-dependencies"])
    assert extras == {"server", "postgres"}
    copied = re.search(r"^COPY (.*) /source/$", text, re.MULTILINE)[1].split()
    shown = (ROOT / ".dockerignore").read_text().splitlines()
    for name in ("src", *copied):
        assert (ROOT / name).exists()
        assert f"!{name}" in shown
    assert text.index("USER 10001") < text.index("ENTRYPOINT")


def test_the_compose_file_asks_for_what_the_example_sets():
    yaml = pytest.importorskip("yaml")
    text = (DEPLOY / "compose.yaml").read_text()
    asked = re.findall(r"(?<!\$)\$\{(\w+)", text)
    assert set(asked) == set(variables())
    services = yaml.safe_load(text)["services"]
    assert all(one["read_only"] for one in services.values())
    # Nothing is reached from other machines without a proxy.
    ports = [port for one in services.values() for port in one.get("ports", ())]
    assert ports == ["127.0.0.1:8080:8080"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_reads_the_unit(tmp_path):
    unit = (DEPLOY / "hayflick.service").read_text()
    # The program is not installed here.
    (tmp_path / "hayflick.service").write_text(
        unit.replace("/opt/hayflick/bin/hayflick", "/bin/true")
    )
    command = ["systemd-analyze", "verify", str(tmp_path / "hayflick.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
