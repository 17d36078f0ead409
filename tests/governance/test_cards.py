"""The model card: what users wrote stays text, in Markdown, HTML and a terminal."""

import html
import re

import mistune
from hypothesis import example, given
from hypothesis import strategies as st
from test_governance import measured, version

from modelops_jupyter.governance import ModelCard, model_card
from modelops_jupyter.store import Change, InMemoryStore, Put


@given(st.text(st.sampled_from("ab1 <>&;#amplt~*_`[]()|\\!/"), min_size=1, max_size=30))
@example("champion -> 2: a > b & c")
@example("&amp; <b>R&D</b> ~~no~~")
def test_a_card_rendered_from_markdown_shows_what_was_written(text: str) -> None:
    words = " ".join(f"x {text} x".split())
    line = ModelCard("m/1", (("Why", (("a", words),)),)).to_markdown().splitlines()[-1]
    rendered = re.sub(r"</?(ul|li|strong)>", "", mistune.html(line))
    assert "<" not in rendered
    assert html.unescape(rendered).strip() == f"a: {words}"


def test_a_card_in_a_terminal_is_plain_where_text_is() -> None:
    card = ModelCard("m/1", (("Why", (("moved", "1 -> 2, R&D > 3"),)),))
    assert str(card).endswith("- **moved**: 1 -> 2, R&D > 3")


def test_a_card_names_the_labels_of_a_measurement_only() -> None:
    store = InMemoryStore()
    version(store, 1, roc_auc=0.7)
    record = store.get("version", "m/000001")
    assert record is not None
    for evidence, named in ((None, False), ({**measured(roc_auc=0.7), "fingerprint": "f" * 64}, True)):
        body = {**record.body, "outcomes_fingerprint": "e" * 64, "measured": evidence}
        store.commit(Change(puts=(Put("version", "m/000001", body, subject="m"),)))
        text = str(model_card(store, "m", 1))
        assert ("Fingerprint of the labels it was measured on" in text, "f" * 64 in text) == (named, named)
        assert "e" * 64 not in text
