"""Exponential-map text: CMU against the AMC files it was made from, Human3.6M on made-up files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from bodies import INDEX
from kineme import load, retarget
from kineme.cli.main import main
from kineme.errors import InputError
from kineme.formats import find_files
from kineme.formats.expmap_tables import CMU, H36M
from kineme.motion import Motion
from kineme.motion.rigs import recognise_rig

#: joints of the text and the Acclaim bones that start there
SAME = {
    **{"LeftUpLeg": "lfemur", "LeftLeg": "ltibia", "LeftFoot": "lfoot", "LeftToeBase": "ltoes"},
    **{"Spine": "upperback", "Spine1": "thorax", "Neck": "lowerneck", "Head": "head", "LeftArm": "lhumerus"},
    **{
        "RightForeArm": "rradius",
        "RightHand": "rwrist",
        "RightFingerBase": "rhand",
        "LeftHandIndex1": "lfingers",
    },
}
#: benchmark file -> the trial of CMU that it was made from
TRIALS = {"soccer_1": "10_01", "soccer_3": "10_03", "walking_1": "02_01"}


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


@pytest.fixture
def text(unpacked: Callable[..., Path]) -> Callable[[str], Path]:
    def find(name: str) -> Path:
        member = f"cmu_mocap/train/{name.rsplit('_', 1)[0]}/{name}.txt"
        return unpacked("cmu-prediction/cmu_mocap.zip", member) / member

    return find


@pytest.mark.parametrize("name", TRIALS)
def test_cmu_text_is_the_amc_it_was_made_from(text, unpacked: Callable[..., Path], name: str) -> None:
    """With the subject's skeleton: 0.01 mm and 0.001 degrees, which is the precision of the text."""
    trial = TRIALS[name]
    folder = unpacked("cmu/asf-amc.zip", f"*/{trial[:2]}.asf", f"*/{trial}.amc") / "asf-amc"
    amc = one(folder / f"{trial}.amc")
    found = one(text(name), skeleton_file=folder / f"{trial[:2]}.asf")
    assert len(found) == len(amc) and found.fps == amc.fps == 120
    assert found.provenance.unit_scale == pytest.approx(amc.provenance.unit_scale)
    ours = [found.skeleton.index(joint) for joint in SAME]
    theirs = [amc.skeleton.index(bone) for bone in SAME.values()]
    assert np.abs(found.positions[:, ours] - amc.positions[:, theirs]).max() < 1e-5
    apart = found.global_rotations[:, ours] - amc.global_rotations[:, theirs]
    assert np.rad2deg(np.linalg.norm(apart, axis=(-1, -2)).max() / np.sqrt(2)) < 1e-3
    default = one(text(name))
    assert np.array_equal(default.local_rotations, found.local_rotations)
    assert any("CMU subject 02" in note for note in default.provenance.notes)
    if trial[:2] == "02":  # whose bones the default has
        assert np.abs(default.positions - found.positions).max() < 1e-4


def test_cmu_text_stands_to_scale_and_is_mapped(text) -> None:
    motion = one(text("walking_1"))
    rig = recognise_rig(motion.skeleton)
    assert rig.rig == "cmu-cgspeed" and rig.missing == ()
    assert motion.provenance.units == "0.45 in" and motion.provenance.up_axis == "+Y"
    body = retarget(motion)
    assert 1.4 < body.positions[:, INDEX["head"], 1].max() < 1.8
    assert -0.05 < body.positions[..., 1].min() < 0.1


def published_places(values: np.ndarray) -> np.ndarray:
    """The benchmark's own kinematics in its millimetres (T, 38, 3): row vectors, its skeleton, times 70."""
    places = np.zeros((len(values), len(CMU), 3))
    for frame, row in enumerate(values):
        turns: list[np.ndarray] = []
        for joint, (_, parent, bone, offset) in enumerate(CMU):
            own = Rotation.from_rotvec(row[3 + 3 * joint : 6 + 3 * joint]).as_matrix()
            step = np.zeros(3) if bone in ("thorax", "lwrist", "rwrist") else 70 * np.array(offset)
            turns.append(own if parent < 0 else own @ turns[parent])
            places[frame, joint] = (
                70 * row[:3] if parent < 0 else step @ turns[parent] + places[frame, parent]
            )
    return places


def test_legacy_is_what_published_numbers_are_measured_on(text) -> None:
    path = text("soccer_3")
    values = np.loadtxt(path, delimiter=",")[::2]
    motion = one(path, legacy=True)
    assert motion.fps == 25 and len(motion) == len(values) == 182
    assert np.abs(motion.positions * 1000 - published_places(values)).max() < 0.01
    assert any("legacy" in note for note in motion.provenance.notes)


def test_benchmark_files_are_found_in_folders_and_other_text_is_not(text, tmp_path: Path, capsys) -> None:
    (tmp_path / "walking_1.txt").write_bytes(text("walking_1").read_bytes())
    (tmp_path / "notes.txt").write_text("walk, run\n")
    assert [path.name for path in find_files(tmp_path)] == ["walking_1.txt"]
    assert main(["info", str(tmp_path), "--legacy"]) == 0
    assert "expmap" in capsys.readouterr().out


def h36m(folder: Path, frames: int = 10) -> Path:
    """A person who stands, arms out, in a world with Z up, and lifts the left knee."""
    values = np.zeros((frames, 99))
    values[:, :3] = 100, 200, 980
    names = [name for name, _, _ in H36M]

    def put(name: str, vector: tuple[float, float, float], frame: int | slice = slice(None)) -> None:
        column = 3 + 3 * names.index(name)
        values[frame, column : column + 3] = -np.array(vector)  # minus the rotation vector is stored

    put("Hips", (np.pi / 2, 0, 0))  # +Y of the body to +Z of the room
    put("LeftShoulder", (0, 0, -np.pi / 2))
    put("RightShoulder", (0, 0, np.pi / 2))
    put("LeftUpLeg", (-np.pi / 2, 0, 0), slice(5, 6))
    path = folder / "walking_1.txt"
    np.savetxt(path, values, delimiter=",", fmt="%.7f")
    return path


def test_human36m_stands_upright_to_scale_and_mapped(tmp_path: Path) -> None:
    motion = one(h36m(tmp_path))
    assert (motion.fps, motion.provenance.units, motion.provenance.up_axis) == (50, "mm", "+Z")
    rig = recognise_rig(motion.skeleton)
    assert rig.rig == "h36m" and rig.missing == ("spine2",)
    body = retarget(motion)
    places = body.positions[0]
    assert places[INDEX["left_wrist"], 0] - places[INDEX["pelvis"], 0] > 0.6  # the left is left
    assert places[INDEX["head"], 1] > 1.5 and abs(places[INDEX["left_ankle"], 1]) < 0.1
    assert places[INDEX["left_foot"], 2] > places[INDEX["left_ankle"], 2] + 0.1
    assert np.abs(body.local_rotations[0] - np.eye(3)).max() < 0.02  # type: ignore[index]
    lifted = body.positions[5]
    assert lifted[INDEX["left_knee"], 2] > lifted[INDEX["left_hip"], 2] + 0.4
    assert lifted[INDEX["right_knee"], 1] < 0.6
    slow = one(h36m(tmp_path), legacy=True)
    assert slow.fps == 25 and len(slow) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [rows[0], rows[1][: len(rows[1]) // 2]], "line 2: there are .* cells where 99 belong"),
        (lambda rows: [rows[0], rows[1].replace("0.0000000", "x", 1)], "line 2: .*not a number"),
        (lambda rows: [rows[0], rows[1].replace("100.0000000", "nan", 1)], "1 of 2 frames.*--repair"),
    ],
)
def test_damaged_text_is_named_by_its_line(tmp_path: Path, change, message: str) -> None:
    path = h36m(tmp_path, 2)
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(InputError, match=f"walking_1.txt.*{message}"):
        load(path)


def test_blanks_separate_numbers_as_well_as_commas(tmp_path: Path) -> None:
    path = h36m(tmp_path, 2)
    commas = load(path)
    path.write_text(path.read_text().replace(",", "  "))
    blanks = load(path)
    assert np.array_equal(commas.local_rotations, blanks.local_rotations)


def test_a_cmu_file_of_one_row_and_a_foreign_skeleton_are_refused(text, tmp_path: Path, unpacked) -> None:
    path = tmp_path / "one.txt"
    path.write_text(text("walking_1").read_text().split("\n")[0] + "\n")
    with pytest.raises(InputError, match="only the rest pose"):
        load(path)
    asf = tmp_path / "other.asf"
    folder = unpacked("cmu/asf-amc.zip", "*/02.asf") / "asf-amc"
    asf.write_text((folder / "02.asf").read_text().replace("thorax", "brustkorb"))
    with pytest.raises(InputError, match="other.asf: the skeleton has no bone 'thorax'"):
        load(text("walking_1"), skeleton_file=asf)
