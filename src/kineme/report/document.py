"""One HTML file that asks nothing of the network: style, data, script, each allowed by its hash alone.

Text from files is data: it enters as JSON with every `<` escaped, and scripts put it on a page as text only.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, TextIO

from kineme.errors import printable


def write_document(
    file: TextIO,
    template: str,
    scripts: Sequence[str],
    *,
    title: str,
    data: Mapping[str, Any],
    blocks: Iterable[tuple[str, str]] = (),
    markup: Mapping[str, str] | None = None,
    more_scripts: str = "",
) -> None:
    """Writes the page whose skeleton is the asset `template`; ``{{>name}}`` in an asset stands for another.

    Parameters
    ----------
    scripts : assets, in the order in which they build on each other.
    data : placeholder of the template -> what is put there as JSON.
    blocks : (id, text) of data blocks behind the script; the text must hold no `<`.
    markup : placeholder of the template -> HTML that is put there as it is; its text must be escaped.
    more_scripts : further sources of the content security policy.
    """
    style = asset("style.css")
    script = '(() => {\n"use strict";\n' + "\n".join(map(asset, scripts)) + "\n})();\n"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}{more_scripts}; style-src {_hash(style)}; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
    fill = {"TITLE": html.escape(printable(title)), "POLICY": policy, "STYLE": style, "SCRIPT": script}
    fill |= {name: json_text(value) for name, value in data.items()} | dict(markup or {})
    head, tail = _whole(template).split("{{MOTION}}")
    file.write(re.sub(r"\{\{([A-Z]+)\}\}", lambda match: fill[match.group(1)], head))
    for name, text in blocks:
        file.write(f'<script type="text/plain" id="{name}">{text}</script>\n')
    file.write(tail)


def _whole(name: str) -> str:
    """A template with all that stands in it."""
    return re.sub(r"\{\{>([a-z.]+)\}\}", lambda match: _whole(match.group(1)), asset(name))


def json_text(value: Any) -> str:
    """JSON that can stand in a script element: no `<`, so neither an end tag nor a comment can begin."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def asset(name: str) -> str:
    """The text of a file in `assets/`."""
    return resources.files("kineme.report").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"
