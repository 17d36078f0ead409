"""Where MLflow is: with credentials that nobody reads, and from any folder the same."""

import base64
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelops_jupyter import workspace
from modelops_jupyter.actions.catalogue import status
from modelops_jupyter.errors import InvalidInput, RegistryDamaged, RegistryUnreachable
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
    host = redacted(address)
    assert "…@" in host
    assert host in str(caught.value)
    assert shown.to_dict()["registry"] == host


def test_what_mlflow_says_of_them_is_left_out_too(tmp_path: Path, guarded: str) -> None:
    from mlflow.exceptions import MlflowException

    address = f"http://ann:s3cr%2Ft%40x@{guarded}"
    with pytest.raises(RegistryUnreachable) as caught, typed_errors(at(tmp_path, address)):
        raise MlflowException(f"API request to {address}/api failed")
    assert "s3cr" not in str(caught.value)


X = pd.DataFrame({"a": np.arange(20.0), "b": 1.0})


def test_a_relative_sqlite_address_is_one_place_whatever_the_folder(
    tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    shutil.copy(mlflow_database, project / "team.db")
    (project / "modelops.toml").write_text('tracking_uri = "sqlite:///team.db"\n')
    monkeypatch.chdir(project)
    with workspace.open() as ws:
        ws.register(LogisticRegression().fit(X, X["a"] > 9), "m", data=X)
    monkeypatch.chdir(project / "deep")
    with workspace.open() as ws:
        assert ws.tracking_uri == f"sqlite:///{project}/team.db"
        assert ws.predict("m/1", X)[0].shape == (20,)
    assert {file.name for file in project.iterdir()} == {"deep", "modelops.toml", "team.db", ".modelops"}
    assert list((project / "deep").iterdir()) == []
    assert list((project / ".modelops" / "artifacts").iterdir())


def test_a_sqlite_address_whose_file_is_not_there_is_made_whole(tmp_path: Path) -> None:
    settings = at(tmp_path, "sqlite:///sub/team.db")
    check_reachable(settings)
    assert settings.mlflow_path == tmp_path / "sub" / "team.db"
    assert not (tmp_path / "sub" / "team.db.new").exists()
    settings.mlflow_path.write_bytes(b"")
    with pytest.raises(RegistryDamaged, match=r"team\.db is empty"):
        check_reachable(settings)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_no_registry(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInput, match="is no address"):
        check_reachable(at(tmp_path, address))
