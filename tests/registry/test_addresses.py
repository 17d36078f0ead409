"""Where MLflow is: with credentials that nobody reads, and from any folder the same."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from modelops_jupyter.catalogue import status
from modelops_jupyter.errors import InvalidInput, RegistryUnreachable
from modelops_jupyter.registry.client import check_reachable, typed_errors
from modelops_jupyter.settings import Settings, redacted
from modelops_jupyter.store import InMemoryStore


class Guarded(BaseHTTPRequestHandler):
    """Answers to ann with her password only."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(b"ann:s3cr/t@x").decode()
        self.send_response(200 if self.headers["Authorization"] == wanted else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def guarded() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Guarded)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def at(folder: Path, address: str) -> Settings:
    return Settings(project=folder, root=folder / ".modelops", tracking_uri=address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("https://ann:s3cret@mlflow/x", "https://…@mlflow/x"),
        ("https://ann:s3c/r@et@mlflow", "https://…@mlflow"),
        ("postgresql://mlflow/db?password=s3cret", "postgresql://mlflow/db?…"),
        ("ann:s3cret@mlflow", "…@mlflow"),
        ("no answer from https://ann:s3cret@mlflow/api (refused)", "no answer from https://…@mlflow/api (refused)"),
        ("write to ann@example.org", "write to …@example.org"),
    ],
)
def test_credentials_are_left_out(address: str, shown: str) -> None:
    assert redacted(address) == shown


def test_who_has_the_password_gets_in(tmp_path: Path, guarded: str) -> None:
    check_reachable(at(tmp_path, f"http://ann:s3cr%2Ft%40x@{guarded}"))
    with pytest.raises(RegistryUnreachable, match="Unauthorized") as caught:
        check_reachable(at(tmp_path, f"http://ann:s3cret@{guarded}"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://ann:s3cret@127.0.0.1:9", "http://ann:s3cret@nobody:port", "ann:s3cret@127.0.0.1"]
)
def test_no_sentence_holds_them(tmp_path: Path, address: str) -> None:
    settings = at(tmp_path, address)
    with pytest.raises((RegistryUnreachable, InvalidInput)) as caught:
        check_reachable(settings)
    shown = status(InMemoryStore(), settings)
    for text in (str(caught.value), repr(settings), str(shown), str(shown.to_dict())):
        assert "s3cret" not in text
        assert "127.0.0.1" in text or "nobody" in text or text == repr(settings) or "no models yet" in text


def test_what_mlflow_says_of_them_is_left_out_too(tmp_path: Path, guarded: str) -> None:
    from mlflow.exceptions import MlflowException

    address = f"http://ann:s3cr%2Ft%40x@{guarded}"
    with pytest.raises(RegistryUnreachable) as caught, typed_errors(at(tmp_path, address)):
        raise MlflowException(f"API request to {address}/api failed")
    assert "s3cr" not in str(caught.value)
