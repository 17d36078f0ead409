"""What explains a fall in performance, as a table of segments with a bar for what each adds."""

from __future__ import annotations

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.display.svg import drawing
from modelops_jupyter.display.tables import block, heading, note, table
from modelops_jupyter.display.words import metric_name, number, short_time
from modelops_jupyter.monitoring import Explanation

BAR, TALL = 90.0, 12.0


def explanation(shown: Explanation) -> Html:
    """Show the segments, those that add most first."""
    name = metric_name(shown.metric)
    story = (
        f"{name} was {number(shown.before)} in {shown.rows_before:,} rows from {short_time(shown.compared_since)}, and "
        f"{number(shown.now)} in {shown.rows_now:,} rows from {short_time(shown.since)} to {short_time(shown.until)}."
    )
    parts = [heading(f"{shown.model}: where the loss sits"), element("p", story, style="margin:2px 0 6px")]
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
            f"{segment.p_value:.2g}",
        ]
        for segment in shown.segments
    ]
    head = ("Segment", "", "Adds", "Rows before", "now", "Loss before", "now", "p")
    return block(
        *parts,
        table(head, rows, right=(2, 3, 4, 5, 6, 7)),
        note("“Adds”: what a segment adds to the rise of the mean loss beyond its due; p is for all together."),
    )


def _bar(share: float, words: str) -> Html:
    width = max(1.0, BAR * share)
    return drawing(
        BAR, TALL, words, Html(f'<rect width="{width:.1f}" height="{TALL:g}" fill="{palette.BLUE}" rx="1"/>')
    )
