"""What every notifier must do, over real HTTP and in memory; and what the two real ones owe their receivers."""

import base64
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from receiver import Receiver
from standardwebhooks import Webhook, WebhookVerificationError

from modelops_jupyter.errors import DeliveryFailed
from modelops_jupyter.notifications import InMemoryNotifier, Message, Notifier, open_notifier
from modelops_jupyter.notifications.addresses import checked_addresses
from modelops_jupyter.notifications.webhook import WebhookNotifier
from modelops_jupyter.settings import Target

MESSAGE = Message(
    "msg_1",
    "incident.opened",
    "2013-04-01T00:00:00+00:00",
    "delay: wind <b>changed</b>",
    "Two alerts.",
    {"model": "delay"},
)


class Bench:
    """One notifier, what its other side has seen, and a switch."""

    def __init__(self, notifier: Notifier, seen: Callable[[], list[str]], switch: Callable[[bool], Any]) -> None:
        self.notifier, self.seen, self.switch = notifier, seen, switch


@pytest.fixture(params=["memory", "webhook", "apprise"])
def bench(request: pytest.FixtureRequest, secret: str) -> Bench:
    if request.param == "memory":
        memory = InMemoryNotifier()

        def switch(up: bool) -> None:
            memory.down = not up

        return Bench(memory, lambda: [message.title for message in memory.messages], switch)
    receiver: Receiver = request.getfixturevalue("receiver")
    if request.param == "webhook":
        target = Target("ops", receiver.url, secret, allow_private=True)
        titles = lambda: [body["data"]["title"] for body in receiver.bodies]  # noqa: E731
    else:
        url = receiver.url.replace("http://", "json://").partition("?")[0]
        target = Target("chat", url + "?:token=t0p-secret", allow_private=True)
        titles = lambda: [body["title"] for body in receiver.bodies]  # noqa: E731
    return Bench(open_notifier(target), titles, lambda up: receiver.start() if up else receiver.stop())


def test_what_is_sent_arrives_as_text(bench: Bench) -> None:
    bench.notifier.send(MESSAGE)
    assert bench.seen() == ["delay: wind <b>changed</b>"]


def test_what_is_not_taken_is_an_error_that_holds_no_secret_and_goes_later(bench: Bench) -> None:
    bench.switch(False)
    with pytest.raises(DeliveryFailed) as caught:
        bench.notifier.send(MESSAGE)
    assert bench.seen() == []
    for text in (str(caught.value), bench.notifier.where, repr(bench.notifier)):
        assert "secret" not in text
        assert "/hook" not in text
    bench.switch(True)
    bench.notifier.send(MESSAGE)
    assert len(bench.seen()) == 1


@pytest.mark.parametrize("status", [302, 400, 404, 410, 429, 500, 503])
def test_only_2xx_is_taken(receiver: Receiver, secret: str, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    with pytest.raises(DeliveryFailed, match=str(status)):
        WebhookNotifier(receiver.url, secret, allow_private=True).send(MESSAGE)
    assert len(receiver.requests) == 1  # a redirect is not followed


def test_a_webhook_is_signed_as_the_standard_says(receiver: Receiver, secret: str) -> None:
    WebhookNotifier(receiver.url, secret, allow_private=True).send(MESSAGE)
    ((headers, body),) = receiver.requests
    payload = Webhook(secret).verify(body, headers)
    assert (headers["webhook-id"], payload["type"], payload["timestamp"]) == ("msg_1", MESSAGE.topic, MESSAGE.at)
    assert payload["data"] == {"title": MESSAGE.title, "text": "Two alerts.", "model": "delay"}
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"Two", b"Ten"), headers)


def test_a_receiver_that_never_answers_is_given_up(
    receiver: Receiver, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelops_jupyter.notifications.webhook.READ_SECONDS", 0.3)
    receiver.hold.clear()
    began = time.monotonic()
    with pytest.raises(DeliveryFailed):
        WebhookNotifier(receiver.url, secret, allow_private=True).send(MESSAGE)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "240.0.0.1",
        ),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::"),
    ],
)
def test_no_message_goes_inside_unless_allowed(address: str, secret: str) -> None:
    with pytest.raises(DeliveryFailed, match=r"not public|no address"):
        checked_addresses(address, 443, allow_private=False)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(DeliveryFailed):
        WebhookNotifier(f"https://{host}/hook", secret).send(MESSAGE)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:169.254.169.254"])
def test_where_clouds_keep_credentials_no_setting_leads(address: str) -> None:
    with pytest.raises(DeliveryFailed, match=r"not public|no address"):
        checked_addresses(address, 80, allow_private=True)


def test_public_addresses_are_fine() -> None:
    assert checked_addresses("93.184.215.14", 443, allow_private=False) == ("93.184.215.14",)


def test_a_name_that_leads_inside_by_one_of_its_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(DeliveryFailed, match=r"127\.0\.0\.1"):
        checked_addresses("hooks.example", 443, allow_private=False)


def test_the_address_that_was_checked_is_the_one_that_is_used(
    receiver: Receiver, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return resolve("127.0.0.1" if asked.count("hooks.example") < 2 else "203.0.113.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = receiver.url.replace("127.0.0.1", "hooks.example")
    WebhookNotifier(url, secret, allow_private=True).send(MESSAGE)
    assert asked.count("hooks.example") == 1
    assert receiver.requests[0][0]["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize(
    ("url", "secret_given", "says"),
    [
        ("http://hooks.example/x", None, "not encrypted"),
        ("https://user:t0p@hooks.example/x", None, "without user"),
        ("https://hooks.example:99999/x", None, "port"),
        ("https:///x", None, "https://host/path"),
        ("https://hooks.example/x", "", "whsec_"),
        ("https://hooks.example/x", "whsec_dG9vc2hvcnQ=", "24 random bytes"),
        ("https://hooks.example/$MODELOPS_SECRET_UNSET", None, r"\$MODELOPS_SECRET_UNSET, which is not set"),
        ("https://hooks.example/${AWS_SECRET_ACCESS_KEY}", None, "only variables that begin with MODELOPS_SECRET_"),
        ("slack://$HOME/b/c", None, "only variables that begin with MODELOPS_SECRET_"),
        ("https://hooks.example/x", "$AWS_SECRET_ACCESS_KEY", "only variables that begin with MODELOPS_SECRET_"),
        ("https://hooks.example/a$", None, "lone"),
        ("nonsense://x", None, "cannot read"),
        ("json://127.0.0.1/x", None, "not public"),
    ],
)
def test_targets_that_cannot_be_used_say_why(url: str, secret_given: str | None, says: str, secret: str) -> None:
    with pytest.raises(DeliveryFailed, match=says) as caught:
        open_notifier(Target("ops", url, secret if secret_given is None else secret_given)).send(MESSAGE)
    assert "t0p" not in str(caught.value)


def test_secrets_come_from_the_environment_and_stay_out_of_sight(receiver: Receiver, secret: str) -> None:
    target = Target("ops", receiver.url, "${MODELOPS_SECRET_OPS}", allow_private=True)
    open_notifier(target, {"MODELOPS_SECRET_OPS": secret}).send(MESSAGE)
    assert json.loads(receiver.requests[0][1])["type"] == "incident.opened"
    assert "OPS" not in repr(target)


@pytest.mark.parametrize(
    "url", ["$MODELOPS_SECRET_A", "https://x.example/$MODELOPS_SECRET_B", "HTTPS://${MODELOPS_SECRET_B}/"]
)
def test_no_secret_goes_into_the_address_of_a_webhook(url: str, secret: str) -> None:
    environ = {"MODELOPS_SECRET_A": "https://x.example/t0p", "MODELOPS_SECRET_B": "t0p"}
    with pytest.raises(DeliveryFailed, match="belongs in its secret") as caught:
        open_notifier(Target("ops", url, secret), environ)
    assert "t0p" not in str(caught.value)
