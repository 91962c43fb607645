"""What deploy/ holds fits together: settings, the container, the unit, the dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hayflick.cli.main import main
from hayflick.service.serve import read_settings

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


def test_kubernetes_runs_roles_with_settings_that_there_are(monkeypatch):
    yaml = pytest.importorskip("yaml")
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    deployments = {one["metadata"]["name"]: one for one in found if one["kind"] == "Deployment"}
    given = {}
    monkeypatch.setattr(
        "hayflick.service.serve.serve", lambda *_, host, role, **__: given.update({role: host})
    )
    for name, deployment in deployments.items():
        labels, pod = deployment["spec"]["selector"]["matchLabels"], deployment["spec"]["template"]
        assert pod["metadata"]["labels"] == labels
        assert name == f"hayflick-{labels['role']}"
        assert pod["spec"]["securityContext"]["runAsUser"] == 10001
        [container] = pod["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        mounts = {one["name"] for one in container["volumeMounts"]}
        assert mounts == {one["name"] for one in pod["spec"]["volumes"]}
        monkeypatch.setenv("ALERTS_URL", variables()["ALERTS_URL"])
        settings = str(DEPLOY / "hayflick.toml")
        arguments = [
            one.replace("/etc/hayflick/hayflick.toml", settings) for one in container["args"]
        ]
        assert main(arguments) == 0
    assert given == {"ingest": "0.0.0.0", "rounds": "0.0.0.0"}
    [service] = [one for one in found if one["kind"] == "Service"]
    assert service["spec"]["selector"] == {"app": "hayflick", "role": "ingest"}
    [scaler] = [one for one in found if one["kind"] == "HorizontalPodAutoscaler"]
    assert scaler["spec"]["scaleTargetRef"]["name"] in deployments


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


def test_grafana_asks_for_metrics_that_there_are(tmp_path):
    from fastapi.testclient import TestClient

    from hayflick.service.app import create_app
    from hayflick.service.service import Service
    from hayflick.service.settings import ServiceSettings
    from hayflick.storage.database import Database

    with Database(tmp_path / "service.db") as database:
        app = create_app(Service(database, ServiceSettings()))
        with TestClient(app, base_url="http://127.0.0.1") as client:
            text = client.get("/metrics").text
    known = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_count", "_sum")}
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [one["expr"] for panel in dashboard["panels"] for one in panel.get("targets", ())]
    assert len(queries) > 15
    # The names of functions are followed by a bracket, those of metrics are not.
    asked = set(re.findall(r"\b(?:hayflick|process)_\w+\b(?!\()", " ".join(queries)))
    # What only Linux tells.
    assert asked - known <= {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    assert len(asked) > 10


def test_a_backup_is_written_and_old_ones_are_removed(tmp_path):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HAYFLICK_DATABASE": str(tmp_path / "service.db"),
    }
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("hayflick-2026-01-01T0300.db", "hayflick-2026-01-02T0300.db", "other.db"):
        (folder / name).touch()
    for command in (["hayflick", "db", "token", "a"], [DEPLOY / "backup.sh", str(folder), "2"]):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    kept = sorted(path.name for path in folder.iterdir())
    assert len(kept) == 3
    assert kept[0] == "hayflick-2026-01-02T0300.db"
    assert kept[2] == "other.db"
