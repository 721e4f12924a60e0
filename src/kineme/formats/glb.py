"""GLB: glTF 2.0 in one file, with a capsule figure that the motion moves. Written, not read.

Joints are nodes under the source's names, in metres with +Y up, and stand in the rest pose; the figure is
skinned to them; each motion is an animation with a key at every frame. Blender, three.js and game engines
open it without asking anything. The format is that of the glTF 2.0 specification of the Khronos Group.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kineme import __version__
from kineme.errors import InputError
from kineme.formats.options import Format, ReadOptions
from kineme.motion import Motion, Skeleton
from kineme.motion.capsules import capsule_skin
from kineme.motion.frame import in_place as without_travel
from kineme.motion.rotations import matrix_to_quaternion
from kineme.motion.skin import Skin

_MAGIC, _JSON, _BIN = b"glTF", b"JSON", b"BIN\0"
_FLOAT, _BYTE, _SHORT, _INT = 5126, 5121, 5123, 5125  # component types
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is bound to
#: metres and quaternion entries that differ by less are the same
_SAME = 1e-6
#: colour and roughness of the figure
_MATERIAL = {
    "name": "figure",
    "pbrMetallicRoughness": {
        "baseColorFactor": [0.36, 0.47, 0.62, 1.0],
        "metallicFactor": 0.0,
        "roughnessFactor": 0.7,
    },
}


def write_glb(
    motions: Motion | Sequence[Motion],
    path: Path,
    *,
    names: Sequence[str] | None = None,
    in_place: bool = False,
    skin: Skin | None = None,
) -> None:
    """Write motions of one skeleton as the animations of one figure.

    Parameters
    ----------
    motions : with rotations, all of the same tree of joints; bones may differ in length.
    names : of the animations; by default those of the files that the motions came from.
    in_place : take the travel over the floor out (`kineme.motion.frame.in_place`).
    skin : the surface, over the first motion's skeleton; capsules by default.

    Raises InputError for a motion of positions only, or of another skeleton than the first.
    """
    motions = [motions] if isinstance(motions, Motion) else list(motions)
    if not motions:
        raise InputError("there is no motion to write", path)
    skeleton = motions[0].skeleton
    for motion in motions:
        if motion.positions_only:
            raise InputError(
                "a GLB needs rotations, and this motion has positions only; save it as .npz or .csv"
            )
        if not motion.skeleton.same_tree(skeleton):
            raise InputError("the motions have different skeletons; write each to a file of its own")
    skin = capsule_skin(skeleton) if skin is None else skin
    if not skin.skeleton.same_tree(skeleton):
        raise InputError("the surface is of another skeleton than the motion")
    pack = _Pack()
    nodes = _nodes(skeleton)
    root = len(nodes)  # a skinned mesh stands at the scene's root: its own place counts for nothing
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": f"kineme {__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0, root]}],
        "nodes": [*nodes, {"name": "figure", "mesh": 0, "skin": 0}],
        "meshes": [{"name": "figure", "primitives": [_primitive(skin, pack)]}],
        "materials": [_MATERIAL],
        "skins": [{"joints": list(range(len(nodes))), "inverseBindMatrices": _bind(skin, pack)}],
    }
    called = _unique(names or [Path(motion.provenance.file).stem or "motion" for motion in motions])
    document["animations"] = [
        _animation(without_travel(motion) if in_place else motion, name, nodes, pack)
        for motion, name in zip(motions, called, strict=True)
    ]
    document |= {
        "accessors": pack.accessors,
        "bufferViews": pack.views,
        "buffers": [{"byteLength": pack.size}],
    }
    _write_chunks(path, document, pack)


class _Pack:
    """The binary chunk: arrays one after another, each at a multiple of 4 bytes, with their descriptions."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, array: np.ndarray, kind: str, *, target: int | None = None, bounds: bool = False) -> int:
        """Index of the accessor over `array` (N, ...): `kind` is SCALAR, VEC3, VEC4 or MAT4."""
        types = {"float32": _FLOAT, "uint8": _BYTE, "uint16": _SHORT, "uint32": _INT}
        array = np.ascontiguousarray(array)
        data = array.tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": types[array.dtype.name],
            "count": len(array),
            "type": kind,
        }
        if bounds:
            flat = array.reshape(len(array), -1)
            accessor |= {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}
        data += b"\0" * (-len(data) % 4)
        self.parts.append(data)
        self.size += len(data)
        self.views.append(view)
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _nodes(skeleton: Skeleton) -> list[dict[str, Any]]:
    """A node for each joint, in the rest pose."""
    turns = _quaternions(skeleton.rest_rotations[None])[0]
    nodes = []
    for joint, name in enumerate(skeleton.names):
        node: dict[str, Any] = {
            "name": name,
            "translation": skeleton.offsets[joint].tolist(),
            "rotation": turns[joint].tolist(),
        }
        if skeleton.children[joint]:
            node["children"] = list(skeleton.children[joint])
        nodes.append(node)
    return nodes


def _quaternions(matrices: np.ndarray) -> np.ndarray:
    """Rotations (T, J, 3, 3) as float32 xyzw (T, J, 4), neighbouring frames in the same half space."""
    turns = matrix_to_quaternion(np.asarray(matrices, dtype=np.float64))
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    flips = np.where((turns[1:] * turns[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    turns[1:] *= np.cumprod(flips, axis=0)
    return turns.astype(np.float32)


def _primitive(skin: Skin, pack: _Pack) -> dict[str, Any]:
    joints, weights = _four(skin)
    narrow = np.uint8 if len(skin.skeleton) <= 256 else np.uint16
    short = np.uint16 if len(skin.vertices) < 65_535 else np.uint32
    return {
        "attributes": {
            "POSITION": pack.add(skin.vertices, "VEC3", target=_VERTICES, bounds=True),
            "NORMAL": pack.add(skin.normals, "VEC3", target=_VERTICES),
            "JOINTS_0": pack.add(joints.astype(narrow), "VEC4", target=_VERTICES),
            "WEIGHTS_0": pack.add(weights.astype(np.float32), "VEC4", target=_VERTICES),
        },
        "indices": pack.add(skin.faces.reshape(-1).astype(short), "SCALAR", target=_INDICES),
        "material": 0,
    }


def _four(skin: Skin) -> tuple[np.ndarray, np.ndarray]:
    """Joints and weights (V, 4): the four heaviest of each vertex; a joint without weight is joint 0."""
    order = np.argsort(-skin.weights, axis=1, kind="stable")[:, :4]
    weights = np.take_along_axis(skin.weights, order, axis=1).astype(np.float64)
    joints = np.where(weights > 0, np.take_along_axis(skin.joints, order, axis=1), 0)
    lacking = ((0, 0), (0, 4 - order.shape[1]))
    weights, joints = np.pad(weights, lacking), np.pad(joints, lacking)
    return joints, weights / weights.sum(axis=1, keepdims=True)


def _bind(skin: Skin, pack: _Pack) -> int:
    """The accessor of the inverses of the joints' places in the world at rest."""
    places, turns = skin.rest
    inverse = np.zeros((len(places), 4, 4), dtype=np.float64)
    inverse[:, :3, :3] = np.swapaxes(turns, -1, -2)
    inverse[:, :3, 3] = -np.einsum("jba,jb->ja", turns, places)
    inverse[:, 3, 3] = 1
    columns = np.swapaxes(inverse, -1, -2).astype(np.float32)  # glTF stores matrices column by column
    return pack.add(columns, "MAT4")


def _animation(motion: Motion, name: str, nodes: Sequence[dict[str, Any]], pack: _Pack) -> dict[str, Any]:
    """Every joint's rotation, and the place of the root and of joints that move in their parent.

    What never changes has a key at the first and the last frame only.
    """
    frames, skeleton = len(motion), motion.skeleton
    times = (np.arange(frames) / motion.fps).astype(np.float32)
    whole = pack.add(times, "SCALAR", bounds=True)
    ends: list[int] = []
    assert motion.local_rotations is not None
    turns = _quaternions(motion.local_rotations)
    places = np.broadcast_to(skeleton.offsets, (frames, *skeleton.offsets.shape))
    places = (places if motion.local_translations is None else motion.local_translations).copy()
    places[:, 0] = motion.root_translation
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def put(joint: int, what: str, keys: np.ndarray, kind: str) -> None:
        still = frames > 2 and bool(np.abs(keys - keys[0]).max() <= _SAME)
        if still and not ends:
            ends.append(pack.add(times[[0, -1]], "SCALAR", bounds=True))
        output = pack.add(keys[[0, -1]] if still else keys, kind)
        target = {"node": joint, "path": what}
        channels.append({"sampler": len(samplers), "target": target})
        samplers.append({"input": ends[0] if still else whole, "output": output, "interpolation": "LINEAR"})

    for joint, node in enumerate(nodes):
        put(joint, "rotation", turns[:, joint], "VEC4")
        rest = np.array(node["translation"], dtype=np.float32)
        if joint == 0 or np.abs(places[:, joint] - rest).max() > _SAME:
            put(joint, "translation", places[:, joint], "VEC3")
    about = {"fps": float(motion.fps), "frames": frames}
    return {"name": name, "channels": channels, "samplers": samplers, "extras": about}


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    called = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        called.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return called


def _write_chunks(path: Path, document: dict[str, Any], pack: _Pack) -> None:
    # names are of files and joints: text that is no Unicode (a lone surrogate) must not break the file
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + pack.size
    if total >= 2**32:
        raise InputError("the animations do not fit into one GLB (4 GB); write them to several files")
    with open(path, "wb") as file:
        file.write(_MAGIC + struct.pack("<II", 2, total))
        file.write(struct.pack("<I", len(text)) + _JSON + text)
        file.write(struct.pack("<I", pack.size) + _BIN)
        for part in pack.parts:
            file.write(part)


def _read(path: Path, options: ReadOptions) -> list[Motion]:
    raise InputError("kineme writes GLB and does not read it; open it in Blender and export BVH", path)


def _sniff(path: Path, head: bytes) -> bool:
    return head.startswith(_MAGIC)


FORMAT = Format("glb", (".glb",), "glTF 2.0 with a capsule figure", _read, write_glb, _sniff)
