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
from modelops_jupyter.verb_arguments import (
    ALIAS,
    EVERY_MONITORED,
    NAME,
    NOTEBOOK,
    OF_SERIES,
    REASON,
    ROLE_HELP,
    VERSION,
    VERSION_OR_INCIDENT,
    ZONE,
    argument,
    labels,
    rows,
)
from modelops_jupyter.verb_groups import GroupedParser
from modelops_jupyter.verbs_of_monitoring import MONITORING

VERBS: tuple[Verb, ...] = (
    Verb(
        "status",
        "where the workspace stands: models, health, history, alerts",
        lambda ws, a, r: ws.status(),
        effect="read",
    ),
    Verb("models", "every model with its champion and health", lambda ws, a, r: ws.models(), effect="read"),
    Verb("versions", "every version of a model", lambda ws, a, r: ws.versions(a.name), (NAME,), effect="read"),
    Verb(
        "overview",
        "one model on one page: performance, drift, versions, history, alerts",
        lambda ws, a, r: ws.overview(a.name, every=a.every),
        (NAME, EVERY_MONITORED),
        effect="read",
    ),
    Verb(
        "distribution",
        "a column's distribution beside the reference's",
        verb_calls.distribution,
        (
            NAME,
            argument("column", metavar="COLUMN", help="a feature, `prediction` or `score`"),
            argument("--window", help="start of the window, as `modelops monitor` shows it (default: the last 30)"),
            EVERY_MONITORED,
            *OF_SERIES,
        ),
        effect="read",
    ),
    Verb(
        "version",
        "one version, every fact on record",
        lambda ws, a, r: ws.version(a.version),
        (VERSION,),
        effect="read",
    ),
    Verb(
        "curves",
        "calibration and other curves of a window",
        lambda ws, a, r: ws.curves(a.name, window=a.window, every=a.every, version=a.version, role=a.role),
        (
            NAME,
            argument("--window", help="start of the window, as `modelops monitor` shows it (default: the last 30)"),
            EVERY_MONITORED,
            *OF_SERIES,
        ),
        effect="read",
    ),
    Verb(
        "register",
        "register a model as the next version of a name",
        verb_calls.register,
        (
            argument(
                "model",
                metavar="MODEL",
                help=".skops, .onnx, .ubj, LightGBM .txt, decision-table .json, models:/NAME/3 or runs:/RUN/PATH; in a "
                "notebook, a Python name",
            ),
            NAME,
            argument("--data", help="rows it was fitted on: .parquet or .csv; in a notebook, a Python name"),
            argument("--target", help="their labels: a column of --data, or data of their own"),
            argument("--validated-on", help="the reference: validation rows, on which metrics are measured"),
            argument("--outcomes", help="their labels: a column (default: the target's name) or data of their own"),
            argument("--input", action="append", default=[], help="address of a dataset version it was made from"),
            argument("--run-id", help="MLflow run that trained it"),
            argument("--kind", choices=("ml", "decision"), help="ml or decision (default: what the model is)"),
            argument("--decision", metavar="OUTPUT", help="output of a decision table that is the decision"),
            argument("--metric", action="append", default=[], help="a metric you claim, roc_auc=0.76; may be repeated"),
            argument("--description", default="", help="what the model is for"),
            argument("--unsafe", action="store_true", help="accept a format outside the allow-list; marked everywhere"),
        ),
        slow=True,
    ),
    Verb(
        "adopt",
        "put models of the MLflow registry on record as they are; exit code 1 if one was left out",
        verb_calls.adopt,
        (
            argument("name", nargs="?", metavar="NAME", help="registered model in MLflow; or say --all"),
            argument("--all", action="store_true", help="every registered model"),
            argument(
                "--validated-on", help="the reference of versions without one: .parquet, .csv; in a notebook, a name"
            ),
            argument("--outcomes", help="its labels: a column, or data of their own"),
            argument("--as", dest="new_name", metavar="NEWNAME", help="its name here, where MLflow's does not fit"),
            argument("--unsafe", action="store_true", help="load models that run code, to learn what they predict"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "evaluate",
        "measure a version's metrics on labelled rows, and put them on record for gates to read",
        verb_calls.evaluate,
        (
            VERSION,
            rows("rows it was not fitted on"),
            labels(required=True),
            argument("--unsafe", action="store_true", help="load a version that runs code when it is loaded"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "predict",
        "score a table of any size into another: its columns are kept, predictions and scores appended",
        verb_calls.predict_file,
        (
            VERSION,
            argument(
                "data", metavar="DATA", help=".parquet, .csv, a folder of them, delta:FOLDER; in a notebook, a name"
            ),
            argument("output", metavar="OUTPUT", help=".parquet, .csv or delta:FOLDER; what was there is replaced"),
            argument(
                "--invalid",
                default="mark",
                choices=("refuse", "mark", "allow"),
                help="what to do with rows unlike those it was registered with (type, missing values, range, category):"
                " say so in a column `invalid` (mark, the default), score nothing (refuse), or count them (allow)",
            ),
            argument("--log", action="store_true", help="log the predictions, as log-predictions does"),
            argument("--id", help="with --log, the column of request ids"),
            argument("--time", help="with --log, the column of times"),
            ZONE,
            argument("--batch-id", help="with --log, the name of this batch: sent again, it changes nothing"),
            argument("--role", choices=ROLES, help=f"with --log, the role: {ROLE_HELP}"),
            argument("--unsafe", action="store_true", help="load a version that runs code when it is loaded"),
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
            VERSION,
            argument("other", metavar="OTHER", help="the version to compare with"),
            rows("rows to score (default: what the log has of both)", required=False),
            labels(required=False),
            argument("--segment", action="append", default=[], help="column to slice by; may be repeated"),
            argument("--unsafe", action="store_true", help="load versions that run code when they are loaded"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "check",
        "evaluate the gate to an alias; exit code 1 if it is closed",
        lambda ws, a, r: ws.check(a.version, a.alias),
        (VERSION, ALIAS),
    ),
    Verb(
        "gate",
        "what the gate to an alias would say now, and who holds the alias; nothing is put on record",
        lambda ws, a, r: ws.gate(a.version, a.alias),
        (VERSION, ALIAS),
        effect="read",
    ),
    Verb(
        "approve",
        "put an approval on record",
        lambda ws, a, r: ws.approve(a.version, reason=a.reason),
        (VERSION, REASON),
    ),
    Verb(
        "reject",
        "put a rejection on record",
        lambda ws, a, r: ws.reject(a.version, reason=a.reason),
        (VERSION, REASON),
    ),
    Verb(
        "comment",
        "put a remark on record",
        lambda ws, a, r: ws.comment(a.subject, a.text),
        (VERSION_OR_INCIDENT, argument("text", help="the remark")),
    ),
    Verb(
        "promote",
        "point an alias at a version, through its gate",
        lambda ws, a, r: ws.promote(a.version, a.alias, reason=a.reason, expected=a.expected),
        (VERSION, ALIAS, REASON, argument("--expected", type=int, help="the version believed to hold it now")),
    ),
    Verb(
        "rollback",
        "point an alias back at the version before",
        lambda ws, a, r: ws.rollback(a.name, a.alias, reason=a.reason),
        (NAME, ALIAS, REASON),
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
            VERSION,
            argument("data", help=".parquet or .csv file; in a notebook, a Python name"),
            argument("--id", required=True, help="column of request ids"),
            argument("--time", required=True, help="column of times"),
            ZONE,
            argument("--prediction", required=True, help="column of predictions"),
            argument("--score", help="column of probabilities of the positive class"),
            argument("--batch-id", help="name of this batch: sent again, it changes nothing"),
            argument("--role", choices=ROLES, default=SERVED, help=ROLE_HELP),
        ),
        slow=True,
    ),
    Verb(
        "log-labels",
        "append outcomes as they become known",
        verb_calls.log_labels,
        (
            NAME,
            argument("data", help=".parquet or .csv file; in a notebook, a Python name"),
            argument("--id", required=True, help="column of request ids"),
            argument("--label", required=True, help="column of outcomes"),
            argument("--event-time", help="column of when the outcome came about"),
            ZONE,
            argument("--batch-id", help="name of this batch: sent again, it changes nothing"),
        ),
        slow=True,
    ),
    *MONITORING,
    Verb(
        "run",
        "execute a pipeline of notebooks",
        verb_calls.run,
        (
            argument("pipeline", help="the pipeline.yaml"),
            argument("-p", "--parameter", action="append", default=[], help="name=value; may be repeated"),
            argument("--jobs", type=int, default=1, help="how many notebooks may run at once (default: 1)"),
            argument("--resume", action="store_true", help="go on where the last run of this pipeline stopped"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "runs",
        "runs of pipelines and their steps, newest first",
        lambda ws, a, r: ws.runs(a.name),
        (argument("name", nargs="?", help="name of the model (default: runs of every pipeline)"),),
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
            NOTEBOOK,
            argument("-p", "--parameter", action="append", default=[], help="name=value; may be repeated"),
            argument("--output", help="where to leave it with its results (default: beside it, with the time)"),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "notebook-parameters",
        "the parameters that a notebook declares",
        lambda ws, a, r: ws.notebook_parameters(a.path),
        (NOTEBOOK,),
        effect="read",
    ),
    Verb(
        "audit",
        "the audit trail, newest first",
        lambda ws, a, r: ws.audit(a.name, kind=a.kind, limit=a.limit),
        (
            argument("name", nargs="?", help="name of the model (default: all)"),
            argument("--kind", help="only decision, move, version, incident, monitor, run or other"),
            argument("--limit", type=int, help="how many entries"),
        ),
        effect="read",
    ),
    Verb(
        "audit-head",
        "where the audit chain ends, to be kept elsewhere: `modelops audit-head --json > head.json`",
        lambda ws, a, r: ws.audit_head(),
        effect="read",
    ),
    Verb(
        "verify-audit",
        "recompute the audit chain; exit code 1 names the first bad entry",
        lambda ws, a, r: ws.verify_audit(a.head),
        (argument("--head", help="a file with a head that was exported, from which the chain must lead on"),),
        effect="read",
    ),
    Verb(
        "backup",
        "write the whole workspace to one new file, while others work in it; exit code 1 where the log is damaged",
        lambda ws, a, r: ws.backup(a.output),
        (
            argument(
                "output", metavar="FILE", help="a file that is not there yet; `modelops restore FILE DIR` reads it"
            ),
        ),
        effect="execute",
        slow=True,
    ),
    Verb(
        "doctor",
        "look at every part of the workspace: what is wrong, where, and what fixes it; exit code 1 where something is",
        lambda ws, a, r: ws.doctor(),
        effect="read",
        lenient=True,
    ),
    Verb("card", "the model card of a version", lambda ws, a, r: ws.card(a.version), (VERSION,), effect="read"),
)


def parser(prog: str) -> tuple[argparse.ArgumentParser, argparse._SubParsersAction[Any]]:
    """Return a parser of every shared verb, and its sub-parsers so that a face can add its own."""
    top = GroupedParser(prog=prog, description="ModelOps for people who live in Jupyter.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for verb in VERBS:
        sub = verbs.add_parser(verb.name, help=verb.help, description=f"{verb.help[:1].upper()}{verb.help[1:]}.")
        for flags, options in verb.arguments:
            sub.add_argument(*flags, **options)
        sub.set_defaults(call=verb.call, lenient=verb.lenient)
    return top, verbs
