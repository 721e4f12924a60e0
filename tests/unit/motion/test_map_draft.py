"""Drafts of map files: what names and tree tell, and the way from a refused rig to a used one."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bodies import MIXAMO, humanoid, rigged, turn_angles, walkabout
from kineme import load, retarget, save
from kineme.cli.main import main
from kineme.errors import InputError
from kineme.motion import SMPL22, Motion
from kineme.motion.canonical import JOINTS
from kineme.motion.map_draft import draft_map, guess_by_tree
from kineme.motion.map_file import read_map

NUMBERED = {name: f"bone{k:02d}" for k, name in enumerate(JOINTS)}


def test_a_nameless_body_is_guessed_from_its_tree(tmp_path: Path) -> None:
    skeleton = replace(SMPL22, names=tuple(NUMBERED.values()))
    assert guess_by_tree(skeleton, set()) == {name: k for k, name in enumerate(JOINTS)}
    path = tmp_path / "draft.toml"
    path.write_text(draft_map(skeleton, "nameless"), encoding="utf-8")
    rig = read_map(path, skeleton)
    assert rig.rig == "nameless" and rig.joints == NUMBERED


def test_names_come_before_guesses_and_what_is_left_over_is_listed() -> None:
    names = MIXAMO | {"left_knee": "Kniegelenk", "head": "Kopf"}
    skeleton = rigged(walkabout(), names=names).skeleton
    text = draft_map(skeleton, "x")
    joints = tomllib.loads(text)["joints"]
    assert joints["left_knee"] == "Kniegelenk" and joints["right_knee"] == "RightLeg"
    assert 'left_knee = "Kniegelenk"  # GUESS' in text and 'right_knee = "RightLeg"\n' in text


def test_fingers_and_helpers_do_not_mislead_the_tree() -> None:
    skeleton = humanoid(
        "b0",
        "leg*a, leg*b, leg*c, leg*d",
        "s1, s2, s3",
        "n1, n2",
        "m*a, m*b, m*c, m*d, m*f1",
    )
    offsets = np.array(skeleton.offsets)
    for joint, name in enumerate(skeleton.names):
        if "Left" in name or "Right" in name:
            side = 1 if "Left" in name else -1
            offsets[joint] = [0.1 * side, -0.3, 0] if name.startswith("leg") else [0.25 * side, 0, 0]
    found = guess_by_tree(replace(skeleton, offsets=offsets), set())
    names = {canonical: skeleton.names[joint] for canonical, joint in found.items()}
    assert names["left_hip"] == "legLefta" and names["right_foot"] == "legRightd"
    assert names["spine3"] == "s3" and names["left_collar"] == "mLefta" and names["head"] == "n2"


def test_what_is_no_body_gets_a_draft_of_comments_alone() -> None:
    skeleton = humanoid("a", "b*", "c", "d", "e*")
    text = draft_map(skeleton, 'odd "name"\n[joints]')
    assert tomllib.loads(text) == {"name": 'odd "name"\n[joints]', "joints": {}}
    assert '# left_knee = ""  # could not be guessed; needed' in text and '#   "bLeft"' in text


@pytest.mark.parametrize("evil", ['a"b', "a\nb = 3", "[joints]", "a\\", "\x7f\x01"])
def test_names_of_strangers_stay_names(evil: str) -> None:
    skeleton = replace(SMPL22, names=(evil, *SMPL22.names[1:]))
    assert tomllib.loads(draft_map(skeleton, evil))["name"] == evil


def test_the_way_from_a_refused_rig_to_a_used_one(tmp_path: Path, capsys) -> None:
    """Suggest, edit one line, give it with --map."""
    body = walkabout()
    names = NUMBERED | {"left_hip": "L_tip", "left_knee": "prop", "left_ankle": "prop2", "left_foot": "prop3"}
    take = rigged(body, names=names)
    offsets = take.skeleton.offsets.copy()
    offsets[JOINTS.index("left_knee")] *= 1.6  # no twin of the other leg: legs cannot be guessed
    take = take.replace(skeleton=replace(take.skeleton, offsets=offsets))
    file, draft = tmp_path / "take.bvh", tmp_path / "my_rig.toml"
    save(take, file)
    loaded = load(file)
    assert isinstance(loaded, Motion)
    with pytest.raises(InputError, match="--suggest-map"):
        retarget(loaded)
    assert main(["info", str(file), "--suggest-map", str(draft)]) == 0
    said = capsys.readouterr()
    assert f"--map {draft}" in said.err
    text = draft.read_text()
    assert '# left_knee = ""  # could not be guessed; needed' in text
    edited = text.replace(
        "[joints]\n", "[joints]\n" + "\n".join(f'{c} = "{n}"' for c, n in names.items()) + "\n"
    )
    draft.write_text("\n".join(line for line in edited.split("\n") if "GUESS" not in line))
    assert main(["convert", str(file), "-o", str(tmp_path / "out.npz"), "--map", str(draft)]) == 0
    edited = draft.read_text()
    assert main(["info", str(file), "--suggest-map", str(draft)]) == 2
    assert "is there already" in capsys.readouterr().err and draft.read_text() == edited


def test_one_line_is_enough_where_one_joint_was_not_told(tmp_path: Path) -> None:
    body = walkabout()
    names = MIXAMO | {"left_shoulder": "Gelenk"}
    file, draft = tmp_path / "take.bvh", tmp_path / "my_rig.toml"
    save(rigged(body, names=names), file)
    assert main(["info", str(file), "--suggest-map", str(draft)]) == 0
    lines = draft.read_text().split("\n")
    (line,) = [k for k, text in enumerate(lines) if "left_shoulder" in text]
    lines[line] = 'left_shoulder = "Gelenk"'
    draft.write_text("\n".join(lines))
    found = load(file, map=draft)
    assert isinstance(found, Motion)
    assert turn_angles(retarget(found).local_rotations, body.local_rotations).max() < 0.1  # type: ignore[arg-type]
