"""Our docstrings for Sphinx: sections underlined with dashes, entries of the form `name : what it is`.

napoleon takes what follows the colon for a type, which ours never is.
"""

from __future__ import annotations

import re

_ENTRY = re.compile(r"^(?P<names>\S.*?) : (?P<text>.+)$")


def to_rst(lines: list[str]) -> list[str]:
    """Sections become headings over definition lists; everything else stays."""
    out: list[str] = []
    in_section = False
    for line, under in zip(lines, [*lines[1:], ""][: len(lines)], strict=True):
        if line and under and set(under) == {"-"} and len(under) >= len(line):
            out += ["", f".. rubric:: {line}", ""]
            in_section = True
        elif line and set(line) == {"-"} and in_section:
            continue
        elif in_section and (entry := _ENTRY.match(line)):
            out += ["", f"{_as_code(entry['names'])}", f"    {entry['text']}"]
        else:
            out.append(line)
    return ["".join(_escape_bars(line)) for line in out]


def _as_code(names: str) -> str:
    return ", ".join(name if name.startswith("`") else f"``{name}``" for name in names.split(", "))


def _escape_bars(line: str):
    """|K| is the size of K, and no substitution."""
    inside = False
    for character in line:
        inside ^= character == "`"
        yield "\\|" if character == "|" and not inside else character


def _process(app, what, name, obj, options, lines) -> None:
    lines[:] = to_rst(lines)


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
