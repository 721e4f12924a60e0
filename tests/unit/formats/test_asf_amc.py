"""Acclaim skeletons and motions, by hand and against the same trial as BVH."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kineme.errors import InputError
from kineme.formats import ReadOptions, load, save
from kineme.formats.registry import files_read
from kineme.motion import Motion
from opened_files import opened

UNIT = 0.0254 / 0.45

ASF = """# a comment
:version 1.10
:name BODY
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
{bones}:hierarchy
  begin
    root lfemur rfemur back
    lfemur ltibia
    ltibia lfoot
    rfemur rtibia
    rtibia rfoot
    back head
  end
"""
#: name, direction, length, axis, dof
BONES = [
    ("lfemur", (0.3, -0.95, 0.0), 8.0, (0, 0, 20), "rx ry rz"),
    ("ltibia", (0.0, -1.0, 0.0), 8.0, (0, 0, 20), "rx"),
    ("lfoot", (0.0, -0.3, 0.95), 2.0, (-90, 10, 20), "rx rz"),
    ("rfemur", (-0.3, -0.95, 0.0), 8.0, (0, 0, -20), "rx ry rz"),
    ("rtibia", (0.0, -1.0, 0.0), 8.0, (0, 0, -20), "rx"),
    ("rfoot", (0.0, -0.3, 0.95), 2.0, (-90, -10, -20), "rx rz"),
    ("back", (0.0, 1.0, 0.0), 9.0, (0, 0, 0), "rx ry rz"),
    ("head", (0.0, 1.0, 0.1), 4.0, (10, 20, 30), ""),
]
FRAMES = [
    {
        "root": [0, 17, 0, 5, 30, -4],
        "lfemur": [20, -5, 3],
        "ltibia": [40],
        "lfoot": [-10, 5],
        "rfemur": [-20, 5, 2],
        "rtibia": [10],
        "rfoot": [3, -7],
        "back": [8, 9, 10],
    },
    {
        "root": [1, 17.5, 2, 6, 31, -5],
        "lfemur": [21, -6, 4],
        "ltibia": [42],
        "lfoot": [-11, 6],
        "rfemur": [-21, 6, 3],
        "rtibia": [12],
        "rfoot": [4, -8],
        "back": [9, 10, 11],
    },
]


def asf_text(bones=BONES) -> str:
    texts = []
    for number, (name, direction, length, axis, dof) in enumerate(bones, start=1):
        lines = ["begin", f"id {number}", f"name {name}", f"direction {' '.join(map(str, direction))}"]
        lines += [f"length {length}", f"axis {' '.join(map(str, axis))} XYZ"]
        lines += [f"dof {dof}", "limits (-180 180)"] if dof else []
        texts.append("\n".join([*lines, "end"]) + "\n")
    return ASF.format(bones="".join(texts))


def amc_text(frames=FRAMES) -> str:
    text = "#!OML:ASF body.asf\n:FULLY-SPECIFIED\n:DEGREES\n"
    for number, frame in enumerate(frames, start=1):
        rows = [f"{name} {' '.join(map(str, values))}" for name, values in frame.items()]
        text += "\n".join([str(number), *rows]) + "\n"
    return text


def written(folder: Path, asf: str | None = None, amc: str | None = None) -> Path:
    (folder / "07.asf").write_text(asf_text() if asf is None else asf)
    (folder / "07_01.amc").write_text(amc_text() if amc is None else amc)
    return folder / "07_01.amc"


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


def expected_ends(frame: dict[str, list[float]]) -> dict[str, np.ndarray]:
    """Each bone's far end in file units: end = parent end + G direction length, local rotation C M C^-1."""
    parents = dict(
        lfemur="root", ltibia="lfemur", lfoot="ltibia", rfemur="root", rtibia="rfemur", rfoot="rtibia"
    )
    parents |= dict(back="root", head="back")
    ends = {"root": np.array(frame["root"][:3], dtype=float)}
    turns = {"root": Rotation.from_euler("xyz", frame["root"][3:], degrees=True).as_matrix()}
    for name, direction, length, axis, dof in BONES:
        c = Rotation.from_euler("xyz", axis, degrees=True).as_matrix()  # extrinsic xyz is Rz Ry Rx
        m = np.eye(3)
        if dof:
            m = Rotation.from_euler(
                dof.replace("r", "").replace(" ", ""), frame[name], degrees=True
            ).as_matrix()
            m = m.reshape(3, 3)
        turns[name] = turns[parents[name]] @ c @ m @ c.T
        ends[name] = ends[parents[name]] + turns[name] @ np.array(direction) * length
    return ends


def test_a_bone_is_a_joint_at_its_start_and_its_far_end_is_where_its_child_starts(tmp_path: Path):
    motion = one(written(tmp_path))
    assert motion.skeleton.names == (
        "root",
        "lfemur",
        "ltibia",
        "lfoot",
        "rfemur",
        "rtibia",
        "rfoot",
        "back",
        "head",
    )
    assert motion.provenance.units == "0.45 in" and motion.fps == 120
    assert motion.provenance.guessed == {"up": "+Y", "fps": "120"}
    index = motion.skeleton.index
    leaves = [motion.skeleton.names[joint] for joint, _ in motion.skeleton.end_sites]
    for t, frame in enumerate(FRAMES):
        ends = {name: end * UNIT for name, end in expected_ends(frame).items()}
        np.testing.assert_allclose(motion.positions[t, 0], ends["root"], atol=1e-5)
        np.testing.assert_allclose(motion.positions[t, index("lfemur")], ends["root"], atol=1e-5)
        np.testing.assert_allclose(motion.positions[t, index("ltibia")], ends["lfemur"], atol=1e-5)
        np.testing.assert_allclose(motion.positions[t, index("lfoot")], ends["ltibia"], atol=1e-5)
        np.testing.assert_allclose(motion.positions[t, index("head")], ends["back"], atol=1e-5)
        for leaf, place in zip(leaves, motion.end_positions[t], strict=True):
            np.testing.assert_allclose(place, ends[leaf], atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace(" 17 ", " 1.7e+001 "),
        lambda t: t.replace("#!OML:ASF body.asf", "#!OML:ASF X:\\f\u00fcr Bonn"),
        lambda t: "\n".join(reversed(t.split("\n2\n")[0].split("\n")[4:])).join(
            [t.split("\nroot")[0] + "\n", "\n2\n" + t.split("\n2\n")[1]]
        ),
    ],
)
def test_spellings_of_an_amc(tmp_path: Path, change: Callable[[str], str]):
    plain = one(written(tmp_path))
    (tmp_path / "07_01.amc").write_bytes(change(amc_text()).encode("latin-1"))
    np.testing.assert_allclose(one(tmp_path / "07_01.amc").positions, plain.positions, atol=1e-6)


def test_radians(tmp_path: Path):
    plain = one(written(tmp_path))
    frames = [
        {n: [*v[:3], *np.deg2rad(v[3:])] if n == "root" else list(np.deg2rad(v)) for n, v in frame.items()}
        for frame in FRAMES
    ]
    (tmp_path / "07_01.amc").write_text(amc_text(frames).replace(":DEGREES", ":RADIANS"))
    np.testing.assert_allclose(one(tmp_path / "07_01.amc").positions, plain.positions, atol=1e-5)


def test_the_skeleton_is_among_what_is_read(tmp_path: Path):
    path = written(tmp_path)
    with opened(tmp_path) as seen:
        load(path)
    assert seen == set(files_read(path)) == {path, tmp_path / "07.asf"}
    other = tmp_path / "mine.asf"
    other.write_text(asf_text())
    assert files_read(path, ReadOptions(skeleton_file=other)) == [path, other]
    (tmp_path / "07.asf").unlink()
    (tmp_path / "08.asf").write_text(asf_text())
    assert files_read(path) == [path] and files_read(tmp_path / "absent.amc") == [tmp_path / "absent.amc"]


def test_the_asf_is_found_by_prefix_alone_or_by_option(tmp_path: Path):
    path = written(tmp_path)
    (tmp_path / "0.asf").write_text(asf_text([(n, d, 2 * length, a, f) for n, d, length, a, f in BONES]))
    assert one(path).skeleton.rest_height == pytest.approx(
        one(path, skeleton_file=tmp_path / "07.asf").skeleton.rest_height
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "take.amc").write_text(amc_text())
    with pytest.raises(InputError, match="--skeleton-file"):
        load(alone / "take.amc")
    (alone / "body.asf").write_text(asf_text())
    assert len(one(alone / "take.amc")) == 2
    (alone / "other.asf").write_text(asf_text())
    with pytest.raises(InputError, match="none of"):
        load(alone / "take.amc")
    with pytest.raises(InputError, match="no such skeleton"):
        load(path, skeleton_file=tmp_path / "absent.asf")


def test_a_unit_that_makes_no_body_is_replaced_by_a_guess(tmp_path: Path):
    path = written(tmp_path, asf=asf_text().replace("length 0.45", "length 1.0", 1))
    motion = one(path)
    assert motion.provenance.units == "0.45 in" and motion.provenance.guessed["unit"] == "0.45 in"
    assert one(path, unit=0.05).provenance.units == "0.05 m"


BAD_ASF = {
    "cycle": (
        asf_text().replace("root lfemur rfemur", "root rfemur").replace("ltibia lfoot", "ltibia lfemur"),
        None,
        "cycle",
    ),
    "two parents": (asf_text().replace("back head", "back head lfoot"), 91, "two parents"),
    "unknown child": (asf_text().replace("back head", "back tail"), None, "no bone"),
    "no bones": (asf_text([]), None, "no bone"),
    "direction of words": (asf_text().replace("0.3 -0.95 0.0", "0.3 up 0.0", 1), 17, "3 numbers"),
    "strange axis": (asf_text().replace("0 0 20 XYZ", "0 0 20 XXZ", 1), 19, "axis order"),
    "strange dof": (asf_text().replace("dof rx ry rz", "dof rx rw", 1), 20, "not understood"),
    "same name": (asf_text().replace("name rfoot", "name lfoot"), None, "two bones"),
    "another text": ("hello\n", None, "no :root"),
}


@pytest.mark.parametrize("name", BAD_ASF)
def test_bad_skeletons(tmp_path: Path, name: str):
    content, line, words = BAD_ASF[name]
    with pytest.raises(InputError, match=words) as caught:
        load(written(tmp_path, asf=content))
    assert str(tmp_path / "07.asf") in str(caught.value)
    if line is not None:
        assert caught.value.line == line


BAD_AMC = {
    "unknown bone": (amc_text().replace("back", "tail"), 12, "no moving bone"),
    "too few values": (amc_text().replace("lfemur 20 -5 3", "lfemur 20 -5"), 6, "2 numbers where"),
    "a word": (amc_text().replace("lfemur 20 -5 3", "lfemur 20 -5 x"), 6, "not a number"),
    "a bone missing": (amc_text().replace("rtibia 10\n", ""), 12, "no values for rtibia"),
    "nan": (amc_text().replace("lfemur 21 -6 4", "lfemur nan -6 4"), None, "the first is frame 2"),
    "1e30": (amc_text().replace("lfemur 20 -5 3", "lfemur 1e30 -5 3"), None, "the first is frame 1"),
    "no frames": (amc_text([]), None, "no frames"),
    "no frame number": (amc_text().replace("\n1\nroot", "\nroot"), 4, "frame number"),
}


@pytest.mark.parametrize("name", BAD_AMC)
def test_bad_motions(tmp_path: Path, name: str):
    content, line, words = BAD_AMC[name]
    with pytest.raises(InputError, match=words) as caught:
        load(written(tmp_path, amc=content))
    assert str(tmp_path / "07_01.amc") in str(caught.value) and "\n" not in str(caught.value)
    if line is not None:
        assert caught.value.line == line


def test_a_cut_amc_keeps_its_whole_frames_under_repair(tmp_path: Path):
    path = written(tmp_path, amc=amc_text().split("rfoot 4")[0])
    with pytest.raises(InputError, match="keep the 1 complete frames with --repair"):
        load(path)
    motion = one(path, repair=True)
    assert len(motion) == 1 and any(note.startswith("repaired") for note in motion.provenance.notes)


def test_an_amc_goes_to_bvh_and_back(tmp_path: Path):
    motion = one(written(tmp_path))
    save(motion, tmp_path / "a.bvh")
    again = one(tmp_path / "a.bvh")
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-5)
    np.testing.assert_allclose(again.end_positions, motion.end_positions, atol=1e-5)


def test_cmu_01_01_equals_its_bvh_conversion(unpacked: Callable[..., Path]):
    """Legs and lower spine within 1e-3 CMU units; the conversion drops the thorax and the wrist."""
    amc = one(next(unpacked("cmu/asf-amc.zip", "*/01*").rglob("01_01.amc")))
    bvh = one(next(unpacked("cmu/bvh-cgspeed.zip").rglob("01_01.bvh")))
    assert len(bvh) == len(amc) + 1 and amc.fps == bvh.fps == 120
    pairs = {"root": "Hips", "upperback": "Spine", "thorax": "Spine1"}
    for side, long in (("l", "Left"), ("r", "Right")):
        for bone, joint in (("femur", "UpLeg"), ("tibia", "Leg"), ("foot", "Foot"), ("toes", "ToeBase")):
            pairs[side + bone] = long + joint
    ours = [amc.skeleton.index(name) for name in pairs]
    theirs = [bvh.skeleton.index(name) for name in pairs.values()]
    distance = np.linalg.norm(amc.positions[:, ours] - bvh.positions[1:, theirs], axis=-1)
    assert distance.max() / UNIT < 1e-3
