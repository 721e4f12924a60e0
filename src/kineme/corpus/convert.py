"""One source file to clips: read, repaired where that is safe, retargeted, resampled."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from kineme.corpus.solve import rotations_from_positions
from kineme.corpus.tables import DISPLAY_FPS, ClipData, ClipRow, OwnSkeleton, ReportRow
from kineme.errors import InputError
from kineme.formats import ReadOptions, load_all
from kineme.formats.rest_pose import drop_rest_frame
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.retarget import retarget
from kineme.motion.rigs import recognise_rig
from kineme.motion.rotations import matrix_to_sixd, slerp
from kineme.motion.time import resample

#: frames without usable numbers are made up between their neighbours for at most so many seconds
LONGEST_GAP = 0.25
#: what readers note when they were told to repair and held a neighbour's values
_HELD = re.compile(r"repaired: (\d+) frames with unusable numbers")
#: places further than this from the middle of their clip, in metres, do not fit into 16 bits of millimetres
_REACH = 32.7


def read_clips(file: Path, fps: float, options: ReadOptions) -> tuple[list[ClipData], ReportRow]:
    """The clips of `file` at `fps`, and what became of it; what cannot be used is reported, not raised."""
    size = mtime = 0
    digest = ""
    try:
        status = file.stat()
        size, mtime = status.st_size, status.st_mtime_ns
        digest = file_digest(file)
        motions, repairs = _read(file, options)
        clips = []
        for part, motion in enumerate(motions):
            whole, mended = without_gaps(motion)
            started = drop_rest_frame(whole)
            skipped = len(whole) - len(started)
            if skipped:
                mended.append("a leading rest pose was dropped")
            clip = to_clip(started, fps, str(file))
            row = replace(clip.row, sha256=digest, part=part, source_start=skipped / motion.fps)
            clips.append(replace(clip, row=row))
            repairs += [text for text in mended if text not in repairs]
    except InputError as error:
        where = f"line {error.line}: " if error.line else ""
        return [], ReportRow(str(file), "rejected", where + error.message, 0, 0, size, mtime, digest)
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})"
        return [], ReportRow(str(file), "rejected", reason, 0, 0, size, mtime, digest)
    frames = sum(clip.row.frames for clip in clips)
    found = "repaired" if repairs else "taken"
    return clips, ReportRow(str(file), found, "; ".join(repairs), len(clips), frames, size, mtime, digest)


def file_digest(file: Path) -> str:
    """sha256 of a file's content."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(file: Path, options: ReadOptions) -> tuple[list[Motion], list[str]]:
    """Motions, and repairs that the reader made. A few bad frames are repaired without being asked."""
    try:
        motions = load_all(file, options)
        asked = True
    except InputError:
        if options.repair:
            raise
        try:
            motions = load_all(file, replace(options, repair=True))
        except InputError:
            motions = []
        asked = False
        if not motions or not all(_is_short(motion) for motion in motions):
            raise
    repairs: list[str] = []
    mended = []
    for motion in motions:
        notes = [
            note.removeprefix("repaired: ") for note in motion.provenance.notes if note.startswith("repaired")
        ]
        held = _held_frames(motion)
        if held is not None and (asked or _longest_run(held) <= LONGEST_GAP * motion.fps):
            motion = fill_gaps(motion, held)
            notes = [f"{held.sum()} frames without usable numbers were interpolated"]
        repairs += [note for note in notes if note not in repairs]
        mended.append(motion)
    return mended, repairs


def _is_short(motion: Motion) -> bool:
    """Whether all that the reader repaired is unusable numbers in no more than `LONGEST_GAP` seconds."""
    notes = [note for note in motion.provenance.notes if note.startswith("repaired")]
    found = [_HELD.match(note) for note in notes]
    return all(match is not None and int(match[1]) <= LONGEST_GAP * motion.fps for match in found)


def _held_frames(motion: Motion) -> np.ndarray | None:
    """(T,) bool: the frames in which the reader held a neighbour; None where that is not certain."""
    counts = [int(match[1]) for note in motion.provenance.notes if (match := _HELD.match(note))]
    if not counts:
        return None
    arrays = [
        motion.root_translation,
        motion.local_rotations,
        motion.local_translations,
        motion.given_positions,
    ]
    same = np.ones(len(motion) - 1, dtype=bool)
    for array in arrays:
        if array is not None:
            same &= (np.diff(array, axis=0) == 0).reshape(len(same), -1).all(axis=1)
    held = np.concatenate([[False], same])
    return held if held.sum() == sum(counts) else None


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def fill_gaps(motion: Motion, bad: np.ndarray) -> Motion:
    """The motion with frames `bad` (T,) made up between their sound neighbours, and held at the ends.

    Rotations go along the shortest arc, all else linearly. Raises InputError if no frame is sound.
    """
    good = np.flatnonzero(~bad)
    if len(good) == 0:
        raise InputError("no frame has usable numbers; export it again")
    where = np.flatnonzero(bad)
    after = np.searchsorted(good, where)
    low, high = good[np.maximum(after - 1, 0)], good[np.minimum(after, len(good) - 1)]
    low = np.where(after == 0, high, low)
    weight = np.where(high > low, (where - low) / np.maximum(high - low, 1), 0.0).astype(np.float32)

    def linear(array: np.ndarray | None) -> np.ndarray | None:
        if array is None:
            return None
        filled, share = array.copy(), weight.reshape(-1, *[1] * (array.ndim - 1))
        filled[where] = array[low] * (1 - share) + array[high] * share
        return filled

    rotations = motion.local_rotations
    if rotations is not None and len(where):
        rotations = rotations.copy()
        share = np.broadcast_to(weight[:, None], (len(where), rotations.shape[1]))
        rotations[where] = slerp(rotations[low], rotations[high], share)
    return motion.replace(
        root_translation=linear(motion.root_translation),
        local_rotations=rotations,
        local_translations=linear(motion.local_translations),
        given_positions=linear(motion.given_positions),
        source=None,
    )


def without_gaps(motion: Motion) -> tuple[Motion, list[str]]:
    """Frames with NaN or infinity interpolated where a run of them is short; InputError where one is long."""
    arrays = [
        motion.root_translation,
        motion.local_rotations,
        motion.local_translations,
        motion.given_positions,
    ]
    bad = np.zeros(len(motion), dtype=bool)
    for array in arrays:
        if array is not None:
            bad |= ~np.isfinite(array.reshape(len(motion), -1)).all(axis=1)
    if not bad.any():
        return motion, []
    longest = _longest_run(bad) / motion.fps
    if longest > LONGEST_GAP or bad.all():
        raise InputError(
            f"{bad.sum()} of {len(bad)} frames have no usable numbers, {longest:.2f} s of them in a row "
            f"(up to {LONGEST_GAP} s are interpolated); export it again"
        )
    return fill_gaps(motion, bad), [f"{bad.sum()} frames without usable numbers were interpolated"]


def to_clip(motion: Motion, fps: float, file: str) -> ClipData:
    """A motion of finite numbers as it stands in a corpus at `fps`; without a name.

    Raises InputError for a single pose or a skeleton that cannot be mapped.
    """
    rig = "smpl22" if motion.skeleton.names == JOINTS else ""
    canonical = resample(motion, fps)
    if not rig:
        mapping = recognise_rig(motion.skeleton)
        rig, canonical = mapping.rig, retarget(canonical, mapping)
    canonical = rotations_from_positions(canonical)
    if len(canonical) < 2:
        raise InputError(f"there are {len(motion)} frames: a pose, and no motion")
    skeleton, provenance = canonical.skeleton, motion.provenance
    rotations = canonical.local_rotations
    assert rotations is not None
    values = np.concatenate(
        [canonical.root_translation, matrix_to_sixd(rotations).reshape(len(canonical), -1)], axis=1
    ).astype(np.float32)
    display, origin, scale, own = _own_display(motion, rig)
    row = ClipRow(
        name="",
        file=file,
        format=provenance.format,
        rig=rig,
        source_fps=float(provenance.fps or motion.fps),
        unit_scale=float(provenance.unit_scale),
        units=provenance.units,
        up_axis=provenance.up_axis,
        notes=tuple(canonical.provenance.notes),
        guessed=json.dumps(provenance.guessed),
        own_labels=len(motion.labels),
        frames=len(canonical),
        offsets=tuple(map(float, skeleton.offsets.reshape(-1))),
        ends=tuple(float(x) for joint, offset in skeleton.end_sites for x in (joint, *offset)),
        display_frames=len(display),
        display_origin=origin,
        display_scale=scale,
    )
    return ClipData(row, values, display, own, motion.labels)


def _own_display(motion: Motion, rig: str) -> tuple[np.ndarray, tuple[float, ...], float, OwnSkeleton]:
    """Places of joints and bone ends as int16 millimetres (D, J, 3), their origin and scale, the skeleton."""
    shown = resample(motion, DISPLAY_FPS)
    places = np.concatenate([shown.positions, shown.end_positions], axis=1).astype(np.float64)
    low, high = places.min(axis=(0, 1)), places.max(axis=(0, 1))
    origin = np.round((low + high) / 2 * np.array([1, 0, 1]), 3)
    scale = max(1.0, float(np.abs(places - origin).max() / _REACH))
    display = np.round((places - origin) * (1000 / scale)).astype(np.int16)
    skeleton = motion.skeleton
    ends = [joint for joint, _ in skeleton.end_sites] if shown.end_positions.shape[1] else []
    names = (*skeleton.names, *(f"{skeleton.names[joint]} end" for joint in ends))
    own = OwnSkeleton(rig, names, (*skeleton.parents, *ends))
    return display, tuple(map(float, origin)), scale, own
