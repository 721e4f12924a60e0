"""Files that mean harm: refused in one sentence, in little time and memory, and nothing of them is run."""

from __future__ import annotations

import io
import os
import pickle
import resource
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus.labels import read_labels
from kineme.errors import InputError, printable
from kineme.formats import find_files, load
from kineme.formats.arrays import open_npy, open_npz
from kineme.formats.registry import detect

HEAD = "HIERARCHY\nROOT Hips\n{\nOFFSET 0 90 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
TAIL = "End Site\n{\nOFFSET 0 10 0\n}\n}\n"


def _npy_header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(text, {"descr": kind, "fortran_order": False, "shape": shape})
    return text.getvalue()


def _npz(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _refused(path: Path, said: str) -> str:
    with pytest.raises(InputError, match=said) as caught:
        load(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    return str(caught.value)


# --- pickles ----------------------------------------------------------------------------------------------


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("suffix", [".pkl", ".npy", ".npz", ".bvh", ".amc", ".csv"])
def test_a_pickle_that_would_run_a_command_runs_nothing(suffix: str, tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / f"take{suffix}"
    path.write_bytes(pickle.dumps(_Touch(mark)))
    _refused(path, ".")
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    objects = np.array([_Touch(mark)], dtype=object)
    np.save(tmp_path / "take.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "poses.npz", poses=objects, trans=objects)
    np.savez(tmp_path / "joints.npz", positions=objects)
    for name in ("take.npy", "poses.npz", "joints.npz"):
        _refused(tmp_path / name, "unpickled")
    assert not mark.exists()


# --- archives ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2_500_000_000,), (50_000, 50_000), (10**18,), (2**62, 2**62), (-5,)])
def test_an_array_that_claims_10_gb_is_not_made(shape: tuple[int, ...], tmp_path: Path) -> None:
    header = _npy_header(shape)
    _npz(tmp_path / "take.npz", {"poses.npy": header + b"\0" * 64, "trans.npy": header})
    (tmp_path / "take.npy").write_bytes(header + b"\0" * 64)
    for open_it in (
        lambda: open_npz(tmp_path / "take.npz", ("poses",)),
        lambda: open_npy(tmp_path / "take.npy"),
    ):
        with pytest.raises(InputError):
            open_it()
    _refused(tmp_path / "take.npz", "cannot be read")


def test_a_zip_bomb_is_told_by_its_ratio(tmp_path: Path) -> None:
    frames = 300_000
    header = _npy_header((frames, 156))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    _npz(tmp_path / "take.npz", {"poses.npy": header + bytes(frames * 156 * 4), "trans.npy": header})
    assert packer and (tmp_path / "take.npz").stat().st_size < 400_000
    _refused(tmp_path / "take.npz", "unpacks to .* times its size")


def test_an_archive_whose_directory_is_the_bomb(tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    _npz(path, {"poses.npy": b""})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        open_npz(path, ())
    path.write_bytes(b"PK\x03\x04" + b"PK\x01\x02" * 100_000)
    _refused(path, ".")


@pytest.mark.parametrize("name", ["../../evil", "/tmp/kineme-evil", "..\\evil", "C:\\evil", "a/../../evil"])
def test_a_path_in_an_archive_leads_nowhere(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    array = io.BytesIO()
    np.save(array, np.zeros((4, 3)))
    _npz(inner / "take.npz", {f"{name}.npy": array.getvalue(), "positions.npy": b"", name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    _refused(inner / "take.npz", ".")
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/kineme-evil.npy").exists()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method: int, tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.zeros((4, 156)))
    path = _npz(tmp_path / "take.npz", {"poses.npy": array.getvalue(), "trans.npy": b""}, method)
    _refused(path, "compressed in a way that NumPy does not use")


# --- text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [True, False])
def test_a_hierarchy_100_000_joints_deep(closed: bool, tmp_path: Path) -> None:
    joint = "JOINT a\n{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n"
    text = HEAD + joint * 100_000 + ("}\n" * 100_001 if closed else "")
    path = tmp_path / "take.bvh"
    path.write_text(text + "MOTION\nFrames: 1\nFrame Time: 0.03\n0\n")
    _refused(path, "line 1001: joints are nested more than 200 deep|larger than 4 MB")


def test_an_asf_100_000_bones_deep(tmp_path: Path) -> None:
    bones = "".join(f"begin\nname b{k}\ndirection 0 1 0\nlength 1\nend\n" for k in range(100_000))
    tree = "root b0\n" + "".join(f"b{k} b{k + 1}\n" for k in range(99_999))
    head = ":units\nlength 0.45\n:root\norder TX TY TZ\n:bonedata\n"
    (tmp_path / "take.asf").write_text(f"{head}{bones}:hierarchy\nbegin\n{tree}end\n")
    (tmp_path / "take.amc").write_text(":FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 0 0\n")
    with pytest.raises(InputError, match=r"take\.asf.*(more than 1000 bones|larger than 4 MB)"):
        load(tmp_path / "take.amc")


def test_a_small_file_that_asks_for_a_huge_motion(tmp_path: Path) -> None:
    path = tmp_path / "take.bvh"
    joints = "JOINT a\n{\nOFFSET 0 0 0\n}\n" * 900  # without channels: rows stay short
    path.write_text(HEAD + joints + TAIL + "MOTION\nFrames: 100000\nFrame Time: 0.01\n" + "0 0 0\n" * 100_000)
    _refused(path, "100000 frames of 901 joints are too many")
    path.write_text(HEAD + TAIL + "MOTION\nFrames: 999999999999\nFrame Time: 0.01\n0 0 0\n")
    _refused(path, "too many")


@pytest.mark.parametrize("suffix", [".bvh", ".amc", ".csv", ".npz", ".npy", ".pkl"])
def test_more_than_2_gb_are_not_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"take{suffix}"
    with open(path, "wb") as file:
        file.write(b"HIERARCHY")
        file.truncate(2 * 2**30 + 1)  # sparse: it takes no room
    _refused(path, "2.1 GB, more than the 2 GB limit")


#: prints what loading the file says, and the most memory that the process took, in megabytes
_MEASURED = """
import resource, sys
from kineme.errors import InputError
from kineme.formats import load
import numpy, scipy.spatial.transform
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try: load(sys.argv[1])
except InputError as error: print(error.message[:200])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

_SIZE = 12 * 2**20


@pytest.mark.parametrize(
    "name, begins, filling",
    [
        ("take.bvh", HEAD + TAIL + "MOTION\nFrames: 10\nFrame Time: 0.01\n", "0 "),
        ("take.bvh", HEAD + TAIL + "MOTION\nFrames: 10\nFrame Time: 0.01\n", "\n"),
        ("take.bvh", "HIERARCHY ", "x"),
        ("take.bvh", "HIERARCHY\nMOTION ", " "),
        ("take.csv", "a_x,a_y,a_z\n", "1,"),
        ("take.csv", "a_x,a_y,a_z", ","),
        ("take.amc", ":DEGREES\n", "1 "),
        ("take.amc", ":DEGREES\n", " "),
    ],
)
def test_a_line_without_end_takes_memory_in_proportion(
    name: str, begins: str, filling: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(begins + filling * (_SIZE // len(filling)))
    if name.endswith("amc"):
        bone = "begin\nname b\ndirection 0 1 0\nlength 1\nend\n:hierarchy\nbegin\nroot b\nend\n"
        (tmp_path / "take.asf").write_text(":units\nlength 0.45\n:root\norder TX TY TZ\n:bonedata\n" + bone)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    *said, megabytes = done.stdout.splitlines()
    assert len(said) == 1
    assert int(megabytes) < 12 * 40 + 64  # some 60 bytes a word of two, at worst


# --- folders and names ------------------------------------------------------------------------------------


def test_links_in_circles_and_things_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "a" / "loop.bvh").symlink_to(tmp_path / "a" / "loop.bvh")
    (tmp_path / "a" / "gone.bvh").symlink_to(tmp_path / "nowhere.bvh")
    os.mkfifo(tmp_path / "a" / "pipe.bvh")
    (tmp_path / "a" / "take.bvh").write_text(HEAD)
    assert [file.name for file in find_files(tmp_path)] == ["take.bvh"]
    _refused(tmp_path / "a" / "pipe.bvh", "no regular file")
    _refused(Path("/dev/zero"), "no regular file")
    with pytest.raises(InputError):
        find_files(tmp_path / "a" / "loop.bvh")
    with pytest.raises(InputError):
        detect(tmp_path / "a" / "self")


def test_control_characters_of_a_file_never_reach_the_terminal(tmp_path: Path) -> None:
    evil = "a\x1b]0;owned\x07\x1b[2J\u202eb\nroot#"
    path = tmp_path / f"{evil.replace('/', '')}.bvh"
    path.write_text(f"HIERARCHY\nROOT {evil}\n{{\nOFFSET 0 0\n")
    with pytest.raises(InputError) as caught:
        load(path)
    said = str(caught.value)
    assert "\\x1b]0;owned\\x07" in said and "\\x202e" in said
    assert not any(c in said for c in "\x1b\x07\n\u202e")
    assert printable("Größe 走る.bvh") == "Größe 走る.bvh"


def test_nothing_here_needs_more_than_this_process_may_have() -> None:
    """The tests above ran in this process: its peak says that none took gigabytes."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 < 1500


def test_a_word_of_a_million_letters_does_not_fill_the_screen(tmp_path: Path) -> None:
    """Found by the fuzzer: the frame time, a label's start."""
    path = tmp_path / "take.bvh"
    path.write_text(HEAD + TAIL + "MOTION\nFrames: 1\nFrame Time: " + "(" * 1_000_000 + "\n0 0 0\n")
    assert len(_refused(path, "is not a number")) < 2000
    (tmp_path / "labels.csv").write_text("file,start,end,label\ntake,1" + "9" * 5000 + "x,2,walk\n")
    with pytest.raises(InputError, match="no number") as caught:
        read_labels(tmp_path / "labels.csv")
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("kind", ["<U1", "|V8", "|S8"])
@pytest.mark.parametrize("name", ["trans", "root_orient", "pose_body"])
def test_rotations_that_are_no_numbers(name: str, kind: str, tmp_path: Path) -> None:
    """Found by the fuzzer."""
    arrays = {"trans": np.zeros((4, 3)), "root_orient": np.zeros((4, 3)), "pose_body": np.zeros((4, 63))}
    np.savez(tmp_path / "take.npz", **(arrays | {name: np.zeros(arrays[name].shape, kind)}))
    _refused(tmp_path / "take.npz", ".")


def test_characters_that_there_are_not(tmp_path: Path) -> None:
    """Found by the fuzzer: such text breaks Python's own, wherever it is looked at."""
    broken = np.array([0x110000, 0x41], "<u4").view("<U1")
    np.savez(tmp_path / "take.npz", positions=np.zeros((3, 2, 3)), names=broken, fps=30)
    _refused(tmp_path / "take.npz", "a character that there is not")
    (tmp_path / "take.pkl").write_bytes(pickle.dumps({"poses": broken}, 2))
    _refused(tmp_path / "take.pkl", "a character that there is not")


@pytest.mark.parametrize("word", ["9" * 5000, "\u00b2", "-1"])
def test_frame_numbers_that_are_none(word: str, tmp_path: Path) -> None:
    """Found by the fuzzer: Python refuses to make a number of thousands of digits."""
    (tmp_path / "86_01.txt").write_text(f"86 01\nwalk 1 {word} 20\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: a line should be"):
        read_labels(tmp_path / "86_01.txt")
