"""What stands in an MLflow registry that other tools filled: models, versions, aliases, and where each comes from.

Everything here reads; nothing is written to MLflow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

PAGE = 1000
IDS = 100  # in one filter
TOKEN = "modelops.registration"
READY = "READY"
PROMPT = "mlflow.prompt.is_prompt"
_OF_MLFLOW = ("mlflow.", "modelops.")
_LONGEST_VALUE = 2000


@dataclass(frozen=True)
class StockVersion:
    """A version in MLflow's registry; `address` is where it was registered from, as MLflow has it."""

    name: str
    version: int
    status: str
    stage: str
    created_at: str
    address: str
    run_id: str | None
    description: str
    user: str | None
    tags: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether MLflow has all of it."""
        return self.status == READY

    @property
    def token(self) -> str | None:
        """The token under which one of our registrations made it."""
        return self.tags.get(TOKEN)

    @property
    def own_tags(self) -> dict[str, str]:
        """The tags that people have given it."""
        return own_tags(self.tags)

    @property
    def logged_model(self) -> str | None:
        """The id of the MLflow 3 logged model that it was registered from."""
        return self.address.removeprefix("models:/") if self.address.startswith("models:/m-") else None


@dataclass(frozen=True)
class StockModel:
    """A registered model in MLflow, with its versions, oldest first, and its aliases."""

    name: str
    description: str
    created_at: str
    tags: Mapping[str, str]
    aliases: Mapping[str, int]
    versions: tuple[StockVersion, ...]


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from, as far as MLflow knows.

    Attributes
    ----------
    address : str or None
        Where the files of its logged model are; None where the registry has to be asked.
    metrics : mapping of str to float
        Figures of the run and of the logged model; the latter count where both have one.
    datasets : tuple of mapping
        ``name, digest, source, context`` of each dataset that the run was given.
    class_name : str
        The class of the estimator, where autologging has noted it.
    """

    address: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[Mapping[str, str], ...] = ()
    source_name: str | None = None
    source_type: str | None = None
    git_commit: str | None = None
    user: str | None = None
    experiment_id: str | None = None
    class_name: str = ""

    @property
    def inputs(self) -> list[str]:
        """The datasets as addresses to be read by people."""
        return [f"{data['source'] or data['name']} (MLflow digest {data['digest']})" for data in self.datasets]


def read_models(client: MlflowClient, name: str | None = None) -> tuple[StockModel, ...]:
    """Return every registered model, or the one of a name: none where there is none. Prompts are left out."""
    found = _registered(client) if name is None else _one(client, name)
    models = [model for model in found if not is_prompt(model.tags)]
    versions: dict[str, list[StockVersion]] = {model.name: [] for model in models}
    for version in _versions(client, name):
        if version.name in versions:
            versions[version.name].append(version)
    return tuple(
        StockModel(
            model.name,
            model.description or "",
            _moment(model.creation_timestamp),
            dict(model.tags),
            {alias: int(at) for alias, at in model.aliases.items()},
            tuple(sorted(versions[model.name], key=lambda version: version.version)),
        )
        for model in models
    )


def read_aliases(client: MlflowClient, name: str) -> dict[str, int] | None:
    """Return the aliases of a model as they are now; None if it is gone."""
    return next(({alias: int(at) for alias, at in model.aliases.items()} for model in _one(client, name)), None)


def download_address(client: MlflowClient, version: StockVersion, lineage: Lineage) -> str:
    """Return where the files of a version are."""
    address = lineage.address or client.get_model_version_download_uri(version.name, str(version.version))
    return files_of(client, str(address))


def read_lineage(client: MlflowClient, versions: Collection[StockVersion]) -> dict[tuple[str, int], Lineage]:
    """Return where versions come from, by name and number."""
    from mlflow.entities import ViewType

    if not versions:
        return {}
    experiments = [
        experiment.experiment_id
        for experiment in pages(lambda token: client.search_experiments(ViewType.ALL, PAGE, page_token=token))
    ]
    runs = {
        run.info.run_id: run
        for query in _queries("attributes.run_id", (version.run_id for version in versions))
        for run in client.search_runs(experiments, query, ViewType.ALL, IDS)
    }
    logged = {
        model.model_id: model
        for query in _queries("model_id", (version.logged_model for version in versions))
        for model in client.search_logged_models(experiments, query, max_results=IDS)
    }
    return {
        (version.name, version.version): _lineage(
            runs.get(version.run_id or ""), logged.get(version.logged_model or "")
        )
        for version in versions
    }


def version_of(client: MlflowClient, name: str, number: int | None, alias: str) -> StockVersion:
    """Return one version of the registry, by number or alias."""
    found = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, str(number))
    return _version(found)


def files_of(client: MlflowClient, address: str) -> str:
    """Return where the files are that ``runs:/RUN/PATH`` or ``models:/ID`` stands for; other addresses as they are."""
    if address.startswith("models:/m-"):
        return str(client.get_logged_model(address.removeprefix("models:/")).artifact_location)
    if not address.startswith("runs:/"):
        return address
    run_id, _, path = address.removeprefix("runs:/").strip("/").partition("/")
    info = client.get_run(run_id).info
    query = f"source_run_id = '{info.run_id}'"
    logged = pages(lambda token: client.search_logged_models([info.experiment_id], query, page_token=token))
    named = [model for model in logged if model.name == path]
    if named:
        return str(max(named, key=lambda model: model.creation_timestamp).artifact_location)
    return f"{info.artifact_uri}/{path}"


def _registered(client: MlflowClient) -> Iterator[Any]:
    return pages(lambda token: client.search_registered_models(max_results=PAGE, page_token=token))


def _one(client: MlflowClient, name: str) -> list[Any]:
    # Searched for, since MLflow refuses to look up names of old, such as those with slashes.
    found = pages(lambda token: client.search_registered_models(_query(name), PAGE, page_token=token))
    return [model for model in found if model.name == name]


def _versions(client: MlflowClient, name: str | None) -> Iterator[StockVersion]:
    found = pages(lambda token: client.search_model_versions(_query(name), PAGE, page_token=token))
    return (_version(version) for version in found)


def _query(name: str | None) -> str | None:
    """Return the filter that leaves out other models, as far as there is one."""
    return None if name is None or ("'" in name and '"' in name) else named(name)


def named(name: str) -> str:
    """Return MLflow's filter for a name; it has no way to write one with both kinds of quotation marks."""
    return f'name="{name}"' if "'" in name else f"name='{name}'"


def _version(version: Any) -> StockVersion:
    return StockVersion(
        name=version.name,
        version=int(version.version),
        status=str(version.status),
        stage=str(version.current_stage or "None"),
        created_at=_moment(version.creation_timestamp),
        address=str(version.source),
        run_id=version.run_id or None,
        description=version.description or "",
        user=version.user_id or None,
        tags=dict(version.tags),
    )


def pages(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield what MLflow answers page by page; `ask` takes the token of a page."""
    token = None
    while token is None or token:
        page = ask(token)
        yield from page
        token = page.token or ""


def _queries(column: str, ids: Iterable[str | None]) -> Iterator[str]:
    """Yield filters that name the ids, some at a time."""
    wanted = sorted({one for one in ids if one})
    for start in range(0, len(wanted), IDS):
        yield f"{column} IN ({', '.join(repr(one) for one in wanted[start : start + IDS])})"


def _lineage(run: Run | None, logged: LoggedModel | None) -> Lineage:
    metrics: dict[str, float] = dict(run.data.metrics) if run is not None else {}
    metrics |= {metric.key: metric.value for metric in (logged.metrics or ())} if logged is not None else {}
    params = (dict(run.data.params) if run is not None else {}) | (dict(logged.params) if logged is not None else {})
    tags = (dict(logged.tags) if logged is not None else {}) | (dict(run.data.tags) if run is not None else {})
    return Lineage(
        address=None if logged is None else logged.artifact_location,
        metrics={name: float(value) for name, value in metrics.items() if math.isfinite(value)},
        params={name: str(value)[:_LONGEST_VALUE] for name, value in params.items()},
        tags=own_tags(tags),
        datasets=tuple(_dataset(given) for given in run.inputs.dataset_inputs)
        if run is not None and run.inputs
        else (),
        source_name=tags.get("mlflow.source.name"),
        source_type=tags.get("mlflow.source.type"),
        git_commit=tags.get("mlflow.source.git.commit"),
        user=tags.get("mlflow.user"),
        experiment_id=None if run is None else str(run.info.experiment_id),
        class_name=tags.get("estimator_name", ""),
    )


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Tell whether a registered model is a prompt, which MLflow keeps among them."""
    return tags.get(PROMPT, "").lower() == "true"


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that people have given: neither MLflow's own nor ours."""
    return {name: str(value)[:_LONGEST_VALUE] for name, value in tags.items() if not name.startswith(_OF_MLFLOW)}


def _dataset(given: Any) -> dict[str, str]:
    data = given.dataset
    try:
        source = json.loads(data.source)
        address = str(source.get("uri") or source.get("path") or source.get("url") or "")
    except (TypeError, ValueError, AttributeError):  # a source of another library's own form
        address = str(data.source or "")
    context = next((tag.value for tag in given.tags if tag.key == "mlflow.data.context"), "")
    return {
        "name": str(data.name),
        "digest": str(data.digest),
        "source": address[:_LONGEST_VALUE],
        "context": str(context),
    }


def _moment(milliseconds: int | None) -> str:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).isoformat()
