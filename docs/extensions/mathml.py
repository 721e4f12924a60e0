"""Formulas as MathML, which browsers draw themselves: no script and no font is fetched."""

from __future__ import annotations

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def _inline(translator, node) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _display(translator, node) -> None:
    number = f'<span style="float: right">({node["number"]})</span>' if node.get("number") else ""
    anchors = "".join(f'<span id="{name}"></span>' for name in node.get("ids", ()))
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div style="margin: 1em 0">{anchors}{number}{formula}</div>')
    raise nodes.SkipNode


def setup(app) -> dict:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True}
