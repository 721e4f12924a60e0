"""The page of `kineme stats`: rates, durations and transitions as small charts, in one file without a script.

Every text from the library is escaped. Charts are inline SVG that stretch with their column, beside a number,
so that the page reads on a phone and in print.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

from kineme.errors import printable
from kineme.formats.atomic import atomic_write
from kineme.report.document import write_document
from kineme.tasks.statistics import Group, MotifStatistic, Statistics

#: motifs of a transition matrix, transitions of a list
_MATRIX, _LISTED = 12, 12
#: hues go round, a group each
_HUES = (28, 250, 155, 310, 85, 200)


def write_statistics(
    found: Statistics, path: Path, title: str, names: Mapping[str, str] | None = None
) -> None:
    """Writes the page. `names` : motif id -> the user's name, shown instead of its words."""
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        write_document(
            file,
            "stats.html",
            (),
            title=title,
            data={},
            markup={"HEADING": html.escape(printable(title)), "BODY": _body(found, names or {})},
        )


def _body(found: Statistics, names: Mapping[str, str]) -> str:
    called = {m: names.get(m) or found.words.get(m) or m for m in found.motifs}
    colour = {g.name: _colour(k) for k, g in enumerate(found.groups)}
    return "\n".join(
        [
            _lead(found),
            _group_table(found, colour),
            _motifs(found, called, colour),
            _follow(found, called, colour),
        ]
    )


def _colour(number: int) -> str:
    return f"g{number % len(_HUES)}"


def _lead(found: Statistics) -> str:
    occurrences = sum(row.count for row in found.rows)
    by = f" by {html.escape(found.by)}" if found.by else ""
    return (
        f'<p class="lead"><span>{len(found.motifs)} motifs, seen {occurrences:,} times{by}.</span> '
        f"<span>Time scale {found.scale:g} s.</span></p>"
    )


def _group_table(found: Statistics, colour: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><td><i class="swatch {colour[g.name]}"></i> {html.escape(g.name)}</td>'
        f'<td class="number">{g.clips}</td><td class="number">{g.seconds / 60:.1f}</td></tr>'
        for g in found.groups
    )
    return (
        '<table class="stat-groups"><thead><tr><th>Group</th><th class="number">Takes</th>'
        f'<th class="number">Minutes</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _motifs(found: Statistics, called: Mapping[str, str], colour: Mapping[str, str]) -> str:
    most = max((row.per_minute for row in found.rows), default=0.0) or 1.0
    longest = max((row.upper for row in found.rows), default=0.0) or 1.0
    of_motif: dict[str, list[MotifStatistic]] = {m: [] for m in found.motifs}
    for row in found.rows:
        of_motif[row.motif].append(row)
    cards = "".join(
        f'<article class="stat"><h3>{html.escape(called[m])} <span class="count">{html.escape(m)}</span></h3>'
        + "".join(_line(row, most, longest, colour[row.group]) for row in rows)
        + "</article>"
        for m, rows in of_motif.items()
    )
    return (
        '<h2 class="section-title">How often, and how long</h2><p class="note">Bars: occurrences a minute. '
        "Lines: the middle half of the durations, with the median. All charts of a kind have the same scale."
        f'</p><div class="stats">{cards}</div>'
    )


def _line(row: MotifStatistic, most: float, longest: float, tint: str) -> str:
    rate = 100 * row.per_minute / most
    a, m, b = (100 * v / longest for v in (row.lower, row.median, row.upper))
    duration = (
        f'<svg class="bar {tint}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="half of them last {row.lower:.1f} to {row.upper:.1f} s">'
        f'<rect x="{a:.2f}" y="3.5" width="{max(b - a, 0.5):.2f}" height="3"/>'
        f'<rect x="{max(m - 0.8, 0):.2f}" y="0" width="1.6" height="10"/></svg>'
        f'<span class="number">{row.median:.1f} s</span>'
        if row.count
        else '<span class="bar"></span><span class="number">–</span>'
    )
    return (
        f'<p class="stat-line"><span class="stat-name">{html.escape(row.group)}</span>'
        f'<svg class="bar {tint}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{row.per_minute:.2f} a minute"><rect x="0" y="1" width="{rate:.2f}" height="8"/></svg>'
        f'<span class="number" title="{row.count} times">{row.per_minute:.2f}/min</span>{duration}</p>'
    )


def _follow(found: Statistics, called: Mapping[str, str], colour: Mapping[str, str]) -> str:
    parts = [_of_group(found, group, called, colour[group.name]) for group in found.groups]
    return (
        '<h2 class="section-title">What follows what</h2><p class="note">Each square: how often the motif of '
        "the row is followed by that of the column, as share of all that follows it; the most frequent "
        f'motifs only.</p><div class="stats">{"".join(parts)}</div>'
    )


def _of_group(found: Statistics, group: Group, called: Mapping[str, str], tint: str) -> str:
    own = [t for t in found.transitions if t.group == group.name]
    head = f"<h3>{html.escape(group.name)}</h3>"
    if not own:
        return (
            f'<article class="stat">{head}<p class="note">No motif follows another in a take.</p></article>'
        )
    shown = [m for m in found.motifs if any(m in (t.first, t.then) for t in own)][:_MATRIX]
    place = {m: k for k, m in enumerate(shown)}
    cells = "".join(
        f'<rect x="{place[t.then] + 0.04:.2f}" y="{place[t.first] + 0.04:.2f}" width="0.92" height="0.92" '
        f'fill-opacity="{0.12 + 0.88 * t.share:.3f}"><title>{html.escape(called[t.first])} → '
        f"{html.escape(called[t.then])}: {t.count} times</title></rect>"
        for t in own
        if t.first in place and t.then in place
    )
    lines = "".join(
        f"<li><span>{html.escape(called[t.first])} → {html.escape(called[t.then])}</span>"
        f'<span class="count">{t.count} · {100 * t.share:.0f}%</span></li>'
        for t in own[:_LISTED]
    )
    matrix = (
        f'<svg class="matrix {tint}" viewBox="0 0 {len(shown)} {len(shown)}" role="img" '
        f'aria-label="Transitions of {html.escape(group.name)}">{cells}</svg>'
    )
    return f'<article class="stat">{head}{matrix}<ul class="stat-list">{lines}</ul></article>'
