"""Boosters inside a skops file: each is written as the text or the bytes of its own format, which are looked at too."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from ...errors import InvalidInput
from ._catboost_trees import MAGIC, check_trees
from ._library import library
from ._lightgbm_text import checked_text
from ._skops_audit import Node, Schema
from ._ubjson import read_ubjson
from ._xgboost_trees import check_model

_LIBRARIES = ("lightgbm.basic", "xgboost.core")
_CATBOOST = "catboost.core"


def check_boosters(content: bytes, schema: Schema) -> None:
    """Raise `InvalidInput` where the text or the bytes of a booster inside a skops file were cut or edited."""
    boosters = list(_boosters(schema.root))
    if not boosters:
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for booster in boosters:
            library = booster["__module__"].partition(".")[0]
            try:
                for node in _values(booster):
                    if library == "lightgbm" and node["__loader__"] == "JsonNode":
                        _check_text(json.loads(node["content"]))
                    elif "file" in node and library == "catboost":
                        _check_catboost(archive.read(node["file"]))
                    elif "file" in node:
                        check_model(read_ubjson(archive.read(node["file"]))["Model"])
            except InvalidInput:  # it says itself what is wrong
                raise
            except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
                raise InvalidInput(
                    f"its {library} booster was cut or edited ({error}): save the model again"
                ) from error


def _check_text(value: Any) -> None:
    if isinstance(value, str) and "Tree=" in value:
        lightgbm = library("lightgbm", "lightgbm")
        try:
            lightgbm.Booster(
                model_str=checked_text(value)
            )  # whose errors end no process, unlike those of `__setstate__`
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(str(error)) from error


def _check_catboost(content: bytes) -> None:
    if content.startswith(MAGIC):
        check_trees(content)


def _boosters(value: Any) -> Iterator[Node]:
    """Yield the nodes of boosters at whatever depth."""
    if isinstance(value, dict):
        booster = value.get("__class__") == "Booster" and value.get("__module__") in _LIBRARIES
        if booster or (value.get("__module__") == _CATBOOST and "content" in value):
            yield value
        else:
            for inner in value.values():
                yield from _boosters(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _boosters(inner)


def _values(value: Any) -> Iterator[Node]:
    """Yield the nodes at whatever depth."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _values(inner)
