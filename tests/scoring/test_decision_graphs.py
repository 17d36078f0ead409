"""Documents of several nodes: what goes in and comes out, on which paths, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from jdm_documents import document, one_table, table_node

from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.scoring.flavors.decision import DecisionTable


def test_of_several_nodes_the_inputs_are_those_read_from_outside() -> None:
    risk = table_node("risk", ["age"], ["risk"], [([">= 60"], ["'high'"]), ([""], ["'low'"])], passThrough=True)
    rate = {
        "id": "rate",
        "name": "rate",
        "type": "expressionNode",
        "content": {"expressions": [{"id": "1", "key": "rate", "value": "amount / 100"}], "passThrough": True},
    }
    offer = table_node("offer", ["risk", "rate"], ["offer", "why"], [
        (["'high'", ""], ["'no'", "risk"]),
        (["", "> 5"], ["'ask'", "`rate ${rate}`"]),
        (["", ""], ["'yes'", "$nodes.Request.channel"]),
    ])  # fmt: skip
    table = DecisionTable.from_text(document(risk, rate, offer))
    assert table.input_fields == ("age", "amount", "channel")
    assert table.output_fields == ("offer", "why")
    frame = pd.DataFrame({"age": [70, 30, None], "amount": [100, 900, 100], "channel": ["web", "web", "shop"]})
    assert table.decide(frame).to_dict("list") == {"offer": ["no", "ask", "yes"], "why": ["high", "rate 9", "shop"]}
    passing = DecisionTable.from_text(
        document(risk, rate, {**offer, "content": {**offer["content"], "passThrough": True}})
    )
    assert passing.output_fields == ("offer", "why", "rate", "risk")
    assert passing.decision == "offer"


def test_what_is_not_handed_on_is_refused_with_its_place() -> None:
    risk = table_node("risk", ["age"], ["risk"], [([""], ["'low'"])])
    offer = table_node("offer", ["risk", "amount"], ["offer"], [(["", "> 5"], ["'ask'"]), (["", ""], ["'yes'"])])
    with pytest.raises(InvalidInput, match="Column 'amount' of table 'offer': 'amount' is read, but the nodes before"):
        DecisionTable.from_text(document(risk, offer))


def test_a_graph_of_many_paths_is_read_once() -> None:
    """Forty diamonds one after the other are a trillion paths."""
    nodes, edges, before = [], [], "in"
    for n in range(40):
        names = [f"a{n}", f"b{n}", f"c{n}"]
        nodes += [table_node(name, ["x"], [name], [([""], ["1"])], passThrough=True) for name in names]
        edges += [(before, names[0]), (before, names[1]), (names[0], names[2]), (names[1], names[2])]
        before = names[2]
    table = DecisionTable.from_text(document(*nodes, edges=[*edges, (before, "out")]))
    assert (table.input_fields, len(table.output_fields)) == (("x",), 120)
    assert table.predict(pd.DataFrame({"x": [1]})).tolist() == [1]


def test_what_is_written_below_a_path_does_not_hide_the_rest_of_it() -> None:
    tier = table_node("tier", ["customer.age"], ["customer.tier"], [([""], ["'a'"])], passThrough=True)
    offer = table_node("offer", ["customer"], ["offer"], [([""], ["customer.name + customer.tier"])])
    table = DecisionTable.from_text(document(tier, offer))
    assert table.input_fields == ("customer.age", "customer", "customer.name")
    assert table.predict(pd.DataFrame({"customer.age": [1], "customer.name": ["Ann"]})).tolist() == ["Anna"]


def test_branches_of_a_switch_write_one_decision() -> None:
    fork = {
        "id": "fork",
        "name": "fork",
        "type": "switchNode",
        "content": {"statements": [{"id": "old", "condition": "age >= 60"}, {"id": "rest", "condition": ""}]},
    }
    old = table_node("old", ["region"], ["offer"], [([""], ["'call'"])])
    young = table_node("young", ["region"], ["offer", "code"], [(["'de'"], ["'mail'", "7"]), ([""], ["'none'", ""])])
    edges = [("in", "fork"), ("fork:old", "old"), ("fork:rest", "young"), ("old", "out"), ("young", "out")]
    table = DecisionTable.from_text(document(fork, old, young, edges=edges))
    assert (table.input_fields, table.output_fields) == (("age", "region"), ("offer", "code"))
    frame = pd.DataFrame({"age": [70, 20, 20, None], "region": ["de", "de", "fr", "de"]})
    assert table.predict(frame).tolist() == ["call", "mail", "none", "mail"]
    np.testing.assert_array_equal(table.decide(frame)["code"], [np.nan, 7, np.nan, 7])


def test_a_node_may_read_and_write_below_a_path() -> None:
    node = table_node(
        "t",
        ["age"],
        ["tier"],
        [([">= 18"], ["'adult'"]), ([""], ["'minor'"])],
        inputField="customer",
        outputPath="result",
    )
    table = DecisionTable.from_text(document(node))
    assert (table.input_fields, table.output_fields) == (("customer", "customer.age"), ("result.tier",))
    assert table.predict(pd.DataFrame({"customer.age": [20, 3]})).tolist() == ["adult", "minor"]


def test_a_schema_of_the_input_is_kept_to() -> None:
    body = json.loads(one_table(["age"], ["a"], [([""], ["1"])]))
    schema = {"type": "object", "properties": {"age": {"type": "number"}}, "required": ["age", "name"]}
    body["nodes"][0]["content"] = {"schema": json.dumps(schema)}
    table = DecisionTable.from_text(json.dumps(body))
    assert table.input_fields == ("age", "name")
    assert table.predict(pd.DataFrame({"age": [1], "name": ["x"]})).tolist() == [1]
    with pytest.raises(InvalidFrame, match="The rules fail on the row"):
        table.predict(pd.DataFrame({"age": ["old"], "name": ["x"]}))
