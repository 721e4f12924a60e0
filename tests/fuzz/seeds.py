"""Small sound files of every kind that is read: made here, and the first frames of real ones."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pickles import py2_smpl

BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT LeftUpLeg
  {
    OFFSET 9 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
0 90 0 1 2 3 4 5 6
0 90 1 1 2 3 4 5 6.5
0 90 2 1 2 3 4 5 7e-1
"""
ASF = """:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name lfemur
    direction 0.34 -0.93 0
    length 7.2
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
  end
:hierarchy
  begin
    root lfemur
  end
"""
AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 9.37 17.86 -17.31 -2.01 8.8 0.4
lfemur -0.5 19.1 2e-1
2
root 9.37 17.86 -17.31 -2.01 8.8 0.4
lfemur -0.5 19.1 2e-1
"""
CSV = "# kineme joints: fps=30 parents=-1,0\ntime,a_x,a_y,a_z,b_x,b_y,b_z\n0,0,1,0,0,2,0\n0.033,0,1,0,0,2,\n"
LABELS = "file,start,end,label\ntake,0,1.5,walk\ntake,1.5,2,run\n"
SPANS = "86 01\nwalk 1 100 120\nrun 100 300 310\n"
BABEL = json.dumps(
    {
        "1": {
            "feat_p": "a/b.npz",
            "dur": 3,
            "frame_ann": {"labels": [{"proc_label": "walk", "start_t": 0, "end_t": 2}]},
        }
    }
)
MAP = 'name = "mine"\n[joints]\npelvis = "Hips"\nleft_hip = "LeftUpLeg"\n'


@dataclass(frozen=True)
class Seed:
    """A file and what must lie beside it. `how` : which reader it is given to."""

    name: str
    data: bytes
    how: str = "load"
    beside: dict[str, bytes] = field(default_factory=dict)


def _npz(**arrays: np.ndarray) -> bytes:
    text = io.BytesIO()
    np.savez(text, **arrays)  # type: ignore[arg-type]
    return text.getvalue()


def _npy(array: np.ndarray) -> bytes:
    text = io.BytesIO()
    np.save(text, array)
    return text.getvalue()


def made() -> list[Seed]:
    """One or more of each kind."""
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 0.2, (4, 156))
    names = np.array(["pelvis", "left_hip"])
    clips = {"poses": [poses[:, :72].astype("f4")] * 2, "joints3D": [np.zeros((4, 24, 3))] * 2, "y": [1, 2]}
    video = {
        "pose": [poses[:, :72]] * 2,
        "joints3d": [np.zeros((4, 49, 3))] * 2,
        "orig_cam": [np.ones((4, 4))] * 2,
    }
    uestc_info = {"info/names.txt": b"a0_d1_p001_c1\n" * 2, "info/action_classes.txt": b"knee\n"}
    kitchen = {
        "transforms": np.zeros((4, 6)), "smpl": np.zeros((4, 21, 3)), "poses3d": np.zeros((4, 29, 3)),
        "frames": np.array([1, 2, 5, 6]), "act": np.eye(4, 82), "betas": np.zeros(10),
    }  # fmt: skip
    caption = {"texts/1.txt": b"walks#a/DET#0#1\n"}
    stage = {"root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "mocap_frame_rate": np.array(60)}
    named = {"positions": np.ones((3, 2, 3)), "names": names, "parents": np.array([-1, 0])}
    named |= {"fps": np.array(30)}
    rest = {"trans": np.zeros((4, 3)), "gender": np.array("male")}
    return [
        Seed("take.bvh", BVH.encode()),
        Seed("take.amc", AMC.encode(), beside={"take.asf": ASF.encode()}),
        Seed("take.asf", ASF.encode(), "asf", {"other.amc": AMC.encode()}),
        Seed("take_poses.npz", _npz(poses=poses, mocap_framerate=np.array(120.0), **rest)),
        Seed("take_stageii.npz", _npz(**stage, **rest)),
        Seed("joints.npz", _npz(**named)),
        Seed("joints.npy", _npy(rng.normal(size=(3, 22, 3)))),
        Seed("joints.csv", CSV.encode()),
        Seed("new_joints/1.npy", _npy(rng.normal(size=(3, 22, 3)).astype("f4")), beside=caption),
        Seed("new_joint_vecs/1.npy", _npy(np.round(rng.random((3, 263))).astype("f4"))),
        Seed("A_1_0.npz", _npz(**kitchen)),
        Seed("humanact12poses.pkl", pickle.dumps(clips, 2)),
        Seed("humanact12.pkl", pickle.dumps(clips, 4)),
        Seed("vibe_cache_refined.pkl", pickle.dumps(video, 0), beside=uestc_info),
        Seed("model.pkl", py2_smpl(), "smpl"),
        Seed("labels.csv", LABELS.encode(), "labels"),
        Seed("labels.txt", SPANS.encode(), "labels"),
        Seed("babel.json", BABEL.encode(), "labels"),
        Seed("map.toml", MAP.encode(), "map", {"take.bvh": BVH.encode()}),
    ]  # fmt: skip


def real(data: Path) -> Iterator[Seed]:
    """The first frames of real files, whole hierarchies in front of them."""
    for archive, pattern in (
        ("bandai-namco/dataset-1.zip", ".bvh"),
        ("reactidle/reactidle.zip", ".bvh"),
        ("cmu/bvh-retargeted.zip", ".bvh"),
        ("cmu/bvh-cgspeed.zip", ".bvh"),
    ):
        with zipfile.ZipFile(data / archive) as zipped:
            name = min(name for name in zipped.namelist() if name.endswith(pattern))
            with zipped.open(name) as member:
                yield Seed(Path(name).name, _short_bvh(member.read(200_000)))
    for file in sorted((data / "animated-drawings").glob("*.bvh")):
        yield Seed(file.name, _short_bvh(file.read_bytes()[:200_000]))
    asf = (data / "cmu/samples/02.asf").read_bytes()
    amc = (data / "cmu/samples/02_01.amc").read_bytes()
    at = amc.index(b"\n4\r\n") if b"\n4\r\n" in amc else amc.index(b"\n4\n")
    yield Seed("02_01.amc", amc[: at + 1], beside={"02.asf": asf})
    yield Seed("02.asf", asf, "asf", {"02_01.amc": amc[: at + 1]})


def _short_bvh(data: bytes) -> bytes:
    """Three frames of a BVH, and a header that says so."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    motion = next(k for k, line in enumerate(lines) if line.strip().upper() == b"MOTION")
    return b"\n".join([*lines[: motion + 1], b"Frames: 3", *lines[motion + 2 : motion + 6], b""])
