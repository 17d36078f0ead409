"""Parameters arrive as their author wrote them, or are refused before anything runs."""

import ast
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidPipeline, NotebookFailed
from modelops_jupyter.pipelines import Parameter, read_parameters
from modelops_jupyter.pipelines.values import fit
from modelops_jupyter.pipelines.written import Written, from_shell, load, resolved
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    return Workspace(settings)


def declared(source: str) -> Parameter:
    """Return the parameter that a cell declares."""
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.Assign | ast.AnnAssign)
    assert body.value is not None
    kind = ast.unparse(body.annotation) if isinstance(body, ast.AnnAssign) else None
    return Parameter("p", kind, ast.unparse(body.value), "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("no", "no"), ("on", "on"), ("y", "y"), ("12:30", "12:30"), ("02142", "02142"), ("0o17", "0o17"),
        ("1_000", "1_000"), ("2013-01-01", "2013-01-01"), ("=", "="), ("true", True), ("False", False), ("null", None),
        ("~", None), ("3", 3), ("-3", -3), ("3.10", 3.1), ("1e3", 1000.0), (".5", 0.5), ("-.inf", -np.inf),
        ("[JFK, 02142, 3]", ["JFK", "02142", 3]), ("{a: NO}", {"a": "NO"}), ("[not a list", "[not a list"),
    ],
)  # fmt: skip
def test_a_scalar_without_a_declared_type_is_what_yaml_12_says(text: str, value: object) -> None:
    assert Written(text).value == value


@given(PLAIN)
def test_whatever_yaml_writes_is_read_back(value: object) -> None:
    assert resolved(load(yaml.safe_dump(value, default_style='"'))) == value


@given(PLAIN)
def test_json_data_arrives_unchanged_where_nothing_is_declared(value: object) -> None:
    assert fit(declared("p = None"), value, "a.ipynb") == value


@pytest.mark.parametrize(
    ("cell", "value", "arrives"),
    [
        ("p: str = ''", Written("02142"), "02142"),
        ("p = '1.0'", Written("3.10"), "3.10"),
        ("p = 'a'", Written("true"), "true"),
        ("p: str = ''", dt.date(2013, 1, 1), "2013-01-01"),
        ("p: date = date.today()", dt.date(2013, 1, 1), "2013-01-01"),
        ("p: 'datetime.date' = None", Written("2013-01-01"), "2013-01-01"),
        ("p: pd.Timestamp = pd.Timestamp('2013')", pd.Timestamp("2013-01-01", tz="UTC"), "2013-01-01T00:00:00+00:00"),
        ("p: Path = Path('.')", Path("/data"), "/data"),
        ("p: Decimal = Decimal(1)", Decimal("0.10"), "0.10"),
        ("p: float = 0.0", Decimal("0.10"), 0.1),
        ("p: float = 0.0", Written("3"), 3.0),
        ("p: int = 0", np.int64(3), 3),
        ("p: int = 0", 3.0, 3),
        ("p: bool = True", np.bool_(False), False),
        ("p: bool = True", Written("false"), False),
        ("p: int | None = 3", None, None),
        ("p: Optional[int] = 3", Written("null"), None),
        ("p: list[str] = []", ("a", "b"), ["a", "b"]),
        ("p: list[str] = []", Written("[JFK, LGA]"), ["JFK", "LGA"]),
        ("p: Literal['a', 'b'] = 'a'", Written("b"), "b"),
        ("p: Literal[1, 2] = 1", Written("2"), 2),
        ("p = 1", 0.5, 0.5),
        ("p = compute()", Written("3"), 3),
        ("p: Frame = None", "x", "x"),
        ("p: float = 0.0", Written("1e308"), 1e308),
        ("p: str = ''", Written("nan"), "nan"),
        ("p: Decimal = Decimal(1)", Written(".inf"), "inf"),
    ],
)
def test_a_value_is_what_its_declaration_says(cell: str, value: object, arrives: object) -> None:
    result = fit(declared(cell), value, "a.ipynb")
    assert (result, type(result)) == (arrives, type(arrives))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("register: bool = True", Written("maybe")),
        ("register = True", Written("maybe")),
        ("p: bool = True", 1),
        ("p: int = 3", True),
        ("p: int = 3", 3.5),
        ("p: int = 3", Written("02142")),
        ("p: int = 3", None),
        ("p: float = 3", Written("NO")),
        ("p: float = 3", Written("1e400")),
        ("p: int = 3", Written("nan")),
        ("p: int = 3", Written(".inf")),
        ("p: int = 3", float("inf")),
        ("p: bool = True", Written("nan")),
        ("p: str = ''", float("nan")),
        ("p: str = ''", 3),
        ("p: str = ''", ["a"]),
        ("p: date = None", Written("yesterday")),
        ("p: date = None", 2013),
        ("p: Decimal = None", Written("1.2.3")),
        ("p: list = []", Written("a")),
        ("p: Literal['a', 'b'] = 'a'", Written("c")),
        ("p = None", {1, 2}),
        ("p = None", b"bytes"),
        ("p = None", object()),
        ("p = None", [object()]),
        ("p = None", pd.DataFrame({"a": [1]})),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_parameter(cell: str, value: object) -> None:
    with pytest.raises(InvalidPipeline, match=r"Parameter 'p' of a\.ipynb") as refusal:
        fit(declared(cell), value, "a.ipynb")
    assert "\n" not in str(refusal.value)


NUMBERS = ["p: float = 0.5", "p = 0.5", "p: float | None = None", "p = float('inf')", "p = -np.inf", "p = math.nan"]


@pytest.mark.parametrize("cell", NUMBERS)
@pytest.mark.parametrize("text", ["nan", ".nan", "NaN", "inf", ".inf", "-.inf", "-inf", "+.Inf", "infinity"])
def test_numbers_that_are_not_finite_have_one_rule_in_a_shell_and_in_yaml(cell: str, text: str) -> None:
    wanted = float(text.replace(".", ""))
    for value in (from_shell(text), load(f"p: {text}")["p"], wanted):
        np.testing.assert_equal(fit(declared(cell), value, "a.ipynb"), wanted)


def test_numbers_that_are_not_finite_arrive_and_the_notebook_is_json(tmp_path: Path, ws: Workspace) -> None:
    cell = "limit: float = 0.5\nfloor = 0.5\nmany: list = []\nby: dict = {}\n"
    check = (
        "import math\nassert limit == math.inf and math.isnan(floor), (limit, floor)\n"
        "assert many == [1, -math.inf] and math.isnan(by['a']), (many, by)"
    )
    write(tmp_path / "a.ipynb", tagged(cell, "parameters"), {"source": check})
    (tmp_path / "p.yaml").write_text(
        "name: p\nsteps:\n  a:\n    notebook: a.ipynb\n    parameters: {limit: .inf, floor: nan, many: [1, -.inf],"
        " by: {a: .nan}}\n"
    )
    run = ws.run(tmp_path / "p.yaml")
    assert run.state == "completed"
    given = ["limit=inf", "floor=.nan", "many=[1, -.inf]", "by={a: .nan}"]
    words = [word for text in given for word in ("-p", text)]
    output = tmp_path / "b.ipynb"
    place = ["--workspace", str(ws.settings.project)]
    assert main(["run-notebook", str(tmp_path / "a.ipynb"), *words, "--output", str(output), *place]) == 0

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    for file in (output, *(Path(step.output) for step in run.steps)):
        json.loads(file.read_text(), parse_constant=refuse)


def test_a_shell_word_in_quotation_marks_is_text() -> None:
    assert resolved(from_shell('"02142"')) == "02142"
    assert resolved(from_shell("'3'")) == "3"
    assert resolved(from_shell("3")) == 3


def write(path: Path, *cells: dict[str, Any], newline: str = "\n", **document: Any) -> Path:
    """Write a notebook of format 4.4, whose cells have no ids."""
    body = [{"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], **cell} for cell in cells]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    text = json.dumps({"cells": body, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4, **document}, indent=1)
    path.write_bytes(text.replace("\n", newline).encode())
    return path


def tagged(source: str, *tags: str) -> dict[str, Any]:
    return {"source": source, "metadata": {"tags": list(tags)}}


def test_values_arrive_in_a_real_notebook_as_what_they_are(tmp_path: Path, ws: Workspace) -> None:
    cell = (
        "import datetime\nfrom decimal import Decimal\nfrom pathlib import Path\n%pwd\n"
        "since: datetime.date = datetime.date(2000, 1, 1)  # first day\n!echo hello\nfolder: Path = Path('.')\n"
        "cost: Decimal = Decimal(1)\ncountry = 'US'\nzip: str = ''\nat = '00:00'\nmonths: list[int] = []\n"
    )
    check = (
        "assert (since, folder, cost) == (datetime.date(2013, 1, 1), Path('/data'), Decimal('0.10')), since\n"
        "assert (country, zip, at, months) == ('NO', '02142', '12:30', [1, 2]), (country, zip, at, months)"
    )
    notebook = write(
        tmp_path / "a.ipynb",
        tagged(cell.replace("\n", "\r\n"), "parameters"),
        tagged("raise RuntimeError('skipped')", "skip-execution"),
        {"source": "1 / 0", "metadata": {"tags": ["raises-exception"]}},
        {"source": "# a remark alone", "metadata": {"tags": None}},
        {"source": check},
        newline="\r\n",
    )
    (tmp_path / "p.yaml").write_text(
        "name: p\nsteps:\n  a:\n    notebook: a.ipynb\n    parameters: {since: 2013-01-01, folder: /data, cost: 0.10,"
        " country: NO, zip: 02142, at: 12:30, months: [1, 2]}\n"
    )
    assert [row["name"] for row in ws.notebook_parameters(notebook)][:3] == ["since", "folder", "cost"]
    assert ws.run(tmp_path / "p.yaml").state == "completed"
    values = {
        "since": dt.date(2013, 1, 1),
        "folder": Path("/data"),
        "cost": Decimal("0.10"),
        "months": np.arange(1, 3).tolist(),
    }
    more = {"country": "NO", "zip": "02142", "at": "12:30"}
    done = ws.run_notebook(notebook, parameters=values | more, output=tmp_path / "b.ipynb")
    cells = json.loads(Path(done.output).read_text())["cells"]
    assert not any("papermill-error-cell-tag" in (cell["metadata"].get("tags") or []) for cell in cells)


def test_a_notebook_of_format_3_runs(tmp_path: Path, ws: Workspace) -> None:
    cells = [
        {
            "cell_type": "code",
            "input": "n = 1",
            "metadata": {"tags": ["parameters"]},
            "outputs": [],
            "language": "python",
        },
        {"cell_type": "code", "input": ["assert n == 2"], "metadata": {}, "outputs": [], "language": "python"},
    ]
    text = json.dumps(
        {
            "worksheets": [{"cells": cells, "metadata": {}}],
            "metadata": {"name": "old"},
            "nbformat": 3,
            "nbformat_minor": 0,
        }
    )
    (tmp_path / "old.ipynb").write_text(text)
    assert [p.name for p in read_parameters(tmp_path / "old.ipynb")] == ["n"]
    ws.run_notebook(tmp_path / "old.ipynb", parameters={"n": 2}, output=tmp_path / "new.ipynb")
    assert json.loads((tmp_path / "new.ipynb").read_text())["nbformat"] == 4


def test_a_long_exception_is_one_short_sentence(tmp_path: Path, ws: Workspace) -> None:
    notebook = write(tmp_path / "a.ipynb", {"source": "raise ValueError('x' * 2_000_000 + '\\n' + 'y')"})
    with pytest.raises(NotebookFailed, match="raised ValueError: xxx") as failure:
        ws.run_notebook(notebook, output=tmp_path / "b.ipynb")
    assert len(str(failure.value)) < 800


def test_what_does_not_fit_runs_nothing(tmp_path: Path, ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.ipynb", tagged("register: bool = True", "parameters"), {"source": "open('ran', 'w')"})
    place = ["--workspace", str(ws.settings.project)]
    assert main(["run-notebook", str(tmp_path / "a.ipynb"), "-p", "register=maybe", *place]) == 2
    assert capsys.readouterr().err.strip().endswith("Parameter 'register' of a.ipynb is true or false, not 'maybe'.")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "document",
    ["[]", "3", "null", '{"cells": 3}', '{"nbformat": 3}', '{"cells": [3]}', "{", '{"cells": [{"metadata": 3}]}'],
)
def test_a_file_that_is_not_a_notebook_is_said_in_a_sentence(tmp_path: Path, document: str) -> None:
    (tmp_path / "a.ipynb").write_text(document)
    with pytest.raises(InvalidPipeline, match="is not a notebook"):
        read_parameters(tmp_path / "a.ipynb")
