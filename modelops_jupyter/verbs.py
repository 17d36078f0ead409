"""The verbs that the shell and the notebook share: one table, one parser, one call each.

A face parses a line with `parser()` and calls `namespace.call(workspace, namespace)`. Where a value is data
(``--data X_test``), a face passes its own `read`: the shell opens a file, the notebook looks up a Python name.
"""

from __future__ import annotations

import argparse
from typing import Any

from modelops_jupyter import verb_calls
from modelops_jupyter.roles import ROLES, SERVED
from modelops_jupyter.verb import Parser, Verb


def _arg(*flags: str, **options: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return flags, options


def _rows(what: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    text = f"{what}: .parquet or .csv; in a notebook, a Python name"
    return _arg("--data", "--validated-on", dest="data", required=True, help=text)


def _labels(*, required: bool) -> tuple[tuple[str, ...], dict[str, Any]]:
    text = "their labels: a column, or data of their own"
    return _arg("--target", "--outcomes", dest="target", required=required, help=text)


_REFERENCE = _arg("reference", metavar="REFERENCE", help="name/3, name@champion, or name alone for its champion")
_NAME = _arg("name", metavar="NAME", help="name of the model")
_ALIAS = _arg("alias", nargs="?", default="champion", help="alias to move (default: champion)")
_NOTEBOOK = _arg("path", metavar="NOTEBOOK", help="the .ipynb file")
_EVERY = _arg("--every", default="1D", help="length of a window: 1h, 1D (default) or 1W")
_ROLE = "served: the answer that was given (default); shadow: one nobody got; canary: given to a share of requests"
_INCIDENT = _arg("id", metavar="ID", help="id of the incident, as `modelops incidents` shows it")
_SPAN = (
    _arg("--window", help="first window, e.g. 2013-07-01 (default: the latest performance alert's, or the last)"),
    _arg("--until", help="last window (default: the first)"),
)
_REASON = _arg("--reason", required=True, help="why; goes on record")


VERBS: tuple[Verb, ...] = (
    Verb(
        "status",
        "where the workspace stands: models, health, history, alerts",
        lambda ws, a, r: ws.status(),
        effect="read",
    ),
    Verb("models", "every model with its champion and health", lambda ws, a, r: ws.models(), effect="read"),
    Verb("versions", "every version of a model", lambda ws, a, r: ws.versions(a.name), (_NAME,), effect="read"),
    Verb(
        "overview",
        "one model on one page: performance, drift, versions, history, alerts",
        lambda ws, a, r: ws.overview(a.name, every=a.every),
        (_NAME, _EVERY),
        effect="read",
    ),
    Verb(
        "distribution",
        "a column's distribution beside the reference's",
        lambda ws, a, r: ws.distribution(a.name, a.column, window=a.window, every=a.every),
        (
            _NAME,
            _arg("column", metavar="COLUMN", help="a feature, `prediction` or `score`"),
            _arg("--window", help="start of the window, as `modelops monitor` shows it (default: the last 30)"),
            _EVERY,
        ),
        effect="read",
    ),
    Verb(
        "version",
        "one version, every fact on record",
        lambda ws, a, r: ws.version(a.reference),
        (_REFERENCE,),
        effect="read",
    ),
    Verb(
        "curves",
        "calibration and other curves of a window",
        lambda ws, a, r: ws.curves(a.name, window=a.window, every=a.every),
        (
            _NAME,
            _arg("--window", help="start of the window, as `modelops monitor` shows it (default: the last 30)"),
            _EVERY,
        ),
        effect="read",
    ),
    Verb(
        "register",
        "register a model as the next version of a name",
        verb_calls.register,
        (
            _arg(
                "model",
                metavar="MODEL",
                help=".skops, .onnx, .ubj, LightGBM .txt, decision-table .json, models:/NAME/3 or runs:/RUN/PATH; in a "
                "notebook, a Python name",
            ),
            _NAME,
            _arg("--data", help="rows it was fitted on: .parquet or .csv; in a notebook, a Python name"),
            _arg("--target", help="their labels: a column of --data, or data of their own"),
            _arg("--validated-on", help="the reference: validation rows, on which metrics are measured"),
            _arg("--outcomes", help="their labels: a column (default: the target's name) or data of their own"),
            _arg("--input", action="append", default=[], help="address of a dataset version it was made from"),
            _arg("--run-id", help="MLflow run that trained it"),
            _arg("--kind", choices=("ml", "decision"), help="ml or decision (default: what the model is)"),
            _arg("--decision", metavar="OUTPUT", help="output of a decision table that is the decision"),
            _arg("--metric", action="append", default=[], help="a metric you claim, roc_auc=0.76; may be repeated"),
            _arg("--description", default="", help="what the model is for"),
            _arg("--unsafe", action="store_true", help="accept a format outside the allow-list; marked everywhere"),
        ),
        slow=True,
    ),
    Verb(
        "adopt",
        "put models of the MLflow registry on record as they are; exit code 1 if one was left out",
        verb_calls.adopt,
        (
            _arg("name", nargs="?", metavar="NAME", help="registered model in MLflow; or say --all"),
            _arg("--all", action="store_true", help="every registered model"),
            _arg("--validated-on", help="the reference of versions without one: .parquet, .csv; in a notebook, a name"),
            _arg("--outcomes", help="its labels: a column, or data of their own"),
            _arg("--as", dest="new_name", metavar="NEWNAME", help="its name here, where MLflow's does not fit"),
            _arg("--unsafe", action="store_true", help="load models that run code, to learn what they predict"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "evaluate",
        "measure a version's metrics on labelled rows, and put them on record for gates to read",
        verb_calls.evaluate,
        (
            _arg("version", metavar="VERSION", help="name/3, name@champion, or name alone for its champion"),
            _rows("rows it was not fitted on"),
            _labels(required=True),
            _arg("--unsafe", action="store_true", help="load a version that runs code when it is loaded"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "predict",
        "score a table of any size into another: its columns are kept, predictions and scores appended",
        verb_calls.predict_file,
        (
            _arg("version", metavar="VERSION", help="name/3, name@champion, or name alone for its champion"),
            _arg("data", metavar="DATA", help=".parquet, .csv, a folder of them, delta:FOLDER; in a notebook, a name"),
            _arg("output", metavar="OUTPUT", help=".parquet, .csv or delta:FOLDER; what was there is replaced"),
            _arg(
                "--invalid",
                default="mark",
                choices=("refuse", "mark", "allow"),
                help="what to do with rows unlike those it was registered with (type, missing values, range, category):"
                " say so in a column `invalid` (mark, the default), score nothing (refuse), or count them (allow)",
            ),
            _arg("--log", action="store_true", help="log the predictions, as log-predictions does"),
            _arg("--id", help="with --log, the column of request ids"),
            _arg("--time", help="with --log, the column of times, with a time zone"),
            _arg("--batch-id", help="with --log, the name of this batch: sent again, it changes nothing"),
            _arg("--role", choices=ROLES, help=f"with --log, the role: {_ROLE}"),
            _arg("--unsafe", action="store_true", help="load a version that runs code when it is loaded"),
        ),
        effect="execute",
        slow=True,
        method="predict_file",
    ),
    Verb(
        "compare",
        "compare two versions on the same rows, or on the logged requests of both",
        verb_calls.compare,
        (
            _REFERENCE,
            _arg("other", metavar="OTHER", help="the version to compare with"),
            _rows("rows to score"),
            _labels(required=False),
            _arg("--segment", action="append", default=[], help="column to slice by; may be repeated"),
            _arg("--unsafe", action="store_true", help="load versions that run code when they are loaded"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "check",
        "evaluate the gate to an alias; exit code 1 if it is closed",
        lambda ws, a, r: ws.check(a.reference, a.alias),
        (_REFERENCE, _ALIAS),
    ),
    Verb(
        "gate",
        "what the gate to an alias would say now, and who holds the alias; nothing is put on record",
        lambda ws, a, r: ws.gate(a.reference, a.alias),
        (_REFERENCE, _ALIAS),
        effect="read",
    ),
    Verb(
        "approve",
        "put an approval on record",
        lambda ws, a, r: ws.approve(a.reference, reason=a.reason),
        (_REFERENCE, _REASON),
    ),
    Verb(
        "reject",
        "put a rejection on record",
        lambda ws, a, r: ws.reject(a.reference, reason=a.reason),
        (_REFERENCE, _REASON),
    ),
    Verb(
        "comment",
        "put a remark on record",
        lambda ws, a, r: ws.comment(a.reference, a.text),
        (_REFERENCE, _arg("text", help="the remark")),
    ),
    Verb(
        "promote",
        "point an alias at a version, through its gate",
        lambda ws, a, r: ws.promote(a.reference, a.alias, reason=a.reason, expected=a.expected),
        (_REFERENCE, _ALIAS, _REASON, _arg("--expected", type=int, help="the version believed to hold it now")),
    ),
    Verb(
        "rollback",
        "point an alias back at the version before",
        lambda ws, a, r: ws.rollback(a.name, a.alias, reason=a.reason),
        (_NAME, _ALIAS, _REASON),
    ),
    Verb(
        "reconcile",
        "make MLflow's aliases what is on record; each that was moved behind our back becomes an incident; exit code 1 "
        "where MLflow cannot show what is on record",
        lambda ws, a, r: ws.reconcile(),
    ),
    Verb(
        "log-predictions",
        "append what a version predicted",
        verb_calls.log_predictions,
        (
            _REFERENCE,
            _arg("data", help=".parquet or .csv file; in a notebook, a Python name"),
            _arg("--id", required=True, help="column of request ids"),
            _arg("--time", required=True, help="column of times, with a time zone"),
            _arg("--prediction", required=True, help="column of predictions"),
            _arg("--score", help="column of probabilities of the positive class"),
            _arg("--batch-id", help="name of this batch: sent again, it changes nothing"),
            _arg("--role", choices=ROLES, default=SERVED, help=_ROLE),
        ),
        slow=True,
    ),
    Verb(
        "log-labels",
        "append outcomes as they become known",
        verb_calls.log_labels,
        (
            _NAME,
            _arg("data", help=".parquet or .csv file; in a notebook, a Python name"),
            _arg("--id", required=True, help="column of request ids"),
            _arg("--label", required=True, help="column of outcomes"),
            _arg("--event-time", help="column of when the outcome came about"),
            _arg("--batch-id", help="name of this batch: sent again, it changes nothing"),
        ),
        slow=True,
    ),
    Verb(
        "monitor",
        "profile and judge what is new",
        lambda ws, a, r: ws.monitor(a.name, every=a.every, segments=a.segments, alert_budget=a.alert_budget),
        (
            _NAME,
            _EVERY,
            _arg("--segments", nargs="*", metavar="COLUMN", help="slice by these (default: as last time)"),
            _arg(
                "--alert-budget", metavar="N/PERIOD", help="accepted false alerts, as 1/month (default: as last time)"
            ),
        ),
        slow=True,
    ),
    Verb(
        "compare-data",
        "drift and data quality of rows of no model against a reference, window by window",
        verb_calls.compare_data,
        (
            _arg(
                "reference",
                metavar="REFERENCE",
                help="rows to compare with: .parquet or .csv; in a notebook, a name",
            ),
            _arg("current", metavar="CURRENT", help="rows to look at: .parquet or .csv; in a notebook, a Python name"),
            _arg("--timestamp", default="timestamp", help="column of times, with a time zone (default: timestamp)"),
            _EVERY,
            _arg("--alert-budget", metavar="N/PERIOD", help="accepted false alerts (default: 1/month)"),
        ),
        effect="read",
        slow=True,
    ),
    Verb(
        "explain",
        "the segments that explain a fall in performance",
        lambda ws, a, r: ws.explain(a.name, window=a.window, until=a.until, every=a.every),
        (_NAME, *_SPAN, _EVERY),
        effect="read",
        slow=True,
    ),
    Verb(
        "multivariate-drift",
        "whether rows of now can be told from those before, columns taken together",
        lambda ws, a, r: ws.multivariate_drift(a.name, window=a.window, until=a.until, every=a.every),
        (_NAME, *_SPAN, _EVERY),
    ),
    Verb(
        "backtest",
        "what each alert budget would have told: false alerts a month against the least fault seen",
        verb_calls.backtest,
        (_NAME, _EVERY, _arg("--alert-budget", metavar="N/PERIOD", help="one to add, as 1/month (default: in force)")),
        slow=True,
    ),
    Verb(
        "alerts",
        "alerts, newest first",
        lambda ws, a, r: ws.alerts(a.name, state=a.state),
        (
            _arg("name", nargs="?", help="name of the model (default: all)"),
            _arg("--state", help="only alerts in this state, e.g. open"),
        ),
        effect="read",
    ),
    Verb(
        "incidents",
        "incidents, newest first: alerts of one cause",
        lambda ws, a, r: ws.incidents(a.name, state=a.state),
        (
            _arg("name", nargs="?", help="name of the model (default: all)"),
            _arg("--state", help="only those open, acknowledged, resolved or healed"),
        ),
        effect="read",
    ),
    Verb(
        "incident",
        "one incident: suspects, segments, loss, timeline",
        lambda ws, a, r: ws.incident(a.id),
        (_INCIDENT,),
        effect="read",
    ),
    Verb(
        "acknowledge",
        "take an open incident",
        lambda ws, a, r: ws.acknowledge(a.id, reason=a.reason),
        (_INCIDENT, _REASON),
    ),
    Verb("resolve", "close an incident", lambda ws, a, r: ws.resolve(a.id, reason=a.reason), (_INCIDENT, _REASON)),
    Verb(
        "assign",
        "give an incident to an owner",
        lambda ws, a, r: ws.assign(a.id, a.owner),
        (_INCIDENT, _arg("owner", metavar="OWNER", help="who has it from now on")),
    ),
    Verb(
        "deliver",
        "send what waits to the targets of modelops.toml; exit code 3 if one does not take it",
        lambda ws, a, r: ws.deliver(now=a.now),
        (_arg("--now", action="store_true", help="try targets too that are left alone for a while after a failure"),),
        slow=True,
    ),
    Verb(
        "watch",
        "run every monitor again and again, and tell of what they find; for a box where nobody sits",
        verb_calls.watch,
        (
            _arg("--interval", default="15m", help="time from round to round: 30s, 15m (default), 1h, 1d"),
            _arg("--once", action="store_true", help="one round only, for cron; exit code 3 if something failed"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "run",
        "execute a pipeline of notebooks",
        verb_calls.run,
        (
            _arg("pipeline", help="the pipeline.yaml"),
            _arg("-p", "--parameter", action="append", default=[], help="name=value; may be repeated"),
            _arg("--jobs", type=int, default=1, help="how many notebooks may run at once (default: 1)"),
            _arg("--resume", action="store_true", help="go on where the last run of this pipeline stopped"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "runs",
        "runs of pipelines and their steps, newest first",
        lambda ws, a, r: ws.runs(a.name),
        (_arg("name", nargs="?", help="name of the model (default: runs of every pipeline)"),),
        effect="read",
    ),
    Verb(
        "board",
        "where decisions stand: what waits for whom, what serves, what was decided last",
        lambda ws, a, r: ws.board(),
        effect="read",
    ),
    Verb(
        "run-notebook",
        "execute one notebook with parameters",
        verb_calls.run_notebook,
        (
            _NOTEBOOK,
            _arg("-p", "--parameter", action="append", default=[], help="name=value; may be repeated"),
            _arg("--output", help="where to leave it with its results (default: beside it, with the time)"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "notebook-parameters",
        "the parameters that a notebook declares",
        lambda ws, a, r: ws.notebook_parameters(a.path),
        (_NOTEBOOK,),
        effect="read",
    ),
    Verb(
        "audit",
        "the audit trail, newest first",
        lambda ws, a, r: ws.audit(a.limit),
        (_arg("--limit", type=int, help="how many entries"),),
        effect="read",
    ),
    Verb(
        "verify-audit",
        "recompute the audit chain; exit code 1 names the first bad entry",
        lambda ws, a, r: ws.verify_audit(),
        effect="read",
    ),
    Verb(
        "doctor",
        "look at every part of the workspace: what is wrong, where, and what fixes it; exit code 1 where something is",
        lambda ws, a, r: ws.doctor(),
        effect="read",
        lenient=True,
    ),
    Verb("card", "the model card of a version", lambda ws, a, r: ws.card(a.reference), (_REFERENCE,), effect="read"),
)


def parser(prog: str) -> tuple[argparse.ArgumentParser, argparse._SubParsersAction[Any]]:
    """Return a parser of every shared verb, and its sub-parsers so that a face can add its own."""
    top = Parser(prog=prog, description="ModelOps for people who live in Jupyter.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for verb in VERBS:
        sub = verbs.add_parser(verb.name, help=verb.help, description=verb.help.capitalize() + ".")
        for flags, options in verb.arguments:
            sub.add_argument(*flags, **options)
        sub.set_defaults(call=verb.call, lenient=verb.lenient)
    return top, verbs
