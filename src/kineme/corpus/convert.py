"""One source file to clips: read, repaired where that is safe, retargeted, resampled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from kineme.corpus.gaps import read_motions, without_gaps
from kineme.corpus.tables import DISPLAY_FPS, ClipData, ClipRow, OwnSkeleton, ReportRow
from kineme.errors import InputError
from kineme.formats import ReadOptions
from kineme.formats.rest_pose import drop_rest_frame
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.fit_rotations import fit_rotations
from kineme.motion.retarget import retarget
from kineme.motion.rigs import recognise_rig
from kineme.motion.rotations import matrix_to_sixd
from kineme.motion.time import resample

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
        motions, repairs = read_motions(file, options)
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
    except Exception as error:  # our fault, but no reason to lose the other files
        reason = f"a fault in kineme ({type(error).__name__}: {error}); please report it with this file"
        return [], ReportRow(str(file), "rejected", reason, 0, 0, size, mtime, digest)
    frames = sum(clip.row.frames for clip in clips)
    found = "repaired" if repairs else "taken"
    return clips, ReportRow(str(file), found, "; ".join(repairs), len(clips), frames, size, mtime, digest)


def file_digest(file: Path) -> str:
    """sha256 of a file's content."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def to_clip(motion: Motion, fps: float, file: str) -> ClipData:
    """A motion of finite numbers as it stands in a corpus at `fps`; without a name.

    Raises InputError for a single pose or a skeleton that cannot be mapped.
    """
    rig = "smpl22" if motion.skeleton.names == JOINTS else ""
    canonical = resample(motion, fps)
    if not rig:
        mapping = recognise_rig(motion.skeleton)
        rig = mapping.rig
        turn = fit_rotations if motion.positions_only else retarget
        canonical = turn(canonical, mapping)
    elif motion.positions_only:
        canonical = fit_rotations(canonical)
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
