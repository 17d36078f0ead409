"""Messages for people: metrics are named as people name them, and a command stays as it has to be typed."""

from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.display.governance import gate
from modelops_jupyter.display.tables import prose
from modelops_jupyter.display.words import METRICS, sentence
from modelops_jupyter.governance import CheckSpec, Policy, Rule, evaluate_gate

words = st.lists(
    st.sampled_from([*METRICS, "--metric", "delay/1", "=0.9", "2013-07-05T00:00:00+00:00", "<b>"]), max_size=6
)


@given(st.lists(st.tuples(words, words), max_size=4))
def test_a_command_is_never_rewritten(pieces: list[tuple[list[str], list[str]]]) -> None:
    commands = [" ".join(command) for _, command in pieces if command]
    message = " ".join(f"{' '.join(text)} `{' '.join(command)}`" for text, command in pieces if command)
    shown = sentence(message)
    for command in commands:
        assert f"`{command}`" in shown
    assert prose(message).count("<code>") == len(commands)


def test_a_closed_gate_shows_a_command_that_works() -> None:
    version = {
        "name": "delay", "version": 1, "task": "classification", "classes": ["0", "1"], "unsafe": False, "digest": "d",
        "metrics": {"roc_auc": 0.999}, "claimed": {"roc_auc": 0.999}, "measured": None, "measured_reason": "no label",
    }  # fmt: skip
    rule = Rule(checks=(CheckSpec("roc_auc", 0.6), CheckSpec("log_loss", 0.6)))
    strict = Rule(checks=rule.checks, require_measured=True)
    for one in (rule, strict):
        report = evaluate_gate(Policy("p", "d", {"champion": one}), "champion", version, (), None)
        shown = str(gate(report))
        assert "<code>modelops evaluate delay/1 --data FILE --target COLUMN</code>" in shown
        assert "ROC AUC" in shown
    claimed = str(gate(evaluate_gate(Policy("p", "d", {"champion": rule}), "champion", version, (), None)))
    assert "<code>--metric log_loss=VALUE</code>" in claimed
    assert "claimed, not measured" in claimed
