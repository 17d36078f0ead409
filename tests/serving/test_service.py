"""While it serves: a new champion, a log that is gone, a store that is gone, a kill; who may ask; what is refused."""

import dataclasses
import inspect
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from served_models import ROW, health, post, records, served
from waiting import until

from modelops_jupyter.cli import _parser, main
from modelops_jupyter.errors import DependencyFailed, InvalidInput, LibraryMissing, NotFound, Refused
from modelops_jupyter.registry import Registry
from modelops_jupyter.registry.environment_match import check_requirements
from modelops_jupyter.serving import recorder
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.serving.spool import FOLDER, Logged, Spool, read_segment
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

TOKEN = "a-token-of-thirty-two-characters"


def logged_ids(settings: Settings) -> Counter[str]:
    with Workspace(settings) as ws:
        log = ws.log.read("delay", datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC), ["request_id"])
    return Counter() if log is None else Counter(log["request_id"].to_pylist())


def test_a_new_champion_answers_soon_and_no_request_is_lost(own: Settings) -> None:
    ended = threading.Event()
    with served(own) as server, ThreadPoolExecutor(3) as callers, Workspace(own) as ws:

        def ask_until_the_end() -> list[int]:
            versions = []
            with httpx.Client(timeout=60) as client:
                while not ended.is_set():
                    answer = client.post(f"{server.url}/invocations", json=records(ROW))
                    assert answer.status_code == 200, answer.text
                    versions.append(answer.json()["version"])
            return versions

        asking = [callers.submit(ask_until_the_end) for _ in range(3)]
        try:
            ws.promote("delay/2", "champion", reason="newer")
            until(lambda: health(server)["models"]["delay"]["version"] == 2)
            ws.rollback("delay", reason="worse")
            until(lambda: health(server)["models"]["delay"]["version"] == 1)
        finally:
            ended.set()
        for versions in (one.result() for one in asking):
            changes = [version for version, before in zip(versions, [0, *versions], strict=False) if version != before]
            assert changes[:3] in ([1], [1, 2], [1, 2, 1])
        answered = health(server)["models"]["delay"]["requests"]
    assert sum(logged_ids(own).values()) == answered


def test_a_version_that_was_named_stays(own: Settings) -> None:
    with served(own, "delay/1") as server, Workspace(own) as ws:
        ws.promote("delay/2", "champion", reason="newer")
        assert post(server, records(ROW)).json()["version"] == 1


def test_the_champion_goes_on_while_its_successor_cannot_be_loaded(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Registry, body: Mapping[str, Any], *, unsafe: bool = False) -> Any:
        raise ModuleNotFoundError("No module named 'features'")

    with served(own) as server, Workspace(own) as ws:
        monkeypatch.setattr(Registry, "load", fail)
        ws.promote("delay/2", "champion", reason="newer")
        until(lambda: health(server)["models"]["delay"]["problem"])
        assert "delay/1 goes on serving" in str(health(server)["models"]["delay"]["problem"])
        assert post(server, records(ROW)).json()["version"] == 1
        assert health(server)["status"] == "degraded"
        ws.rollback("delay", reason="cannot be loaded")
        until(lambda: health(server)["status"] == "ok")


def test_a_rejection_of_what_serves_is_shown(own: Settings) -> None:
    with served(own) as server, Workspace(own) as ws:
        ws.reject("delay/1", reason="leaks the label")
        until(lambda: "rejected it (leaks the label)" in str(health(server)["models"]["delay"]["problem"]))
        ws.approve("delay/1", reason="it does not")
        until(lambda: health(server)["status"] == "ok")


def test_answers_go_on_while_the_spool_is_gone_and_nothing_is_lost(own: Settings) -> None:
    with served(own) as server:
        folder = own.root / FOLDER
        folder.rename(own.root / "away")
        folder.write_text("a file in its place")
        assert post(server, {**records(ROW), "request_ids": ["x"]}).status_code == 200
        until(lambda: "cannot be written" in str(health(server)["log"]["problem"]))
        assert (health(server)["log"]["buffered"], health(server)["status"]) == (1, "degraded")
        folder.unlink()
        (own.root / "away").rename(folder)
        until(lambda: health(server)["log"]["buffered"] == 0)
        assert health(server)["status"] == "ok"
    assert logged_ids(own)["x"] == 1


def test_what_no_buffer_holds_is_counted_and_shown(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_BUFFERED", 2)
    with served(own) as server, Workspace(own) as ws:
        (own.root / FOLDER).rename(own.root / "away")
        (own.root / FOLDER).write_text("")
        for _ in range(5):
            assert post(server, records(ROW)).status_code == 200
        assert health(server)["log"]["lost"] == 3
        (own.root / FOLDER).unlink()
        (own.root / "away").rename(own.root / FOLDER)
        until(lambda: any("3 predictions went on no record" in text for text in ws.status().serving))


def test_a_durable_answer_is_on_disk_or_not_given(own: Settings) -> None:
    with served(own, durable=True) as server:
        post(server, {**records(ROW), "request_ids": ["on-disk"]}).raise_for_status()
        lines = [one for file in (own.root / FOLDER).rglob("*.open") for one in read_segment(file)]
        assert [one.ids for one in lines] == [["on-disk"]]
        (own.root / FOLDER).rename(own.root / "away")
        (own.root / FOLDER).write_text("")
        answer = post(server, records(ROW))
        assert (answer.status_code, answer.json()["error_code"]) == (503, "dependency-failed")
        (own.root / FOLDER).unlink()
        (own.root / "away").rename(own.root / FOLDER)
        assert post(server, records(ROW)).status_code == 200


def test_the_last_champion_goes_on_while_the_store_is_gone(own: Settings) -> None:
    with served(own, log_seconds=0.2) as server:
        own.store_path.rename(own.root / "away.db")
        until(lambda: health(server)["store"] != "ok")
        assert post(server, {**records(ROW), "request_ids": ["meanwhile"]}).status_code == 200
        assert post(server, {"labels": [{"request_id": "meanwhile", "label": 1}]}, "/labels").status_code == 503
        until(lambda: "wait" in str(health(server)["log"]["problem"]))
        (own.root / "away.db").rename(own.store_path)
        until(lambda: health(server)["status"] == "ok")
    assert logged_ids(own)["meanwhile"] == 1


def test_what_a_killed_server_left_is_logged_once_and_torn_lines_are_passed_over(own: Settings) -> None:
    dead = Spool(own.root)
    dead.open()
    one = Logged(
        "delay", 1, "champion", datetime.now(UTC).isoformat(), ["left"], [1], [0.9], {k: [v] for k, v in ROW.items()}
    )
    dead.write([one], sync=True)
    dead._file.close()
    dead._lock.release()  # type: ignore[union-attr]  # as its process's death does
    (file,) = dead.folder.glob("*.open")
    file.write_bytes(file.read_bytes() + one.line()[:-9])
    for _ in range(2):
        with served(own):
            pass
    assert logged_ids(own)["left"] == 1
    assert not dead.folder.exists()


def test_whoever_has_no_token_is_refused(own: Settings) -> None:
    with served(own, token=TOKEN) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer é"}):
            asked = {name: value.encode("latin-1") for name, value in headers.items()}
            assert post(server, records(ROW), headers=asked).status_code == 401
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert post(server, records(ROW), headers=right).status_code == 200
        assert httpx.get(f"{server.url}/ping").status_code == 200
        assert httpx.get(f"{server.url}/health").status_code == 401
        assert TOKEN not in server.introduction()
        assert TOKEN not in repr(server.options)


def test_other_machines_need_token_and_tls() -> None:
    with pytest.raises(InvalidInput, match="MODELOPS_SERVE_TOKEN"):
        ServingOptions(("delay",), host="0.0.0.0").checked()
    with pytest.raises(InvalidInput, match="--tls-cert"):
        ServingOptions(("delay",), host="0.0.0.0", token=TOKEN).checked()
    ServingOptions(("delay",), host="0.0.0.0", insecure=True).checked()


def certificate(folder: Path) -> tuple[str, str]:
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {cert} -days 2 -subj /CN=localhost"
    words += " -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    subprocess.run(words.split(), check=True, capture_output=True)
    return str(cert), str(key)


def test_it_speaks_tls_and_says_so(own: Settings, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with served(own, tls_cert=cert, tls_key=key) as server:
        trusted = ssl.create_default_context(cafile=cert)
        assert post(server, records(ROW), verify=trusted).status_code == 200
        assert f"--cacert {cert}" in server.introduction()
    Path(key).write_text("no key")
    with pytest.raises(InvalidInput, match="cannot be used for TLS"):
        ServingOptions(("delay",), tls_cert=cert, tls_key=key).checked()


def test_what_cannot_be_served_is_said_before_anybody_asks(own: Settings) -> None:
    with Workspace(own) as ws:
        ws.reject("delay/2", reason="leaks the label")
    with pytest.raises(Refused, match=r"delay/2 is not served: ann rejected it \(leaks the label\)"):
        EndpointServer(own, ServingOptions(("delay/2",), port=0))
    with pytest.raises(NotFound, match="no model 'other'"):
        EndpointServer(own, ServingOptions(("other",), port=0))
    with pytest.raises(InvalidInput, match="named twice"):
        EndpointServer(own, ServingOptions(("delay", "delay/1"), port=0))
    with served(own) as server, pytest.raises(DependencyFailed, match=rf"Port {server.port} .* is taken"):
        EndpointServer(own, ServingOptions(("delay",), port=server.port))


def test_a_library_of_another_major_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4\nno-such-library==3.0\n")
    with pytest.raises(LibraryMissing, match=r"delay/1 was made with numpy 1\.26\.4"):
        check_requirements(tmp_path, "delay/1")


def test_the_shell_says_it_in_one_line(
    own: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own.project)
    monkeypatch.delenv("MODELOPS_SERVE_TOKEN", raising=False)
    for words, code in ((["other"], 2), (["delay", "--host", "0.0.0.0"], 2), (["delay", "--port", "70000"], 2)):
        assert main(["serve", *words]) == code
        assert capsys.readouterr().err.count("\n") == 1


def test_the_shell_has_every_argument_with_the_same_default() -> None:
    options = {action.dest: action for action in _parser()._subparsers._group_actions[0].choices["serve"]._actions}  # type: ignore[union-attr,index]
    parameters = dict(inspect.signature(Workspace.serve).parameters)
    for name, parameter in list(parameters.items())[1:]:
        option = options["token_file" if name == "token" else name]
        assert (option.default or None) == (None if name == "models" else parameter.default or None), name
    assert {*options} - {"help", "json", "debug", "workspace", "token_file"} == {*parameters} - {"self", "token"}
    fields = {field.name: field.default for field in dataclasses.fields(ServingOptions)}
    assert all(
        fields[name] == p.default
        for name, p in parameters.items()
        if name in fields and name not in ("models", "token")
    )


def test_a_notebook_serves_in_a_process_of_its_own_that_drains(own: Settings) -> None:
    with Workspace(own) as ws:
        with ws.serve("delay", port=0) as endpoint:
            assert "curl" in str(endpoint)
            answer = httpx.post(
                f"{endpoint.url}/invocations", json={**records(ROW), "request_ids": ["drained"]}, timeout=60
            )
            assert answer.json()["model"] == "delay"
            assert any(endpoint.url in text for text in ws.status().serving)
        assert endpoint.process.returncode == 0
        assert ws.status().serving == ()
        with pytest.raises(NotFound, match="no model 'other'"):
            ws.serve("other", port=0)
    assert logged_ids(own)["drained"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("durable", [False, True])
def test_a_kill_loses_no_more_than_was_said(own: Settings, durable: bool) -> None:
    command = [sys.executable, "-m", "modelops_jupyter", "serve", "delay", "--port", "0", "--json"]
    environment = {**os.environ, "MODELOPS_WORKSPACE": str(own.project)}
    answered: list[tuple[float, str]] = []
    for _ in range(2):
        process = subprocess.Popen(
            command + (["--durable"] if durable else []), env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with httpx.Client(timeout=60) as client:
            begun = time.monotonic()
            while time.monotonic() - begun < (1 if durable else 7):
                answer = client.post(f"{url}/invocations", json=records(ROW)).json()
                answered.append((datetime.now(UTC).timestamp(), answer["request_ids"][0]))
        killed = datetime.now(UTC).timestamp()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if not durable:  # those of the last second, and some room for a busy machine
            answered = [(at, name) for at, name in answered if at < killed - 5]
    with served(own):
        pass
    ids = logged_ids(own)
    assert all(ids[name] == 1 for _, name in answered)
    assert answered
    assert max(ids.values()) == 1
