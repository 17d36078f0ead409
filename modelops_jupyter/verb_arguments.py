"""Arguments that several verbs take."""

from __future__ import annotations

from typing import Any

Argument = tuple[tuple[str, ...], dict[str, Any]]


def argument(*flags: str, **options: Any) -> Argument:
    """Return an argument: its names, and what `argparse` is told of it."""
    return flags, options


def rows(what: str, *, required: bool = True) -> Argument:
    """Return the argument of rows with labels."""
    text = f"{what}: .parquet or .csv; in a notebook, a Python name"
    return argument("--data", "--validated-on", dest="data", required=required, help=text)


def labels(*, required: bool) -> Argument:
    """Return the argument of the labels of `rows`."""
    text = "their labels: a column, or data of their own"
    return argument("--target", "--outcomes", dest="target", required=required, help=text)


VERSION = argument("version", metavar="VERSION", help="name/3, name@champion, or name alone for its champion")
VERSION_OR_INCIDENT = argument("subject", metavar="SUBJECT", help="name/3, name@champion, or the id of an incident")
NAME = argument("name", metavar="NAME", help="name of the model")
ALIAS = argument("alias", nargs="?", default="champion", help="alias to move (default: champion)")
NOTEBOOK = argument("path", metavar="NOTEBOOK", help="the .ipynb file")
EVERY = argument("--every", default="1D", help="length of a window: 1h, 1D (default) or 1W")
EVERY_MONITORED = argument("--every", help="length of the windows: 1h, 1D or 1W (default: as the model is monitored)")
ROLE_HELP = "served: the answer that was given (default); shadow: one nobody got; canary: given to a share of requests"
INCIDENT = argument("id", metavar="ID", help="id of the incident, as `modelops incidents` shows it")
SPAN = (
    argument("--window", help="first window, e.g. 2013-07-01 (default: the latest performance alert's, or the last)"),
    argument("--until", help="last window (default: the first)"),
)
OF_SERIES = (
    argument("--version", type=int, help="the version, where --role is another than served"),
    argument("--role", default="served", help="served (default), or what a version predicted as shadow or canary"),
)
ZONE = argument("--zone", help="time zone of times that do not say theirs, as Europe/Rome")
SUBJECT = argument("subject", metavar="SUBJECT", help="name of the model, or id of an incident")
OF_ALERTS = (
    argument("--column", help="alerts of this column of the model"),
    argument("--sign", help="alerts of this kind, sign or metric: drift, null_rate, distribution, roc_auc"),
)
UNTIL = argument("--until", required=True, metavar="DATE", help="first day of the data not covered, as 2013-07-01")
REASON = argument("--reason", required=True, help="why; goes on record")
