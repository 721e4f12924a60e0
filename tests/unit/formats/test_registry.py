"""Which files are motion, and the one way in and out."""

from __future__ import annotations

import ast
import os
import shlex
from pathlib import Path

import numpy as np
import pytest

from kineme.errors import InputError, UsageError
from kineme.formats import ReadOptions, find_files, load, load_all, save
from kineme.formats.registry import FORMATS, detect, fbx_command
from kineme.motion import SMPL22, Motion

MIXED = Path(__file__).parents[2] / "golden" / "mixed_channels.bvh"


def still(frames: int = 4) -> Motion:
    return Motion(SMPL22, 30.0, np.tile([0, 0.93, 0], (frames, 1)), np.tile(np.eye(3), (frames, 22, 1, 1)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Motion files in every format, and others of the same suffixes, in a folder with a link to itself."""
    root = tmp_path / "takes"
    (root / "b" / "deep").mkdir(parents=True)
    save(still(), root / "z.bvh")
    save(still(), root / "b" / "a.npz")
    bare = Motion.from_positions(SMPL22, 30, still().positions)
    for suffix in ("npz", "npy", "csv"):
        save(bare, root / "b" / f"joints.{suffix}")
    (root / "b" / "deep" / "UPPER.BVH").write_bytes(MIXED.read_bytes())
    (root / "clips.csv").write_text("name,label\na,walk\n")
    (root / "readme.txt").write_text("nothing")
    (root / ".hidden.bvh").write_bytes(MIXED.read_bytes())
    np.save(root / "weights.npy", np.zeros((3, 4)))
    np.savez(root / "weights.npz", a=np.zeros(3))
    (root / "b" / "loop").symlink_to(root)
    return root


def test_folders_give_their_motion_files_sorted_and_once(folder: Path):
    found = [str(path.relative_to(folder)) for path in find_files(folder)]
    assert found == ["b/a.npz", "b/deep/UPPER.BVH", "b/joints.csv", "b/joints.npy", "b/joints.npz", "z.bvh"]


def test_files_that_are_named_are_taken_whatever_they_are_and_none_twice(folder: Path):
    named = [folder / "readme.txt", folder / "z.bvh", folder, str(folder / "z.bvh")]
    found = find_files(named)
    assert found[:2] == [folder / "readme.txt", folder / "z.bvh"] and len(found) == len(set(found)) == 7
    assert find_files([folder / "z.bvh", os.path.relpath(folder / "z.bvh")]) == [folder / "z.bvh"]
    with pytest.raises(InputError, match="no such file or folder"):
        find_files(folder / "absent")


def test_content_is_believed_before_the_suffix(tmp_path: Path):
    path = tmp_path / "take.txt"
    path.write_bytes(MIXED.read_bytes())
    assert detect(path).name == "bvh" and isinstance(load(path), Motion)
    np.savez(tmp_path / "a.npz", positions=still().positions, fps=30)
    assert detect(tmp_path / "a.npz").name == "joints"


def test_errors_name_the_file(tmp_path: Path):
    cases = {
        "absent.bvh": "no such file",
        "empty.bvh": "empty",
        "other.xyz": "no motion file",
        "a.asf": "AMC",
    }
    (tmp_path / "empty.bvh").touch()
    (tmp_path / "other.xyz").write_text("?")
    (tmp_path / "a.asf").write_text(":version 1.10\n")
    for name, words in cases.items():
        with pytest.raises(InputError, match=words) as caught:
            load(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(InputError, match="folder"):
        load(tmp_path)


def test_options_are_checked(tmp_path: Path):
    with pytest.raises(UsageError, match="no reading option is called unot"):
        load(MIXED, unot=3)
    for wrong in ({"up": "up"}, {"channels": "both"}, {"unit": 0.0}, {"fps": -1.0}, {"unit": float("nan")}):
        with pytest.raises(UsageError):
            load(MIXED, **wrong)
    assert ReadOptions(up="z").up == "+Z" and ReadOptions(channels="auto").channels is None


def test_saving_by_suffix(tmp_path: Path):
    save(still(), tmp_path / "new" / "a.BVH")
    assert isinstance(load(tmp_path / "new" / "a.BVH"), Motion)
    with pytest.raises(InputError, match=r"\.fbx"):
        save(still(), tmp_path / "a.fbx")
    with pytest.raises(InputError, match="there already"):
        save(still(), tmp_path / "new" / "a.BVH", overwrite=False)
    assert len(load_all(tmp_path / "new" / "a.BVH")) == 1


def test_every_format_says_what_it_is():
    assert len({entry.name for entry in FORMATS}) == len(FORMATS)
    for entry in FORMATS:
        assert entry.description and all(suffix.startswith(".") for suffix in entry.suffixes)


@pytest.mark.parametrize("seed", range(120))
def test_damaged_files_never_end_in_anything_but_one_sentence(tmp_path: Path, seed: int):
    """Bytes of good files are changed, cut and doubled at random."""
    rng = np.random.default_rng(seed)
    save(still(), tmp_path / "a.npz")
    save(Motion.from_positions(SMPL22, 30, still().positions), tmp_path / "b.csv")
    np.save(tmp_path / "c.npy", still().positions)
    good = [MIXED, tmp_path / "a.npz", tmp_path / "b.csv", tmp_path / "c.npy"][seed % 4]
    data = bytearray(good.read_bytes())
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data)))
        match rng.integers(4):
            case 0:
                data[at] = int(rng.integers(256))
            case 1:
                del data[at : at + int(rng.integers(1, 200))]
            case 2:
                data[at:at] = data[at : at + int(rng.integers(1, 200))]
            case 3:
                data[at:at] = rng.bytes(3)
        if not data:
            break
    path = tmp_path / f"damaged{good.suffix}"
    path.write_bytes(bytes(data))
    skeleton = "smpl22" if good.suffix == ".npy" else None
    for repair in (False, True):
        try:
            motions = load_all(path, ReadOptions(repair=repair, fps=30, skeleton=skeleton))
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert all(np.isfinite(motion.positions).all() for motion in motions)


def test_fbx_is_answered_with_the_command_that_converts_it(tmp_path: Path) -> None:
    path = tmp_path / "My take-01.fbx"
    path.write_bytes(b"Kaydara FBX Binary  \x00\x1a\x00")
    with pytest.raises(InputError, match="FBX is not read; Blender turns it into BVH") as error:
        load(path)
    command = str(error.value).partition("BVH: ")[2]
    words = shlex.split(command)
    assert words[:3] == ["blender", "--background", "--python-expr"] and len(words) == 4
    calls = [node for node in ast.walk(ast.parse(words[3])) if isinstance(node, ast.Call)]
    files = {k.value.value for call in calls for k in call.keywords if k.arg == "filepath"}  # type: ignore[attr-defined]
    assert files == {str(path), str(path.with_suffix(".bvh"))}
    path.rename(path.with_suffix(".dat"))
    with pytest.raises(InputError, match="FBX is not read"):  # by its content
        load(path.with_suffix(".dat"))


@pytest.mark.parametrize("name", ["a'; import os #.fbx", 'a".fbx', "$(touch x).fbx", "`x`.fbx", "a\nb.fbx"])
def test_names_of_strangers_do_not_get_into_the_command(name: str) -> None:
    assert "filepath='take.fbx'" in fbx_command(Path(name))
