"""SMPL, SMPL-H and SMPL-X over a model file that the user holds: linear blend skinning with pose shapes.

As in Loper et al., *SMPL*, 2015: v = template + shapes beta + pose shapes (R - I), then every vertex
follows its joints by its weights. The canonical joints are the first 22 of the file's in the same order;
all others (hands, face) keep their rest pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kineme.body.posing import Surface, face_normals, joints_of, main_weights, posed_vertices
from kineme.body.smpl_file import SmplFile, read_smpl
from kineme.errors import InputError
from kineme.motion import Motion, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.skin import Skin

WHERE = "register at smpl.is.tue.mpg.de for the file; the capsule body needs none"


class SmplBody(nn.Module):
    """A `Body` and a `PosedBody` over a model file; `betas` are the person's shape.

    Raises InputError for a file that is missing or has another tree than SMPL's.
    """

    template: Tensor
    pose_shapes: Tensor
    weights: Tensor
    offsets: Tensor
    faces: Tensor

    def __init__(self, file: SmplFile | str | Path, betas: Sequence[float] = ()):
        super().__init__()
        if not isinstance(file, SmplFile):
            if not Path(file).is_file():
                raise InputError(f"there is no SMPL model file; {WHERE}", file)
            file = read_smpl(file)
        if file.parents[:22] != PARENTS:
            raise InputError("the body model has another tree of joints than SMPL, so no pose fits it")
        if len(betas) > file.shapedirs.shape[2]:
            raise InputError(f"the body model has {file.shapedirs.shape[2]} shapes, not {len(betas)}")
        self.parents, self.name = file.parents, file.name
        shaped = file.v_template + file.shapedirs[..., : len(betas)] @ np.asarray(betas, np.float32)
        joints = (file.joint_regressor @ shaped).astype(np.float32)
        above = joints[[max(parent, 0) for parent in file.parents]]
        self._offsets = np.vstack([joints[:1], (joints - above)[1:]])
        arrays = {
            "template": shaped,
            "pose_shapes": file.posedirs.reshape(-1, file.posedirs.shape[2]),
            "weights": file.weights,
            "offsets": self._offsets,
            "joints": joints,
        }
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.array(array, np.float32)), persistent=False)
        self.register_buffer("faces", torch.from_numpy(file.faces.astype(np.int64)), persistent=False)

    @cached_property
    def skeleton(self) -> Skeleton:
        """The file's first 22 joints, in its own proportions."""
        return Skeleton(JOINTS, PARENTS, self._offsets[:22], name="smpl22")

    @cached_property
    def skin(self) -> Skin:
        """The template with the four largest weights a vertex; what follows other joints, follows the 22."""
        weights = self.weights.numpy().copy()
        for joint in reversed(range(22, len(self.parents))):
            weights[:, self.parents[joint]] += weights[:, joint]
        weights = weights[:, :22]
        vertices = self.template.numpy()
        normals = face_normals(self.template[None], self.faces)[0].numpy()
        return Skin(self.skeleton, vertices, normals, self.faces.numpy(), *main_weights(weights))

    def forward(self, rotations: Tensor, root: Tensor) -> Surface:
        """rotations (T, 22, 3, 3) local, root (T, 3) the pelvis -> the surface, pose shapes included."""
        count, joints = len(rotations), len(self.parents)
        still = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
        whole = torch.cat([rotations, still.expand(count, joints - 22, 3, 3)], dim=1)
        bent = (whole[:, 1:] - still).flatten(1)  # (T, 9 (J - 1))
        shaped = self.template.to(root.dtype) + (bent @ self.pose_shapes.to(root.dtype).T).unflatten(
            1, (-1, 3)
        )
        places, turns = joints_of(self.parents, self.offsets.to(root.dtype), whole, root)
        at_rest = self.get_buffer("joints").to(root.dtype)
        moved = places - (turns @ at_rest[..., None])[..., 0]  # what a joint adds to R v
        blend = torch.einsum("vj,tjab->tvab", self.weights.to(root.dtype), turns)
        vertices = (blend @ shaped[..., None])[..., 0]
        vertices = vertices + torch.einsum("vj,tja->tva", self.weights.to(root.dtype), moved)
        return Surface(vertices, face_normals(vertices, self.faces), places[:, :22])

    def vertices(self, motion: Motion) -> np.ndarray:
        """(T, V, 3) float32 metres. Raises InputError for a motion that is not canonical or has no
        rotations."""
        return posed_vertices(self, motion)
