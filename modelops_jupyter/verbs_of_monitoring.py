"""Verbs that watch models: monitor, explain, alerts and incidents."""

from __future__ import annotations

from modelops_jupyter import verb_calls
from modelops_jupyter.verb import Verb
from modelops_jupyter.verb_arguments import (
    EVERY,
    EVERY_MONITORED,
    INCIDENT,
    NAME,
    OF_ALERTS,
    OF_SERIES,
    REASON,
    SPAN,
    SUBJECT,
    UNTIL,
    ZONE,
    argument,
)

MONITORING: tuple[Verb, ...] = (
    Verb(
        "monitor",
        "profile and judge what is new",
        verb_calls.monitor,
        (
            NAME,
            EVERY,
            argument("--segments", nargs="*", metavar="COLUMN", help="slice by these (default: as last time)"),
            argument(
                "--alert-budget", metavar="N/PERIOD", help="accepted false alerts, as 1/month (default: as last time)"
            ),
            argument(
                "--holidays",
                nargs="*",
                metavar="CALENDAR",
                help="shown, not judged: US, US-NY, XNYS or 2013-11-29 (default: as last time)",
            ),
        ),
        slow=True,
    ),
    Verb(
        "compare-data",
        "drift and data quality of rows of no model against a reference; with --fail-on alert, exit code 1 on any",
        verb_calls.compare_data,
        (
            argument(
                "reference",
                metavar="REFERENCE",
                help="rows to compare with: .parquet or .csv; in a notebook, a name",
            ),
            argument(
                "current", metavar="CURRENT", help="rows to look at: .parquet or .csv; in a notebook, a Python name"
            ),
            argument("--timestamp", help="column of times (default: timestamp); without one, rows are compared once"),
            EVERY,
            ZONE,
            argument("--alert-budget", metavar="N/PERIOD", help="accepted false alerts (default: 1/month)"),
            argument("--fail-on", choices=["alert"], help="what makes it fail as a check"),
            argument("--junit", metavar="FILE", help="write a JUnit report, a test case per column"),
        ),
        effect="read",
        slow=True,
    ),
    Verb(
        "explain",
        "the segments that explain a fall in performance",
        verb_calls.explain,
        (NAME, *SPAN, EVERY_MONITORED, *OF_SERIES),
        effect="read",
        slow=True,
    ),
    Verb(
        "multivariate-drift",
        "whether rows of now can be told from those before, columns taken together",
        verb_calls.multivariate_drift,
        (NAME, *SPAN, EVERY_MONITORED, *OF_SERIES),
    ),
    Verb(
        "backtest",
        "what each alert budget would have told: false alerts a month against the least fault seen",
        verb_calls.backtest,
        (
            NAME,
            EVERY_MONITORED,
            argument("--alert-budget", metavar="N/PERIOD", help="one to add, as 1/month (default: in force)"),
            *OF_SERIES,
        ),
        slow=True,
    ),
    Verb(
        "alerts",
        "alerts, newest first",
        lambda ws, a, r: ws.alerts(a.name, state=a.state),
        (
            argument("name", nargs="?", help="name of the model (default: all)"),
            argument("--state", help="only alerts in this state, e.g. open"),
        ),
        effect="read",
    ),
    Verb(
        "incidents",
        "incidents, newest first: alerts of one cause",
        lambda ws, a, r: ws.incidents(a.name, state=a.state),
        (
            argument("name", nargs="?", help="name of the model (default: all)"),
            argument("--state", help="only those open, acknowledged, resolved, recovered or superseded"),
        ),
        effect="read",
    ),
    Verb(
        "incident",
        "one incident: suspects, segments, loss, timeline",
        lambda ws, a, r: ws.incident(a.id),
        (INCIDENT,),
        effect="read",
    ),
    Verb(
        "acknowledge",
        "take an open incident",
        lambda ws, a, r: ws.acknowledge(a.id, reason=a.reason),
        (INCIDENT, REASON),
    ),
    Verb("resolve", "close an incident", lambda ws, a, r: ws.resolve(a.id, reason=a.reason), (INCIDENT, REASON)),
    Verb(
        "assign",
        "give an incident to an owner",
        lambda ws, a, r: ws.assign(a.id, a.owner),
        (INCIDENT, argument("owner", metavar="OWNER", help="who has it from now on")),
    ),
    Verb(
        "mute",
        "keep alerts quiet until a date: of an incident, or of a column or a sign of a model",
        lambda ws, a, r: ws.mute(a.subject, until=a.until, reason=a.reason, column=a.column, sign=a.sign),
        (SUBJECT, *OF_ALERTS, UNTIL, REASON),
    ),
    Verb(
        "accept",
        "take what is wrong as normal until a date; what is clearly stronger, or another sign, is still told",
        lambda ws, a, r: ws.accept(a.subject, until=a.until, reason=a.reason, column=a.column, sign=a.sign),
        (SUBJECT, *OF_ALERTS, UNTIL, REASON),
    ),
    Verb(
        "revoke",
        "take back what was muted or accepted",
        lambda ws, a, r: ws.revoke(a.subject, reason=a.reason, column=a.column, sign=a.sign),
        (SUBJECT, *OF_ALERTS, REASON),
    ),
    Verb(
        "deliver",
        "send what waits to the targets of modelops.toml; exit code 3 if one does not take it",
        lambda ws, a, r: ws.deliver(now=a.now),
        (
            argument(
                "--now", action="store_true", help="try targets too that are left alone for a while after a failure"
            ),
        ),
        slow=True,
    ),
    Verb(
        "watch",
        "run every monitor again and again, and tell of what they find; for a box where nobody sits",
        verb_calls.watch,
        (
            argument("--interval", default="15m", help="time from round to round: 30s, 15m (default), 1h, 1d"),
            argument("--once", action="store_true", help="one round only, for cron; exit code 3 if something failed"),
        ),
        effect="execute",
        slow=True,
    ),
)
