"""Gates, comparisons, cards and moves as static HTML."""

from __future__ import annotations

from collections.abc import Sequence

from modelops_jupyter.display import decisions, palette
from modelops_jupyter.display.grids import interval_chart
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.display.listings import moved
from modelops_jupyter.display.tables import badge, block, facts, fold, heading, note, prose, source, table
from modelops_jupyter.display.words import NOTHING, metric_name, number, sentence, short_time, signed
from modelops_jupyter.governance import CheckResult, Comparison, Decision, GateReport, MetricComparison, ModelCard
from modelops_jupyter.governance import Transition as Move

SEGMENT_ROWS = 40


def gate(report: GateReport) -> Html:
    """Show whether a gate is open, and every check."""
    answer = badge("✓", "open", palette.GREEN) if report.passed else badge("✕", "closed", palette.RED)
    rows = [
        [_check_result(check), metric_name(check.name), _origin(check), prose(_bare(check))] for check in report.checks
    ]
    review = " (a self-review)" if report.self_review else ""
    approved = (
        f"approved by {', '.join(report.approved_by)}{review}, {report.assurance}; " if report.approved_by else ""
    )
    return block(
        heading(f"Gate of {report.model}/{report.version} to {report.alias}"),
        element("p", answer, style="font-size:16px;margin:2px 0 6px"),
        table(("", "Check", "Evidence", "Finding"), rows),
        *(fold(f"Source of {file}", source(text)) for file, text in report.project_code.items()),
        note(f"{approved}policy {report.policy}, {report.policy_digest[:12]}"),
    )


def _check_result(check: CheckResult) -> Html:
    if not check.applies:
        return badge("○", "does not apply", palette.GREY)
    return badge("✓", "passed", palette.GREEN) if check.passed else badge("✕", "failed", palette.RED)


def _origin(check: CheckResult) -> str:
    """Return whether the metric that was judged was measured or claimed; there is none behind other checks."""
    return NOTHING if check.source is None else check.source


def _bare(check: CheckResult) -> str:
    return check.message.removeprefix(f"{check.name} ")


def comparison(shown: Comparison) -> Html:
    """Show every metric of two versions with the interval of the difference; segments below."""
    whole = [metric for metric in shown.metrics if not metric.segment]
    parts = [metric for metric in shown.metrics if metric.segment]
    reach = {
        name: max((max(abs(m.low or 0), abs(m.high or 0)) for m in shown.metrics if m.metric == name), default=1.0)
        for name in {metric.metric for metric in shown.metrics}
    }
    segments = None
    if parts:
        head = ("Segment", "Rows", *_head(shown))
        rows = [[m.segment, f"{m.rows:,}", *_metric(shown, m, reach[m.metric])] for m in parts]
        segments = fold(
            f"By segment: {len({m.segment for m in parts})}",
            table(head, rows, right=(1, 3, 4, 5), most=SEGMENT_ROWS),
        )
    return block(
        heading(f"{shown.a} and {shown.b}"),
        element("p", sentence(shown.conclusion), style="margin:2px 0 6px;font-size:14px"),
        table(_head(shown), [_metric(shown, m, reach[m.metric]) for m in whole], right=(1, 2, 3)),
        segments,
        decisions.changes(shown),
        note(f"{shown.remark}.") if shown.remark else None,
        note(f"{shown.rows:,} rows, the same for both; the bar is the 95 % interval of the difference."),
    )


def _head(shown: Comparison) -> Sequence[str]:
    return ("Metric", shown.a, shown.b, "Difference", "95 % interval around 0", "Beyond chance")


def _metric(shown: Comparison, metric: MetricComparison, reach: float) -> list[str]:
    colour = {"a": palette.RED, "b": palette.BLUE}.get(metric.better, palette.GREY)
    verdict: str = NOTHING
    if metric.better in ("a", "b"):
        verdict = badge("●", f"{shown.a if metric.better == 'a' else shown.b} is better", colour)
    bar: str = metric.reason or NOTHING
    if metric.low is not None and metric.high is not None and metric.difference is not None:
        bar = interval_chart(metric.low, metric.difference, metric.high, reach, colour)
    return [metric_name(metric.metric), number(metric.a), number(metric.b), signed(metric.difference), bar, verdict]


def card(shown: ModelCard) -> Html:
    """Show a model card, section by section."""
    parts: list[Html] = [heading(shown.title, level=3)]
    for name, rows in shown.sections:
        parts += [
            heading(name),
            facts([(sentence(label), sentence(value)) for label, value in rows])
            if rows
            else note("Nothing on record."),
        ]
    for file, text in shown.code.items():
        parts += [heading(file), source(text)]
    return block(*parts)


def transition(move: Move) -> Html:
    """Show a promotion or rollback."""
    what = {
        "name": move.name,
        "alias": move.alias,
        "action": move.action,
        "from_version": move.from_version,
        "to_version": move.to_version,
    }
    return block(
        element("p", moved(what), style="font-size:15px;margin:4px 0"),
        note(f"{move.reason} · {move.actor} ({move.assurance}), {short_time(move.at)}"),
    )


def decision(shown: Decision) -> Html:
    """Show an approval, rejection or comment."""
    words = {
        "approve": ("✓", "approved", palette.GREEN),
        "reject": ("✕", "rejected", palette.RED),
        "comment": ("○", "commented on", palette.BLUE),
    }
    answer = badge(*words.get(shown.decision, ("○", shown.decision, palette.GREY)))
    review = " · a self-review" if shown.self_review and shown.decision == "approve" else ""
    return block(
        element("p", element("b", f"{shown.name}/{shown.version} "), answer, style="font-size:15px;margin:4px 0"),
        note(f"{shown.reason} · {shown.actor} ({shown.assurance}), {short_time(shown.at)}{review}"),
        note(f"bytes {shown.digest[:16]}…"),
    )
