"""HTML built safely: text is escaped unless it is `Html` already."""

from __future__ import annotations

from html import escape


class Html(str):
    """Text that is HTML already, made by this package and not by a user."""

    __slots__ = ()


def element(name: str, *content: str | None, **attributes: object) -> Html:
    """Return one element; None content and None attributes are left out, ``class_`` becomes ``class``.

    >>> element("b", "1 < 2", title='a "b"')
    '<b title="a &quot;b&quot;">1 &lt; 2</b>'
    """
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(*content)
    return Html(f"<{name}{words}>{inner}</{name}>")


def join(*content: str | None) -> Html:
    """Return the parts one after the other, each escaped unless it is HTML."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in content if part is not None))
