"""BVH: `bvh_parse.BvhFile` to `Motion`, and back to text with untouched channels unchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats import guess
from kineme.formats.bvh_parse import BvhFile, BvhJoint, parse
from kineme.formats.options import Format, ReadOptions
from kineme.formats.placement import find_placement
from kineme.formats.quirks import note_quirks
from kineme.motion import Motion, Provenance, Skeleton
from kineme.motion.rotations import euler_to_matrix, matrix_to_euler

_SAMPLES = 64
#: rates that a frame time of few decimals, such as 0.033, stands for
_COMMON_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 144.0, 200.0, 240.0)
#: numbers (matrix entries, metres) that differ by less were not edited
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class BvhSource:
    """What a BVH file said, with the reading of it: enough to write it back number by number.

    Attributes
    ----------
    header : the bytes of the HIERARCHY section, verbatim.
    joints : its joints.
    values : (T, C) float64 channel values as read.
    frame_time_text : as written.
    scale : metres per unit.
    turn : (3, 3) from the file's world to +Y up.
    meaning : of the position channels.
    """

    header: bytes
    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    frame_time_text: str
    scale: float
    turn: np.ndarray
    meaning: str

    def sliced(self, start: int, stop: int) -> BvhSource:
        """The same of some of its frames."""
        return replace(self, values=self.values[start:stop])


def _position_columns(joints: tuple[BvhJoint, ...]) -> list[tuple[int, int, int]]:
    """(joint, axis, column) of every position channel."""
    return [
        (index, "XYZ".index(channel[0]), joint.column + place)
        for index, joint in enumerate(joints)
        for place, channel in enumerate(joint.channels)
        if channel.endswith("position")
    ]


def _rotation_columns(joints: tuple[BvhJoint, ...]) -> dict[str, tuple[list[int], list[list[int]]]]:
    """Euler order to the joints that have it and their columns, a list per joint."""
    groups: dict[str, tuple[list[int], list[list[int]]]] = {}
    for index, joint in enumerate(joints):
        turns = [
            (c[0], joint.column + place) for place, c in enumerate(joint.channels) if c.endswith("rotation")
        ]
        members, columns = groups.setdefault("".join(axis for axis, _ in turns), ([], []))
        members.append(index)
        columns.append([column for _, column in turns])
    return groups


def _rotations(joints: tuple[BvhJoint, ...], values: np.ndarray) -> np.ndarray:
    """(T, J, 3, 3) float32: matrices multiplied left to right in the order of the channels."""
    result = np.empty((len(values), len(joints), 3, 3), dtype=np.float32)
    for order, (members, columns) in _rotation_columns(joints).items():
        result[:, members] = euler_to_matrix(order, values[:, columns]) if order else np.eye(3)
    return result


def _positions(joints: tuple[BvhJoint, ...], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, J, 3) position channels in file units, the OFFSET where there are none, and (J,) who has any."""
    has = np.zeros(len(joints), dtype=bool)
    positions = np.empty((len(values), len(joints), 3))
    positions[:] = [joint.offset for joint in joints]
    for joint, axis, column in _position_columns(joints):
        has[joint] = True
        positions[:, joint, axis] = values[:, column]
    return positions, has


def _decode(source: BvhSource) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Root places (T, 3), local rotations and, where bones move, local translations; metres, +Y up."""
    offsets = np.array([joint.offset for joint in source.joints])
    rotations = _rotations(source.joints, source.values)
    turn = source.turn.astype(np.float32)
    if not np.array_equal(turn, np.eye(3)):
        rotations[:, 0] = turn @ rotations[:, 0]
    inner = [entry for entry in _position_columns(source.joints) if entry[0] > 0]
    adds = source.meaning == "add"
    still = all(
        np.abs(source.values[:, column] - (0 if adds else offsets[joint, axis])).max() * source.scale < 1e-5
        for joint, axis, column in inner
    )
    if still:
        root = np.tile(offsets[0], (len(source.values), 1))
        for joint, axis, column in _position_columns(source.joints):
            if joint == 0:
                root[:, axis] = source.values[:, column]
                if source.meaning != "replace":
                    root[:, axis] += offsets[0, axis]
        return root @ source.turn.T * source.scale, rotations, None
    positions, has = _positions(source.joints, source.values)
    root, moves = guess.apply_channels(source.meaning, offsets, positions, has)
    root = root @ source.turn.T * source.scale
    moves = moves * source.scale
    moves[:, 0] = root
    return root, rotations, moves


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motions of a BVH file: one for each ROOT. See `kineme.formats.load` for what is raised."""
    file = parse(path, options)
    roots = [index for index, joint in enumerate(file.joints) if joint.parent < 0]
    if len(roots) == 1:
        return [_to_motion(file, path, options)]
    motions = []
    for start, stop in zip(roots, [*roots[1:], len(file.joints)], strict=True):
        motion = _to_motion(_one_body(file, start, stop), path, options)
        motions.append(motion.replace(source=None))
    return motions


def _one_body(file: BvhFile, start: int, stop: int) -> BvhFile:
    first = file.joints[start].column
    last = file.joints[stop].column if stop < len(file.joints) else file.values.shape[1]
    joints = tuple(
        BvhJoint(j.name, max(j.parent - start, -1), j.offset, j.channels, j.column - first, j.ends)
        for j in file.joints[start:stop]
    )
    return BvhFile(b"", joints, file.values[:, first:last], file.frame_time, file.frame_time_text, file.notes)


def _frame_rate(file: BvhFile, options: ReadOptions, path: Path) -> float:
    if options.fps is not None:
        return options.fps
    time = file.frame_time
    if not (np.isfinite(time) and 5e-4 <= time <= 5):
        raise InputError(
            f"the frame time {file.frame_time_text} s is not usable; give the frame rate with --source-fps",
            path,
        )
    rate = 1 / time
    if abs(rate - round(rate)) < 2e-4 * rate:
        return float(round(rate))
    decimals = len(file.frame_time_text.partition(".")[2])
    meant = [common for common in _COMMON_RATES if round(1 / common, decimals) == time]
    return meant[0] if decimals >= 3 and meant else rate


def _unique(names: list[str]) -> tuple[tuple[str, ...], bool]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(result), len(seen) < len(names)


def _to_motion(file: BvhFile, path: Path, options: ReadOptions) -> Motion:
    if len(file.joints) < 2:
        raise InputError("the file has a single joint, which is no body; export the whole skeleton", path)
    notes = list(file.notes)
    names, renamed = _unique([joint.name for joint in file.joints])
    if renamed:
        notes.append("joints of the same name were numbered")
    raw = Skeleton(
        names,
        tuple(joint.parent for joint in file.joints),
        np.array([joint.offset for joint in file.joints]),
        end_sites=tuple((j, end) for j, joint in enumerate(file.joints) for end in joint.ends),
    )
    sample = np.unique(np.linspace(0, len(file.values) - 1, _SAMPLES).astype(int))
    rotations = _rotations(file.joints, file.values[sample]).astype(np.float64)
    positions, has = _positions(file.joints, file.values[sample])
    placed = find_placement(raw, rotations, positions[:, 0], positions, options)
    skeleton, scale, guessed = placed.skeleton, placed.scale, dict(placed.guessed)
    meaning, is_open = guess.guess_channels(raw, rotations, positions, has, placed.up)
    if options.channels is not None:
        meaning = options.channels
    elif is_open:
        guessed["channels"] = meaning

    source = BvhSource(
        file.header, file.joints, file.values, file.frame_time_text, scale, placed.turn, meaning
    )
    root, local, moves = _decode(source)
    if moves is None and not np.allclose(
        skeleton.offsets[1:], raw.offsets[1:] * np.float32(scale), atol=1e-6
    ):
        moves = np.tile(raw.offsets * scale, (len(root), 1, 1))  # the rig's table put a rest place of its own
        moves[:, 0] = root
    provenance = Provenance(
        file=str(path),
        format="bvh",
        fps=_frame_rate(file, options, path),
        unit_scale=scale,
        units=placed.units,
        up_axis=placed.up,
        notes=(*notes, *placed.notes),
        guessed=guessed,
        holes=file.holes,
    )
    motion = Motion(skeleton, provenance.fps, root, local, moves, provenance=provenance, source=source)
    return note_quirks(motion)


def write(motion: Motion, path: Path) -> None:
    """Write a BVH file.

    A motion that came from a BVH file goes back into that file's hierarchy, units, axes and channels, and
    every joint and frame that was not edited keeps its very numbers. Any other goes out in centimetres with
    +Y up, channels Z X Y, and position channels (replacing OFFSET) for joints that move in their parent.

    Raises InputError for a motion of positions only.
    """
    if motion.local_rotations is None:
        raise InputError("a BVH needs rotations, and this motion has positions only; save it as .npz or .csv")
    written = _as_source(motion, motion.source) if isinstance(motion.source, BvhSource) else None
    header, values, time = written or _plain(motion)
    newline = b"\r\n" if b"\r\n" in header else b"\n"
    lines = [b"MOTION", b"Frames: %d" % len(values), b"Frame Time: " + time.encode(), b""]
    with open(path, "wb") as file:
        file.write(header)
        file.write(newline.join(lines))
        for row in values.tolist():
            file.write(" ".join(map(_number, row)).encode() + newline)


def _number(value: float) -> str:
    """The shortest text that reads back as the same number, without an exponent."""
    text = repr(value)
    return text if "e" not in text else np.format_float_positional(value, trim="0")


def _as_source(motion: Motion, source: BvhSource) -> tuple[bytes, np.ndarray, str] | None:
    """Header, values and frame time in the source's own terms; None where these cannot hold the motion."""
    names, _ = _unique([joint.name for joint in source.joints])
    if len(motion) != len(source.values) or names != motion.skeleton.names:
        return None
    values = source.values.copy()
    root, rotations, moves = _decode(source)
    if not (
        _put_rotations(motion, source, rotations, values) and _put_places(motion, source, root, moves, values)
    ):
        return None
    same_rate = motion.fps == motion.provenance.fps
    return source.header, values, source.frame_time_text if same_rate else _number(round(1 / motion.fps, 9))


def _put_rotations(motion: Motion, source: BvhSource, rotations: np.ndarray, values: np.ndarray) -> bool:
    """Rotations that differ from the source's go into `values`; False where a joint lacks the channels."""
    assert motion.local_rotations is not None
    edited = np.abs(motion.local_rotations - rotations).max(axis=(-1, -2)) > _SAME  # (T, J)
    for order, (members, columns) in _rotation_columns(source.joints).items():
        for joint, its_columns in zip(members, columns, strict=True):
            frames = np.flatnonzero(edited[:, joint])
            if len(frames) == 0:
                continue
            if len(order) != 3 or order[0] == order[1] or order[1] == order[2]:
                return False
            turned = motion.local_rotations[frames, joint].astype(np.float64)
            turned = source.turn.T @ turned if joint == 0 else turned
            cells = np.ix_(frames, np.array(its_columns))
            values[cells] = _nearest_angles(order, turned, values[cells])
    return True


def _put_places(
    motion: Motion, source: BvhSource, root: np.ndarray, moves: np.ndarray | None, values: np.ndarray
) -> bool:
    """Places that differ from the source's go into `values`; False where a joint lacks the channels."""
    offsets = np.array([joint.offset for joint in source.joints])
    shape = (len(values), *offsets.shape)
    given = motion.local_translations
    has = np.broadcast_to(motion.skeleton.offsets if given is None else given, shape)
    had = np.broadcast_to(offsets * source.scale if moves is None else moves, shape)
    moved = np.abs(has - had).max(axis=-1) > _SAME
    moved[:, 0] = np.abs(motion.root_translation - root).max(axis=-1) > _SAME
    channels: dict[int, dict[int, int]] = {}
    for joint, axis, column in _position_columns(source.joints):
        channels.setdefault(joint, {})[axis] = column
    for joint in np.flatnonzero(moved.any(axis=0)).tolist():
        if len(channels.get(joint, {})) != 3:
            return False
        place = motion.root_translation @ source.turn if joint == 0 else has[:, joint]
        adds = source.meaning == "add" or (source.meaning == "add-root" and joint == 0)
        numbers = place.astype(np.float64) / source.scale - (offsets[joint] if adds else 0)
        for axis, column in channels[joint].items():
            values[:, column] = np.where(moved[:, joint], np.round(numbers[:, axis], 6), values[:, column])
    return True


def _nearest_angles(order: str, matrices: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Euler angles (T, 3) in degrees of `matrices` (T, 3, 3); of equivalent ones those nearest to `near`."""
    first = matrix_to_euler(order, matrices)
    middle = -first[:, 1] if order[0] == order[2] else 180 - first[:, 1]
    second = np.stack([first[:, 0] + 180, middle, first[:, 2] + 180], axis=-1)
    both = np.stack([first, second])
    both += 360 * np.round((near - both) / 360)
    pick = np.abs(both - near).sum(axis=-1).argmin(axis=0)
    return np.round(both[pick, np.arange(len(near))], 6)


def _plain(motion: Motion) -> tuple[bytes, np.ndarray, str]:
    """Header, values and frame time of any motion: centimetres, +Y up, Z X Y, depth first."""
    skeleton, rotations, moves = motion.skeleton, motion.local_rotations, motion.local_translations
    assert rotations is not None
    offsets = skeleton.offsets.astype(np.float64) * 100
    offsets[0] = 0  # the root's channels then say its place, whether a reader adds or replaces
    places: dict[int, np.ndarray] = {0: motion.root_translation}
    if moves is not None:
        moving = np.abs(moves - skeleton.offsets).max(axis=(0, 2)) > _SAME
        places |= {joint: moves[:, joint] for joint in np.flatnonzero(moving).tolist() if joint}
    ends: dict[int, list[tuple[float, float, float]]] = {}
    for joint, end in skeleton.end_sites:
        ends.setdefault(joint, []).append(end)
    lines, columns = ["HIERARCHY"], []

    def put(joint: int, depth: int) -> None:
        pad, turns = "\t" * depth, "Zrotation Xrotation Yrotation"
        lines.extend([f"{pad}{'JOINT' if depth else 'ROOT'} {skeleton.names[joint]}", pad + "{"])
        lines.append(f"{pad}\tOFFSET {_offset_text(offsets[joint])}")
        if joint in places:
            columns.append(places[joint].astype(np.float64) * 100)
            lines.append(f"{pad}\tCHANNELS 6 Xposition Yposition Zposition {turns}")
        else:
            lines.append(f"{pad}\tCHANNELS 3 {turns}")
        columns.append(np.unwrap(matrix_to_euler("ZXY", rotations[:, joint]), period=360, axis=0))
        for child in skeleton.children[joint]:
            put(child, depth + 1)
        leaf = [] if skeleton.children[joint] else [(0.0, 0.0, 0.0)]
        for end in ends.get(joint, leaf):
            offset = f"{pad}\t\tOFFSET {_offset_text(np.array(end) * 100)}"
            lines.extend([f"{pad}\tEnd Site", f"{pad}\t{{", offset, f"{pad}\t}}"])
        lines.append(pad + "}")

    put(0, 0)
    values = np.round(np.concatenate(columns, axis=1), 6)
    return ("\n".join(lines) + "\n").encode(), values, _number(round(1 / motion.fps, 9))


def _offset_text(offset: np.ndarray) -> str:
    return " ".join(f"{number:.6f}" for number in offset)


def _sniff(path: Path, head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].upper() == b"HIERARCHY"


FORMAT = Format("bvh", (".bvh",), "Biovision hierarchy", read, write, _sniff)
