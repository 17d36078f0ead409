"""Records that a monitor wrote before windows had zones, pools and holidays are read, and gone on from."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.monitoring import load_report
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put
from modelops_jupyter.workspace import Workspace

# What bodies had no key of then.
NEW = {"pooled", "last_windows", "last_rows", "time_zone", "unfinished", "holiday", "holidays", "days_off", "left_out"}
NEW |= {"window_end", "last_end"}
KINDS = ("monitor", "window", "segment_window", "alert", "incident", "run")
A_DAY = 15
MONDAY = pd.Timestamp("2026-01-05", tz="UTC")


def stripped(body: Any, new: set[str]) -> Any:
    """Return a body without the keys that are new, wherever they are."""
    if isinstance(body, dict):
        return {name: stripped(value, new) for name, value in body.items() if name not in new}
    return [stripped(value, new) for value in body] if isinstance(body, list) else body


def log_days(ws: Workspace, days: range, fitted: LogisticRegression) -> None:
    """Log days of which those from the 14th on have no wind in one row of two."""
    for day in days:
        generator = np.random.default_rng(day)
        x = pd.DataFrame({"wind": generator.normal(size=A_DAY), "rain": generator.normal(size=A_DAY)})
        rows = x.assign(
            id=[f"{day}-{n}" for n in range(A_DAY)],
            at=MONDAY + pd.to_timedelta(day + np.arange(A_DAY) / A_DAY, unit="D"),
            said=fitted.predict(x),
            score=fitted.predict_proba(x)[:, 1],
        )
        if day >= 14:
            rows.loc[::2, "wind"] = np.nan
        ws.log_predictions("delay/1", rows, id="id", time="at", prediction="said", score="score")


def test_records_of_before_are_read_and_gone_on_from(settings: Settings) -> None:
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"wind": generator.normal(size=900), "rain": generator.normal(size=900)})
    y = (x["wind"] > 0).astype(int)
    with Workspace(settings) as ws:
        fitted = LogisticRegression().fit(x, y)
        ws.register(fitted, "delay", data=x, target=y)
        log_days(ws, range(17), fitted)
        ws.monitor("delay")
        seen = load_report(ws.store, "delay"), str(ws.incidents()), str(ws.alerts())
        bodies = [(kind, record) for kind in KINDS for record in ws.store.find(kind)]
        assert {"monitor", "window", "alert", "incident"} <= {kind for kind, _ in bodies}
        # Windows and alerts had their ends always.
        of_before = [
            Put(kind, r.key, stripped(r.body, NEW - {"window_end"} if kind != "incident" else NEW), r.subject)
            for kind, r in bodies
        ]
        assert [put.body for put in of_before] != [record.body for _, record in bodies]
        ws.store.commit(Change(puts=tuple(of_before)))
        assert "delay" in str(ws.status())
        assert str(ws.overview("delay"))
        assert (str(ws.incidents()), str(ws.alerts())) == seen[1:]
        report = load_report(ws.store, "delay")
        assert len(report.windows) == len(seen[0].windows)
        log_days(ws, range(17, 18), fitted)
        again = ws.monitor("delay")
        assert sum(window.rows for window in again.windows) == 18 * A_DAY
        assert "time_zone" in ws.store.get("monitor", "delay/1D").body
