"""GLB: read back with pygltflib and trimesh, and checked by the Khronos validator where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from bodies import walkabout
from kineme.errors import InputError
from kineme.formats import find_files, load, save
from kineme.formats.glb import write_glb
from kineme.motion import SMPL22, Motion
from kineme.motion.frame import in_place

pygltflib = pytest.importorskip("pygltflib")


class Opened:
    """A GLB read with pygltflib, its arrays unpacked by what the file says of them."""

    def __init__(self, path: Path):
        self.file = pygltflib.GLTF2().load_binary(str(path))
        self.blob = self.file.binary_blob()

    def array(self, accessor: int) -> np.ndarray:
        entry = self.file.accessors[accessor]
        view = self.file.bufferViews[entry.bufferView]
        kind = {5126: np.float32, 5121: np.uint8, 5123: np.uint16, 5125: np.uint32}[entry.componentType]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[entry.type]
        start = (view.byteOffset or 0) + (entry.byteOffset or 0)
        flat = np.frombuffer(self.blob, kind, entry.count * width, start)
        return flat.reshape(entry.count, width)

    @property
    def joints(self) -> list[int]:
        return self.file.skins[0].joints

    @property
    def names(self) -> list[str]:
        return [self.file.nodes[joint].name for joint in self.joints]

    def matrices(self, animation: int | None, seconds: float) -> np.ndarray:
        """(J, 4, 4): the joints in the world at a time; at rest without an animation."""
        nodes = self.file.nodes
        moved = [
            (np.array(node.translation or (0, 0, 0), float), node.rotation or [0, 0, 0, 1]) for node in nodes
        ]
        for channel in self.file.animations[animation].channels if animation is not None else ():
            sampler = self.file.animations[animation].samplers[channel.sampler]
            times, keys = self.array(sampler.input)[:, 0], self.array(sampler.output).astype(float)
            at = np.clip(seconds, times[0], times[-1])
            place, turn = moved[channel.target.node]
            if channel.target.path == "translation":
                place = np.array([np.interp(at, times, keys[:, axis]) for axis in range(3)])
            else:
                turn = Slerp(times, Rotation.from_quat(keys))(at).as_quat() if len(keys) > 1 else keys[0]
            moved[channel.target.node] = (place, turn)
        world: dict[int, np.ndarray] = {}

        def walk(node: int, above: np.ndarray) -> None:
            own = np.eye(4)
            own[:3, :3], own[:3, 3] = Rotation.from_quat(moved[node][1]).as_matrix(), moved[node][0]
            world[node] = above @ own
            for child in nodes[node].children or ():
                walk(child, world[node])

        for node in self.file.scenes[self.file.scene].nodes:
            walk(node, np.eye(4))
        return np.stack([world[joint] for joint in self.joints])

    def surface(self, animation: int | None, seconds: float) -> np.ndarray:
        """(V, 3): the skinned vertices, as the specification says: sum of weight * world * inverse bind."""
        primitive = self.file.meshes[0].primitives[0]
        bind = self.array(self.file.skins[0].inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
        moved = self.matrices(animation, seconds) @ bind
        points = np.c_[self.array(primitive.attributes.POSITION), np.ones(self.count)]
        joints, weights = (
            self.array(primitive.attributes.JOINTS_0),
            self.array(primitive.attributes.WEIGHTS_0),
        )
        return np.einsum("vk,vkab,vb->va", weights, moved[joints.astype(int)], points)[:, :3]

    @property
    def count(self) -> int:
        return self.file.accessors[self.file.meshes[0].primitives[0].attributes.POSITION].count


def worst(opened: Opened, animation: int, motion: Motion, frames: list[int]) -> float:
    """Largest distance in metres between the written nodes and the motion's joints."""
    places = [opened.matrices(animation, frame / motion.fps)[:, :3, 3] for frame in frames]
    return float(np.linalg.norm(places - motion.positions[frames], axis=-1).max())


REAL = {
    "moves its bones": ("reactidle/reactidle.zip", "*000_genuine*"),
    "no T-pose at zero": ("bandai-namco/dataset-1.zip", "*walk_normal_002.bvh"),
    "a hundred joints": ("cmu/bvh-retargeted.zip", "*/001_01*"),
    "AMC": ("cmu/asf-amc.zip", "*02*"),
}


@pytest.mark.parametrize("name", REAL)
def test_nodes_and_surface_of_real_takes_are_where_the_motion_is(
    name: str, unpacked: Callable[..., Path], tmp_path: Path
):
    motion = load(find_files(unpacked(REAL[name][0], REAL[name][1]))[0])
    assert isinstance(motion, Motion)
    motion = motion[: min(len(motion), 300)]
    save(motion, tmp_path / "a.glb")
    opened = Opened(tmp_path / "a.glb")
    assert tuple(opened.names) == motion.skeleton.names
    frames = [0, 1, len(motion) // 2, len(motion) - 1]
    assert worst(opened, 0, motion, frames) < 1e-4
    np.testing.assert_allclose(opened.matrices(None, 0)[:, :3, 3], motion.skeleton.rest_positions, atol=1e-5)
    for frame in frames:  # the skin hangs on the body: a human's height, and near the joints
        points = opened.surface(0, frame / motion.fps)
        low, high = motion.positions[frame].min(axis=0) - 0.25, motion.positions[frame].max(axis=0) + 0.25
        assert (points > low).all() and (points < high).all()
    standing = opened.surface(None, 0)
    assert 1.3 < np.ptp(standing[:, 1]) < 2.1 and abs(standing[:, 1].min()) < 0.15


def test_keys_stand_at_the_frames_and_quaternions_take_the_short_way(tmp_path: Path):
    motion = walkabout(frames=40).replace(fps=24.0)
    save(motion, tmp_path / "a.glb")
    opened = Opened(tmp_path / "a.glb")
    (animation,) = opened.file.animations
    turned = {c.target.node for c in animation.channels if c.target.path == "rotation"}
    assert turned == set(range(22))
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        np.testing.assert_allclose(opened.array(sampler.input)[:, 0], np.arange(40) / 24, rtol=1e-6)
        keys = opened.array(sampler.output)
        if channel.target.path == "rotation":
            np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-6)
            assert ((keys[1:] * keys[:-1]).sum(axis=1) >= 0).all()
    assert [c.target.node for c in animation.channels if c.target.path == "translation"] == [0]


def test_several_motions_are_animations_of_one_figure(tmp_path: Path):
    first, second = walkabout(seed=1), walkabout(seed=2, frames=5)
    longer = second.replace(skeleton=second.skeleton.scaled(1.1))
    write_glb([first, longer], tmp_path / "a.glb", names=["walk", "walk"])
    opened = Opened(tmp_path / "a.glb")
    assert [animation.name for animation in opened.file.animations] == ["walk", "walk.2"]
    assert len(opened.file.skins) == len(opened.file.meshes) == 1
    assert worst(opened, 0, first, [0, 11]) < 1e-4 and worst(opened, 1, longer, [0, 4]) < 1e-4


def test_in_place_keeps_heights_and_turns(tmp_path: Path):
    motion = walkabout()
    write_glb(motion, tmp_path / "a.glb", in_place=True)
    still = in_place(motion)
    expected = motion.positions[:1, 0, [0, 2]].repeat(12, 0)
    np.testing.assert_allclose(still.positions[:, 0, [0, 2]], expected, atol=1e-6)
    np.testing.assert_allclose(still.positions[..., 1], motion.positions[..., 1], atol=1e-6)
    assert worst(Opened(tmp_path / "a.glb"), 0, still, [0, 5, 11]) < 1e-4


def test_in_place_of_a_body_under_a_floor_root(unpacked: Callable[..., Path]):
    folder = unpacked("bandai-namco/dataset-1.zip", "*walk_normal_002.bvh")
    motion = load(next(folder.rglob("*walk_normal_002.bvh")))
    hips = motion.skeleton.index("Hips")
    assert np.ptp(motion.positions[:, hips, 2]) > 0.5
    assert np.ptp(in_place(motion).positions[:, hips, [0, 2]], axis=0).max() < 1e-5


def test_trimesh_opens_the_scene(tmp_path: Path):
    trimesh = pytest.importorskip("trimesh")
    save(walkabout(), tmp_path / "a.glb")
    scene = trimesh.load(tmp_path / "a.glb")
    (mesh,) = scene.geometry.values()
    assert mesh.is_winding_consistent and mesh.volume > 0
    assert 1.5 < np.ptp(mesh.vertices[:, 1]) < 1.9


def test_a_single_pose_and_odd_names(tmp_path: Path):
    motion = walkabout(frames=1)
    names = ('a"b', "ä\n</script>", "\udce9", *SMPL22.names[3:])
    skeleton = type(SMPL22)(names, SMPL22.parents, SMPL22.offsets)
    save(motion.replace(skeleton=skeleton), tmp_path / "a.glb")
    opened = Opened(tmp_path / "a.glb")
    assert opened.names[:2] == list(names[:2]) and opened.names[2] == "?"
    assert worst(opened, 0, motion, [0]) < 1e-4


def test_what_does_not_fit_is_said_and_leaves_nothing(tmp_path: Path):
    bare = Motion.from_positions(SMPL22, 30, walkabout().positions)
    with pytest.raises(InputError, match="needs rotations"):
        save(bare, tmp_path / "a.glb")
    other = SMPL22.names[::-1]
    odd = walkabout().replace(skeleton=type(SMPL22)(other, SMPL22.parents, SMPL22.offsets))
    with pytest.raises(InputError, match="different skeletons"):
        write_glb([walkabout(), odd], tmp_path / "b.glb")
    assert not any(tmp_path.glob("*.glb"))
    save(walkabout(), tmp_path / "c.glb")
    with pytest.raises(InputError, match="does not read it"):
        load(tmp_path / "c.glb")
    assert find_files(tmp_path) == []


VALIDATE = """
const fs = require('fs'), validator = require('gltf-validator');
Promise.all(process.argv.slice(2).map(file => validator.validateBytes(new Uint8Array(fs.readFileSync(file)))))
  .then(reports => console.log(JSON.stringify(reports.map(report => report.issues))));
"""


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict]]:
    """The Khronos validator of npm: found globally or in $NODE_PATH; skipped where it is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("needs node and the npm package gltf-validator")
    places = (
        []
        if npm is None
        else [subprocess.run([npm, "root", "-g"], capture_output=True, text=True).stdout.strip()]
    )

    paths = os.pathsep.join([*filter(None, [os.environ.get("NODE_PATH")]), *places])
    env = {**os.environ, "NODE_PATH": paths}
    if subprocess.run([node, "-e", "require('gltf-validator')"], env=env, capture_output=True).returncode:
        pytest.skip("needs node and the npm package gltf-validator (npm install -g gltf-validator)")
    script = tmp_path_factory.mktemp("validator") / "validate.cjs"
    script.write_text(VALIDATE)

    def validate(*files: Path) -> list[dict]:
        done = subprocess.run([node, script, *files], env=env, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return validate


def test_the_khronos_validator_has_nothing_to_say(validator: Callable[..., list[dict]], tmp_path: Path):
    save(walkabout(), tmp_path / "a.glb")
    still = walkabout()
    write_glb([still, still[:1], still[:2]], tmp_path / "b.glb", in_place=True)
    save(still.replace(local_rotations=still.local_rotations[:1].repeat(12, 0)), tmp_path / "c.glb")
    for issues in validator(*sorted(tmp_path.iterdir())):
        assert (issues["numErrors"], issues["numWarnings"], issues["numInfos"]) == (0, 0, 0), issues
