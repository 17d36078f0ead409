"""Two hundred models of stock MLflow are adopted by one command; three of them are compared, promoted and scored."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from stock import tracking

import modelops_jupyter as mo
from modelops_jupyter.cli import main

pytestmark = pytest.mark.slow

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "models"), [("file", 200), ("server", 40)])
def test_what_a_team_has_is_adopted_and_goes_on_from_there(
    kind: str,
    models: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = "sqlite:///mlflow.db" if kind == "file" else request.getfixturevalue("mlflow_server").uri
    monkeypatch.chdir(tmp_path)
    script = str(Path(__file__).with_name("two_hundred.py"))
    made = subprocess.run([sys.executable, script, uri, str(models)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (tmp_path / "modelops.toml").write_text(f'tracking_uri = "{uri}"\nactor = "ann"\n')
    assert main(["status"]) == 0
    assert "models of the MLflow registry are not adopted yet: run `modelops adopt --all`" in capsys.readouterr().out
    main(["adopt", "--all"])
    said = capsys.readouterr().out
    assert kind == "server" or said == f"{models} models adopted with {2 * models} versions.\n"
    with mo.open() as ws, tracking(ws.tracking_uri) as client:
        assert len([m for m in ws.models() if m["name"].startswith("tumour-") and m["champion"] == 1]) == models
        assert ws.verify_audit().ok
        for name in ("tumour-000", "tumour-007", "tumour-039"):
            assert ws.adopt(name, reference=X, outcomes=Y).ok
            comparison = ws.compare(f"{name}@champion", f"{name}@challenger", data=X, target=Y)
            assert comparison.rows == len(X)
            ws.approve(f"{name}@challenger", reason=comparison.conclusion)
            ws.promote(f"{name}@challenger", "champion", reason="better on every row that we have")
            assert int(client.get_model_version_by_alias(name, "champion").version) == 2
            prediction, score = ws.predict(f"{name}@champion", X)
            model = ws.load(f"{name}/2")
            assert prediction.tolist() == model.predict(X).tolist()
            np.testing.assert_array_equal(score, model.predict_proba(X)[:, 1])
