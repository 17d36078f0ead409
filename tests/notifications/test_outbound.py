"""No message reaches what its target may not, and none holds the others up: whichever library sends it."""

import base64
import contextlib
import http.client
import smtplib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from receiver import Receiver
from standardwebhooks import Webhook

from modelops_jupyter.errors import DeliveryFailed
from modelops_jupyter.notifications import Message, deliver, open_notifier
from modelops_jupyter.notifications.outbound import guarded
from modelops_jupyter.notifications.webhook import WebhookNotifier
from modelops_jupyter.settings import Target
from modelops_jupyter.store import Change, InMemoryStore, Put

MESSAGE = Message("msg_1", "incident.opened", "2013-04-01T00:00:00+00:00", "delay: wind changed", "Two alerts.", {})
OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"  # the first stands for a public address: nothing here reaches a real one


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one address of this machine be public, and no other."""
    for module in ("addresses", "outbound"):
        monkeypatch.setattr(f"modelops_jupyter.notifications.{module}.is_allowed", lambda text, _: text == OUTSIDE)


@pytest.fixture
def inside() -> Iterator[Receiver]:
    receiver = Receiver(INSIDE)
    yield receiver
    receiver.stop()


def of_apprise(url: str) -> Target:
    return Target("chat", url.replace("http://", "json://").partition("?")[0])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.usefixtures("world")
def test_a_redirect_leads_nowhere_that_the_target_may_not(receiver: Receiver, inside: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": inside.url}
    with pytest.raises(DeliveryFailed, match=r"leads to 127\.0\.0\.2, which is not public"):
        open_notifier(of_apprise(receiver.url)).send(MESSAGE)
    assert not inside.requests


@pytest.mark.usefixtures("world")
def test_a_name_that_changes_its_mind_leads_nowhere(
    receiver: Receiver, inside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return resolve(OUTSIDE if len(asked) < 2 else INSIDE, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = inside.url.replace(INSIDE, "hooks.example")
    with pytest.raises(DeliveryFailed, match="not public"):
        open_notifier(of_apprise(url)).send(MESSAGE)
    assert not inside.requests


def raw(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> str:
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.connect((INSIDE, port))
        return str(connection.getpeername()[0])


def named(port: int) -> None:
    with socket.socket() as connection:
        connection.connect(("localhost", port))


def local(_: int) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("/tmp/no-such.sock")


def over_http(port: int) -> None:
    http.client.HTTPConnection(INSIDE, port, timeout=5).request("GET", "/")


WAYS: dict[str, Callable[[int], Any]] = {
    "requests": lambda port: requests.get(f"http://{INSIDE}:{port}/", timeout=5),
    "urllib": lambda port: urllib.request.urlopen(f"http://{INSIDE}:{port}/", timeout=5),
    "http.client": over_http,
    "smtplib": lambda port: smtplib.SMTP(INSIDE, port, timeout=5),
    "a socket": raw,
    "a datagram": lambda port: raw(port, socket.SOCK_DGRAM),
    "a name that is not resolved": named,
    "a local socket": local,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("world")
def test_no_library_gets_past_the_guard(inside: Receiver, way: str) -> None:
    """Also where it takes the refusal for a network that is down, and says nothing of it."""
    with pytest.raises(DeliveryFailed, match="not public"):
        guardedly(WAYS[way], inside.port)
    assert not inside.requests


def guardedly(call: Callable[[int], Any], port: int) -> None:
    with guarded("it", allow_private=False), contextlib.suppress(Exception):
        call(port)


@pytest.mark.usefixtures("world")
def test_what_is_not_a_message_connects_as_ever(inside: Receiver) -> None:
    peers: list[str] = []
    with guarded("it", allow_private=False):
        other = threading.Thread(target=lambda: peers.append(raw(inside.port)))
        other.start()
        other.join()
    assert [*peers, raw(inside.port)] == [INSIDE, INSIDE]


@pytest.fixture
def dripping() -> Iterator[int]:
    """Listen as a receiver that answers a byte at a time, without end."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    def serve() -> None:
        while True:
            try:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    over.set()
    listener.close()


@pytest.mark.parametrize("scheme", ["http", "json"])
def test_a_receiver_that_drips_holds_neither_its_sender_nor_the_next_one(
    dripping: int, receiver: Receiver, secret: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first message of a library imports its parts, which on a busy machine takes longer than what is allowed below.
    first = Target("first", f"{scheme}://127.0.0.1:{receiver.port}/x", secret, allow_private=True)
    open_notifier(first).send(MESSAGE)
    receiver.requests.clear()
    monkeypatch.setattr("modelops_jupyter.notifications.outbound.SECONDS", 4)
    store = InMemoryStore()
    body = {"topic": "incident.opened", "at": MESSAGE.at, "title": "t", "text": "x", "data": {}}
    store.commit(Change(puts=(Put("outbox", "msg_1", body),)))
    slow = Target("slow", f"{scheme}://127.0.0.1:{dripping}/x", secret, allow_private=True)
    good = Target("good", receiver.url, secret, allow_private=True)
    began, arrived = time.monotonic(), []
    watcher = threading.Thread(target=lambda: (_until(lambda: receiver.requests), arrived.append(time.monotonic())))
    watcher.start()
    report = deliver(store, [slow, good])
    took = time.monotonic() - began
    watcher.join()
    assert (report.sent, report.failed) == (1, 1)
    assert "did not take it within 4 seconds" in str(report)
    assert arrived[0] - began < took


def _until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.01)


def test_a_secret_is_replaced_by_another_while_both_are_known(receiver: Receiver, secret: str) -> None:
    new = "whsec_" + base64.b64encode(b"another secret of thirty-two bytes").decode()
    WebhookNotifier(receiver.url, f"{new} {secret}", allow_private=True).send(MESSAGE)
    headers, body = receiver.requests[0]
    for known in (secret, new):
        assert Webhook(known).verify(body, headers)["type"] == "incident.opened"


def test_no_connection_of_the_guard_stays_open(receiver: Receiver, secret: str) -> None:
    open_files = Path("/proc/self/fd")
    notifier = WebhookNotifier(receiver.url, secret, allow_private=True)
    notifier.send(MESSAGE)
    before = len(list(open_files.iterdir()))
    for _ in range(20):
        notifier.send(MESSAGE)
    assert len(list(open_files.iterdir())) <= before + 2
