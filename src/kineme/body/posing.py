"""Surfaces that follow a pose differentiably: the torch side of `motion.skin` and `motion.kinematics`.

T frames, J joints, V vertices; any leading axes before J are allowed where it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.skin import Skin


class Surface(NamedTuple):
    """Points on a body in every frame.

    Attributes
    ----------
    vertices : (T, V, 3) metres. normals : (T, V, 3), outwards, of length about 1. joints : (T, J, 3) metres.
    """

    vertices: Tensor
    normals: Tensor
    joints: Tensor


class PosedBody(Protocol):
    """A body whose surface can be differentiated by its pose."""

    def __call__(self, rotations: Tensor, root: Tensor) -> Surface:
        """The surface at local rotations (T, 22, 3, 3) of the canonical joints, the pelvis at `root`
        (T, 3)."""
        ...


def posed_vertices(body: PosedBody, motion: Motion) -> np.ndarray:
    """(T, V, 3) float32 metres: the surface in every frame of a motion of the canonical joints.

    Raises InputError for other joints, or a motion of positions only.
    """
    if motion.skeleton.names != JOINTS or motion.local_rotations is None:
        raise InputError("the motion has other joints than the body; retarget it first")
    with torch.no_grad():
        rotations, root = (np.array(a) for a in (motion.local_rotations, motion.root_translation))
        return body(torch.from_numpy(rotations), torch.from_numpy(root)).vertices.numpy()


def main_weights(weights: np.ndarray, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """(V, count) joints and weights of (V, J) weights: the largest, made to sum to 1; glTF allows four."""
    most = np.argsort(-weights, axis=1)[:, :count]
    kept = np.take_along_axis(weights, most, axis=1)
    return most, kept / kept.sum(1, keepdims=True)


def joints_of(
    parents: Sequence[int], offsets: Tensor, rotations: Tensor, root: Tensor
) -> tuple[Tensor, Tensor]:
    """Places (..., J, 3) and world rotations (..., J, 3, 3) of local rotations (..., J, 3, 3).

    offsets : (J, 3) metres in the parent's frame. root : (..., 3), the root joint's place.
    """
    places, turns = [root], [rotations[..., 0, :, :]]
    for joint in range(1, len(parents)):
        parent = parents[joint]
        places.append(places[parent] + (turns[parent] @ offsets[joint, :, None])[..., 0])
        turns.append(turns[parent] @ rotations[..., joint, :, :])
    return torch.stack(places, dim=-2), torch.stack(turns, dim=-3)


def rotation_of(sixd: Tensor) -> Tensor:
    """6D rotations (..., 6) to matrices (..., 3, 3) by Gram-Schmidt (Zhou et al., CVPR 2019)."""
    x = nn.functional.normalize(sixd[..., :3], dim=-1)
    y = sixd[..., 3:]
    y = nn.functional.normalize(y - (y * x).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


class SkinnedBody(nn.Module):
    """A `Skin` by linear blend skinning (`Skin.posed`), or points spread evenly over it.

    Parameters
    ----------
    points : how many; 0 takes the skin's own vertices. A capsule has vertices at its ends only, which is no
        surface to be seen.
    """

    offsets: Tensor
    own: Tensor
    normals: Tensor
    members: Tensor
    weights: Tensor

    def __init__(self, skin: Skin, points: int = 0):
        super().__init__()
        at_rest, turned = skin.rest
        self.parents = skin.skeleton.parents
        into = np.swapaxes(turned, -1, -2)[skin.joints]  # (V, K, 3, 3)
        away = skin.vertices[:, None] - at_rest[skin.joints]
        own = (into @ away[..., None])[..., 0]  # a vertex in the frame of each of its joints
        normals = (into @ skin.normals[:, None, :, None])[..., 0]
        held = (own, normals, skin.joints, skin.weights)
        own, normals, joints, weights = _spread(skin, held, points) if points else held
        arrays = {"offsets": skin.skeleton.offsets, "own": own, "normals": normals, "weights": weights}
        for name, array in arrays.items():
            array = np.array(array if name == "offsets" else np.swapaxes(array, 0, 1), np.float32)
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        members = torch.from_numpy(np.array(joints.T, np.int64))
        self.register_buffer("members", members, persistent=False)

    def forward(self, rotations: Tensor, root: Tensor) -> Surface:
        """rotations (T, J, 3, 3) local, root (T, 3) -> the surface."""
        places, turns = joints_of(self.parents, self.offsets.to(root.dtype), rotations, root)
        vertices: Tensor | float = 0.0
        normals: Tensor | float = 0.0
        for own, normal, joint, weight in zip(
            self.own, self.normals, self.members, self.weights, strict=True
        ):
            turn = turns[:, joint]  # (T, V, 3, 3)
            share = weight[:, None].to(root.dtype)
            moved = (turn * own.to(root.dtype)[:, None]).sum(-1) + places[:, joint]
            vertices = vertices + share * moved
            normals = normals + share * (turn * normal.to(root.dtype)[:, None]).sum(-1)
        assert isinstance(vertices, Tensor) and isinstance(normals, Tensor)
        return Surface(vertices, normals, places)


_Held = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _spread(skin: Skin, held: _Held, count: int) -> _Held:
    """Points over the faces by area: each is a fixed mean of a face's three corners, however these move.
    None lies inside another piece of the skin, as half of the trunk's capsules do.

    held : of the vertices (V, K, ...): places and normals in their joints' frames, joints, weights. What a
    point has of one joint is put together, so that most points follow one joint or two.
    """
    face, corner = _on_faces(skin, count)
    if (free := ~_buried(skin, face, corner)).mean() < 1 and free.any():
        face, corner = _on_faces(skin, int(np.ceil(1.02 * count / free.mean())))
        kept = np.flatnonzero(~_buried(skin, face, corner))
        kept = kept[np.linspace(0, len(kept) - 1, min(count, len(kept))).astype(int)]
        face, corner = face[kept], corner[kept]
        count = len(face)
    own, normals, joints, weights = (array[skin.faces[face]] for array in held)  # (N, 3, K, ...)
    weights = (corner[..., None] * weights).reshape(count, -1)
    joints = joints.reshape(count, -1)
    own, normals = (array.reshape(count, weights.shape[1], 3) for array in (own, normals))
    for k in range(1, joints.shape[1]):
        for before in range(k):
            same = (joints[:, k] == joints[:, before]) & (weights[:, k] > 0)
            total = weights[same, before] + weights[same, k]
            share = np.divide(weights[same, k], total, out=np.zeros_like(total), where=total > 0)[:, None]
            for array in (own, normals):
                array[same, before] = (1 - share) * array[same, before] + share * array[same, k]
            weights[same, before], weights[same, k] = total, 0.0
    order = np.argsort(-weights, axis=1, kind="stable")[:, : int((weights > 0).sum(1).max())]
    rows = np.arange(count)[:, None]
    return own[rows, order], normals[rows, order], joints[rows, order], weights[rows, order]


def _on_faces(skin: Skin, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) faces and (N, 3) shares of their corners, spread evenly by area (Roberts' R2 sequence)."""
    a, b, c = (skin.vertices[skin.faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
    at = (np.arange(count) + 0.5) / count  # one in each stretch of equal area
    face = np.minimum(np.searchsorted(np.cumsum(area) / area.sum(), at), len(area) - 1)
    plastic = 1.32471795724474602596
    first, second = (np.mod(0.5 + np.arange(count) / plastic**k, 1) for k in (1, 2))
    root = np.sqrt(first)
    return face, np.stack([1 - root, root * (1 - second), root * second], axis=-1)


def _buried(skin: Skin, face: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """(N,) bool: whether a point on a face lies inside another piece of a skin of convex pieces, at rest."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import ConvexHull

    edges = np.concatenate([skin.faces[:, [0, 1]], skin.faces[:, [1, 2]]])
    size = len(skin.vertices)
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size))
    pieces, piece = connected_components(graph, directed=False)
    points = (corner[..., None] * skin.vertices[skin.faces[face]]).sum(1)
    own, buried = piece[skin.faces[face, 0]], np.zeros(len(face), dtype=bool)
    for number in range(pieces if pieces > 1 else 0):
        corners = skin.vertices[piece == number]
        planes = ConvexHull(corners).equations
        low, high = corners.min(0), corners.max(0)
        near = (own != number) & ((points > low) & (points < high)).all(1)
        inside = (points[near] @ planes[:, :3].T + planes[:, 3] < -1e-4).all(1)
        buried[np.flatnonzero(near)[inside]] = True
    return buried


def face_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """(T, V, 3) of length one: means of the faces' (F, 3) normals by area, at every vertex."""
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    face = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for k in range(3):
        total = total.index_add(1, faces[:, k], face)
    return nn.functional.normalize(total, dim=-1, eps=1e-12)
