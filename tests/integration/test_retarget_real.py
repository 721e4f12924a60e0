"""Retargeting of real files: every rig in the data, and one trial that exists in three rigs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bodies import INDEX, angles_between, turn_angles
from kineme import load
from kineme.motion import Motion
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rig_names import joints_by_name
from kineme.motion.rigs import recognise_rig

SIDES = ("left", "right")
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in SIDES
    for a, b in zip(
        ("hip", "knee", "ankle", "shoulder", "elbow"),
        ("knee", "ankle", "foot", "elbow", "wrist"),
        strict=True,
    )
]
#: archive and members, or a plain file; the rig; the canonical joints that it lacks
SAMPLES = {
    "bandai-namco-1": ("bandai-namco/dataset-1.zip", "*dance-short_normal_001.bvh", "bandai-namco"),
    "bandai-namco-2": ("bandai-namco/dataset-2.zip", "*walk-turn-left_normal_01?.bvh", "bandai-namco"),
    "cmu": ("cmu/asf-amc.zip", "*/0[12]*", "acclaim"),
    "hdm05": ("hdm05/hdm05-11.zip", "*bk_squat1Reps_01?_120.amc", "acclaim"),
    "cgspeed": ("cmu/bvh-cgspeed.zip", "*.bvh", "cmu-cgspeed"),
    "character-creator": ("cmu/bvh-retargeted.zip", "*/00[27]_0[12].bvh", "character-creator"),
    "reactidle": ("reactidle/reactidle.zip", "*/00[12]_*.bvh", "reactidle"),
    "fair1_dab": ("animated-drawings/fair1_dab.bvh", "", "fair1"),
    "fair1_zombie": ("animated-drawings/fair1_zombie.bvh", "", "fair1"),
    "cmu1": ("animated-drawings/cmu1_jumping_jacks.bvh", "", "cmu-joints"),
    "rokoko": ("animated-drawings/rokoko_jesse_dance.bvh", "", "rokoko"),
}


@pytest.fixture(scope="module")
def takes(data_dir: Path, unpacked: Callable[..., Path]) -> Callable[[str], list[Motion]]:
    """`takes(sample)`: some motions of one rig."""

    def read(sample: str) -> list[Motion]:
        source, members, _ = SAMPLES[sample]
        if not members:
            return [load(data_dir / source)]
        folder = unpacked(source, members, *(["*HDM_bk.asf"] if sample == "hdm05" else []))
        files = sorted(p for p in folder.rglob("*") if p.suffix in (".bvh", ".amc"))
        chosen = [path for path in files if path.match(members)]
        assert chosen, f"no file of {source} is like {members}"
        return [load(path) for path in chosen[:4]]

    return read


def source_places(motion: Motion) -> dict[str, np.ndarray]:
    """Canonical joint -> (T, 3) in the source's own skeleton, bone ends included."""
    rig = recognise_rig(motion.skeleton)
    places = {name: motion.positions[:, motion.skeleton.index(joint)] for name, joint in rig.joints.items()}
    ends = {motion.skeleton.names[joint]: k for k, (joint, _) in enumerate(motion.skeleton.end_sites)}
    return places | {name: motion.end_positions[:, ends[joint]] for name, joint in rig.ends.items()}


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_rig_keeps_its_limbs_and_stands_where_it_stood(sample: str, takes) -> None:
    for take in takes(sample):
        rig = recognise_rig(take.skeleton)
        assert rig.rig == SAMPLES[sample][2]
        assert set(rig.missing) <= {"spine2"}
        found = retarget(take)
        places = source_places(take)
        for a, b in LIMBS:
            here = found.positions[:, INDEX[b]] - found.positions[:, INDEX[a]]
            assert angles_between(places[b] - places[a], here).max() < 2, (take.provenance.file, a, b)
        for name in ("left_ankle", "right_ankle"):
            assert np.linalg.norm(found.positions[:, INDEX[name]] - places[name], axis=-1).max() < 0.02
        for name in ("left_wrist", "right_wrist", "left_foot", "neck"):
            assert np.linalg.norm(found.positions[:, INDEX[name]] - places[name], axis=-1).max() < 0.03
        turns = found.local_rotations
        assert np.allclose(turns @ np.swapaxes(turns, -1, -2), np.eye(3), atol=1e-4)


@pytest.mark.parametrize("sample", SAMPLES)
def test_names_alone_tell_every_rig_in_the_data(sample: str, takes) -> None:
    """The heuristics against the tables: they agree but for what only a person knows."""
    skeleton = takes(sample)[0].skeleton
    by_table = recognise_rig(skeleton).joints
    by_names = {name: skeleton.names[joint] for name, joint in joints_by_name(skeleton).items()}
    differing = {name for name in by_table | by_names if by_table.get(name) != by_names.get(name)}
    wrists = {"left_wrist", "right_wrist"}
    expected = {
        "acclaim": wrists,  # `lwrist` lies in mid-forearm
        "cmu-cgspeed": wrists,  # and so does what its conversions call `LeftHand`
        "cmu-joints": wrists,
        "character-creator": {"pelvis"},  # `CC_Base_Hip` and `CC_Base_Pelvis` are in one place
    }
    assert differing == expected.get(SAMPLES[sample][2], set())


@pytest.fixture(scope="module")
def trial(unpacked: Callable[..., Path]) -> tuple[Motion, Motion]:
    """CMU 01_01 from its AMC and from the cgspeed BVH."""
    amc = next(unpacked("cmu/asf-amc.zip", "*/01*").rglob("01_01.amc"))
    bvh = next(unpacked("cmu/bvh-cgspeed.zip").rglob("01_01.bvh"))
    acclaim, converted = retarget(load(amc)), retarget(load(bvh))
    if len(converted) == len(acclaim) + 1:  # the conversion puts a rest pose before the take
        converted = converted[1:]
    assert len(acclaim) == len(converted) == 2751
    return acclaim, converted


def test_one_trial_from_amc_and_bvh_turns_alike(trial: tuple[Motion, Motion]) -> None:
    acclaim, converted = trial
    assert turn_angles(acclaim.global_rotations, converted.global_rotations).max() < 0.1


def test_one_trial_from_amc_and_bvh_is_one_motion_on_one_body(trial: tuple[Motion, Motion]) -> None:
    """The conversion lacks the thorax and a third of the forearm: other lengths, the same motion."""
    acclaim, converted = (to_standard_body(motion) for motion in trial)
    assert np.linalg.norm(acclaim.positions - converted.positions, axis=-1).max() < 1e-3
    assert trial[0].skeleton.offsets[INDEX["neck"]][1] > 0.1 > trial[1].skeleton.offsets[INDEX["neck"]][1]


def test_one_walk_through_two_pipelines_bends_alike(unpacked: Callable[..., Path]) -> None:
    """CMU 02_01 as AMC (120 Hz) and as retargeted by hand to a Character Creator avatar (60 Hz)."""
    amc = retarget(load(next(unpacked("cmu/asf-amc.zip", "*/02*").rglob("02_01.amc")))).local_rotations[::2]
    avatar = retarget(load(next(unpacked("cmu/bvh-retargeted.zip", "*002_01*").rglob("002_01.bvh"))))
    frames = min(len(amc), len(avatar))
    apart = np.median(turn_angles(amc[:frames], avatar.local_rotations[:frames]), axis=0)
    loose = [INDEX[f"{side}_{part}"] for side in SIDES for part in ("ankle", "wrist")]
    assert np.delete(apart, loose).max() < 4
    assert apart.max() < 12
