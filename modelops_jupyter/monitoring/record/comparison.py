"""What differs between rows and a reference, both brought by the user: all of it, the strongest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from modelops_jupyter.monitoring.record.results import Alert, MonitorReport
from modelops_jupyter.wording import count, span


@dataclass(frozen=True)
class DataComparison(MonitorReport):
    """A report on rows that no model has logged.

    Attributes
    ----------
    alerts : tuple of Alert
        Every one that there was, whether it lasts or not, the strongest first.
    columns : tuple of str
        What was compared.
    timed : bool
        Whether the rows were compared window by window; otherwise `windows` has all of them in one.
    fail_on : {"alert"} or None
        What makes the comparison fail as a check.
    """

    columns: tuple[str, ...] = ()
    timed: bool = True
    fail_on: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the comparison is fine as a check: without `fail_on` it always is."""
        return not (self.fail_on == "alert" and self.alerts)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {**super().to_dict(), "passed": self.passed}

    @property
    def shown_alerts(self) -> tuple[Alert, ...]:
        """All of them."""
        return self.alerts

    @property
    def title(self) -> str:
        """What the comparison is of."""
        return "Comparison with the reference"

    @property
    def extent(self) -> str:
        """How much was compared."""
        rows = count(sum(window.rows for window in self.windows), "row")
        if not self.timed:
            return f"{rows} at once, {count(len(self.columns), 'column')}"
        period = span(self.windows[0].window_start, self.windows[-1].window_end)
        windows = count(len(self.windows), "window")
        return f"{rows} in {windows} of {self.every}, {period}, {count(len(self.columns), 'column')}"

    def __str__(self) -> str:
        order = ", the strongest first:" if len(self.alerts) > 1 else ":" if self.alerts else "."
        lines = [f"{self.model}: {self.extent}; {count(len(self.alerts), 'alert')}{order}"]
        lines += [f"  {alert.message}" for alert in self.alerts]
        return "\n".join([*lines, *([self.remark] if self.remark else [])])

    def to_junit(self) -> str:
        """Return the comparison as JUnit XML: a test case per column, and one of the rows as a whole.

        >>> DataComparison("current", "1D", (), (), 0, columns=("wind",)).to_junit().count("<testcase")
        2
        """
        suite = ElementTree.Element(
            "testsuite",
            name="modelops compare-data",
            tests=str(len(self.columns) + 1),
            failures=str(len({alert.column for alert in self.alerts})),
        )
        for name in (*self.columns, ""):
            case = ElementTree.SubElement(suite, "testcase", classname=self.model, name=_printable(name) or "rows")
            alerts = [alert for alert in self.alerts if alert.column == name]
            if alerts:
                failure = ElementTree.SubElement(case, "failure", message=_printable(alerts[0].message), type="alert")
                failure.text = _printable("\n".join(alert.message for alert in alerts))
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _printable(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)
