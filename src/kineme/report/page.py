"""The page itself: one HTML file that opens from disk, without a network, on a desktop or a phone.

What stands in it, in this order: the style, the index (everything but motion, as JSON), the names, the
script, then the motion of each clip in a block of its own that the script decodes when it is first seen. The
index has one frame of each motif of the scale that is shown first, so that the cards stand before that.

How it stays small. A page aims at no more than `PAGE_BUDGET` bytes of motion. If there is more,

1. fingers and faces are left out (`PageSkeleton.detail`); and if that is not enough,
2. the clips that the motif cards show stay in the page, by the order of first use, until the budget is
   spent; the others go to `report_data/part-000-....js` and so on, about `PART_BYTES` each, which the page
   loads when a clip in them is looked at (a script tag works from disk, where fetching does not).

Text from file names, labels and names is data: it enters as JSON with every `<` escaped, and the script puts
it on the page as text only. The content security policy allows this page's own script and style by their
hash, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from kineme.errors import InputError, printable
from kineme.formats.atomic import atomic_write
from kineme.report.document import json_text, write_document
from kineme.report.encode import pack, pack_positions, pack_still
from kineme.report.payload import LEVELS, PageClip, PageScale, PageSkeleton, Payload

PAGE_BUDGET = 24_000_000
PART_BYTES = 2_000_000
DATA_FOLDER = "report_data"
FORMAT = 1
#: the page's script, in the order in which the parts build on each other
SCRIPTS = (
    "data.js", "cut.js", "colour.js", "dom.js", "figure.js", "loop.js", "names.js",
    "gallery.js", "motif.js", "timeline.js", "stage.js", "clips.js", "graph.js", "export.js", "about.js",
    "main.js",
)  # fmt: skip
_BLOCK = r'<script type="application/json" id="{}">(.*?)</script>'


def write_page(payload: Payload, path: Path, names: Mapping[str, str] | None = None) -> list[Path]:
    """Writes the page, and its side files where it needs some; returns every file written, the page first.

    `names` : motif id -> the user's name; unknown ids are left out. Nothing is ever half-written: side files
    get names that no earlier page used, and are there before the page that asks for them.
    """
    with staged_page(payload, path, names) as written:
        return written


@contextmanager
def staged_page(payload: Payload, path: Path, names: Mapping[str, str] | None = None) -> Iterator[list[Path]]:
    """The same; the page is written at once, and takes its place when the block ends without error."""
    path = Path(path)
    payload, blocks = _fit(payload)
    inline, parts = _split(payload, blocks)
    folder, written = path.parent / DATA_FOLDER, []
    part_of: dict[int, str] = {}
    for number, clips in enumerate(parts):
        content = json.dumps({str(c): blocks[c] for c in clips}, separators=(",", ":"))
        stamp = hashlib.sha256(content.encode()).hexdigest()[:8]
        name = f"part-{number:03d}-{stamp}.js"
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / name) as temporary:
            Path(temporary).write_text(f"kinemePart({content});\n", encoding="ascii")
        written.append(folder / name)
        part_of |= dict.fromkeys(clips, name)
    known = set(payload.motif_ids)
    kept = {motif: name for motif, name in (names or {}).items() if motif in known}
    with atomic_write(path) as temporary:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            _write_html(file, payload, {c: blocks[c] for c in inline}, part_of, kept)
        yield [path, *written]
    _remove_stale(folder, keep=written)


def page_motifs(path: Path) -> tuple[str, dict[str, str]]:
    """The fingerprint of the library that a page shows, and its motifs: id -> words."""
    index = json.loads(_block(_read_page(path), "index", path))
    return index["library"], {m["id"]: m["words"] for scale in index["scales"] for m in scale["motifs"]}


def page_with_names(path: Path, names: Mapping[str, str], *, served: bool = False) -> str:
    """A written page's HTML with `names` in the place of its own; `served` tells it to save names by POST."""
    text = _read_page(path)
    _block(text, "names", path)
    content = json_text({"names": dict(names), "served": served})
    pattern = _BLOCK.format("names")
    block = f'<script type="application/json" id="names">{content}</script>'
    return re.sub(pattern, lambda _: block, text, count=1, flags=re.DOTALL)


def rename(path: Path, names: Mapping[str, str]) -> None:
    """Puts `names` in a written page, in one step."""
    text = page_with_names(path, names)
    with atomic_write(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8", newline="\n")


def link_page(path: Path, target: str, words: str) -> None:
    """Puts a link to the file `target` of the same folder among a written page's tabs, once."""
    text, link = _read_page(path), f'<a href="{escape(target)}">{escape(words)}</a>'
    if link in text:
        return
    tabs = re.search(r'<nav class="tabs"[^>]*>.*?(?=\s*</nav>)', text, flags=re.DOTALL)
    if tabs is None:
        raise InputError("is not a page that kineme wrote; write it again with `kineme index`", path)
    with atomic_write(path) as temporary:
        text = text[: tabs.end()] + link + text[tabs.end() :]
        Path(temporary).write_text(text, encoding="utf-8", newline="\n")


def _read_page(path: Path) -> str:
    if not path.is_file():
        raise InputError("is not there; `kineme index` writes a library with its page", path)
    return path.read_text(encoding="utf-8", errors="replace")


def _block(text: str, name: str, path: Path) -> str:
    found = re.search(_BLOCK.format(name), text, flags=re.DOTALL)
    if found is None:
        raise InputError("is not a page that kineme wrote; write it again with `kineme index`", path)
    return found.group(1)


def _fit(payload: Payload) -> tuple[Payload, list[str]]:
    """The clips' motion as text; without fingers and faces if the page would be too large with them."""
    blocks = [pack_positions(clip.positions) for clip in payload.clips]
    if sum(map(len, blocks)) <= PAGE_BUDGET or not any(any(s.detail) for s in payload.skeletons):
        return payload, blocks
    kept = [np.flatnonzero(~np.array(s.detail, dtype=bool)) for s in payload.skeletons]
    clips = tuple(replace(c, positions=c.positions[:, kept[c.skeleton]]) for c in payload.clips)
    skeletons = tuple(_without_detail(s, k) for s, k in zip(payload.skeletons, kept, strict=True))
    return replace(payload, clips=clips, skeletons=skeletons), [pack_positions(c.positions) for c in clips]


def _without_detail(skeleton: PageSkeleton, kept: np.ndarray) -> PageSkeleton:
    """The skeleton of the joints `kept`; what hangs on a joint left out is left out with it."""
    new = {int(old): position for position, old in enumerate(kept)} | {-1: -1}

    def pick(values: tuple) -> tuple:
        return tuple(values[j] for j in kept)

    return PageSkeleton(
        names=pick(skeleton.names),
        parents=tuple(new[p] for p in pick(skeleton.parents)),
        radii=pick(skeleton.radii),
        parts=pick(skeleton.parts),
        flesh=tuple((new[a], new[b], ra, rb) for a, b, ra, rb in skeleton.flesh if a in new and b in new),
        across=None if skeleton.across is None else (new[skeleton.across[0]], new[skeleton.across[1]]),
        height=skeleton.height,
    )


def _split(payload: Payload, blocks: list[str]) -> tuple[list[int], list[list[int]]]:
    """Which clips stand in the page, and which in each side file."""
    sizes = list(map(len, blocks))
    if sum(sizes) <= PAGE_BUDGET:
        return list(range(len(blocks))), []
    shown: dict[int, None] = {}
    depth = max((len(m.examples) for s in payload.scales for m in s.motifs), default=0)
    for rank in range(depth):  # every motif's first example before any motif's second
        for scale in (payload.scales[payload.default_scale], *payload.scales):
            shown |= {m.examples[rank].clip: None for m in scale.motifs if rank < len(m.examples)}
    inline, spent = [], 0
    for clip in [*shown, *(c for c in range(len(blocks)) if c not in shown)]:
        if spent + sizes[clip] > PAGE_BUDGET:
            break
        inline.append(clip)
        spent += sizes[clip]
    here, parts, room = set(inline), [], 0
    for clip in range(len(blocks)):
        if clip in here:
            continue
        if not parts or room < sizes[clip]:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(clip)
        room -= sizes[clip]
    return inline, parts


def _remove_stale(folder: Path, keep: list[Path]) -> None:
    """Side files of an earlier page at this place."""
    for old in folder.glob("part-*.js"):
        if old not in keep:
            old.unlink()
    if not keep and folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder)


def _write_html(
    file: TextIO,
    payload: Payload,
    blocks: Mapping[int, str],
    part_of: Mapping[int, str],
    names: Mapping[str, str],
) -> None:
    segments = ((f"segments-{k}", _pack_segments(scale)) for k, scale in enumerate(payload.scales))
    write_document(
        file,
        "page.html",
        SCRIPTS,
        title=payload.title,
        data={"INDEX": _index(payload, part_of), "NAMES": {"names": dict(names), "served": False}},
        blocks=chain(segments, ((f"clip-{clip}", text) for clip, text in blocks.items())),
        # side files are scripts beside the page: Firefox does not take a file: page's neighbours for 'self'
        more_scripts=" 'self' file:" if part_of else "",
    )


def _index(payload: Payload, part_of: Mapping[int, str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "library": payload.fingerprint,
        "title": printable(payload.title),
        "summary": list(payload.summary),
        "model": dict(payload.model),
        "createdWith": payload.created_with,
        "defaultScale": payload.default_scale,
        "dataFolder": DATA_FOLDER,
        "skeletons": [skeleton_entry(s) for s in payload.skeletons],
        "clips": [clip_entry(c, part_of.get(number)) for number, c in enumerate(payload.clips)],
        "scales": [
            _scale(scale) if k != payload.default_scale else _shown_first(scale, payload.clips)
            for k, scale in enumerate(payload.scales)
        ],
    }


def skeleton_entry(skeleton: PageSkeleton) -> dict[str, Any]:
    """A skeleton as the page's script reads it."""
    return {
        "parents": skeleton.parents,
        "radii": skeleton.radii,
        "parts": skeleton.parts,
        "flesh": skeleton.flesh,
        "across": skeleton.across,
        "height": skeleton.height,
    }


def clip_entry(clip: PageClip, part: str | None = None) -> dict[str, Any]:
    """A clip as the page's script reads it, without its motion; `part` : the side file that has that."""
    labels = [(round(s.start, 3), round(s.end, 3), s.label) for s in clip.labels]
    entry: dict[str, Any] = {"name": clip.name, "seconds": round(clip.duration, 3), "fps": clip.fps}
    entry |= {"frames": len(clip.positions), "skeleton": clip.skeleton, "source": clip.source or clip.name}
    entry |= {"labels": labels} if labels else {}
    entry |= {"wide": True} if clip.positions.dtype == np.int32 else {}
    return entry | ({"part": part} if part else {})


def _segment_ids(scale: PageScale) -> list[str]:
    """The ids that a scale's segments may have: motifs first, so that a motif's number is its place."""
    ids = {m.id: None for m in scale.motifs}
    atoms = {s.id: None for clip in scale.segments for s in clip if s.level == "atom" and s.id not in ids}
    return [*ids, *sorted(atoms, key=lambda text: (len(text), text))]


def _shown_first(scale: PageScale, clips: Sequence[PageClip]) -> dict[str, Any]:
    """The scale that the page opens with: of each motif there is, too, what its card shows before segments and
    motion are inflated: its time in all, and the first frame of its first example."""
    entry, seconds = _scale(scale), defaultdict[str, float](float)
    for s in chain.from_iterable(scale.segments):
        seconds[s.id] += s.end - s.start if s.level == "motif" else 0
    for motif, shown in zip(scale.motifs, entry["motifs"], strict=True):
        shown["seconds"] = round(seconds[motif.id], 3)
        for example in motif.examples[:1]:
            clip = clips[example.clip]
            frame = min(round(example.start * clip.fps), len(clip.positions) - 1)
            shown["still"] = pack_still(clip.positions, frame)
    return entry


def _scale(scale: PageScale) -> dict[str, Any]:
    number = {m.id: n for n, m in enumerate(scale.motifs)}
    return {
        "name": scale.name,
        "seconds": scale.seconds,
        "ids": _segment_ids(scale),
        "counts": [len(clip) for clip in scale.segments],
        "motifs": [
            {
                "id": m.id,
                "name": m.name,
                "count": m.count,
                "mean": round(m.mean_seconds, 4),
                "words": m.words,
                "parts": m.parts,
                "examples": [(e.clip, round(e.start, 3), round(e.end, 3)) for e in m.examples],
                "similar": [number[s] for s in m.similar],
                "alike": [
                    (a.clip, round(a.start, 3), round(a.end, 3), int(a.mirrored), round(a.distance, 4))
                    for a in m.alike
                ],
            }
            for m in scale.motifs
        ],
        "transitions": [(number[a], number[b], count) for a, b, count in scale.transitions],
        "merges": [(a, b, round(float(d), 6)) for a, b, d in scale.merges],
    }


def _pack_segments(scale: PageScale) -> str:
    """Five rows over all clips' segments: level, start and end in ms, number of the id, confidence x 1000."""
    number = {name: n for n, name in enumerate(_segment_ids(scale))}
    columns = [
        (
            LEVELS.index(s.level),
            round(s.start * 1000),
            round(s.end * 1000),
            number[s.id],
            round(s.confidence * 1000),
        )
        for clip in scale.segments
        for s in clip
    ]
    return pack(np.array(columns, dtype=np.int32).reshape(-1, len(columns[0]) if columns else 5).T.copy())
