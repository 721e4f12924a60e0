"""Bare joint positions: ``.npy`` (T, J, 3), ``.npz`` with names, ``.csv`` with a column a coordinate.

What such a file does not say must be given: which joints these are (`--source-skeleton`) and the frame rate.
A skeleton is never told by the number of its joints. Motions read from here hold positions only.

- ``.npy``: (T, J, 3), or (N, T, J, 3) for several motions; nothing else is in it.
- ``.npz``: ``positions`` as above, and optionally ``names`` (J,), ``parents`` (J,), ``fps``.
- ``.csv``: a header with ``<joint>_x, <joint>_y, <joint>_z`` for every joint, optionally a column ``time``
  in seconds and a first line ``# kineme joints: fps=30 parents=-1,0,0,...``.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats import guess
from kineme.formats.arrays import open_npy, open_npz
from kineme.formats.landmarks import Landmarks, find_landmarks
from kineme.formats.named import SKELETON_NAMES, known_skeleton, skeleton_by_names
from kineme.formats.options import MAX_JOINTS, MAX_TEXT_BYTES, MAX_VALUE, MAX_WORDS, Format, ReadOptions
from kineme.formats.placement import choose_unit
from kineme.formats.quirks import note_quirks
from kineme.formats.rest_pose import standing_frame
from kineme.formats.soundness import check_amount, hole_runs, mend_holes, sound_frames
from kineme.motion import Motion, Provenance, Skeleton
from kineme.motion.rigs import recognise_rig

_TIMES = ("time", "time_s", "t", "seconds", "timestamp")
#: a bone whose length strays from its median by more than this share of it, in the median frame, is none
_STRETCHED = 0.1
_COORDINATE = re.compile(r"^(.*?)[ _.:\-]?([xyz])$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Content:
    """What a file holds: positions (N, T, J, 3) in its units, and what it says about them."""

    positions: np.ndarray
    names: tuple[str, ...] | None = None
    parents: tuple[int, ...] | None = None
    fps: float | None = None
    ours: bool = False  # written by `write`: metres, +Y up


#: the first line of our own CSV, and the array `frame` of our own .npz
_OURS = "metres, +Y up"


def _read_npy(path: Path) -> _Content:
    return _Content(_as_takes(open_npy(path), path))


def _as_takes(array: np.ndarray, path: Path) -> np.ndarray:
    if array.dtype.kind not in "fiu" or array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise InputError(
            f"positions must have the shape (frames, joints, 3), not {array.shape} of {array.dtype}", path
        )
    if 0 in array.shape or array.shape[-2] > MAX_JOINTS:
        raise InputError(f"positions of the shape {array.shape} are not usable", path)
    check_amount(array.size // (3 * array.shape[-2]), array.shape[-2], path)
    return np.array(array if array.ndim == 4 else array[None], dtype=np.float64)


def _read_npz(path: Path) -> _Content:
    arrays = open_npz(path, ("positions", "joints", "names", "parents", "fps", "frame"))
    key = "positions" if "positions" in arrays else "joints"
    if key not in arrays:
        raise InputError("there is no array 'positions' in this .npz", path)
    names = arrays.get("names")
    parents = arrays.get("parents")
    try:
        fps = float(arrays["fps"]) if "fps" in arrays else None
        return _Content(
            _as_takes(arrays[key], path),
            None if names is None else tuple(str(name) for name in names.reshape(-1)),
            None if parents is None else tuple(int(parent) for parent in parents.reshape(-1)),
            fps,
            str(arrays["frame"]) == _OURS if "frame" in arrays else False,
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"names, parents or fps cannot be used ({error})", path) from None


def _read_csv(path: Path) -> _Content:
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise InputError(f"the file is larger than {MAX_TEXT_BYTES >> 20} MB; save it as .npz", path)
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = text.split("\n")
    said = lines[0] if lines[0].startswith("#") else ""
    first = 1 if said else 0
    if len(lines) <= first + 1:
        raise InputError("there are no rows under the header", path, first + 1)
    header = [word.strip().strip('"') for word in lines[first].split(",")]
    columns, names = _coordinate_columns(header, path, first + 1)
    body = "\n".join(lines[first + 1 :]).strip()
    rows = body.count("\n") + 1
    if rows + body.count(",") > MAX_WORDS:
        raise InputError("the file has more than 40 million cells; save it as .npz", path)
    table = _table(body, rows, len(header), path, first + 2)
    times = [index for index, word in enumerate(header) if word.lower() in _TIMES]
    fps, parents = None, None
    try:
        if (match := re.search(r"fps=([\d.]+)", said)) is not None:
            fps = float(match[1])
        if (match := re.search(r"parents=([-\d,]+)", said)) is not None:
            parents = tuple(int(word) for word in match[1].split(","))
    except ValueError as error:
        raise InputError(f"fps or parents cannot be read ({error})", path, 1) from None
    if fps is None and times and rows > 1:
        span = table[-1, times[0]] - table[0, times[0]]
        fps = float((rows - 1) / span) if span > 0 else None
    positions = table[:, columns].reshape(1, rows, len(names), 3)
    return _Content(positions, names, parents, fps, said.startswith(f"# kineme joints: {_OURS},"))


def _coordinate_columns(header: list[str], path: Path, line: int) -> tuple[list[int], tuple[str, ...]]:
    found: dict[str, dict[str, int]] = {}
    for index, word in enumerate(header):
        match = _COORDINATE.match(word)
        if match and match[1]:
            found.setdefault(match[1], {})[match[2].lower()] = index
    whole = {name: axes for name, axes in found.items() if len(axes) == 3}
    if not whole:
        raise InputError("the header has no columns such as pelvis_x, pelvis_y, pelvis_z", path, line)
    if len(whole) > MAX_JOINTS:
        raise InputError(f"there are more than {MAX_JOINTS} joints", path, line)
    return [axes[axis] for axes in whole.values() for axis in "xyz"], tuple(whole)


def _table(body: str, rows: int, columns: int, path: Path, line: int) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(body.replace("\r", "").replace("\n", ","), sep=",", dtype=np.float64)
        if values.size == rows * columns:
            return values.reshape(rows, columns)
    except (ValueError, DeprecationWarning):
        pass
    for index, text in enumerate(body.split("\n")):
        if text.count(",") + 1 != columns:
            raise InputError(
                f"there are {text.count(',') + 1} cells where the header has {columns}", path, line + index
            )
    result = np.empty((rows, columns))
    for index, text in enumerate(body.split("\n")):  # the slow way, for empty cells and for the line at fault
        words = text.rstrip("\r").split(",")
        try:
            result[index] = [float(word) if word.strip() else np.nan for word in words]
        except ValueError:
            raise InputError("there is a cell that is not a number", path, line + index) from None
    return result


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motions of a file of joints, as motions of positions only. See `kineme.formats.load`."""
    content = {".npy": _read_npy, ".npz": _read_npz}.get(path.suffix.lower(), _read_csv)(path)
    fps = options.fps or content.fps
    if fps is None or not 0.01 <= fps <= 10_000:
        raise InputError("the file does not say its frame rate; give it with --source-fps", path)
    names, parents, kind = _joints(content, options, path)
    if content.ours:  # it says what others leave to guessing
        options = replace(options, unit=options.unit or 1.0, up=options.up or "+Y")
    motions = []
    for positions in content.positions:
        holes: tuple[tuple[int, int, int], ...] = ()
        if options.holes:
            positions, holes = _mend(positions, path)
        sound: np.ndarray = np.asarray((np.abs(positions) <= MAX_VALUE).all(axis=(1, 2)))
        index, notes = sound_frames(sound, options.repair, path)
        positions = positions[index]
        bare = Skeleton(names, parents, np.zeros((len(names), 3)), name=kind)
        motion = motion_of_positions(positions, bare, fps, path, options, notes)
        motions.append(
            motion.replace(provenance=replace(motion.provenance, holes=holes)) if holes else motion
        )
    return motions


def _mend(positions: np.ndarray, path: Path) -> tuple[np.ndarray, tuple[tuple[int, int, int], ...]]:
    """Positions (T, J, 3) without unusable numbers, and the stretches of joints that had any."""
    with np.errstate(invalid="ignore"):
        sound = np.abs(positions) <= MAX_VALUE  # also false for NaN
    mended = mend_holes(positions.reshape(len(positions), -1), sound.reshape(len(positions), -1), path)
    return mended.reshape(positions.shape), hole_runs(np.asarray(~sound.all(axis=2)))


def _joints(
    content: _Content, options: ReadOptions, path: Path
) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Names, parents and the skeleton's name; by option, by what the file says, by its joints' names."""
    count = content.positions.shape[2]
    if options.skeleton is not None:
        names, parents = known_skeleton(options.skeleton)
        if len(names) != count:
            raise InputError(f"{options.skeleton} has {len(names)} joints and the file {count}", path)
        return names, parents, options.skeleton
    if content.names is not None:
        if len(content.names) != count:
            raise InputError(f"the file names {len(content.names)} joints and holds {count}", path)
        known = skeleton_by_names(content.names)
        parents = content.parents if content.parents is not None else known[1] if known else None
        if parents is not None:
            if len(parents) != count:
                raise InputError(f"the file gives {len(parents)} parents for {count} joints", path)
            return content.names, parents, known[0] if known else "unknown"
    raise InputError(
        f"the file does not say which {count} joints these are; name their skeleton with --source-skeleton "
        f"({', '.join(SKELETON_NAMES)})",
        path,
    )


def motion_of_joints(
    positions: np.ndarray,
    kind: str,
    fps: float,
    path: Path,
    options: ReadOptions,
    format_name: str,
    note: str,
) -> Motion:
    """A motion of positions only, for readers of data sets whose skeleton, unit and axis are known.

    Parameters
    ----------
    positions : (T, J, 3), metres and +Y up where the options do not say otherwise.
    kind : name of the skeleton. format_name, note : for the provenance.
    """
    options = replace(options, unit=options.unit or 1.0, up=options.up or "+Y")
    names, parents = known_skeleton(kind)
    sound = np.asarray((np.abs(positions) <= MAX_VALUE).all(axis=(1, 2)))
    index, notes = sound_frames(sound, options.repair, path)
    bare = Skeleton(names, parents, np.zeros((len(names), 3)), name=kind)
    notes = (note, *notes)
    return motion_of_positions(positions[index], bare, fps, path, options, notes, form=format_name)


def motion_of_positions(
    positions: np.ndarray,
    bare: Skeleton,
    fps: float,
    path: Path,
    options: ReadOptions,
    notes: tuple[str, ...],
    *,
    form: str = "joints",
    stated_unit: float | None = None,
) -> Motion:
    """A motion of positions (T, J, 3) in a file's units and axes; finds both as far as options do not say.

    `bare` has the joints' names and tree, its offsets are not looked at; `form` is the format's name;
    `stated_unit` is in metres, by the file's own word.
    """
    bare = options.mapped(bare)
    names, parents = bare.names, bare.parents
    marks = find_landmarks(bare, recognise_rig(bare))
    guessed: dict[str, str] = {}
    sample = positions[np.unique(np.linspace(0, len(positions) - 1, 64).astype(int))]
    up = options.up or _guess_up(sample, marks)
    if options.up is None:
        guessed["up"] = up
    positions = positions @ guess.to_y_up(up).T
    rest, note = _rest(positions, parents, marks)
    height = float(rest[:, 1].max() - rest[:, 1].min())
    scale, units, odd = choose_unit(height, options, guessed, stated_unit)
    offsets = np.array([rest[j] - (rest[p] if p >= 0 else 0) for j, p in enumerate(parents)]) * scale
    skeleton = Skeleton(names, parents, offsets, name=bare.name, roles=bare.roles)
    provenance = Provenance(str(path), form, fps, scale, units, up, (*notes, note, *odd), guessed)
    return note_quirks(Motion.from_positions(skeleton, fps, positions * scale, provenance=provenance))


def _guess_up(sample: np.ndarray, marks: Landmarks | None) -> str:
    if marks is None:
        return "+Y"
    up = (sample[:, marks.head] - sample[:, list(marks.ankles)].mean(axis=1)).mean(axis=0)
    axis = int(np.argmax(np.abs(up)))
    return ("+" if up[axis] > 0 else "-") + "XYZ"[axis]


def _rest(positions: np.ndarray, parents: tuple[int, ...], marks: Landmarks | None) -> tuple[np.ndarray, str]:
    """Rest positions (J, 3): a standing frame turned to +Z with each bone at its median length.

    What changes its length is no bone, but the way from a root on the floor to the body: it stays as it is in
    that frame.
    """
    frame, turn = (0, np.eye(3)) if marks is None else standing_frame(positions, marks)
    pose = positions[frame] @ turn.T
    rest = np.zeros_like(pose)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            bone = pose[joint] - pose[parent]
            lengths = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=-1)
            length, now = float(np.median(lengths)), float(np.linalg.norm(bone))
            if np.median(np.abs(lengths - length)) > _STRETCHED * length:
                length = now
            rest[joint] = rest[parent] + bone * (length / max(now, 1e-9))
    rest[:, 1] -= rest[:, 1].min()
    return rest, f"the rest pose comes from frame {frame + 1}"


def write(motion: Motion, path: Path) -> None:
    """Positions in metres, +Y up: ``.npy`` (T, J, 3), ``.npz`` with names, or ``.csv``."""
    skeleton, suffix = motion.skeleton, path.suffix.lower()
    if suffix == ".npy":
        with open(path, "wb") as file:
            np.save(file, motion.positions)
    elif suffix == ".npz":
        with open(path, "wb") as file:
            np.savez_compressed(
                file,
                positions=motion.positions,
                names=np.array(skeleton.names),
                parents=np.array(skeleton.parents, dtype=np.int32),
                fps=np.array(motion.fps),
                frame=np.array(_OURS),
            )
    else:
        _write_csv(motion, path)


def _write_csv(motion: Motion, path: Path) -> None:
    names = [re.sub(r"[,\"\n\r]", "_", name) for name in motion.skeleton.names]
    parents = ",".join(map(str, motion.skeleton.parents))
    text = io.StringIO()
    text.write(f"# kineme joints: {_OURS}, fps={motion.fps!r} parents={parents}\n")
    text.write(",".join(["time", *(f"{name}_{axis}" for name in names for axis in "xyz")]) + "\n")
    times = np.arange(len(motion)) / motion.fps
    for time, row in zip(times.tolist(), motion.positions.reshape(len(motion), -1), strict=True):
        text.write(f"{time:.6f}," + ",".join(map(str, row)) + "\n")
    path.write_text(text.getvalue(), encoding="utf-8")


def _sniff_npy(path: Path, head: bytes) -> bool:
    if not head.startswith(b"\x93NUMPY"):
        return False
    try:
        shape = open_npy(path).shape
    except InputError:
        return False
    return len(shape) in (3, 4) and shape[-1] == 3


def _sniff_npz(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK"):
        return False
    try:
        return bool({"positions", "joints"} & set(open_npz(path, ())))
    except InputError:
        return False


def _sniff_csv(path: Path, head: bytes) -> bool:
    lines = [line for line in head.decode("utf-8", errors="replace").split("\n") if not line.startswith("#")]
    names = [word.strip().strip('"').lower() for word in lines[0].split(",")] if lines else []
    found = {w[:-1] for w in names if w.endswith("x")} & {w[:-1] for w in names if w.endswith("y")}
    return any(stem and f"{stem}z" in names for stem in found)


def _sniff(path: Path, head: bytes) -> bool:
    by_suffix = {".npy": _sniff_npy, ".npz": _sniff_npz, ".csv": _sniff_csv}
    look = by_suffix.get(path.suffix.lower())
    return look is not None and look(path, head)


FORMAT = Format("joints", (".npy", ".npz", ".csv"), "joint positions", read, write, _sniff)
