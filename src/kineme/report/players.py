"""A page of a few clips that play side by side: what the pages of a search and of a composition share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kineme.errors import printable
from kineme.formats.atomic import atomic_write
from kineme.report.document import write_document
from kineme.report.encode import pack_positions, pack_still
from kineme.report.page import FORMAT, clip_entry, skeleton_entry
from kineme.report.payload import PageClip, PageSkeleton

#: scripts of every such page, in the order in which they build on each other
_SCRIPTS = ("data.js", "colour.js", "dom.js", "figure.js", "loop.js", "gallery.js", "export.js", "theme.js")


def write_players(
    path: Path,
    kind: str,
    title: str,
    lead: Sequence[str],
    skeletons: Sequence[PageSkeleton],
    clips: Sequence[PageClip],
    content: Mapping[str, Any],
) -> None:
    """Writes the page, whole or not at all.

    Parameters
    ----------
    kind : of page: the assets ``<kind>.html`` and ``<kind>.js``. lead : sentences under the title.
    content : what that script knows of the page, beside the clips.
    """
    index = {
        "format": FORMAT,
        "title": printable(title),
        "lead": list(map(printable, lead)),
        "skeletons": [skeleton_entry(skeleton) for skeleton in skeletons],
        "clips": [clip_entry(clip) | {"still": pack_still(clip.positions)} for clip in clips],
        **content,
    }
    blocks = [(f"clip-{k}", pack_positions(clip.positions)) for k, clip in enumerate(clips)]
    scripts = (*_SCRIPTS, f"{kind}.js")
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        write_document(file, f"{kind}.html", scripts, title=title, data={"INDEX": index}, blocks=blocks)
