"""From what was discovered in a corpus to what a page shows."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kineme import __version__
from kineme.corpus import Clip
from kineme.corpus.tables import OwnSkeleton
from kineme.motion import Segment
from kineme.report.alike_words import told_apart
from kineme.report.body import Body, page_body
from kineme.report.payload import Alike as PageAlike
from kineme.report.payload import (
    Example,
    PageClip,
    PageMotif,
    PageScale,
    PageSegment,
    PageSkeleton,
    Payload,
)
from kineme.report.words import Description, describe, summarise
from kineme.tasks.alike import Alike
from kineme.tasks.discover import Discovery, Scale
from kineme.tasks.library import motif_id, scale_name
from kineme.tasks.motifs import Motif
from kineme.tasks.track import Track


def page_contents(
    clips: Iterable[Clip],
    found: Discovery,
    title: str,
    *,
    notes: Sequence[str] = (),
    model: Mapping[str, str] | None = None,
    alike: Sequence[Mapping[int, Sequence[Alike]]] = (),
    said: Sequence[Mapping[int, Description]] | None = None,
) -> Payload:
    """The payload of a library's page.

    Parameters
    ----------
    clips : those that `found` is about, in its order.
    title : what the page is called.
    notes : sentences after the summary, such as which files were left out.
    model : setting -> value, for "about this page".
    alike : for each scale, motif number -> the nearest stretches (`tasks.alike`); empty for none.
    said : for each scale, motif number -> what it does (`said_of`), where it is at hand.
    """
    clips = list(clips)
    shown, skeletons = _page_clips(clips)
    words = [told_apart(of_scale) for of_scale in said or said_of(clips, found)]
    near = alike or [{}] * len(found.scales)
    scales = tuple(_page_scale(found, scale, words[k], near[k]) for k, scale in enumerate(found.scales))
    return Payload(
        title=title,
        summary=(*summarise(shown, scales[found.default]), *notes),
        clips=shown,
        skeletons=skeletons,
        scales=scales,
        default_scale=found.default,
        model=dict(model or {}),
        created_with=f"kineme {__version__}",
    )


def _page_clips(clips: Sequence[Clip]) -> tuple[tuple[PageClip, ...], tuple[PageSkeleton, ...]]:
    """Clips in their own skeletons; bodies of one rig and one height share a skeleton."""
    bodies: dict[tuple[OwnSkeleton, float], tuple[int, Body]] = {}
    shown, short = [], short_paths([clip.source for clip in clips])
    for clip in clips:
        own, places = clip.own_skeleton, clip.own
        key = (own, round(clip.skeleton.rest_height, 2))
        if key not in bodies:
            bodies[key] = (len(bodies), page_body(own.names, own.parents, places))
        number, body = bodies[key]
        # Times are the file's: what was dropped at its start (a rest pose) is shown as the first pose.
        early = round(clip.source_start * clip.display_fps)
        if early:
            places = np.concatenate([np.repeat(places[:1], early, axis=0), places])
        shown.append(
            PageClip(
                name=clip.name,
                duration=clip.source_start + clip.duration,
                fps=clip.display_fps,
                skeleton=number,
                positions=body.place(places),
                labels=tuple(_later(label, clip.source_start) for label in clip.labels),
                source=short[clip.source],
            )
        )
    return tuple(shown), tuple(body.skeleton for _, body in bodies.values())


def short_paths(files: Sequence[str]) -> dict[str, str]:
    """Paths from the folder on that all share: a page is passed on, and home folders are private."""
    whole = [file for file in files if os.path.isabs(file)]
    if not whole:
        return {file: file for file in files}
    above = os.path.dirname(os.path.commonpath([os.path.dirname(file) for file in whole]))
    return {file: os.path.relpath(file, above) if os.path.isabs(file) else file for file in files}


def _later(label: Segment, seconds: float) -> Segment:
    return replace(label, start=label.start + seconds, end=label.end + seconds)


def said_of(
    clips: Sequence[Clip],
    found: Discovery,
    known: Callable[[Motif], Description | None] = lambda _: None,
) -> list[dict[int, Description]]:
    """For each scale what its motifs do, in words; several may have the same. Each clip is read once.

    `known` : what is known of a motif from an earlier run.
    """
    said: list[dict[int, Description | None]] = [
        {motif.number: known(motif) for motif in scale.motifs} for scale in found.scales
    ]
    wanted: dict[int, list[tuple[int, int, float, float]]] = defaultdict(list)
    for k, scale in enumerate(found.scales):
        for motif in scale.motifs:
            for example in motif.examples if said[k][motif.number] is None else ():
                wanted[example.clip].append((k, motif.number, example.start, example.end))
    pieces: dict[tuple[int, int], list[np.ndarray]] = defaultdict(list)
    fps = 30.0
    for number, asked in sorted(wanted.items()):
        clip = clips[number]
        motion, fps = clip.motion, clip.fps
        for k, motif, start, end in asked:
            first = max(0, round((start - clip.source_start) * fps))
            last = max(first + 2, round((end - clip.source_start) * fps))
            pieces[k, motif].append(motion[max(0, min(first, len(motion) - 2)) : last].positions)
    return [
        {number: told or describe(pieces[k, number], fps) for number, told in of_scale.items()}
        for k, of_scale in enumerate(said)
    ]


def _page_scale(
    found: Discovery,
    scale: Scale,
    words: Mapping[int, Description],
    near: Mapping[int, Sequence[Alike]],
) -> PageScale:
    spelled = {motif.number: motif_id(motif.number, scale.seconds, found) for motif in scale.motifs}
    motifs = tuple(
        PageMotif(
            id=spelled[motif.number],
            name="",
            count=motif.count,
            mean_seconds=motif.mean_seconds,
            words=words[motif.number].words,
            parts=tuple(words[motif.number].parts),
            examples=tuple(Example(*example) for example in motif.examples),
            similar=tuple(spelled[number] for number in motif.similar),
            alike=tuple(PageAlike(*stretch) for stretch in near.get(motif.number, ())),
        )
        for motif in scale.motifs
    )
    both = zip(found.atoms, scale.tracks, strict=True)
    return PageScale(
        name=scale_name(scale.seconds),
        seconds=scale.seconds,
        motifs=motifs,
        segments=tuple(
            (*_segments("atom", atoms), *_segments("motif", track, spelled)) for atoms, track in both
        ),
        transitions=tuple((spelled[a], spelled[b], count) for a, b, count in scale.transitions),
        merges=scale.merges,
    )


def _segments(level: str, track: Track, spelled: Mapping[int, str] | None = None) -> list[PageSegment]:
    ids = [str(n) if spelled is None else spelled[n] for n in track.ids.tolist()]
    rows = zip(
        track.borders[:-1].tolist(), track.borders[1:].tolist(), ids, track.confidence.tolist(), strict=True
    )
    return [PageSegment(level, *row) for row in rows]
