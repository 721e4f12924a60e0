"""Points of labs: TRC and C3D in the sets that are in use, their gaps, and what damaged files say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bodies import INDEX
from kineme import fit_rotations, load
from kineme.cli.main import main
from kineme.corpus.convert import read_clips
from kineme.errors import InputError
from kineme.formats import ReadOptions, c3d
from kineme.formats.keypoints import find_body, read_point
from kineme.motion import Motion
from kineme.motion.rigs import recognise_rig
from lab_files import (
    BODY25,
    CENTRES,
    COCO17,
    HALPE26,
    MARKERS,
    OPENCAP,
    PLUGIN,
    person,
    places,
    write_c3d,
    write_trc,
)

SETS = {
    "coco-17": COCO17,
    "body-25": BODY25,
    "halpe-26": HALPE26,
    "opencap": OPENCAP,
    "plug-in gait": list(PLUGIN),
    "joint centres": list(CENTRES),
}
LIMBS = [
    f"{side}_{part}" for side in ("left", "right") for part in "hip knee ankle shoulder elbow wrist".split()
]
#: a lab's room with Z up, from ours
Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


@pytest.fixture(scope="module")
def body() -> Motion:
    return person()


def one(path: Path, **options) -> Motion:
    motion = load(path, **options)
    assert isinstance(motion, Motion)
    return motion


def check(motion: Motion, body: Motion, kind: str) -> None:
    """The person is there: upright, to scale, with rotations that put every limb where it was."""
    assert motion.skeleton.name == kind and motion.positions_only and motion.fps == 60
    assert recognise_rig(motion.skeleton).advice == ""
    fitted = fit_rotations(motion)
    index = [INDEX[name] for name in LIMBS]
    assert np.abs(fitted.positions[:, index] - body.positions[:, index]).max() < 0.006


@pytest.mark.parametrize("kind", SETS)
def test_every_set_of_points_is_a_body_in_trc(body: Motion, kind: str, tmp_path: Path) -> None:
    path = write_trc(tmp_path / "take.trc", SETS[kind], places(SETS[kind], body))
    motion = one(path)
    assert (motion.provenance.units, motion.provenance.up_axis) == ("m", "+Y")
    check(motion, body, kind)
    assert {name for name in SETS[kind]} <= set(motion.skeleton.names)


@pytest.mark.parametrize("kind", ["coco-17", "plug-in gait"])
def test_every_set_of_points_is_a_body_in_c3d(body: Motion, kind: str, tmp_path: Path) -> None:
    names = [f"Anna:{name}" for name in SETS[kind]]  # as Nexus writes the subject
    motion = one(write_c3d(tmp_path / "take.c3d", names, places(SETS[kind], body) @ Z_UP))
    assert (motion.provenance.units, motion.provenance.up_axis) == ("mm", "+Z")
    check(motion, body, kind)


def test_segments_of_theia_are_joints(body: Motion) -> None:
    """4 x 4 matrices by segment; their origins are the joints."""
    segments = list(c3d._THEIA)
    joints = [c3d._THEIA[name].replace("toes", "foot") for name in segments]
    matrices = np.tile(np.eye(4)[:, :, None, None], (1, 1, len(segments), len(body)))
    matrices[:3, 3] = body.positions[:, [INDEX[joint] for joint in joints]].transpose(2, 1, 0)
    labels = np.array([f"{name}_4X4" for name in segments])
    file = {"parameters": {"ROTATION": {"LABELS": {"value": labels}, "RATE": {"value": np.array([60.0])}}}}
    names, values, rate = c3d._segments(file, matrices)  # type: ignore[misc]
    found = find_body(names)
    assert found is not None and rate == 60
    for canonical, source in found.sources.items():
        if canonical != "neck":
            there = body.positions[:, INDEX[canonical]]
            assert np.abs(values[:, list(source)].mean(axis=1) - there).max() < 1e-6


def test_ingest_and_convert_take_points_as_motion_with_rotations(
    body: Motion, tmp_path: Path, capsys
) -> None:
    path = write_trc(tmp_path / "take.trc", OPENCAP, places(OPENCAP, body))
    (clip,), row = read_clips(path, 30.0, ReadOptions())
    assert row.status == "taken" and clip.row.rig == "opencap" and np.isfinite(clip.values).all()
    assert main(["convert", str(path), "-o", str(tmp_path / "take.bvh")]) == 0
    again = one(tmp_path / "take.bvh")
    assert not again.positions_only and recognise_rig(again.skeleton).missing == ()


def test_markers_alone_get_a_sentence_on_what_is_missing(body: Motion, tmp_path: Path, capsys) -> None:
    values = places(MARKERS, body) @ Z_UP + np.linspace(0, 1.4, len(MARKERS))[:, None] * [0, 0, 1]
    values[10:60, 3] = np.nan
    path = write_c3d(tmp_path / "skin.c3d", MARKERS, values)
    motion = one(path)
    assert motion.skeleton.names == tuple(MARKERS) and motion.provenance.up_axis == "+Z"
    assert np.isnan(motion.positions[10:60, 3]).all() and np.isfinite(motion.positions[:, 4]).all()
    assert "gaps were left open in RPSI (0.83 s)" in motion.provenance.notes
    with pytest.raises(InputError, match="13 markers .LASI.* no joint centres.*--map"):
        fit_rotations(motion)
    assert main(["info", str(path)]) == 0
    assert "no joint centres" in capsys.readouterr().out
    clips, row = read_clips(path, 30.0, ReadOptions())
    assert clips == [] and row.status == "rejected"


def test_short_gaps_are_filled_and_told(body: Motion, tmp_path: Path) -> None:
    whole = places(BODY25, body)
    values = whole.copy()
    wrist = BODY25.index("LWrist")
    values[20:28, wrist] = np.nan
    values[40:45, wrist] = 0  # how some programs write it
    motion = one(write_trc(tmp_path / "take.trc", BODY25, values))
    assert any("short gaps" in note and "LWrist (13)" in note for note in motion.provenance.notes)
    found = motion.positions[:, motion.skeleton.index("LWrist")]
    share = np.linspace(0, 1, 10)[1:-1, None]
    assert np.allclose(found[20:28], whole[19, wrist] * (1 - share) + whole[28, wrist] * share, atol=1e-4)
    motion = one(write_c3d(tmp_path / "take.c3d", BODY25, values))  # a residual of -1
    assert any("LWrist (13)" in note for note in motion.provenance.notes)


def test_long_gaps_are_an_error_or_are_bridged_on_request(body: Motion, tmp_path: Path) -> None:
    values = places(BODY25, body)
    values[30:90, BODY25.index("LWrist")] = np.nan
    values[30:90, BODY25.index("LHeel")] = np.nan
    path = write_trc(tmp_path / "take.trc", BODY25, values)
    with pytest.raises(InputError, match=r"take.trc: the point LWrist \(1.00 s from 0.50 s\).*--repair"):
        load(path)
    motion = one(path, repair=True)
    assert any(
        note.startswith("repaired: long gaps") and "LWrist (1.00 s" in note
        for note in motion.provenance.notes
    )
    assert any("left out" in note and "LHeel" in note for note in motion.provenance.notes)
    assert "LHeel" not in motion.skeleton.names and np.isfinite(motion.positions).all()
    values[:, BODY25.index("LWrist")] = np.nan
    with pytest.raises(InputError, match="LWrist"):
        load(write_trc(path, BODY25, values), repair=True)


def test_a_map_file_says_which_marker_is_which(body: Motion, tmp_path: Path) -> None:
    names = [f"M{k:02d}" for k in range(len(CENTRES) + 1)]
    values = np.concatenate([places(list(CENTRES), body), body.positions[:, :1]], axis=1)
    lines = [f'{joint} = "M{k:02d}"' for k, joint in enumerate(CENTRES.values())]
    (tmp_path / "map.toml").write_text("\n".join(["[joints]", *lines, 'pelvis = "M12"']))
    path = write_trc(tmp_path / "take.trc", names, values)
    assert recognise_rig(one(path).skeleton).rig == "markers"
    fitted = fit_rotations(one(path, map=tmp_path / "map.toml"))
    assert (
        np.abs(fitted.positions[:, INDEX["left_wrist"]] - body.positions[:, INDEX["left_wrist"]]).max() < 0.02
    )


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("LHJC", ("left", "hjc")),
        ("Subject:RFEO", ("right", "feo")),
        ("left_big_toe", ("left", "bigtoe")),
        ("RHip", ("right", "hip")),
        ("hip_r", ("right", "hip")),
        ("midHip", ("", "midhip")),
        ("Hip", ("", "hip")),
        ("LASI", ("", "lasi")),
        ("LKNE", ("", "lkne")),
    ],
)
def test_names_of_points(name: str, read: tuple[str, str]) -> None:
    assert read_point(name) == read


def test_a_unit_that_is_not_known_is_noted_and_guessed(body: Motion, tmp_path: Path) -> None:
    names = list(CENTRES)
    path = write_trc(tmp_path / "take.trc", names, places(names, body)[:5])
    path.write_text(path.read_text().replace("\t12\tm\t", "\t12\tcubits\t", 1))
    provenance = load(path).provenance
    assert any("cubits" in note for note in provenance.notes) and "unit" in provenance.guessed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:200], "no TRC|no frames|names"),
        (lambda text: text.replace("60\t60\t", "x\t60\t", 1), "line 3: DataRate"),
        (lambda text: text.replace("\t12\tm\t", "\t13\tm\t", 1), "line 4: the header names 12 points"),
        (lambda text: text.replace("0.000000\t", "0.0x\t", 1), "line 7: .*not a number"),
        (lambda text: "nothing", "no TRC file"),
    ],
)
def test_a_damaged_trc_is_named_by_its_line(body: Motion, tmp_path: Path, change, message: str) -> None:
    names = list(CENTRES)
    path = write_trc(tmp_path / "take.trc", names, places(names, body)[:5])
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=f"take.trc.*({message})"):
        load(path)


def test_a_damaged_c3d_is_refused_before_room_is_made_for_it(body: Motion, tmp_path: Path) -> None:
    names = list(CENTRES)
    path = write_c3d(tmp_path / "take.c3d", names, places(names, body))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match="take.c3d: it promises 120 frames of 12 points"):
        load(path)
    path.write_bytes(b"no c3d")
    with pytest.raises(InputError, match="no C3D file"):
        load(path)
    path.write_bytes(whole[:512] + bytes(len(whole) - 512))
    with pytest.raises(InputError, match="take.c3d"):
        load(path)


def test_without_ezc3d_the_extra_is_named(body: Motion, tmp_path: Path, monkeypatch) -> None:
    path = write_c3d(tmp_path / "take.c3d", list(CENTRES), places(list(CENTRES), body))
    monkeypatch.setitem(__import__("sys").modules, "ezc3d", None)
    with pytest.raises(InputError, match=r'pip install "kineme\[c3d\]"'):
        load(path)
