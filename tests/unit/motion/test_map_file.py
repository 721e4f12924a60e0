from __future__ import annotations

from pathlib import Path

import pytest

from bodies import MIXAMO, rigged, turn_angles, walkabout
from kineme import load, save
from kineme.errors import InputError
from kineme.motion import Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.map_file import read_map
from kineme.motion.retarget import retarget
from kineme.motion.rigs import recognise_rig

NUMBERED = {name: f"bone{k:02d}" for k, name in enumerate(JOINTS)}


def written(folder: Path, joints: dict[str, str], head: str = "") -> Path:
    path = folder / "my_rig.toml"
    lines = "\n".join(f'{canonical} = "{joint}"' for canonical, joint in joints.items())
    path.write_text(f"{head}\n[joints]\n{lines}\n", encoding="utf-8")
    return path


def test_a_map_makes_nameless_bones_a_body(tmp_path: Path) -> None:
    body = walkabout()
    take = rigged(body, names=NUMBERED)
    with pytest.raises(InputError, match="--map my_rig.toml"):
        retarget(take)
    rig = read_map(written(tmp_path, NUMBERED, 'name = "nameless"'), take.skeleton)
    assert rig.rig == "nameless" and rig.missing == ()
    assert turn_angles(retarget(take, rig).local_rotations, body.local_rotations).max() < 0.1


def test_a_map_goes_with_the_file_that_is_read(tmp_path: Path) -> None:
    body = walkabout()
    take = tmp_path / "take.bvh"
    save(rigged(body, names=NUMBERED), take)
    assert recognise_rig(load(take).skeleton).rig == "unknown"
    read = load(take, map=written(tmp_path, NUMBERED, 'name = "nameless"'))
    assert recognise_rig(read.skeleton).rig == read.skeleton.name == "nameless"
    assert turn_angles(retarget(read).local_rotations, body.local_rotations).max() < 0.1


def test_a_map_need_only_say_what_names_do_not(tmp_path: Path) -> None:
    names = MIXAMO | {"left_knee": "Kniegelenk"}
    skeleton = rigged(walkabout(), names=names).skeleton
    rig = read_map(written(tmp_path, {"left_knee": "Kniegelenk", "left_foot": ""}), skeleton)
    assert rig.joints["left_knee"] == "Kniegelenk" and rig.joints["right_knee"] == "RightLeg"
    assert rig.rig == "my_rig" and rig.missing == ("left_foot",) and "LeftToeBase" in rig.unmapped


def _skeleton() -> Skeleton:
    return rigged(walkabout()).skeleton


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("joints = 3", "needs a .joints. table"),
        ("[joints]", "needs a .joints. table"),
        ("[joints\nleft_knee = 3", "no valid TOML.*line 1"),
        ("[joints]\nleft_knee = 3", "left_knee should be a joint's name in quotes, not 3"),
        ("[joints]\nleft_nee = 'LeftLeg'", "'left_nee' is no joint of the body; did you mean left_knee"),
        ("[joints]\nx = 'LeftLeg'", "'x' is no joint of the body; the joints are pelvis"),
        ("[joints]\nleft_knee = 'LeftLeck'", "no joint 'LeftLeck' for left_knee; did you mean 'LeftLeg'"),
        ("[joints]\nleft_knee = 'xyz'", "no joint 'xyz' for left_knee; its joints are Hips, "),
        ("[joints]\nleft_knee = 'LeftLeg'\nleft_hip = 'LeftLeg'", "stands for two joints"),
        ("nmae = 'x'\n[joints]\nleft_knee = 'LeftLeg'", "unknown entry 'nmae'"),
    ],
)
def test_what_is_no_map_is_rejected_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"broken.toml: .*{message}"):
        read_map(path, _skeleton())


def test_a_map_that_is_absent_binary_or_huge_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_map(tmp_path / "absent.toml", _skeleton())
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no valid TOML"):
        read_map(path, _skeleton())
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger than a megabyte"):
        read_map(path, _skeleton())
