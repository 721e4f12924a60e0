"""BVH to motion and back: channels, orders, units, axes, and what writing leaves alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import naive
from kineme.errors import InputError
from kineme.formats import load, load_all, save
from kineme.formats.bvh import BvhSource
from kineme.formats.guess import to_y_up
from kineme.motion import SMPL22, Motion

GOLDEN = Path(__file__).parents[2] / "golden"
MIXED = GOLDEN / "mixed_channels.bvh"


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


def swaying(frames: int = 12, seed: int = 0) -> Motion:
    """A canonical body that sways and turns its limbs."""
    rng = np.random.default_rng(seed)
    turns = (
        Rotation.from_rotvec(0.3 * rng.normal(size=(frames * 22, 3))).as_matrix().reshape(frames, 22, 3, 3)
    )
    places = np.array([0, 0.93, 0]) + 0.05 * rng.normal(size=(frames, 3))
    return Motion(SMPL22, 50.0, places, turns)


@pytest.mark.parametrize("meaning", ["replace", "add", "add-root"])
def test_places_equal_the_naive_reading_in_every_meaning_of_position_channels(meaning: str):
    motion = one(MIXED, channels=meaning, unit=0.01, up="+Y")
    expected = naive.bvh_positions(MIXED.read_text(), meaning != "replace", meaning == "add")
    for frame, places in enumerate(expected):
        ours = dict(zip(motion.skeleton.names, motion.positions[frame], strict=True))
        assert set(ours) == set(places)
        for name, place in places.items():
            np.testing.assert_allclose(ours[name], place / 100, atol=2e-6)


def test_the_meaning_is_guessed_and_said():
    assert one(MIXED).provenance.guessed == {"up": "+Y", "channels": "add-root", "unit": "cm"}
    told = one(MIXED, channels="replace", up="Y", unit=0.01)
    assert told.provenance.guessed == {} and told.provenance.units == "cm"


def test_fps_ends_and_heights():
    motion = one(MIXED)
    assert motion.fps == 30.0 and len(motion) == 3
    assert one(MIXED, fps=25).fps == 25.0
    assert motion.skeleton.end_sites[0] == (2, pytest.approx((0, 0.2, 0)))
    assert motion.skeleton.rest_height == pytest.approx(1.8)  # head's end over the lower of the toes' ends
    np.testing.assert_array_equal(
        motion.skeleton.rest_rotations, np.tile(np.eye(3), (len(motion.skeleton), 1, 1))
    )


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("0.0333333", 30),
        ("0.016667", 60),
        ("0.041667", 24),
        ("0.0083333", 120),
        ("0.04170837", 23.976),
        ("0.01", 100),
        ("0.033", 30),
        ("0.017", 60),
        ("0.0417", 24),
        ("0.008", 125),
        ("0.016", 62.5),
        ("0.03337", 29.967),
    ],
)
def test_frame_times_become_the_rate_that_was_meant(tmp_path: Path, text: str, fps: float):
    path = tmp_path / "a.bvh"
    path.write_text(MIXED.read_text().replace(".03333", text))
    assert one(path).fps == pytest.approx(fps, abs=1e-3)


@pytest.mark.parametrize("time", ["0", "-0.03", "nan", "1e-9", "33.3"])
def test_absurd_frame_times_are_refused_unless_the_rate_is_given(tmp_path: Path, time: str):
    path = tmp_path / "a.bvh"
    path.write_text(MIXED.read_text().replace(".03333", time))
    with pytest.raises(InputError, match="--source-fps"):
        load(path)
    assert one(path, fps=30).fps == 30


def test_a_single_joint_is_no_body_and_a_single_frame_is_a_pose(tmp_path: Path):
    path = tmp_path / "a.bvh"
    rows = MIXED.read_text().split("\n")
    path.write_text("\n".join(rows[:-3]).replace("Frames:\t3", "Frames: 1") + "\n")
    motion = one(path)
    assert len(motion) == 1 and any("single frame" in note for note in motion.provenance.notes)
    path.write_text(
        "HIERARCHY\nROOT prop\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    with pytest.raises(InputError, match="single joint"):
        load(path)


def test_two_roots_are_two_motions(tmp_path: Path):
    text = MIXED.read_text()
    head, rows = text.split("MOTION\n")
    lines = rows.rstrip("\n").split("\n")
    doubled = [f"{line} {line}" for line in lines[2:]]
    path = tmp_path / "two.bvh"
    second = head.removeprefix("HIERARCHY\n")
    path.write_text(f"{head}{second}MOTION\n" + "\n".join([*lines[:2], *doubled]) + "\n")
    motions = load_all(path)
    assert len(motions) == 2 and load(path) != motions[0]
    alone = one(MIXED)
    for motion in motions:
        np.testing.assert_array_equal(motion.positions, alone.positions)


def test_joints_of_one_name_are_numbered(tmp_path: Path):
    path = tmp_path / "a.bvh"
    path.write_text(MIXED.read_text().replace("JOINT RightHand", "JOINT LeftHand"))
    motion = one(path)
    assert "LeftHand" in motion.skeleton.names and "LeftHand.2" in motion.skeleton.names
    save(motion, tmp_path / "b.bvh")
    assert (tmp_path / "b.bvh").read_text().count("JOINT LeftHand\n") == 2


@pytest.mark.parametrize("up", ["+Z", "-Z", "+X", "-X", "-Y"])
def test_other_up_axes_are_found_and_turned_upright(tmp_path: Path, up: str):
    """The file's world is turned by hand: root offset and rotation, as a Z-up export has them."""
    motion = swaying()
    back = to_y_up(up).T  # from +Y up to the file's axes
    local = motion.local_rotations.astype(float)
    local[:, 0] = back @ local[:, 0]
    save(
        motion.replace(local_rotations=local, root_translation=motion.root_translation @ back.T),
        tmp_path / "a.bvh",
    )
    again = one(tmp_path / "a.bvh")
    assert again.provenance.up_axis == up and again.provenance.guessed["up"] == up
    order = [again.skeleton.names.index(name) for name in SMPL22.names]
    np.testing.assert_allclose(again.positions[:, order], motion.positions, atol=1e-4)
    assert one(tmp_path / "a.bvh", up="+Y").provenance.up_axis == "+Y"


# --- writing ----------------------------------------------------------------------------------------------


def test_an_untouched_file_is_written_back_number_by_number(tmp_path: Path):
    motion = one(MIXED)
    save(motion, tmp_path / "a.bvh")
    head, _, rows = MIXED.read_text().partition("MOTION\n")
    written = (tmp_path / "a.bvh").read_text()
    assert written.startswith(head) and "Frame Time: .03333\n" in written
    again = one(tmp_path / "a.bvh")
    np.testing.assert_array_equal(again.source.values, motion.source.values)


def test_line_ends_and_bytes_of_the_header_survive(tmp_path: Path):
    text = MIXED.read_text().replace("Head", "K\u00f6pf Head").replace("\n", "\r\n")
    (tmp_path / "a.bvh").write_bytes(text.encode("latin-1"))
    save(one(tmp_path / "a.bvh"), tmp_path / "b.bvh")
    written = (tmp_path / "b.bvh").read_bytes()
    assert written.startswith(text.split("MOTION")[0].encode("latin-1"))
    assert written.count(b"\n") == written.count(b"\r\n")


def test_only_the_channels_of_edited_joints_and_frames_change(tmp_path: Path):
    motion = one(MIXED)
    joint = motion.skeleton.index("LeftUpLeg")
    local = motion.local_rotations.copy()
    local[1, joint] = Rotation.from_euler("x", 70, degrees=True).as_matrix()
    save(motion.replace(local_rotations=local), tmp_path / "a.bvh")
    again = one(tmp_path / "a.bvh")
    np.testing.assert_allclose(again.local_rotations, local, atol=2e-7)
    changed = again.source.values != motion.source.values
    column = motion.source.joints[joint].column
    assert changed[1, column : column + 3].any() and changed.sum() <= 3
    changed[1, column : column + 3] = False
    assert not changed.any()


def test_edited_angles_stay_near_the_old_ones(tmp_path: Path):
    """Of the many angles that mean one rotation those by the source are written: curves stay smooth."""
    source = one(MIXED).source
    values = source.values.copy()
    column = source.joints[1].column + 3
    values[:, column : column + 3] = [[350, 10, 5], [365, 12, 9], [381, 14, 10]]
    path = tmp_path / "a.bvh"
    rows = "\n".join(" ".join(map(str, row)) for row in values)
    path.write_text(MIXED.read_text().split("Frame Time")[0] + f"Frame Time: 0.1\n{rows}\n")
    motion = one(path)
    local = motion.local_rotations.copy()
    local[:, 1] = local[:, 1] @ Rotation.from_euler("z", 1, degrees=True).as_matrix()
    save(motion.replace(local_rotations=local), tmp_path / "b.bvh")
    written = one(tmp_path / "b.bvh").source.values[:, column : column + 3]
    np.testing.assert_allclose(written, values[:, column : column + 3], atol=1.5)
    assert (written != values[:, column : column + 3]).any()


@pytest.mark.parametrize("meaning", ["replace", "add", "add-root"])
def test_a_moved_root_goes_back_into_the_files_units_and_meaning(tmp_path: Path, meaning: str):
    motion = one(MIXED, channels=meaning, up="+Y", unit=0.01)
    save(
        motion.replace(root_translation=motion.root_translation + np.float32([0.5, 0, -1])),
        tmp_path / "a.bvh",
    )
    again = one(tmp_path / "a.bvh", channels=meaning, up="+Y", unit=0.01)
    difference = again.source.values - motion.source.values
    np.testing.assert_allclose(difference[:, :3], np.tile([50, 0, -100], (3, 1)), atol=1e-4)
    assert not difference[:, 3:].any()


def test_an_edit_that_the_hierarchy_cannot_hold_is_written_plainly(tmp_path: Path):
    motion = one(MIXED)
    local = motion.local_rotations.copy()
    elbow = motion.skeleton.index("LeftForeArm")  # has one channel
    local[:, elbow] = Rotation.from_euler("xyz", [30, 40, 50], degrees=True).as_matrix()
    edited = motion.replace(local_rotations=local)
    save(edited, tmp_path / "a.bvh")
    again = one(tmp_path / "a.bvh")
    assert again.skeleton.names == edited.skeleton.names
    np.testing.assert_allclose(again.positions, edited.positions, atol=1e-5)
    scaled = motion.replace(skeleton=motion.skeleton.scaled(0.9), local_translations=None)
    save(scaled, tmp_path / "b.bvh")
    np.testing.assert_allclose(one(tmp_path / "b.bvh", unit=0.01).positions, scaled.positions, atol=1e-5)


def test_a_slice_is_written_with_its_own_numbers(tmp_path: Path):
    whole = one(MIXED)
    save(whole[1:], tmp_path / "a.bvh")
    again = one(tmp_path / "a.bvh")
    assert again.source.header == whole.source.header
    np.testing.assert_array_equal(again.source.values, whole.source.values[1:])


def test_a_motion_without_its_source_is_written_with_the_rigs_names_and_its_moving_bones(tmp_path: Path):
    motion = one(MIXED)[1:].replace(source=None)
    save(motion, tmp_path / "a.bvh")
    again = one(tmp_path / "a.bvh")
    assert isinstance(again.source, BvhSource) and again.fps == 30
    assert again.skeleton.names == motion.skeleton.names
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-5)
    assert [len(joint.channels) for joint in again.source.joints[:3]] == [6, 6, 3]  # Spine moves in Hips


def test_the_plain_text_is_as_it_was(tmp_path: Path):
    """A golden file: other programs read what we write, so its layout changes only on purpose."""
    save(swaying(frames=2), tmp_path / "a.bvh")
    written = (tmp_path / "a.bvh").read_text().split("MOTION")
    golden = (GOLDEN / "plain_written.bvh").read_text().split("MOTION")
    assert written[0] == golden[0]
    assert written[1].split("\n")[:3] == golden[1].split("\n")[:3]
    numbers = [np.array(text.split()[5:], dtype=float) for text in (written[1], golden[1])]
    np.testing.assert_allclose(numbers[0], numbers[1], atol=2e-6)


def test_a_changed_rate_is_written(tmp_path: Path):
    save(one(MIXED).replace(fps=60.0), tmp_path / "a.bvh")
    assert one(tmp_path / "a.bvh").fps == 60


def test_no_exponents_are_written(tmp_path: Path):
    path = tmp_path / "a.bvh"
    path.write_text(MIXED.read_text().replace("3.5 -0.75", "1.5e-16 -2e-6"))
    save(one(path), tmp_path / "b.bvh")
    assert "e-" not in (tmp_path / "b.bvh").read_text().split("MOTION")[1]
    np.testing.assert_array_equal(one(tmp_path / "b.bvh").source.values, one(path).source.values)


def test_positions_only_cannot_be_a_bvh(tmp_path: Path):
    motion = swaying()
    bare = Motion.from_positions(SMPL22, 30, motion.positions)
    with pytest.raises(InputError, match="rotations"):
        save(bare, tmp_path / "a.bvh")
    assert not list(tmp_path.iterdir())
