"""Every BVH and AMC of the real data: upright on the floor, human-sized, its rest pose facing +Z."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kineme.formats import find_files, load, save
from kineme.formats.landmarks import find_landmarks
from kineme.formats.quirks import floor_height
from kineme.motion import Motion
from kineme.motion.rigs import recognise_rig

#: archive -> patterns of members (None: all), unit, up axis, channel meaning or None where all agree
SETS = {
    "cmu/asf-amc.zip": ([], "0.45 in", None),
    "cmu/bvh-cgspeed.zip": ([], "0.45 in", None),
    "cmu/bvh-retargeted.zip": ([], "cm", "add"),
    "hdm05/hdm05-11.zip": ([], "0.45 in", None),
    "reactidle/reactidle.zip": ([], "m", "add-root"),
    "bandai-namco/dataset-1.zip": (["*.bvh"], "cm", "replace"),
    "bandai-namco/dataset-2.zip": (["*_walk*_001.bvh", "*_raise*_010.bvh"], "cm", "replace"),
}
#: CMU 03_01 is a walk on uneven terrain
ON_TERRAIN = ("03_01.amc", "003_01.bvh")


def check(path: Path) -> Motion:
    motion = load(path)
    assert isinstance(motion, Motion)
    assert 1.2 <= motion.skeleton.rest_height <= 2.1, path
    floor = floor_height(motion)
    if path.name in ON_TERRAIN:
        assert any("floor" in note for note in motion.provenance.notes)
    else:
        assert abs(floor) < 0.15, (path, floor)
    skeleton = motion.skeleton
    marks = find_landmarks(skeleton, recognise_rig(skeleton))
    assert marks is not None and marks.shoulders is not None and marks.elbows is not None, path
    rest = skeleton.rest_positions
    size = skeleton.rest_height
    assert abs(rest[:, 1].min()) < 0.1 * size
    assert rest[marks.head, 1] - rest[list(marks.ankles), 1].mean() > 0.7 * size
    for pair in (marks.hips, marks.knees, marks.ankles, marks.shoulders, marks.elbows):
        left, right = rest[list(pair)]
        assert left[0] - right[0] > 0.05 * size and abs(left[2] - right[2]) < 0.05 * size, path
    assert rest[marks.elbows[0], 0] - rest[marks.shoulders[0], 0] > 0.1 * size  # arms out
    toes = [skeleton.index(joint) for part in ("left", "right") if (joint := toe_of(skeleton, part))]
    assert all(rest[toe, 2] > rest[list(marks.ankles), 2].mean() for toe in toes), path
    return motion


def toe_of(skeleton, side: str) -> str | None:
    return recognise_rig(skeleton).joints.get(f"{side}_foot")


@pytest.mark.parametrize("archive", SETS)
def test_every_file_stands(archive: str, unpacked: Callable[..., Path]):
    patterns, units, meaning = SETS[archive]
    files = find_files(unpacked(archive, *patterns))
    assert files
    for path in files:
        motion = check(path)
        assert (motion.provenance.units, motion.provenance.up_axis) == (units, "+Y"), path
        no_root_offset = motion.skeleton.names[0] == "RL_BoneRoot"
        assert motion.provenance.guessed.get("channels") == (None if no_root_offset else meaning), path


@pytest.mark.parametrize(
    ("name", "units", "up", "fps"),
    [
        ("fair1_dab", "0.03748 m", "+Z", 30),
        ("fair1_zombie", "0.03748 m", "+Z", 30),
        ("cmu1_jumping_jacks", "0.45 in", "+Y", 30),
        ("rokoko_jesse_dance", "cm", "+Y", 100),
    ],
)
def test_the_files_of_other_conventions_stand(data_dir: Path, name: str, units: str, up: str, fps: float):
    motion = check(data_dir / "animated-drawings" / f"{name}.bvh")
    assert (motion.provenance.units, motion.provenance.up_axis, motion.fps) == (units, up, fps)


def test_bandai_namcos_t_pose_is_where_it_was_measured(unpacked: Callable[..., Path]):
    folder = unpacked("bandai-namco/dataset-1.zip", "*walk_normal_001.bvh")
    skeleton = load(next(folder.rglob("*walk_normal_001.bvh"))).skeleton
    places = skeleton.rest_positions * 100
    assert skeleton.name == "bandai-namco"
    np.testing.assert_allclose(places[skeleton.index("Hand_L")], [56.9, 130.6, 0], atol=0.7)
    np.testing.assert_allclose(places[skeleton.index("Hand_R")], [-56.9, 130.6, 0], atol=0.7)
    for side in "LR":
        assert places[skeleton.index(f"Toes_{side}"), 1] == pytest.approx(3.4, abs=0.3)


def test_the_meaning_of_channels_decides_where_a_body_stands(unpacked: Callable[..., Path]):
    """The wrong reading of each set is visibly wrong: a head at 2.8 m, feet a metre under the floor."""
    bandai = next(
        unpacked("bandai-namco/dataset-1.zip", "*walk_normal_001.bvh").rglob("*walk_normal_001.bvh")
    )
    assert load(bandai, channels="add", unit=0.01).positions[0, :, 1].max() > 2.5
    retargeted = next(unpacked("cmu/bvh-retargeted.zip", "*/001_01*").rglob("001_01.bvh"))
    assert floor_height(load(retargeted, channels="replace", unit=0.01)) < -0.9


@pytest.mark.parametrize("name", ["fair1_dab", "rokoko_jesse_dance"])
def test_an_edit_changes_only_what_was_edited(data_dir: Path, tmp_path: Path, name: str):
    motion = load(data_dir / "animated-drawings" / f"{name}.bvh")
    local = motion.local_rotations.copy()
    arm = motion.skeleton.index("LeftForeArm")
    local[10:20, arm] = local[10, arm]
    save(motion.replace(local_rotations=local), tmp_path / "a.bvh")
    again = load(tmp_path / "a.bvh")
    rows, columns = np.nonzero(again.source.values != motion.source.values)
    start = motion.source.joints[arm].column
    assert set(rows) <= set(range(11, 20)) and set(columns) <= {start, start + 1, start + 2}
    np.testing.assert_allclose(again.local_rotations, local, atol=1e-6)


def test_rest_frames_that_jump_are_known(unpacked: Callable[..., Path]):
    folder = unpacked("cmu/bvh-retargeted.zip", "*/007_0[123]*", "*/007_12*")
    said = {
        p.stem: "rest pose that jumps" in str(load(p).provenance.notes)
        for p in find_files(folder)
        if p.stem[:3] == "007"
    }
    assert {s: said[s] for s in ("007_01", "007_02", "007_03", "007_12")} == {
        "007_01": False, "007_02": False, "007_03": True, "007_12": True,
    }  # fmt: skip
