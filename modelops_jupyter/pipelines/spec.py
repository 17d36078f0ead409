"""The pipeline file: a graph of parameterized notebooks, checked whole before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import chain, count, product
from pathlib import Path
from typing import Any

import yaml

from modelops_jupyter.errors import InvalidPipeline, NotFound
from modelops_jupyter.pipelines.parameters import read_parameters
from modelops_jupyter.pipelines.values import fit
from modelops_jupyter.pipelines.written import load, resolved

DEFAULT_TIMEOUT = 3600.0
LONGEST_NAME = 60  # letters of whatever script, each of up to four bytes: files have names of 255


@dataclass(frozen=True)
class Step:
    """One notebook of a pipeline; `timeout` is in seconds of wall clock.

    With `for_each`, the notebook runs once per value of the parameters named there (per combination, if several are).
    """

    name: str
    notebook: Path
    needs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = DEFAULT_TIMEOUT
    for_each: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One execution to come: a step with its parameters bound; `needs` names other tasks."""

    name: str
    notebook: Path
    needs: tuple[str, ...]
    parameters: Mapping[str, Any]
    timeout: float


@dataclass(frozen=True)
class Pipeline:
    """Steps in an order in which each comes after what it needs."""

    name: str
    path: Path
    steps: tuple[Step, ...]


def load_pipeline(path: Path) -> Pipeline:
    """Read a pipeline file.

    Raises
    ------
    NotFound
        If the file or one of its notebooks is missing.
    InvalidPipeline
        If it has an unknown field, a step that needs a stranger, or a circle.
    """
    if not path.is_file():
        raise NotFound(f"There is no pipeline {str(path)!r}.")
    try:
        body = load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidPipeline(f"{path} is not YAML: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("steps"), dict) or not body["steps"]:
        raise InvalidPipeline(
            f"{path} has no steps: write `steps:` with a line such as `train: {{notebook: train.ipynb}}` for each."
        )
    steps = {str(name): _step(str(name), values, path) for name, values in body["steps"].items()}
    for step in steps.values():
        strangers = [name for name in step.needs if name not in steps]
        if strangers:
            raise InvalidPipeline(f"Step {step.name!r} needs {strangers[0]!r}, which {path} does not have.")
    try:
        order = tuple(TopologicalSorter({name: step.needs for name, step in steps.items()}).static_order())
    except CycleError as error:
        raise InvalidPipeline(
            f"The steps of {path} need each other in a circle: {' -> '.join(error.args[1])}."
        ) from None
    return Pipeline(str(body.get("name", path.stem)), path, tuple(steps[name] for name in order))


_FIELDS: dict[str, type | tuple[type, ...]] = {
    "notebook": str,
    "needs": list,
    "parameters": dict,
    "timeout": (int, float),
    "for_each": dict,
}
_AS_WRITTEN = ("parameters", "for_each")


def _step(name: str, values: Any, path: Path) -> Step:
    if not name.replace("-", "_").isidentifier():
        raise InvalidPipeline(f"{name!r} cannot name a step: use letters, digits, '-' and '_'.")
    if not isinstance(values, dict) or "notebook" not in values:
        raise InvalidPipeline(f"Step {name!r} of {path} names no notebook.")
    # Parameters stay as they are written until a notebook's declaration says what they are.
    values = {key: value if key in _AS_WRITTEN else resolved(value) for key, value in values.items()}
    for key, value in values.items():
        if key not in _FIELDS:
            raise InvalidPipeline(f"Step {name!r} has an unknown field {key!r}: known are {', '.join(_FIELDS)}.")
        if not isinstance(value, _FIELDS[key]):
            raise InvalidPipeline(f"Step {name!r}: {key} cannot be {value!r}.")
    base = path.parent.resolve()
    notebook = (base / values["notebook"]).resolve()
    if not notebook.is_relative_to(base) or not notebook.is_file():
        raise NotFound(f"Step {name!r}: there is no notebook {values['notebook']!r} beside {path}.")
    return Step(
        name,
        notebook,
        tuple(str(need) for need in values.get("needs", ())),
        dict(values.get("parameters", {})),
        float(values.get("timeout", DEFAULT_TIMEOUT)),
        {str(key): _values(name, str(key), given) for key, given in values.get("for_each", {}).items()},
    )


def _values(step: str, parameter: str, given: Any) -> tuple[Any, ...]:
    if not isinstance(given, list) or not given:
        raise InvalidPipeline(f"Step {step!r}: for_each wants a list of values for {parameter!r}, not {given!r}.")
    return tuple(given)


def bind(pipeline: Pipeline, given: Mapping[str, Any]) -> tuple[Task, ...]:
    """Return what will run, in order: every step with its parameters, overridden by those of `given` it declares.

    A parameter of `for_each` is overridden by a list of values, or by one value.

    Raises
    ------
    InvalidPipeline
        If a name is declared by no notebook: papermill would run it as code.
    """
    tasks: dict[str, list[Task]] = {}
    used: set[str] = set()
    known: set[str] = set()
    taken = {step.name.casefold() for step in pipeline.steps}
    for step in pipeline.steps:
        declared = {parameter.name: parameter for parameter in read_parameters(step.notebook)}
        strangers = sorted({*step.parameters, *step.for_each} - {*declared})
        if strangers:
            raise InvalidPipeline(
                f"{step.notebook.name} declares no parameter {strangers[0]!r}: its parameters cell has "
                f"{', '.join(sorted(declared)) or 'none'}."
            )
        known |= {*declared}
        used |= {*declared} & {*given}
        fixed = {**step.parameters, **{name: given[name] for name in given if name in declared}}
        fixed = {
            name: fit(declared[name], value, step.notebook.name)
            for name, value in fixed.items()
            if name not in step.for_each
        }
        each = {
            name: _values(step.name, name, given[name] if isinstance(given[name], list) else [given[name]])
            if name in given
            else values
            for name, values in step.for_each.items()
        }
        each = {
            name: tuple(fit(declared[name], value, step.notebook.name) for value in values)
            for name, values in each.items()
        }
        needs = tuple(task.name for need in step.needs for task in tasks[need])
        tasks[step.name] = [
            Task(name, step.notebook, needs, {**fixed, **values}, step.timeout)
            for name, values in _combinations(step.name, each, taken)
        ]
    unused = sorted(set(given) - used)
    if unused:
        raise InvalidPipeline(
            f"No notebook of {pipeline.name!r} declares a parameter {unused[0]!r}: they have "
            f"{', '.join(sorted(known)) or 'none'}."
        )
    return tuple(task for step in pipeline.steps for task in tasks[step.name])


def _combinations(
    step: str, each: Mapping[str, tuple[Any, ...]], taken: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every combination of values with a name that is not `taken`: they, as far as a file's name can say them."""
    if not each:
        yield step, {}
        return
    for values in product(*each.values()):
        told = (re.sub(r"[^\w.-]+", "_", str(value)).strip("_") or "_" for value in values)
        wish = "-".join((step, *told))[:LONGEST_NAME]
        others = (f"{wish}-{number}" for number in count(2))  # values may read alike once a file's name says them
        name = next(name for name in chain([wish], others) if name.casefold() not in taken)
        taken.add(name.casefold())  # some file systems do not tell capitals from small letters
        yield name, dict(zip(each, values, strict=True))
