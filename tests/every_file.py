"""What is asked of every real motion file: read, upright, to scale, mapped, written in every format and back.

`check(path)` answers for one file; `members(data)` lists all files of the data folder, `table(...)` counts.
"""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from kineme.corpus.gaps import read_motions
from kineme.errors import InputError
from kineme.formats import ReadOptions, load_all, save
from kineme.formats.landmarks import find_landmarks
from kineme.formats.quirks import floor_height
from kineme.formats.registry import FORMATS
from kineme.motion import Motion
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rigs import recognise_rig
from kineme.tasks.prepare import fit_for

#: archive -> what its files are
ARCHIVES = {
    "bandai-namco/dataset-1.zip": "Bandai-Namco 1, BVH",
    "bandai-namco/dataset-2.zip": "Bandai-Namco 2, BVH",
    "cmu/asf-amc.zip": "CMU, AMC",
    "cmu/bvh-cgspeed.zip": "CMU cgspeed, BVH",
    "cmu/bvh-retargeted.zip": "CMU retargeted, BVH",
    "hdm05/hdm05-11.zip": "HDM05, AMC",
    "reactidle/reactidle.zip": "ReActIdle, BVH",
    "animated-drawings": "Animated Drawings, BVH",
    "cmu-prediction/cmu_mocap.zip": "CMU prediction, text",
    "cmu-prediction/walking_extra.zip": "CMU prediction extra, text",
}
#: the columns of the table
RESULTS = (
    "loaded",
    "upright",
    "to scale",
    "mapped",
    "bvh",
    "npz (AMASS)",
    "npz (joints)",
    "csv",
    "npy",
    "glb",
)
#: metres that a joint may move from being written and read
CLOSE = {"bvh": 5e-4, "npz (AMASS)": 1e-3, "glb": 1e-4}


@dataclass(frozen=True)
class Member:
    """A motion file: in an archive (`inside`), or by itself."""

    kind: str
    archive: Path
    inside: str = ""

    @property
    def name(self) -> str:
        return f"{self.archive.name}/{self.inside}" if self.inside else self.archive.name


@dataclass(frozen=True)
class Result:
    """What became of a file: the results that hold, and a sentence for each that does not."""

    member: Member
    good: frozenset[str] = frozenset()
    faults: dict[str, str] = field(default_factory=dict)


def reads_text() -> bool:
    """Whether some format reads ``.txt``."""
    return any(".txt" in entry.suffixes for entry in FORMATS)


def members(data: Path) -> list[Member]:
    """Every BVH and AMC file, and the text files where there is a reader for them."""
    endings = {".bvh", ".amc", *([".txt"] if reads_text() else [])}
    found = []
    for place, kind in ARCHIVES.items():
        path = data / place
        if path.is_dir():
            bare = (file for file in sorted(path.iterdir()) if file.suffix in endings - {".txt"})
            found += [Member(kind, file) for file in bare]
            continue
        with zipfile.ZipFile(path) as zipped:
            inside = [name for name in sorted(zipped.namelist()) if Path(name).suffix in endings]
        found += [Member(kind, path, name) for name in inside]
    return found


def check_members(some: Iterable[Member]) -> Iterator[Result]:
    """`check` of each, unpacked one at a time (an AMC with the ASF files beside it)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for member in some:
            path = _unpacked(member, folder)
            try:
                faults = check(path, folder)
            finally:
                if member.inside:
                    path.unlink()
            yield Result(member, frozenset(RESULTS) - faults.keys(), faults)


def _unpacked(member: Member, folder: Path) -> Path:
    if not member.inside:
        return member.archive
    place = folder / member.archive.stem
    with zipfile.ZipFile(member.archive) as zipped:
        if member.inside.endswith(".amc") and not place.exists():
            for name in zipped.namelist():
                if name.endswith(".asf"):
                    zipped.extract(name, place)
        return Path(zipped.extract(member.inside, place))


def check(path: Path, folder: Path) -> dict[str, str]:
    """What does not hold of a file, by result, in a few words. Writes into `folder`, and tidies up."""
    try:
        (motion, *_), _ = read_motions(path, ReadOptions())
    except InputError as error:
        return dict.fromkeys(RESULTS, str(error))
    faults: dict[str, str] = {}
    skeleton = motion.skeleton
    rig = recognise_rig(skeleton)
    marks = find_landmarks(skeleton, rig)
    if rig.advice or marks is None:
        faults["mapped"] = rig.advice or "no landmarks"
    if not 1.2 <= skeleton.rest_height <= 2.1:
        faults["to scale"] = f"{skeleton.rest_height:.2f} m"
    if marks is not None:
        rest = skeleton.rest_positions
        stands = rest[marks.head, 1] - rest[list(marks.ankles), 1].mean()
        rises = motion.positions[:, marks.head, 1] - motion.positions[:, list(marks.ankles), 1].mean(axis=1)
        if stands < 0.7 * skeleton.rest_height or rises.max() < 0.6 * skeleton.rest_height:
            faults["upright"] = f"head {stands:.2f} m over the ankles at rest, {rises.max():.2f} m at most"
        elif abs(floor_height(motion)) > 0.5:
            faults["upright"] = f"the floor is at {floor_height(motion):.2f} m"
    for name, trip in _TRIPS.items():
        try:
            off = trip(motion, folder / "out")
            if not off <= CLOSE.get(name, 1e-5):
                faults[name] = f"off by {off * 1000:.3f} mm"
        except InputError as error:
            faults[name] = str(error)
    return faults


def _worst(again: Motion, places: np.ndarray, names: tuple[str, ...], fps: float) -> float:
    """Largest distance between joints of the same name; infinite where frames, joints or rate differ."""
    if (
        len(again) != len(places)
        or set(again.skeleton.names) != set(names)
        or abs(again.fps / fps - 1) > 1e-6
    ):
        return float("inf")
    index = [again.skeleton.index(name) for name in names]
    return float(np.linalg.norm(again.positions[:, index] - places, axis=-1).max())


def _through(motion: Motion, path: Path) -> Motion:
    save(motion, path)
    try:
        return load_all(path)[0]
    finally:
        path.unlink()


def _bvh(motion: Motion, out: Path) -> float:
    written = fit_for(motion, ".bvh")
    again = _through(written, out.with_suffix(".bvh"))
    return _worst(again, written.positions, written.skeleton.names, written.fps)


def _amass(motion: Motion, out: Path) -> float:
    written = to_standard_body(fit_for(retarget(motion), ".bvh"))
    again = _through(written, out.with_suffix(".npz"))
    return _worst(again, written.positions, written.skeleton.names, written.fps)


def _joints(suffix: str) -> Callable[[Motion, Path], float]:
    def trip(motion: Motion, out: Path) -> float:
        bare = Motion.from_positions(motion.skeleton, motion.fps, motion.positions)
        again = _through(bare, out.with_suffix(suffix))
        return _worst(again, motion.positions, motion.skeleton.names, motion.fps)

    return trip


def _npy(motion: Motion, out: Path) -> float:
    path = out.with_suffix(".npy")
    save(Motion.from_positions(motion.skeleton, motion.fps, motion.positions), path)
    places = np.load(path)
    path.unlink()
    return float(np.abs(places - motion.positions).max())


def _glb(motion: Motion, out: Path) -> float:
    """Forward kinematics of the written nodes by the glTF specification, at three frames."""
    written, path = fit_for(motion, ".glb"), out.with_suffix(".glb")
    save(written, path)
    data = path.read_bytes()
    path.unlink()
    (length,) = struct.unpack("<I", data[12:16])
    said, blob = json.loads(data[20 : 20 + length]), data[28 + length :]

    def array(number: int) -> np.ndarray:
        accessor = said["accessors"][number]
        start, width = said["bufferViews"][accessor["bufferView"]]["byteOffset"], {"SCALAR": 1, "VEC3": 3}
        columns = width.get(accessor["type"], 4)
        return np.frombuffer(blob, "<f4", accessor["count"] * columns, start).reshape(-1, columns)

    joints, (animation,) = said["skins"][0]["joints"], said["animations"]
    parent = {child: node for node, entry in enumerate(said["nodes"]) for child in entry.get("children", ())}
    worst = 0.0
    for frame in sorted({0, len(written) // 2, len(written) - 1}):
        own = {node: {k: entry[k] for k in ("translation", "rotation")} for node, entry in
               ((n, said["nodes"][n]) for n in joints)}  # fmt: skip
        for channel in animation["channels"]:
            keys = array(animation["samplers"][channel["sampler"]]["output"])
            key = keys[frame] if len(keys) == len(written) else keys[0]
            own[channel["target"]["node"]][channel["target"]["path"]] = key
        turns = Rotation.from_quat(np.array([own[node]["rotation"] for node in joints])).as_matrix()
        world: dict[int, np.ndarray] = {}
        for node, turn in zip(joints, turns, strict=True):
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = turn, own[node]["translation"]
            world[node] = world[parent[node]] @ matrix if node in parent else matrix
        places = np.stack([world[node][:3, 3] for node in joints])
        worst = max(worst, float(np.linalg.norm(places - written.positions[frame], axis=-1).max()))
    names = tuple(said["nodes"][node]["name"] for node in joints)
    return worst if names == written.skeleton.names else float("inf")


_TRIPS: dict[str, Callable[[Motion, Path], float]] = {
    "bvh": _bvh,
    "npz (AMASS)": _amass,
    "npz (joints)": _joints(".npz"),
    "csv": _joints(".csv"),
    "npy": _npy,
    "glb": _glb,
}


def table(results: Iterable[Result]) -> str:
    """File kind x result, as ``good/all`` with a dot where all are good, and the faults under it."""
    results = list(results)
    kinds = dict.fromkeys(result.member.kind for result in results)
    width = max([*map(len, kinds), 10])
    lines = [f"{'':{width}} {'files':>6} " + " ".join(f"{name:>12}" for name in RESULTS)]
    for kind in kinds:
        rows = [result for result in results if result.member.kind == kind]
        counts = [sum(name in row.good for row in rows) for name in RESULTS]
        cells = ["all" if count == len(rows) else f"{count}" for count in counts]
        lines.append(f"{kind:{width}} {len(rows):6d} " + " ".join(f"{cell:>12}" for cell in cells))
    counts = [sum(name in row.good for row in results) for name in RESULTS]
    lines.append(f"{'all':{width}} {len(results):6d} " + " ".join(f"{count:>12}" for count in counts))
    faulty = [result for result in results if result.faults]
    for result in faulty[:40]:
        told = "; ".join(f"{name}: {what}" for name, what in result.faults.items())
        lines.append(f"  {result.member.name}: {told[:300]}")
    if len(faulty) > 40:
        lines.append(f"  and {len(faulty) - 40} more")
    return "\n".join(lines)
