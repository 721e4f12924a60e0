"""Options' help without the line breaks of the source.

tyro shows the string under a field as it stands, line breaks too, but joins the lines of PEP 727's `Doc`. So when
help is asked for, every field is given its string as one.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from typing import Annotated, Any, get_args, get_type_hints


def field_docs(kind: type) -> dict[str, str]:
    """Field -> the string under it, in the class itself."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]  # a class
    docs = {}
    for line, text in zip(body, body[1:], strict=False):
        match line, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = doc
    return docs


def join_lines(kind: type) -> None:
    """Has the fields of the dataclass `kind`, of its bases and of what it holds, say their help in one line."""
    from typing_extensions import Doc  # tyro needs it, too

    for one in kind.__mro__:
        if not dataclasses.is_dataclass(one) or one.__module__ == "types":  # made at run time: has no source
            continue
        hints, own = get_type_hints(one, include_extras=True), inspect.get_annotations(one)
        docs = field_docs(one)
        for name in own:
            if name in docs and "\n" in docs[name]:
                own[name] = Annotated[hints[name], Doc(" ".join(docs[name].split()))]
            for held in _held(hints[name]):
                join_lines(held)
        one.__annotations__ = own


def _held(hint: Any) -> list[type]:
    """Dataclasses in a type hint."""
    parts = (hint, *get_args(hint))
    return [part for part in parts if isinstance(part, type) and dataclasses.is_dataclass(part)]
