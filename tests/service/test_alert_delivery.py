"""Messages reach their targets: signed, in order, tried again, never at private addresses."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from hooks import receiving

from hayflick.core.errors import ArgumentError
from hayflick.report.language import Language
from hayflick.service import webhooks
from hayflick.service.alerts import (
    GIVEN_UP_AFTER_S,
    AlertMessages,
    AlertWorker,
    check_target,
    send_test,
)
from hayflick.service.apprise_sender import send_by_apprise
from hayflick.service.settings import ServiceSettings
from hayflick.service.webhooks import DeliveryFailure, post_webhook
from hayflick.storage.accounts import project_named
from hayflick.storage.alerts import clear_alarm, raise_alarm, snooze_alert
from hayflick.storage.deliveries import DeliveryRow, deliveries_of
from hayflick.storage.streams import create_stream
from hayflick.storage.targets import put_target
from hayflick_client.webhooks import WebhookError, verify_webhook

BEGIN = 1_790_000_000.0
CHART = {
    "metric": "spread",
    "group": "",
    "chart": "evidence",
    "value": 0.2134567,
    "statistic": 3120.0,
    "limit": 1000.0,
    "evidence": 3120.4,
    "since": 11,
}
CHARTS = {"round_name": "09:00", "charts": [CHART]}


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


@pytest.fixture
def settings():
    return ServiceSettings(private_addresses=True, public_url="https://hf.example.com/")


@pytest.fixture
def running(service):
    with service:
        yield service


class Project:
    """A project of a running service, with a stream."""

    def __init__(self, service):
        self.service = service

        def make(connection):
            number = project_named(connection, "default", now=1.0)
            more = {"kind": "answers", "settings": "{}", "now": 1.0}
            return number, create_stream(connection, number, "talk", **more)

        self.number, self.stream = service.writer.write(make)

    def target(self, url, *, name="ops", kind="webhook", **more):
        return self.do(put_target, self.number, name, kind=kind, url=url, now=1.0, **more)

    def do(self, function, *arguments, **more):
        return self.service.writer.write(lambda one: function(one, *arguments, **more))

    def alarm(self, number=12):
        now = self.service.clock.now()
        return self.do(raise_alarm, self.stream, round=number, content=CHARTS, now=now)

    def clear(self, number=20):
        return self.do(clear_alarm, self.stream, round=number, now=self.service.clock.now())

    def states(self):
        with self.service.database.connect() as connection:
            found = deliveries_of(connection, self.number)
        return [(row.kind, row.state, row.attempts) for row in reversed(found)]


@pytest.fixture
def project(running):
    return Project(running)


def send(worker):
    for target in worker.look():
        worker.send_due(target)


def test_a_web_hook_gets_a_signed_message_with_a_link(project, receiver):
    target = project.target(receiver.url)
    number = project.alarm()
    send(AlertWorker(project.service))
    [(headers, body)] = receiver.got
    message = verify_webhook(body, headers, secret=target.secret, now=BEGIN + 10)
    assert message["type"] == "alarm"
    assert message["timestamp"] == "2026-09-21T14:13:20.000Z"
    data = message["data"]
    assert (data["alert"], data["stream"], data["round"]) == (number, "talk", 12)
    assert data["opened"] == "2026-09-21T14:13:20.000Z"
    assert data["charts"] == [CHART]
    assert data["link"] == "https://hf.example.com/streams/talk"
    assert project.states() == [("alarm", "sent", 1)]
    send(AlertWorker(project.service))
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"secret": "whsec_b3RoZXI="}, "signature"),
        ({"body": b"{}"}, "signature"),
        ({"now": BEGIN + 1000}, "1000 s old"),
        ({"now": BEGIN - 1000}, "1000 s old"),
        ({"headers": {}}, "webhook-id is missing"),
        ({"headers": {"webhook-id": "hayflick_2"}}, "webhook-timestamp is missing"),
    ],
)
def test_a_forged_or_old_message_is_refused(change, error):
    body, secret = b'{"type": "test"}', "whsec_c2VjcmV0"
    headers = webhooks.sign_webhook(body, secret=secret, message="hayflick_1", at=BEGIN)
    held = {"body": body, "headers": headers, "secret": secret, "now": BEGIN, **change}
    with pytest.raises(WebhookError, match=error):
        verify_webhook(held.pop("body"), held.pop("headers"), **held)


def test_a_message_of_another_time_or_number_is_refused():
    body, secret = b'{"type": "test"}', "any text"
    headers = webhooks.sign_webhook(body, secret=secret, message="hayflick_1", at=BEGIN)
    for name, value in (("webhook-timestamp", f"{BEGIN + 60:.0f}"), ("webhook-id", "hayflick_2")):
        with pytest.raises(WebhookError):
            verify_webhook(body, {**headers, name: value}, secret=secret, now=BEGIN)
    # Two signatures stand side by side while a secret is replaced.
    both = {**headers, "webhook-signature": "v1,AAAA " + headers["webhook-signature"]}
    assert verify_webhook(body, both, secret=secret, now=BEGIN) == {"type": "test"}
    # As the reference implementation of Standard Webhooks signs.
    known = webhooks.sign_webhook(
        b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=1614265330,
    )
    assert known["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_messages_are_tried_again_later_and_stay_in_order(project, receiver, machine_clock):
    project.target(receiver.url)
    worker = AlertWorker(project.service)
    receiver.status = 503
    project.alarm()
    project.clear()
    send(worker)
    send(worker)
    # The second message waits for the first one.
    assert receiver.kinds == ["alarm"]
    assert project.states() == [("alarm", "waiting", 1), ("cleared", "waiting", 0)]
    machine_clock.go_on(16)
    send(worker)
    machine_clock.go_on(16)
    send(worker)
    assert receiver.kinds == ["alarm"] * 2
    receiver.status = 200
    machine_clock.go_on(45)
    send(worker)
    assert receiver.kinds == ["alarm"] * 3 + ["cleared"]
    assert project.states() == [("alarm", "sent", 3), ("cleared", "sent", 1)]
    identities = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(set(identities[:3])) == 1
    assert len(set(identities)) == 2


def test_a_message_is_given_up_after_a_day_and_then_the_next_one_is_tried(
    project, receiver, machine_clock
):
    project.target(receiver.url)
    worker = AlertWorker(project.service)
    receiver.status = 500
    project.alarm()
    for _ in range(40):
        send(worker)
        machine_clock.go_on(3601)
    [(_, state, attempts)] = project.states()
    assert state == "given up"
    assert 20 < attempts <= GIVEN_UP_AFTER_S / 3600 + 5
    receiver.status = 200
    project.clear()
    send(worker)
    assert project.states()[1] == ("cleared", "sent", 1)
    with project.service.database.connect() as connection:
        assert deliveries_of(connection, project.number)[1].error == "it answers 500"


def test_a_message_that_is_refused_does_not_hold_up_others_for_long(
    project, receiver, machine_clock
):
    project.target(receiver.url)
    worker = AlertWorker(project.service)
    receiver.status = 422
    project.alarm()
    for _ in range(3):
        send(worker)
        machine_clock.go_on(100)
    assert project.states() == [("alarm", "given up", 3)]


def test_messages_that_pile_up_for_people_become_one(project, receiver):
    # Apprise posts JSON to the address.
    project.target(receiver.url.replace("http", "json"), name="chat", kind="apprise")
    for number in range(10, 13):
        project.alarm(number)
        project.clear(number)
    send(AlertWorker(project.service))
    [body] = receiver.bodies
    assert body["title"] == "hayflick: 6 messages"
    assert body["message"].count("- Alarm in talk") == 3
    assert body["message"].endswith("https://hf.example.com/")
    assert {state for _, state, _ in project.states()} == {"sent"}


def test_the_worker_sends_by_itself_and_ends(project, receiver):
    project.target(receiver.url)
    worker = AlertWorker(project.service)
    worker.start()
    project.alarm()
    worker.wake()
    for _ in range(1500):
        if project.states() == [("alarm", "sent", 1)]:
            break
        threading.Event().wait(0.02)
    worker.stop()
    assert receiver.kinds == ["alarm"]
    assert project.states() == [("alarm", "sent", 1)]


def test_a_snoozed_alarm_is_told_again_when_its_time_is_over(project, receiver, machine_clock):
    project.target(receiver.url)
    worker = AlertWorker(project.service)
    number = project.alarm()
    send(worker)
    until = BEGIN + 3600
    project.do(snooze_alert, project.number, number, until=until, now=project.service.clock.now())
    machine_clock.go_on(3599)
    send(worker)
    assert receiver.kinds == ["alarm"]
    machine_clock.go_on(1)
    send(worker)
    assert receiver.kinds == ["alarm", "alarm"]


def test_a_test_message_is_sent_at_once_and_recorded(project, receiver):
    target = project.target(receiver.url, enabled=False)
    assert send_test(project.service, target) is None
    assert receiver.bodies[0]["type"] == "test"
    receiver.status = 404
    assert send_test(project.service, target) == "it answers 404"
    assert project.states() == [("test", "sent", 1), ("test", "given up", 1)]


def test_redirects_are_not_followed(receiver):
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    with pytest.raises(DeliveryFailure, match="it answers 307, a redirect"):
        post(receiver.url, private=True)
    assert len(receiver.got) == 1


def post(url, **more):
    post_webhook(url, secret="s", message="m", content={"a": 1}, at=BEGIN, **more)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"]
)
def test_private_addresses_are_refused_in_every_spelling(receiver, host):
    with pytest.raises(DeliveryFailure, match=r"not (public|found)"):
        post(receiver.url.replace("127.0.0.1", host))
    assert receiver.got == []


def test_a_name_is_looked_up_once_and_all_its_addresses_are_checked(receiver, monkeypatch):
    places = [["127.0.0.1"], ["10.0.0.7"]]
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, *_, **more: [
        (2, 1, 6, "", (address, port)) for address in places.pop(0)
    ])  # fmt: skip
    monkeypatch.setattr(webhooks, "is_public", lambda address: address == "127.0.0.1")
    url = receiver.url.replace("127.0.0.1", "hooks.test")
    post(url)
    assert receiver.got[0][0]["host"] == f"hooks.test:{receiver.server_port}"
    # Its next look-up would lead elsewhere: it is refused then.
    with pytest.raises(DeliveryFailure, match=r"hooks\.test is at 10\.0\.0\.7"):
        post(url)
    places.append(["127.0.0.1", "10.0.0.7"])
    with pytest.raises(DeliveryFailure, match=r"hooks\.test is at 10\.0\.0\.7"):
        post(url)
    assert len(receiver.got) == 1


def test_a_server_that_does_not_answer_is_left_after_some_time():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(DeliveryFailure, match=r"within 0\.3 s"):
            post(url, private=True, timeout_s=0.3)


def test_apprise_makes_no_connection_to_private_addresses(receiver):
    url = receiver.url.replace("http", "json")
    with pytest.raises(DeliveryFailure, match=r"leads to 127\.0\.0\.1, .* private_addresses"):
        send_by_apprise(url, title="a", body="b")
    assert receiver.got == []


_REDIRECTED = """
import sys
from hayflick.service import apprise_sender
apprise_sender.is_public = lambda address: address == "127.0.0.1"
refused = []
apprise_sender._guard(refused, private=False)
print(apprise_sender._send({"url": sys.argv[1], "title": "a", "body": "b"}, refused))
"""


def test_apprise_is_not_redirected_to_private_addresses(receiver):
    receiver.status = 307
    receiver.headers = {"location": receiver.url.replace("127.0.0.1", "127.0.0.2")}
    command = [sys.executable, "-c", _REDIRECTED, receiver.url.replace("http", "json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "it leads to 127.0.0.2, an address that is not public" in done.stdout
    assert len(receiver.got) == 1


def test_apprise_reads_no_file_of_this_machine(tmp_path):
    (tmp_path / "secret.json").write_text('{"a": "secret"}')
    url = f"workflows://127.0.0.1:9/aaaa/bbbb?template={tmp_path}/secret.json"
    with pytest.raises(DeliveryFailure, match="leads to a file of this machine"):
        send_by_apprise(url, title="a", body="b", private=True)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "ftp://example.com"),
        ("webhook", "https://"),
        ("webhook", "https://exa mple.com"),
        ("webhook", "https://example.com:99999/"),
        ("webhook", "http://[::1"),
        ("apprise", "nonsense"),
        ("apprise", "slack://"),
        ("pigeon", "https://example.com"),
    ],
)
def test_targets_that_nothing_can_be_sent_to_are_refused(kind, url):
    with pytest.raises(ArgumentError) as caught:
        check_target(kind, url)
    assert "exa mple" not in str(caught.value)


def test_usual_targets_are_taken():
    check_target("webhook", "https://hooks.example.com/a?b=c")
    check_target("apprise", "mailto://anna:pass@example.com")


def messages(code, url="https://hf.example.com"):
    return AlertMessages(Language(code), url)


def delivery(kind, content):
    return DeliveryRow(
        id=1, target=1, kind=kind, subject=1, content=content, state="waiting", attempts=0,
        created=BEGIN, next_attempt=BEGIN, error=None,
    )  # fmt: skip


ALARM = {**CHARTS, "alert": 1, "kind": "alarm", "stream": "talk", "round": 12}


def test_an_alarm_is_told_in_plain_words():
    message = messages("en").message(delivery("alarm", ALARM))
    assert message.title == "Alarm in talk"
    assert message.body.splitlines() == [
        "Round 09:00: charts that alarm: 1.",
        "- spread of answers: 0.2135, odds of 3,120 to 1 against a healthy stream, since round 11",
        "https://hf.example.com/streams/talk",
    ]


def test_an_alarm_is_told_in_japanese():
    message = messages("ja", None).message(delivery("alarm", ALARM))
    assert message.title == "警報：talk"
    assert "正常でないことを示すオッズ 3,120 対 1" in message.body


@pytest.mark.parametrize(
    ("kind", "content", "title"),
    [
        ("silent", {"kind": "silent", "last_answer": BEGIN}, "No answers from talk"),
        ("cleared", {"kind": "silent"}, "talk gets answers again"),
        ("cleared", {"kind": "alarm", "round": 20}, "The alarm in talk is over"),
        ("action", {"kind": "notify", "round": 20, "reason": "look"}, "A rule's notice on talk"),
    ],
)
def test_every_kind_of_message_has_words(kind, content, title):
    assert messages("en").message(delivery(kind, {"stream": "talk", **content})).title == title


def test_names_with_control_characters_do_not_break_a_title():
    content = {"kind": "silent", "stream": "a\r\nBcc: x@y.z", "last_answer": None}
    message = messages("en").message(delivery("silent", content))
    assert "\n" not in message.title
    assert "\r" not in message.title
    assert message.body == "https://hf.example.com/streams/a%0D%0ABcc%3A%20x%40y.z"
