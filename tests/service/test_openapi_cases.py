"""Random requests by the OpenAPI document: never an internal error, never an answer not in it.

`benchmarks/schemathesis_cases.py` runs the same with ten thousand requests.
"""

from __future__ import annotations

import os
import random
import warnings
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable

from hayflick.service.app import create_app
from hayflick.storage.accounts import create_token, project_named
from hayflick.storage.actions import record_action
from hayflick.storage.alerts import raise_alarm
from hayflick.storage.reviews import add_reviews
from hayflick.storage.rounds import RoundRow, add_rounds
from hayflick.storage.service_tables import streams
from hayflick.storage.streams import create_stream

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

CASES = int(os.environ.get("HAYFLICK_SCHEMA_CASES", "200"))
ENDLESS = "/v1/events"
"""Tested in test_events.py: the answer does not end."""

KNOWN = {"name": "talk", "number": 60}
"""What is there, for every other request; numbers of tokens are left alone: ours is one."""


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


@pytest.fixture
def url(service, served):
    return served(create_app(service))


@pytest.fixture
def headers(service, token, url):
    """A token, in a store that holds something of everything under the number 60."""
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        # Random numbers are small, and one of them must not revoke our token.
        for _ in range(59):
            create_token(connection, project, name="spare", scopes=("read",), now=now)
        stream = create_stream(
            connection, project, "talk", kind="answers", settings='{"every": 200}', now=now
        )
        connection.execute(streams.update().values(open_round=61))
        add_rounds(connection, [RoundRow.of_number(stream.id, 60)])
        for number in range(1, 61):
            record_action(connection, stream, number, "", "inject", {"reason": "x"}, now=now)
            drawn = [{"key": str(number), "text": "so"}]
            add_reviews(connection, stream, number, drawn, 40, now=now)
            connection.exec_driver_sql("UPDATE alerts SET state = 'cleared'")
            raise_alarm(connection, stream, round=number, content={"charts": []}, now=now)
    return token("admin")


def test_every_answer_is_in_the_document(url, headers):
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [one for one in operations if one.path != ENDLESS]
    kinds = [(one, mode) for one in operations for mode in schemathesis.GenerationMode]
    # Of those that take nothing there is one request.
    taking = [one for one, _ in kinds if not {"parameters", "requestBody"}.isdisjoint(_raw(one))]
    each = -(-CASES // len(taking))
    statuses = {(one.label, mode.value): _made(one, mode, each, headers) for one, mode in kinds}
    # The requests reach what they are for.
    for label in ("GET /v1/streams/{name}", "GET /v1/actions/{number}"):
        assert 200 in statuses[label, "positive"], statuses[label, "positive"]
    total = sum(map(len, statuses.values()))
    print(f"{total} requests")
    assert total >= 0.9 * CASES


def _raw(operation):
    return operation.definition.raw


def _made(operation, mode, number, headers):
    """Make requests, and return the statuses that they were answered."""
    choice, statuses = random.Random(operation.label), []

    @seed(1)
    @hypothesis_settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def request(case):
        for name, value in KNOWN.items():
            held = case.path_parameters or {}
            if name in held and "/tokens/" not in operation.path and choice.random() < 0.5:
                case.path_parameters[name] = value
        answer = case.call(headers=headers, timeout=60)
        case.validate_response(answer, checks=_checks())
        statuses.append(answer.status_code)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Nothing can be wrong about a request that takes nothing.
        with suppress(Unsatisfiable):
            request()
    return statuses


def _checks():
    # Loaded late: the library may be absent.
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    return [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
