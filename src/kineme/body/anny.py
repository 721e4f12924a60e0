"""Anny, a free body model (Apache-2.0, its data CC0), as a surface over the canonical joints. Extra `body`.

Anny's rig `mixamo` has SMPL-22's tree among its bones. Its rest pose is an A-pose in Z-up, facing -Y, so a
pose is given to it as world orientations: how far each canonical joint has turned since it stood in that
A-pose, times the bone's orientation there. Fingers and toes' ends follow the bone that they hang on.

The first body that is made takes about a minute, since Anny builds its rig; later ones take it from a cache.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from kineme.body.posing import Surface, face_normals, joints_of, main_weights, posed_vertices
from kineme.errors import InputError
from kineme.motion import Motion, Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.retarget import retarget
from kineme.motion.rigs import recognise_rig
from kineme.motion.skin import Skin

#: from our +Y up, facing +Z, to Anny's +Z up, facing -Y
_TO_ANNY = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))


class AnnyBody(nn.Module):
    """A `Body` and a `PosedBody` of 13,718 vertices.

    Parameters
    ----------
    shape : Anny's own words for a person, each from 0 to 1: gender, age, muscle, weight, height, proportions.

    Raises InputError where Anny is not installed, or knows no such word.
    """

    world: Tensor
    orientations: Tensor
    undo: Tensor
    offsets: Tensor
    faces: Tensor

    def __init__(self, **shape: float):
        super().__init__()
        try:
            from anny import Anny  # type: ignore[import-not-found]
        except ImportError:
            raise InputError('the Anny body needs an extra: pip install "kineme[body]"') from None
        self.model = Anny(rig="mixamo", skinning_method="lbs").float().requires_grad_(False)
        unknown = sorted(set(shape) - set(self.model.phenotype_labels))
        if unknown:
            raise InputError(
                f"Anny knows no {', '.join(unknown)}; it knows {', '.join(self.model.phenotype_labels)}"
            )
        self.person = dict(shape)
        coefficients = self.model.get_phenotype_blendshape_coefficients(**shape)
        rest = self.model.get_rest_model(coefficients)["rest_bone_poses"][0].float()  # (bones, 4, 4)
        self.register_buffer("world", torch.tensor(_TO_ANNY), persistent=False)
        source = _rig(self.model, rest, self.world)
        rig = recognise_rig(source)
        still = Motion(source, 30.0, source.offsets[:1], source.rest_rotations[None])
        canonical = retarget(still, rig)
        #: the canonical joints in Anny's proportions
        self.skeleton: Skeleton = canonical.skeleton
        mapped = {source.index(name): JOINTS.index(joint) for joint, name in rig.joints.items()}
        self.leads = [
            next(mapped[j] for j in source.ancestors(bone) if j in mapped) for bone in range(len(source))
        ]
        self.bones = [source.index(rig.joints[joint]) for joint in JOINTS]
        buffers = {
            "orientations": rest[:, :3, :3],
            "undo": torch.from_numpy(canonical.global_rotations[0].copy()).mT,  # (22, 3, 3)
            "offsets": torch.from_numpy(canonical.skeleton.offsets.copy()),
            "faces": self.model.get_triangular_faces().long(),
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    @cached_property
    def skin(self) -> Skin:
        """The T-pose with the four largest weights a vertex; fingers follow their hand."""
        still = torch.eye(3).repeat(1, 22, 1, 1)
        with torch.no_grad():
            posed = self(still, torch.from_numpy(self.skeleton.offsets[:1].copy()))
        weights = np.zeros((posed.vertices.shape[1], 22))
        bones, shares = (
            t.cpu().numpy() for t in (self.model.vertex_bone_indices, self.model.vertex_bone_weights)
        )
        leads, rows = np.array(self.leads), np.arange(len(weights))
        for k in range(bones.shape[1]):
            np.add.at(weights, (rows, leads[bones[:, k]]), shares[:, k])
        surface = (posed.vertices[0].numpy(), posed.normals[0].numpy(), self.faces.numpy())
        return Skin(self.skeleton, *surface, *main_weights(weights))

    def vertices(self, motion: Motion) -> np.ndarray:
        """(T, V, 3) float32 metres. Raises InputError for a motion that is not canonical or has no
        rotations."""
        return posed_vertices(self, motion)

    def forward(self, rotations: Tensor, root: Tensor) -> Surface:
        """rotations (T, 22, 3, 3) local, root (T, 3) the pelvis -> the surface."""
        _, turns = joints_of(self.skeleton.parents, self.offsets, rotations, root)
        turned = self.world @ (turns @ self.undo) @ self.world.mT  # since the A-pose, in Anny's axes
        pose = torch.zeros(len(root), len(self.leads), 4, 4, dtype=root.dtype, device=root.device)
        pose[..., 3, 3] = 1.0
        pose[..., :3, :3] = turned[:, self.leads] @ self.orientations
        pose[:, 0, :3, 3] = root @ self.world.mT
        made = self.model(pose, self.person, pose_parameterization="world-orient")
        vertices = made["vertices"] @ self.world
        joints = made["bone_poses"][:, self.bones, :3, 3] @ self.world
        return Surface(vertices, face_normals(vertices, self.faces), joints)


def _rig(model, rest: Tensor, world: Tensor) -> Skeleton:
    """Anny's bones as a skeleton with +Y up, its A-pose as the rest pose; `rest` (bones, 4, 4)."""
    turns = (world.mT @ rest[:, :3, :3]).numpy().astype(np.float64)
    places = (rest[:, :3, 3] @ world).numpy().astype(np.float64)
    parents = tuple(int(p) for p in model.bone_parents)
    local, offsets = turns.copy(), places.copy()
    for bone, parent in enumerate(parents):
        if parent >= 0:
            local[bone] = turns[parent].T @ turns[bone]
            offsets[bone] = turns[parent].T @ (places[bone] - places[parent])
    return Skeleton(tuple(model.bone_labels), parents, offsets, local, name="anny")
