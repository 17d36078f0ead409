"""A monitor's results as the tables people know: tidy, Databricks' two metric tables, NannyML's chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelops_jupyter.monitoring.record.results import MonitorReport, WindowResult

if TYPE_CHECKING:
    import pandas as pd

TIDY = (
    "window_start",
    "window_end",
    "version",
    "role",
    "segment",
    "rows",
    "column",
    "metric",
    "value",
    "low",
    "high",
    "error",
    "p_value",
    "reason",
)
GRANULARITIES = {"1h": "1 hour", "1D": "1 day", "1W": "1 week"}
# What a table as a whole is called in place of a column.
WHOLE = ":table"
# Databricks' names, where a figure of ours is the same.
DATABRICKS_PROFILE = {
    "accuracy": "accuracy_score",
    "roc_auc": "roc_auc_score",
    "f1": "f1_score",
    "mean_absolute_error": "mean_average_error",
    "r2": "r2_score",
}
DATABRICKS_QUALITY = {"null_rate": "percent_null", "zero_rate": "percent_zeros", "mean_length": "avg_length"}
DATABRICKS_DRIFT = {
    "psi": "population_stability_index",
    "jensen_shannon": "js_distance",
    "wasserstein": "wasserstein_distance",
    "l_infinity": "l_infinity_distance",
    "kolmogorov_smirnov": "ks_test",
    "chi_square": "chi_squared_test",
}
QUALITY = ("null_rate", "mistyped_rate", "out_of_range_rate", "zero_rate", "unseen_rate", "mean_length")
Figures = Mapping[str, Mapping[str, Any]]


def tidy(report: MonitorReport) -> pd.DataFrame:
    """Return a row per window, segment (None for all rows), column (None for the window) and metric."""
    import pandas as pd

    reports = (report, *report.beside)
    rows = [row for each in reports for window in (*each.windows, *each.segments) for row in _rows(window)]
    return pd.DataFrame(rows, columns=list(TIDY))


def _rows(window: WindowResult) -> Iterator[tuple[Any, ...]]:
    times = window.window_start, window.window_end
    head = (*times, window.version, window.role, window.segment or None, window.rows)
    estimated = {f"estimated_{metric}": figure for metric, figure in window.estimated.items()}
    whole = {**window.performance, **estimated, **window.concept, **window.quality}
    for column, metrics in ((None, whole), *window.drift.items()):
        for metric, figure in metrics.items():
            known = (figure.get(name) for name in ("low", "high", "error", "p_value"))
            yield (*head, column, metric, figure["value"], *known, figure["reason"])


def profile_metrics(report: MonitorReport) -> pd.DataFrame:
    """Return Databricks' profile metrics table: a row per window, slice and column, `:table` for the whole.

    ``window`` is a half-open interval of UTC times; shares in ``percent_…`` are out of 100. Figures that Databricks
    has no name for keep ours.
    """
    return _databricks(report, {"log_type": "INPUT"}, _profile_rows)


def _profile_rows(window: WindowResult) -> Iterator[dict[str, Any]]:
    whole = {DATABRICKS_PROFILE.get(name, name): figure["value"] for name, figure in window.performance.items()}
    estimated = {f"estimated_{name}": figure["value"] for name, figure in window.estimated.items()}
    quality = {name: figure["value"] for name, figure in window.quality.items()}
    yield {"column_name": WHOLE, "count": window.rows, **whole, **estimated, **quality}
    for column, figures in window.drift.items():
        found = {name: figures[name]["value"] for name in QUALITY if name in figures}
        yield {
            "column_name": column,
            "count": window.rows,
            **{
                DATABRICKS_QUALITY.get(name, name): None
                if value is None
                else value * (100 if name in ("null_rate", "zero_rate") else 1)
                for name, value in found.items()
            },
        }


def drift_metrics(report: MonitorReport) -> pd.DataFrame:
    """Return Databricks' drift metrics table: a row per window, slice and column, each against the reference.

    ``drift_type`` is ``BASELINE``; tests are mappings of ``statistic`` and ``pvalue``.
    """
    return _databricks(report, {"drift_type": "BASELINE"}, _drift_rows)


def _drift_rows(window: WindowResult) -> Iterator[dict[str, Any]]:
    for column, figures in window.drift.items():
        found: dict[str, Any] = {"column_name": column}
        for name, figure in figures.items():
            if name in QUALITY:
                continue
            tested = "p_value" in figure
            value = {"statistic": figure["value"], "pvalue": figure["p_value"]} if tested else figure["value"]
            found[DATABRICKS_DRIFT.get(name, name)] = value
        yield found


def _databricks(report: MonitorReport, fixed: Mapping[str, str], rows_of: Any) -> pd.DataFrame:
    import pandas as pd

    head = ["window", "granularity", "column_name", "slice_key", "slice_value", *fixed]
    rows = []
    for window in (*report.windows, *report.segments):
        times = (pd.Timestamp(window.window_start), pd.Timestamp(window.window_end))
        key, _, value = window.segment.partition("=")
        shared = {
            "window": pd.Interval(*times, closed="left"),
            "granularity": GRANULARITIES.get(report.every, report.every),
            "slice_key": key or None,
            "slice_value": value if key else None,
            **fixed,
        }
        rows += [{**shared, **row} for row in rows_of(window)]
    found = pd.DataFrame(rows, columns=None if rows else head)
    return found[[*head, *(name for name in found.columns if name not in head)]]


def chunks(report: MonitorReport) -> pd.DataFrame:
    """Return NannyML's result columns: a row per chunk and performance metric, realised and estimated.

    ``key`` names the chunk as NannyML does, ``[2013-04-01:2013-04-01]``; ``alert`` tells whether the metric has a
    finding in it.
    """
    import pandas as pd

    rows = []
    for index, window in enumerate(report.windows):
        start, end = pd.Timestamp(window.window_start), pd.Timestamp(window.window_end) - pd.Timedelta(1, "ns")
        found = {finding.metric: finding for finding in window.findings if finding.kind == "performance"}
        figures = [("realized", *item) for item in window.performance.items()]
        figures += [("estimated", *item) for item in window.estimated.items()]
        for kind, metric, figure in figures:
            finding = found.get(metric if kind == "realized" else f"estimated_{metric}")
            rows.append(
                {
                    "key": f"[{start:%Y-%m-%d}:{end:%Y-%m-%d}]" if report.every != "1h" else f"{start:%Y-%m-%dT%H}",
                    "chunk_index": index,
                    "start_date": start,
                    "end_date": end,
                    "period": "analysis",
                    "column_name": metric,
                    "kind": kind,
                    "value": figure["value"],
                    "sampling_error": figure.get("error"),
                    "upper_confidence_boundary": figure.get("high"),
                    "lower_confidence_boundary": figure.get("low"),
                    "threshold": finding.threshold if finding else None,
                    "alert": finding is not None,
                }
            )
    return pd.DataFrame(rows)
