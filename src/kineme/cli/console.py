"""What the commands print: the one place where text goes to the terminal, with nothing in it that steers it.

Names of files, joints, labels and motifs may hold control characters. They are spelled out here, for lines and
for tables alike; no verb calls `print` or rich itself (a test enforces it).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from kineme.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text


def put(*lines: str, file: TextIO | None = None) -> None:
    """Prints the lines, each of them on one line, to `file` (stdout), at once."""
    for line in lines or ("",):
        print(printable(line), file=file, flush=True)


def warn(sentence: str) -> None:
    """A sentence on stderr, after the name of the program."""
    put(f"kineme: {sentence}", file=sys.stderr)


def errors_console() -> Console:
    """The terminal behind stderr, for bars that move."""
    from rich.console import Console

    return Console(stderr=True)


def columns_wide() -> int:
    """How many characters a line of stdout holds: the terminal's width, or what tables take where there is none."""
    from rich.console import Console

    return Console().width


def shown(text: str, style: str = "") -> Text:
    """Text as it is, without markup, for rich to print."""
    from rich.text import Text

    return Text(printable(text), style)


def put_styled(
    *pieces: str | tuple[str, str], file: TextIO | None = None, wrap: bool = False, width: int | None = None
) -> None:
    """Prints one line of pieces, each a text or a text and its style, such as ``("guessed", "bold")``.

    wrap : break it at the terminal's width, between words; otherwise the terminal does.
    """
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble(*(shown(*((one,) if isinstance(one, str) else one)) for one in pieces))
    Console(file=file, width=width).print(line, highlight=False, soft_wrap=not wrap)


class Table:
    """A table on stdout: what stands in its cells is text, never markup.

    Parameters
    ----------
    headings : of columns that are nothing special. boxed : with lines around it and between its columns.
    """

    def __init__(self, *headings: str, boxed: bool = False):
        from rich.table import Table as Drawn

        self.drawn = Drawn() if boxed else Drawn(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            self.column(heading)

    def column(self, heading: str, **how: Any) -> None:
        """One more column; `how` as rich's `add_column` has it."""
        self.drawn.add_column(shown(heading), **how)

    def row(self, *cells: str | Sequence[str]) -> None:
        """One more row; a cell of several lines is a list of them."""
        from rich.text import Text

        self.drawn.add_row(
            *(shown(c) if isinstance(c, str) else Text("\n").join(map(shown, c)) for c in cells)
        )

    def show(self, width: int | None = None) -> None:
        """Prints it, as wide as the terminal or `width`."""
        draw(self.drawn, width)


def draw(table: Drawn, width: int | None = None, least: int = 0) -> None:
    """Prints a table of rich's own, as wide as the terminal or `width`, and at `least` so wide."""
    from rich.console import Console

    console = Console(width=width)
    console.width = max(console.width, least)
    console.print(table)
