"""The page of a composition: both clips and what became of them, side by side and in step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kineme.errors import printable
from kineme.models.compose.energy import RATE
from kineme.motion import Motion
from kineme.motion.retarget import retarget
from kineme.report.body import page_body
from kineme.report.payload import PageClip
from kineme.report.players import write_players

if TYPE_CHECKING:
    from kineme.tasks.compose import Composition

#: frames a second that the page shows at most
_FPS = 60.0


def write_composition(made: Composition, names: tuple[str, str], path: Path) -> None:
    """Writes the page, whole or not at all. `names` : what the two clips are called."""
    result = made.motion if made.motion.skeleton.name == "smpl22" else retarget(made.motion)
    called = tuple(map(printable, names))
    shown = [_clip(m, name) for m, name in zip((*made.sources, result), (*called, "both"), strict=True)]
    skeleton = page_body(*_own(result)).skeleton
    lead = [f"{_sentence(text, names)}." for text in (*made.notes, *made.warnings)]
    content = {
        "names": list(called),
        "parts": [_part(made, part) for part in made.shares],
        "skate": [None if v != v else round(v, 2) for v in (made.skate_before, made.skate_after)],
    }
    write_players(path, "compose", f"{names[0]} and {names[1]}", lead, [skeleton], shown, content)


def _sentence(text: str, names: tuple[str, str]) -> str:
    """With a capital, unless it begins with the name of a clip."""
    return text if text.startswith(names) else text[:1].upper() + text[1:]


def _own(motion: Motion) -> tuple[tuple[str, ...], tuple[int, ...], np.ndarray]:
    """Names, parents and places of joints and bone ends, as `page_body` takes them."""
    skeleton = motion.skeleton
    owners = [joint for joint, _ in skeleton.end_sites]
    names = (*skeleton.names, *(f"{skeleton.names[joint]} end" for joint in owners))
    places = np.concatenate([motion.positions, motion.end_positions], axis=1)
    return names, (*skeleton.parents, *owners), places


def _clip(motion: Motion, name: str) -> PageClip:
    names, parents, places = _own(motion)
    step = max(1, round(motion.fps / _FPS))
    body = page_body(names, parents, places)
    return PageClip(
        name=name,
        duration=motion.duration,
        fps=motion.fps / step,
        skeleton=0,
        positions=body.place(places[::step]),
    )


def _part(made: Composition, part: str) -> dict[str, Any]:
    """A part's words on the page, its share, and of each clip the per cent that it gives and how fast it moves, in
    cm a second, in whole numbers as the terminal rounds them: rounded twice, 88.46 would be 89."""
    speeds = [round(100 * energy[part] ** 0.5 * RATE) for energy in made.energies]
    share = made.shares[part]
    given = [round(100 * own) for own in (share, 1 - share)]
    limbs = {"legs": ["left leg", "right leg"], "arms": ["left arm", "right arm"]}.get(part, [part])
    return {"part": part, "limbs": limbs, "share": share, "given": given, "speeds": speeds}
