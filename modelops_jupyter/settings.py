"""Where a workspace lives and how it behaves: defaults < modelops.toml < MODELOPS_* variables."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import available_timezones

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.source_settings import Source, parse_source
from modelops_jupyter.trust import check_settings_file

FILE_NAME = "modelops.toml"
_SQLITE = "sqlite:///"
_KEYS = ("workspace", "tracking_uri", "policy", "actor", "alert_budget")
_NUMBERS = ("sample_rows",)
_LISTS = ("holidays",)
SAMPLE_ROWS, MOST_SAMPLE_ROWS = 200, 5000


@dataclass(frozen=True)
class UseCase:
    """What a model is for, as ``[use_case.NAME]`` says it.

    Attributes
    ----------
    owner : str or None
        Who has the model's new incidents.
    risk_tier : str or None
        How much hangs on it, in the team's own words (``high``, ``tier 1``).
    cost_per_error : float or None
        What a wrong decision costs on average, in `currency`.
    currency : str
        Its currency, as shown beside amounts: ``EUR``.
    time_zone : str or None
        The zone whose days and weeks the model is monitored by, such as ``America/New_York``; by default UTC.
    """

    owner: str | None = None
    risk_tier: str | None = None
    cost_per_error: float | None = None
    currency: str = ""
    time_zone: str | None = None


@dataclass(frozen=True)
class Target:
    """Where messages go, as ``[notify.NAME]`` says it.

    Attributes
    ----------
    name : str
        What it is called in messages.
    url : str
        ``https://…`` is a signed webhook; other schemes are apprise's (``slack://…``, ``mailto://…``). Of those
        ``$MODELOPS_SECRET_NAME`` stands for an environment variable, so that no secret need be in the file.
    secret : str
        The webhook's signing secret, ``whsec_…``, or while it is replaced both, with a blank between;
        ``$MODELOPS_SECRET_NAME`` as in `url`.
    topics : tuple of str
        Which messages, with ``*`` as in file names.
    allow_private : bool
        Whether `url` may lead to this machine or a private network.
    """

    name: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    topics: tuple[str, ...] = ("incident.*", "promote", "rollback")
    allow_private: bool = False


_TABLES: dict[str, type[UseCase] | type[Target]] = {"use_case": UseCase, "notify": Target}


@dataclass(frozen=True)
class Settings:
    """Everything a workspace needs to know before it opens.

    Attributes
    ----------
    project : Path
        The folder the user works in; relative paths in ``modelops.toml`` start here.
    root : Path
        The workspace's own folder, created on first write.
    tracking_uri : str or None
        An MLflow tracking and registry address; None means SQLite and local files under `root`. ``sqlite:///FILE`` is
        a file of the project.
    policy : Path or None
        The policy file; None means the policy the package ships.
    actor : str or None
        The name that goes on record.
    alert_budget : str or None
        How many false alerts of a model are accepted where the monitor was not told: ``1/month``.
    holidays : tuple of str
        Calendars and days whose windows monitors do not judge, where they were not told: ``US``, ``2013-11-29``.
    sample_rows : int
        Rows of each window that monitors keep, coarsely coded. Changed bonds between columns are seen by the first
        1,000 of a window while it is counted, and by those kept in a backtest; 0 is none for both.
    use_cases : mapping of str to UseCase
        By model.
    targets : tuple of Target
        Where incidents and promotions are told.
    sources : mapping of str to Source
        Where predictions lie that are not in our own log, by model.
    problem : str or None
        Why the settings file cannot be used, where one has asked for what can be used of it all the same.
    """

    project: Path
    root: Path
    tracking_uri: str | None = field(default=None, repr=False)  # it may hold a password
    policy: Path | None = None
    actor: str | None = None
    alert_budget: str | None = None
    holidays: tuple[str, ...] = ()
    sample_rows: int = SAMPLE_ROWS
    use_cases: Mapping[str, UseCase] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    problem: str | None = None

    @property
    def server(self) -> str | None:
        """Address of the MLflow server or shared database; None where the registry is a SQLite file."""
        return None if (self.tracking_uri or _SQLITE).startswith(_SQLITE) else self.tracking_uri

    @property
    def registry(self) -> str:
        """Where models are registered, in words that hold no secret."""
        return "embedded" if self.tracking_uri is None else redacted(self.tracking_uri)

    @property
    def store_path(self) -> Path:
        """SQLite file of the store."""
        return self.root / "modelops.db"

    @property
    def mlflow_path(self) -> Path:
        """SQLite file of the MLflow registry, where there is no server; relative addresses start at `project`."""
        if self.tracking_uri is None:
            return self.root / "mlflow.db"
        return (self.project / self.tracking_uri.removeprefix(_SQLITE)).absolute()

    @property
    def artifacts_path(self) -> Path:
        """Folder of MLflow's artifacts, where there is no MLflow server."""
        return self.root / "artifacts"

    @property
    def log_path(self) -> Path:
        """Folder of the prediction log's Delta tables."""
        return self.root / "log"

    @property
    def runs_path(self) -> Path:
        """Folder of executed pipeline notebooks: not hidden, so that JupyterLab opens them."""
        return self.project / "modelops-runs"

    @property
    def work_path(self) -> Path:
        """Folder of single notebooks while they run."""
        return self.root / "work"

    @property
    def lock_path(self) -> Path:
        """File that is locked while databases are created or migrated."""
        return self.root / "create.lock"


def redacted(text: str) -> str:
    """Return `text` without the credentials of the addresses in it.

    >>> redacted("https://ann:secret@mlflow.example does not answer")
    'https://…@mlflow.example does not answer'
    """
    without_user = re.sub(r"(\w+://)?[^\s]+@", lambda found: f"{found[1] or ''}…@", text)
    return re.sub(r"(://[^\s?]*\?)\S+", r"\1…", without_user)


def find_settings(
    path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ, *, lenient: bool = False
) -> Settings:
    """Work out the settings for `path`, or for the current folder.

    Parameters
    ----------
    path
        A project folder or a ``modelops.toml``. Without it, the nearest ``modelops.toml`` upwards of the current
        folder counts, else the current folder.
    lenient
        Do with what can be used of a settings file that cannot be, and say so in `Settings.problem`.

    Raises
    ------
    NotFound
        If `path` does not exist.
    InvalidInput
        If the settings file can be written by another user, cannot be read, or has an unknown key, or the workspace's
        folder has a name of no use.
    """
    path = path or environ.get("MODELOPS_WORKSPACE") or None
    if path is None:
        here = Path.cwd()
        file = next((d / FILE_NAME for d in (here, *here.parents) if (d / FILE_NAME).is_file()), here / FILE_NAME)
    else:
        given = Path(path).expanduser().absolute()
        if not given.exists():
            raise NotFound(f"There is no folder {str(given)!r}: create it, or run `modelops init` where models live.")
        file = given if given.is_file() else given / FILE_NAME
    if file.is_file():
        try:
            check_settings_file(file, environ)
        except InvalidInput as error:
            if not lenient:
                raise
            return Settings(project=file.parent, root=file.parent / ".modelops", problem=str(error))
    try:
        return _settings(file, _read(file) if file.is_file() else {}, environ)
    except InvalidInput as error:
        if not lenient:
            raise
        return _settings_that_stand(file, str(error), environ)


def _settings(file: Path, values: dict[str, Any], environ: Mapping[str, str]) -> Settings:
    for key in (*_KEYS[1:], *_NUMBERS):  # MODELOPS_WORKSPACE names the folder itself, above
        if value := environ.get(f"MODELOPS_{key.upper()}"):
            values[key] = value
    for key in _LISTS:
        if value := environ.get(f"MODELOPS_{key.upper()}"):
            values[key] = value.split()
    project = file.parent
    return Settings(
        project=project,
        root=_usable((project / values.get("workspace", ".modelops")).absolute()),
        tracking_uri=values.get("tracking_uri"),
        policy=(project / values["policy"]).absolute() if "policy" in values else None,
        actor=values.get("actor"),
        alert_budget=values.get("alert_budget"),
        holidays=tuple(values.get("holidays", ())),
        sample_rows=_rows(file, values.get("sample_rows", SAMPLE_ROWS)),
        use_cases={name: UseCase(**entry) for name, entry in values.get("use_case", {}).items()},
        targets=tuple(Target(name, **entry) for name, entry in values.get("notify", {}).items()),
        sources=values.get("source", {}),
    )


def _settings_that_stand(file: Path, problem: str, environ: Mapping[str, str]) -> Settings:
    """Return where a workspace is, by those lines of a settings file that can be used."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8", errors="replace"))
    except (tomllib.TOMLDecodeError, OSError):
        values = {}
    named = {key: values.get(key) for key in ("workspace", "tracking_uri", "policy")}
    stands = {key: value for key, value in named.items() if isinstance(value, str) and value.isprintable() and value}
    try:
        return replace(_settings(file, stands, environ), problem=problem)
    except InvalidInput:
        return Settings(project=file.parent, root=file.parent / ".modelops", problem=problem)


def _usable(root: Path) -> Path:
    """Return the workspace's folder unless MLflow or Delta would take its name for another's."""
    if "?" in str(root) or unquote(str(root)) != str(root):
        raise InvalidInput(
            f"No workspace can lie in {root}: MLflow and Delta read a ?, and a % before two digits, as part of an "
            "address. Rename the folder."
        )
    return root


def _read(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}. Mend it or remove it.") from error
    _check_keys(file, "", values, (*_KEYS, *_NUMBERS, *_LISTS, *_TABLES, "source"))
    for table, shape in _TABLES.items():
        entries = values.get(table, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise InvalidInput(f"{file}: {table!r} is written as [{table}.NAME], with settings below it.")
        known = tuple(f.name for f in fields(shape) if f.name != "name")
        for name, entry in entries.items():
            _check_keys(file, f"{table}.{name}.", entry, known)
            values[table][name] = {key: _typed(file, f"{table}.{name}.{key}", value) for key, value in entry.items()}
    for name, entry in values.get("notify", {}).items():
        if "url" not in entry:
            raise InvalidInput(f"{file}: notify.{name} has no url: say where its messages go.")
    if "source" in values:
        values["source"] = _sources(file, values["source"])
    for key in _KEYS:
        if key in values:
            _text(file, key, values[key])
    for key in _LISTS:
        if key in values:
            values[key] = _texts(file, key, values[key])
    return values


def _sources(file: Path, entries: Any) -> dict[str, Source]:
    if not isinstance(entries, dict):
        raise InvalidInput(f"{file}: 'source' is written as [source.MODEL], with settings below it.")
    return {name: parse_source(f"{file}: source.{name}", entry) for name, entry in entries.items()}


def _rows(file: Path, value: Any) -> int:
    """Return a number of rows, which an environment variable writes as text."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MOST_SAMPLE_ROWS:
        raise InvalidInput(f"{file}: sample_rows is a number from 0 (none) to {MOST_SAMPLE_ROWS}, not {value!r}.")
    return number


def _check_keys(file: Path, prefix: str, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InvalidInput(f"{file} has an unknown setting {prefix + unknown[0]!r}: known are {', '.join(known)}.")


def _typed(file: Path, key: str, value: Any) -> Any:
    """Return a setting of a table, in the type that its dataclass has."""
    last = key.rpartition(".")[2]
    if last == "allow_private" and not isinstance(value, bool):
        raise InvalidInput(f"{file}: setting {key!r} must be true or false, not {value!r}.")
    if last == "cost_per_error":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise InvalidInput(f"{file}: setting {key!r} must be a number of at least 0, not {value!r}.")
        return float(value)
    if last == "time_zone":
        if _text(file, key, value) not in available_timezones():
            raise InvalidInput(f"{file}: setting {key!r} names no time zone {value!r}: take UTC or America/New_York.")
        return value
    if last == "topics":
        return _texts(file, key, value)
    return value if last == "allow_private" else _text(file, key, value)


def _texts(file: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidInput(f"{file}: setting {key!r} must be a list of texts, not {value!r}.")
    return tuple(_text(file, key, text) for text in value)


def _text(file: Path, key: str, value: Any) -> str:
    shown = "…" if key.endswith((".url", ".secret")) else repr(value)  # these hold secrets
    if not isinstance(value, str):
        raise InvalidInput(f"{file}: setting {key!r} must be text, not {shown}.")
    if not value.strip() or not value.isprintable():
        raise InvalidInput(f"{file}: setting {key!r} cannot be {shown}: write it out.")
    return value
