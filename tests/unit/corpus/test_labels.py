"""Labels, columns and splits from every kind of source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kineme.corpus.labels import Annotations, as_groups, read_labels, read_splits
from kineme.errors import InputError, UsageError
from kineme.motion import Segment


def _one(source: object) -> Annotations:
    (annotations,) = read_labels(source)
    return annotations


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_pattern_over_file_names() -> None:
    labels = _one(r"^(?P<label>[a-z]+)_(?P<style>[a-z]+)_(?P<subject>\d+)$")
    segments, columns = labels.of("takes/walk_old_07.bvh", fps=30, duration=2.0)
    assert segments == [Segment(0.0, 2.0, "walk")]
    assert columns == {"style": "old", "subject": "07"}
    assert labels.of("takes/unnamed.bvh", 30, 2.0) == ([], {})


def test_bad_pattern_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="regular expression"):
        read_labels(r"(?P<label>[a-z")


def test_csv_of_segments_in_seconds(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "labels.csv",
        "file,start,end,label,level,confidence\n"
        "b.bvh,1.0,2.5,kick,motif,0.5\n"
        "b.bvh,0,1.0,walk,,\n"
        "b.bvh,9,12,late,,\n"
        "other/b.bvh,0,1,elsewhere,,\n",
    )
    segments, columns = _one(path).of("/takes/b.bvh", 30, 10.0)
    assert segments == [
        Segment(0.0, 1.0, "walk"),
        Segment(1.0, 2.5, "kick", "motif", 0.5),
        Segment(9.0, 10.0, "late"),
    ]
    assert columns == {}
    assert [s.label for s in _one(path).of("/x/other/b.bvh", 30, 10.0)[0]] == ["elsewhere"]


def test_csv_with_a_row_a_clip(tmp_path: Path) -> None:
    path = _write(tmp_path / "clips.csv", "name,content,style,group,actor\nwalk_001,walk,old,g1,p3\n")
    segments, columns = _one(path).of("walk_001.bvh", 30, 3.0)
    assert segments == [Segment(0.0, 3.0, "walk")]
    assert columns == {"style": "old", "group": "g1", "subject": "p3"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("take,label\na,walk\n", 1, "'file', 'clip' or 'name'"),
        ("file,start\na,0\n", 1, "file, start, end, label"),
        ("file,start,end,label\na,zero,1,walk\n", 2, "no number"),
        ("file,start,end,label\na,0,1,walk\na,2,1,run\n", 3, "no length"),
        ("file,start,end,label\na,nan,1,walk\n", 2, "no length"),
        ("file,start,end,label\n,0,1,walk\n", 2, "empty"),
        ("file,start,end,label\na,-1,1,walk\n", 2, "starts at -1 s, before its take"),
        ("File,START,end,label\na,0,1,walk\na,x,1,run\n", 3, "no number"),
    ],
)
def test_bad_csv_names_the_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = _write(tmp_path / "bad.csv", text)
    with pytest.raises(InputError, match=says) as error:
        read_labels(path)
    assert error.value.path == path and error.value.line == line


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_csv_of_a_spreadsheet(tmp_path: Path, comma: str) -> None:
    rows = [["Label", "FILE", "Start", "end", "Place"], ["walk", "b.bvh", "0,5", "2.5", "Hall"], [""] * 5]
    text = "\n".join(comma.join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows)
    segments, columns = _one(_write(tmp_path / "labels.csv", text)).of("b.bvh", 30, 10.0)
    assert segments == [Segment(0.5, 2.5, "walk")]
    assert columns == {"Place": "Hall"}  # a name without a meaning stays as it is


def test_a_header_alone_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "labels.csv", "file,start,end,label\n\n")
    with pytest.raises(InputError, match="no line under them"):
        read_labels(path)


def test_babel(tmp_path: Path) -> None:
    frames = {"labels": [{"proc_label": "walk", "raw_label": "walks", "start_t": 0.5, "end_t": 2}]}
    whole = {"labels": [{"raw_label": "stands about", "proc_label": None}]}
    entries = {
        "1": {"feat_p": "CMU/CMU/01/01_01_poses.npz", "dur": 4.0, "frame_ann": frames, "seq_ann": whole},
        "2": {"feat_p": "CMU/CMU/02/02_01_poses.npz", "dur": 4.0, "frame_ann": None, "seq_ann": whole},
        "3": {"feat_p": "CMU/CMU/03/03_01_poses.npz", "dur": 4.0, "frame_ann": None, "seq_ann": None},
    }
    labels = _one(_write(tmp_path / "train.json", json.dumps(entries)))
    assert labels.of("amass/CMU/CMU/01/01_01_poses.npz", 120, 4.0)[0] == [Segment(0.5, 2.0, "walk")]
    assert labels.of("amass/CMU/CMU/02/02_01_poses.npz", 120, 4.0)[0] == [Segment(0.0, 4.0, "stands about")]
    assert labels.of("amass/CMU/CMU/03/03_01_poses.npz", 120, 4.0)[0] == []
    assert labels.of("amass/EKUT/01/01_01_poses.npz", 120, 4.0)[0] == []
    # unpacked without the data set's name twice, and the same take in SMPL-X
    assert labels.of("amass/CMU/01/01_01_poses.npz", 120, 4.0)[0] == [Segment(0.5, 2.0, "walk")]
    assert labels.of("amass/CMU/01/01_01_stageii.npz", 120, 4.0)[0] == [Segment(0.5, 2.0, "walk")]


def test_babel_with_several_annotators(tmp_path: Path) -> None:
    """The files extra_train.json and extra_val.json hold lists; segments overlap."""
    first = {
        "labels": [{"proc_label": n, "start_t": a, "end_t": b} for n, a, b in [("jog", 0, 3), ("turn", 2, 4)]]
    }
    entries = {"7": {"feat_p": "BMLrub/BMLrub/rub001/0001_poses.npz", "frame_anns": [first, {"labels": []}]}}
    entries["8"] = {
        "feat_p": "BMLrub/BMLrub/rub002/0001_poses.npz",
        "frame_anns": None,
        "seq_anns": [{"labels": [{"proc_label": "stand", "raw_label": "stands"}]}],
    }
    labels = _one(_write(tmp_path / "extra_train.json", json.dumps(entries)))
    found = labels.of("BMLrub/BMLrub/rub001/0001_poses.npz", 120, 5.0)[0]
    assert found == [Segment(0, 3, "jog"), Segment(2, 4, "turn")]
    assert labels.of("BMLrub/rub002/0001_poses.npz", 120, 5.0)[0] == [Segment(0.0, 5.0, "stand")]


TIMELINE = {
    "filename": "jump_001__A022",
    "overview": "a person jumps, then waits",
    "events": [
        {"start_time": 0.0, "end_time": 1.2, "description": "jumps forward"},
        {"start_time": 1.2, "end_time": 9.0, "description": "waits"},
    ],
}


@pytest.mark.parametrize("layout", ["lines", "list", "by name"])
def test_timelines_of_text(tmp_path: Path, layout: str) -> None:
    other = {"name": "walk_002__A022", "segments": [{"start": 0.5, "end": 2, "text": "walks"}]}
    if layout == "lines":
        text = f"{json.dumps(TIMELINE)}\n\n{json.dumps(other)}\n"
        path = _write(tmp_path / "timelines.jsonl", text)
    else:
        named = {entry.get("filename", entry.get("name")): entry for entry in (TIMELINE, other)}
        path = _write(tmp_path / "t.json", json.dumps([TIMELINE, other] if layout == "list" else named))
    labels = _one(path)
    segments, columns = labels.of("soma_uniform/bvh/231012/jump_001__A022.bvh", 120, 3.0)
    assert segments == [Segment(0.0, 1.2, "jumps forward"), Segment(1.2, 3.0, "waits")]
    assert columns == {"overview": "a person jumps, then waits"}
    assert labels.of("walk_002__A022.bvh", 120, 3.0)[0] == [Segment(0.5, 2.0, "walks")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"filename": "a", "events": []}\n{', "t.jsonl, line 2: this is no JSON"),
        ("[1]", "line 1: a timeline should be an object"),
        ('{"events": []}', "no filename"),
        ('{"filename": "a", "events": [{"description": "x"}]}', "events of 'a'.*lacks its start"),
        ('{"filename": "a", "events": [3]}', "events of 'a' cannot be read"),
    ],
)
def test_bad_timelines_are_named_by_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_labels(_write(tmp_path / "t.jsonl", text))


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"1": 3}', '{"1": {"frame_ann": {"labels": [{"proc_label": "a", "end_t": "x"}]}}}']
)
def test_bad_babel_names_the_file(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / "bad.json", text)
    with pytest.raises(InputError) as error:
        read_labels(path)
    assert error.value.path == path


def test_hand_labels_of_a_long_take(data_dir: Path) -> None:
    segments, _ = _one(data_dir / "cmu" / "labels" / "86_01.txt").of(
        "86_01.amc", fps=120, duration=4579 / 120
    )
    assert [s.label for s in segments] == ["walk", "jump", "walk", "punch", "walk", "leg_kick", "punch"]
    assert segments[0] == Segment(0.0, 550 / 120, "walk")
    assert segments[-1].end == 4579 / 120
    assert all(a.end == b.start for a, b in zip(segments, segments[1:], strict=False))


@pytest.mark.parametrize(
    ("text", "line"),
    [("", 1), ("86 01 x\n", 1), ("86 01\nwalk 1 2\n", 2), ("86 01\nwalk 1 5 6\nrun 1 4 6\n", 3)],
)
def test_bad_hand_labels_name_the_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InputError) as error:
        read_labels(_write(tmp_path / "bad.txt", text))
    assert error.value.line == line


def test_unknown_kind_of_label_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="csv"):
        read_labels(_write(tmp_path / "labels.xml", "<a/>"))
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "nothing.csv")


def test_splits_from_files_with_a_common_beginning(tmp_path: Path) -> None:
    _write(tmp_path / "data_train.txt", "a\nb.bvh\n\n# a remark\n")
    _write(tmp_path / "data_test.txt", "c\n")
    _write(tmp_path / "data-2_test.txt", "d\n")
    splits = read_splits(tmp_path / "data")
    found = {name: splits.of(f"{name}.bvh", 30, 1.0)[1].get("split") for name in "abcd"}
    assert found == {"a": "train", "b": "train", "c": "test", "d": None}


def test_splits_from_a_mapping_and_from_one_file(tmp_path: Path) -> None:
    listed = read_splits({"train": ["a", "b"], "test": _write(tmp_path / "some.txt", "c\n")})
    assert [listed.of(name, 30, 1.0)[1] for name in "abc"] == [{"split": "train"}] * 2 + [{"split": "test"}]
    single = read_splits(_write(tmp_path / "mine_val.txt", "a\n"))
    assert single.of("a.bvh", 30, 1.0)[1] == {"split": "val"}


def test_a_clip_in_two_splits_is_refused() -> None:
    with pytest.raises(InputError, match="both in train and in test"):
        read_splits({"train": ["a"], "test": ["a.bvh"]})


def test_missing_split_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split file"):
        read_splits(tmp_path / "nothing")


def test_the_files_of_the_project(data_dir: Path) -> None:
    splits = read_splits(data_dir / "splits" / "bandai-namco")
    counts = [columns["split"] for columns in splits.columns.values()]
    assert [counts.count(split) for split in ("train", "val", "test")] == [2087, 233, 389]
    clips = _one(data_dir / "bandai-namco" / "clips.csv")
    segments, columns = clips.of("dataset-1_bow_active_001.bvh", 30, 128 / 30)
    assert [s.label for s in segments] == ["bow"]
    assert (columns["style"], columns["group"]) == ("active", "1a")


def test_groups_by_column_or_mapping() -> None:
    assert as_groups(None)[0] == "group"
    assert as_groups("style") == ("style", Annotations())
    column, groups = as_groups({"a.bvh": "g1"})
    assert column == "group" and groups.of("x/a.bvh", 30, 1.0)[1] == {"group": "g1"}


def test_the_longest_matching_path_wins() -> None:
    notes = Annotations(columns={"a": {"subject": "any"}, "s1/a": {"subject": "one"}})
    assert notes.of("data/s1/a.bvh", 30, 1.0)[1] == {"subject": "one"}
    assert notes.of("data/s2/a.bvh", 30, 1.0)[1] == {"subject": "any"}
