"""What explains a fall in performance, and what tells now from before: tables with a bar for each part."""

from __future__ import annotations

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.display.svg import drawing
from modelops_jupyter.display.tables import block, heading, note, scrolling, table
from modelops_jupyter.display.words import NOTHING, chance, metric_name, number, short_time, value_text
from modelops_jupyter.monitoring import Explanation, Figure
from modelops_jupyter.monitoring.explaining.multivariate import MultivariateDrift
from modelops_jupyter.monitoring.explaining.rise import rise_words
from modelops_jupyter.wording import span

BAR, TALL = 90.0, 12.0
EXAMPLE_COLUMNS = 10


def explanation(shown: Explanation) -> Html:
    """Show the segments, those that add most first."""
    name = metric_name(shown.metric)
    story = (
        f"{name} was {number(shown.before)} in {shown.rows_before:,} rows from "
        f"{span(shown.compared_since, shown.compared_until)}, the last windows before without a finding, and "
        f"{number(shown.now)} in {shown.rows_now:,} rows from {span(shown.since, shown.until)}."
    )
    story += f" {rise_words(shown.rise, '.3g')}"
    parts = [heading(f"{shown.model}: where the loss sits"), element("p", story, style="margin:2px 0 6px")]
    if shown.remark:
        parts.insert(1, note(shown.remark))
    if not shown.segments:
        return block(*parts, note("No segment stands out: the change is as great everywhere as chance allows."))
    most = max(segment.excess for segment in shown.segments)
    rows = [
        [
            segment.name,
            _bar(segment.excess / most, number(segment.excess)),
            number(segment.excess),
            f"{segment.share_before:.1%}",
            f"{segment.share_now:.1%}",
            number(segment.loss_before),
            number(segment.loss_now),
            chance(segment.p_value),
        ]
        for segment in shown.segments
    ]
    head = ("Segment", "", "Adds", "Rows before", "now", "Loss before", "now", "p")
    return block(
        *parts,
        table(head, rows, right=(2, 3, 4, 5, 6, 7)),
        note("“Adds”: what a segment adds to the rise of the mean loss beyond its due; p is for all together."),
        *_examples(shown),
    )


def _examples(shown: Explanation) -> list[Html]:
    """Show the rows furthest off; columns beyond the first few are left to `examples`."""
    if not shown.examples:
        return []
    names = list(shown.examples[0])[:EXAMPLE_COLUMNS]
    rows = [
        [
            short_time(value) if name == "timestamp" else value_text(value)
            for name, value in row.items()
            if name in names
        ]
        for row in shown.examples
    ]
    return [heading(f"Furthest off where {shown.segments[0].name}"), scrolling(table(tuple(names), rows))]


def multivariate(shown: MultivariateDrift) -> Html:
    """Show how well rows of now are told from those before, and by which columns."""
    rows = [_figure("All columns together", shown.roc_auc), _figure("Dependence alone", shown.dependence)]
    parts = [
        heading("Can rows of now be told from those before?"),
        table(("", "ROC AUC", "95 % interval", "p"), rows, right=(1, 2, 3)),
        note(f"{shown.rows_now:,} rows of now, {shown.rows_before:,} before; 0.5 is no difference at all."),
    ]
    falls = [share for share in shown.columns if share.fall > 0]
    if falls:
        bars = [[s.column, _bar(s.fall / falls[0].fall, number(s.fall)), number(s.fall)] for s in falls]
        parts.append(table(("Column", "", "Fall of ROC AUC without it"), bars, right=(2,)))
    return block(*parts)


def _figure(name: str, figure: Figure) -> list[str]:
    if figure.value is None:
        return [name, NOTHING, figure.reason or "", ""]
    return [name, number(figure.value), f"{number(figure.low)} to {number(figure.high)}", chance(figure.p_value)]


def _bar(share: float, words: str) -> Html:
    width = max(1.0, BAR * share)
    return drawing(
        BAR, TALL, words, Html(f'<rect width="{width:.1f}" height="{TALL:g}" fill="{palette.BLUE}" rx="1"/>')
    )
