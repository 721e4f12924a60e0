"""What BVH texts are understood, and what is said about those that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kineme.errors import InputError
from kineme.formats.bvh_parse import parse, parse_hierarchy
from kineme.formats.options import MAX_BVH_BYTES, MAX_DEPTH, MAX_JOINTS, ReadOptions

HEADER = """HIERARCHY
ROOT Hips
{
  OFFSET 0 1 2
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Chest
  {
    OFFSET 0 3 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 4 0
    }
  }
}
"""
ROWS = ["1 2 3 4 5 6 7 8 9", "11 12 13 14 15 16 17 18 19", "-.5 1e-3 0 0 0 0 0 0 1"]
NUMBERS = np.array([[float(word) for word in row.split()] for row in ROWS])


def text(rows: list[str] | None = None, frames: str = "3", time: str = "0.05", header: str = HEADER) -> str:
    return f"{header}MOTION\nFrames: {frames}\nFrame Time: {time}\n" + "\n".join(rows or ROWS) + "\n"


def parsed(tmp_path: Path, content: str | bytes, repair: bool = False):
    path = tmp_path / "take.bvh"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return parse(path, ReadOptions(repair=repair))


def test_joints_channels_and_numbers(tmp_path: Path):
    file = parsed(tmp_path, text())
    hips, chest = file.joints
    assert (hips.name, hips.parent, hips.offset, hips.column, len(hips.channels)) == (
        "Hips",
        -1,
        (0, 1, 2),
        0,
        6,
    )
    assert (chest.name, chest.parent, chest.column, chest.ends) == ("Chest", 0, 6, ((0, 4, 0),))
    assert chest.channels == ("Zrotation", "Xrotation", "Yrotation")
    np.testing.assert_array_equal(file.values, NUMBERS)
    assert file.frame_time == 0.05 and file.frame_time_text == "0.05"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("\n", "\r"),
        lambda t: t.replace("  ", "\t"),
        lambda t: "\ufeff" + t,
        lambda t: "\n \n" + t + "\n\n \n",
        lambda t: t.replace(" ", "  ").replace("Frames:  3", "Frames:\t3 "),
        lambda t: t.replace("Frame Time: 0.05", "Frame Time:\t.05"),
        lambda t: t.replace("\n  {", " {").replace("\n{", " {"),
        lambda t: t.replace("End Site", "End site"),
        lambda t: t.replace("Xposition", "XPOSITION").replace("Zrotation", "zrotation"),
        lambda t: t.replace("OFFSET 0 3 0", "OFFSET 0 0 0 0 3 0"),
        lambda t: t.replace("7 8 9", "7\t8 9 ").replace("\n11", "\n  11"),
        lambda t: t.replace("MOTION", "motion  "),
        lambda t: t.rstrip("\n"),
        lambda t: (
            t.replace(" 5 6 7", "\n5 6 7")
            .replace(" 15 16 17", "\n15 16 17")
            .replace(" 0 0 0 0 0 0", "\n0 0 0 0 0 0")
        ),
    ],
)
def test_every_spelling_gives_the_same(tmp_path: Path, change):
    plain, other = parsed(tmp_path, text()), parsed(tmp_path, change(text()))
    assert other.joints == plain.joints
    np.testing.assert_array_equal(other.values, plain.values)
    assert other.frame_time == plain.frame_time


def test_latin_1_names_and_names_with_spaces(tmp_path: Path):
    file = parsed(tmp_path, text().replace("Chest", "Brust über alles").encode("latin-1"))
    assert file.joints[1].name == "Brust über alles"


def test_several_end_sites_and_joints_without_channels(tmp_path: Path):
    header = HEADER.replace("    CHANNELS 3 Zrotation Xrotation Yrotation\n", "").replace(
        "    End Site", "    End Site\n    {\n      OFFSET 1 1 1\n    }\n    End Site"
    )
    file = parsed(tmp_path, text([row.rsplit(" ", 3)[0] for row in ROWS], header=header))
    assert file.joints[1].channels == () and file.joints[1].ends == ((1, 1, 1), (0, 4, 0))
    np.testing.assert_array_equal(file.values, NUMBERS[:, :6])


BAD = {
    "is empty": ("", None, "export"),
    "only blanks": (" \n\n", None, "empty"),
    "some other text": ("name,age\nA,1\n", None, "no BVH"),
    "cut in the header": (text()[:150], None, "MOTION"),
    "cut in a joint": (HEADER.split("    End")[0] + "MOTION\n", 9, "cut off"),
    "brace too many": (text().replace("MOTION", "}\nMOTION"), 16, "no opening"),
    "word out of place": (text().replace("  JOINT", "  BANANA"), 6, "BANANA"),
    "offset of words": (text().replace("OFFSET 0 3 0", "OFFSET 0 x 0"), 8, "not a number"),
    "offset of two": (text().replace("OFFSET 0 3 0", "OFFSET 0 3"), 8, "2 numbers"),
    "offset nan": (text().replace("OFFSET 0 3 0", "OFFSET 0 nan 0"), 8, "no length"),
    "more channels than named": (text().replace("CHANNELS 3", "CHANNELS 4"), 9, "is no channel"),
    "a million channels": (text().replace("CHANNELS 3", "CHANNELS 1000000"), 9, "CHANNELS"),
    "unknown channel": (
        text().replace("Zrotation Xrotation Yrotation\n    End", "Wrotation Xrotation Yrotation\n    End"),
        9,
        "Wrotation",
    ),
    "two roots in one": (text().replace("JOINT Chest", "ROOT Chest"), 6, "inside"),
    "no frames line": (text().replace("Frames: 3\n", ""), 17, "Frames"),
    "frames of words": (text(frames="many"), 17, "Frames"),
    "no frame time": (text().replace("Frame Time: 0.05\n", ""), 18, "Frame Time"),
    "frame time of words": (text(time="fast"), 18, "not a number"),
    "zero frames": (text(frames="0"), None, "no motion"),
    "a word in the rows": (text([ROWS[0], ROWS[1].replace("13", "x13"), ROWS[2]]), 20, "not a number"),
    "a comma for a point": (text([ROWS[0], ROWS[1], ROWS[2].replace(".5", ",5")]), 21, "not a number"),
    "more frames promised": (text(frames="5"), 21, "3 frames where the header says 5"),
    "fewer frames promised": (text(frames="2"), 21, "3 frames where the header says 2"),
    "last row cut": (text([*ROWS[:2], "1 2 3"]), 21, "3 numbers where the hierarchy has 9"),
    "rows uneven, sum right": (text([ROWS[0] + " 1", ROWS[1][:-3], ROWS[2]]), 19, "10 numbers"),
    "nan": (text([ROWS[0], ROWS[1].replace("16", "nan"), ROWS[2]]), 20, "Yrotation of Hips is nan"),
    "1e30": (text([ROWS[0], ROWS[1], ROWS[2].replace("1e-3", "1e30")]), 21, "Yposition of Hips is 1e+30"),
    "infinity": (text([ROWS[0].replace("9", "inf"), ROWS[1], ROWS[2]]), 19, "Yrotation of Chest is inf"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_sentence_with_file_and_line(tmp_path: Path, name: str):
    content, line, words = BAD[name]
    with pytest.raises(InputError) as caught:
        parsed(tmp_path, content)
    assert words in str(caught.value)
    assert str(tmp_path / "take.bvh") in str(caught.value) and "\n" not in str(caught.value)
    if line is not None:
        assert caught.value.line == line


def test_a_cut_file_says_how_much_is_whole_and_repair_keeps_it(tmp_path: Path):
    cut = text([*ROWS[:2], "1 2 3"])
    with pytest.raises(InputError, match="2 complete frames with --repair"):
        parsed(tmp_path, cut)
    file = parsed(tmp_path, cut, repair=True)
    np.testing.assert_array_equal(file.values, NUMBERS[:2])
    assert any("repaired" in note and "2 frames kept" in note for note in file.notes)


def test_repair_holds_the_neighbour_of_an_unusable_frame(tmp_path: Path):
    rows = [ROWS[0].replace("1 2", "nan 2"), ROWS[0], ROWS[1].replace("16", "1e30")]
    file = parsed(tmp_path, text(rows), repair=True)
    np.testing.assert_array_equal(file.values, NUMBERS[[0, 0, 0]])
    assert "2 of 3 frames" in file.notes[0]
    with pytest.raises(InputError, match="3 of 3 frames"):
        parsed(tmp_path, text(["nan " + row.split(" ", 1)[1] for row in ROWS]), repair=True)


def chain(joints: int) -> str:
    head = "".join(f"{'ROOT' if j == 0 else 'JOINT'} j{j}\n{{\nOFFSET 0 1 0\n" for j in range(joints))
    return f"HIERARCHY\n{head}{'}' * joints}\n"


def test_size_and_depth_are_bounded():
    wide = "".join(f"JOINT j{j}\n{{\nOFFSET 0 1 0\n}}\n" for j in range(MAX_JOINTS))
    with pytest.raises(InputError, match=f"more than {MAX_JOINTS} joints"):
        parse_hierarchy(f"HIERARCHY\nROOT r\n{{\n{wide}}}\n")
    assert len(parse_hierarchy(chain(MAX_DEPTH))) == MAX_DEPTH
    with pytest.raises(InputError, match="deep"):
        parse_hierarchy(chain(100_000))


def test_a_header_without_end_is_refused_before_it_is_taken_apart(tmp_path: Path):
    with pytest.raises(InputError, match="hierarchy is larger than 4 MB"):
        parsed(tmp_path, text().replace("MOTION", " " * (17 << 20) + "\nMOTION"))


def test_files_beyond_the_limit_are_refused_unread(tmp_path: Path):
    path = tmp_path / "take.bvh"
    with open(path, "wb") as file:  # sparse: takes no room on disk
        file.truncate(MAX_BVH_BYTES + 1)
    with pytest.raises(InputError, match="larger than 1 GB"):
        parse(path, ReadOptions())
