"""Results made by hand, so that what is displayed can be compared with what went in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from modelops_jupyter.actions.fleet import ModelSummary
from modelops_jupyter.actions.overview import DriftMap, ModelOverview, WindowFigure

HOSTILE = "<img src=x onerror=alert(1)>"
BEGIN = datetime(2013, 4, 1, tzinfo=UTC)


def day(n: int) -> str:
    """Return the n-th day as ISO text."""
    return (BEGIN + timedelta(days=n)).isoformat()


def move(version: int, at: str, action: str = "promote", reason: str = "because") -> dict[str, Any]:
    """Return a transition as it is on record."""
    return {
        "name": "delay",
        "alias": "champion",
        "from_version": None,
        "to_version": version,
        "action": action,
        "reason": reason,
        "actor": "ann",
        "assurance": "self-asserted",
        "at": at,
    }


def overview(
    windows: int = 30, features: int = 3, *, name: str = "delay", text: str = "fine", versions: tuple[int, ...] = (1, 2)
) -> ModelOverview:
    """Return a model's page: versions serve one after the other; every tenth window has no figure."""
    served = [versions[n * len(versions) // windows] for n in range(windows)]
    figures = tuple(
        WindowFigure(
            day(n),
            day(n + 1),
            400,
            0 if n % 10 == 9 else 390,
            served[n],
            None if n % 10 == 9 else 0.8 - n / 1000,
            "no labels" if n % 10 == 9 else None,
        )
        for n in range(windows)
    )
    columns = tuple(f"{text if text != 'fine' else 'column'} {n}" for n in range(features))
    drift = DriftMap(
        tuple(day(n) for n in range(windows)),
        columns,
        {column: tuple(0.01 * n + k / 10 for n in range(windows)) for k, column in enumerate(columns)},
        {column: tuple(0.01 * n + k / 10 >= 0.2 for n in range(windows)) for k, column in enumerate(columns)},
    )
    alert = {
        "model": name,
        "kind": "drift",
        "column": text,
        "metric": "psi",
        "state": "open",
        "window_start": day(3),
        "message": f"{name}: psi of {text} was 0.3 in the window from {day(3)}; it reached its threshold 0.2.",
    }
    version = {
        "version": 1,
        "aliases": text,
        "flavor": "sklearn-skops",
        "metrics": {"roc_auc": 0.81},
        "evaluation": "measured on 2,000 rows: roc_auc 0.81",
        "unsafe": False,
        "created_by": text,
        "created_at": day(0),
    }
    entry = {
        "sequence": 1,
        "at": day(0),
        "action": "register",
        "subject": f"{name}/1",
        "actor": text,
        "assurance": "self-asserted",
        "detail": text,
        "details": {"reason": text},
        "hash": "0",
    }
    summary = ModelSummary(
        name=name,
        kind="ml",
        champion=1,
        versions=len(versions),
        health="warning",
        open_alerts=1,
        windows=windows,
        realised=sum(w.value is not None for w in figures),
        data_through=day(windows),
        metric="roc_auc",
        sparkline=tuple(w.value for w in figures),
    )
    return ModelOverview(
        summary=summary,
        description=text,
        metric="roc_auc",
        expected={version: round(0.8 + version / 100, 2) for version in versions},
        windows=figures,
        drift=drift,
        versions=(version,),
        transitions=tuple(move(v, "2026-11-01T00:00:00+00:00", reason=text) for v in versions) if windows else (),
        alerts=(alert,),
        audit=(entry,),
    )
