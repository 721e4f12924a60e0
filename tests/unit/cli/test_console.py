"""What goes to the terminal steers nothing, whatever a name holds, and all of it goes through `cli.console`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import kineme.cli
from kineme.cli.console import Table, put, put_styled, warn
from kineme.cli.search import _print
from kineme.report.plots import score_page
from kineme.tasks.search import Match, SearchResult

HOSTILE = "ev\x1b[31mil\nname\u202e [bold]x[/bold] :smile:"
SPELLED = r"ev\x1b[31mil\x0aname\x202e [bold]x[/bold] :smile:"


def test_lines_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    put(HOSTILE, "two")
    put()
    put("there", file=sys.stderr)
    warn(HOSTILE)
    said = capsys.readouterr()
    assert said.out == f"{SPELLED}\ntwo\n\n"
    assert said.err == f"there\nkineme: {SPELLED}\n"


def test_styled_lines_and_tables_hold_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    put_styled(("said", "bold"), f": {HOSTILE}")
    table = Table("part")
    table.column(HOSTILE, justify="right")
    table.row(HOSTILE, ["a", HOSTILE])
    table.show(width=200)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"said: {SPELLED}"
    assert lines[1].split(None, 1) == ["part", SPELLED]
    assert lines[2].startswith(f"{SPELLED} ") and lines[2].rstrip().endswith(" a")
    assert lines[3].strip() == SPELLED
    assert len(lines) == 4


def test_no_verb_prints_by_itself() -> None:
    own, found = ("print", "Console", "Text"), []
    for file in sorted(Path(kineme.cli.__file__).parent.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                 and (node.module or "").startswith("rich") for alias in node.names}  # fmt: skip
        called = {
            n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        if file.name != "console.py" and (called & set(own) or names & {"Console", "Table", "Text"}):
            found.append(file.name)
    assert found == []


def test_headings_of_pages_are_one_line() -> None:
    page = score_page(HOSTILE, [], 1.0)
    assert f"<h1>{SPELLED}</h1>" in page
    assert "\x1b" not in page


@pytest.mark.parametrize("ending", ["0003", "0003_" + "x" * 60])
def test_a_search_prints_whole_names(ending: str, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = f"dataset-2_walk_active_{ending}"
    found = Match(name, "", 1.0, 2.0, 0.05, True, 0.5)
    _print(SearchResult(0.0, 1.0, (found,), 1, 10.0))
    said = capsys.readouterr().out
    assert "…" not in said and all(len(line) <= 80 for line in said.splitlines())
    column = said.splitlines()[0].index("clip")
    width = said.splitlines()[0].index("from") - column
    assert "".join(line[column : column + width].strip() for line in said.splitlines()[1:]) == name
    assert "2.0 times as" in said and "mirrored" in said
