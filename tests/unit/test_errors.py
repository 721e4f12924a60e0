"""Unknown names are answered in one way: with what is like them, or with what there is."""

from __future__ import annotations

import pytest

from kineme.errors import did_you_mean, near_names

JOINTS = ("Hips", "LeftArm", "LeftForeArm", "RightArm", "Head")


@pytest.mark.parametrize(
    "word, said",
    [
        ("LeftAmr", "did you mean LeftArm or LeftForeArm?"),
        ("leftarm", "did you mean LeftArm?"),
        ("ForeArmOfTheLeft", "did you mean LeftForeArm?"),
        ("hip", "did you mean Hips?"),
        ("ef", "there are Hips, LeftArm, LeftForeArm, RightArm, Head"),
        ("", "there are Hips, LeftArm, LeftForeArm, RightArm, Head"),
        ("tail", "there are Hips, LeftArm, LeftForeArm, RightArm, Head"),
    ],
)
def test_what_is_like_a_word_or_what_there_is(word: str, said: str) -> None:
    assert did_you_mean(word, JOINTS, "there are") == said


def test_a_part_of_a_name_tells_it_where_nothing_is_spelled_alike() -> None:
    assert near_names("arm", ["thumb", "upper_left_arm_twist"]) == ["upper_left_arm_twist"]


def test_names_that_differ_in_case_alone_are_both_said() -> None:
    assert near_names("HEAD", ["head", "Head", "toe"]) == ["head", "Head"]


def test_several_words_and_how_names_are_shown() -> None:
    assert did_you_mean(["heds", "laers"], ["heads", "layers"], most=1) == "did you mean heads or layers?"
    assert did_you_mean("serch", ["search"], form="`kineme {}`") == "did you mean `kineme search`?"
    assert did_you_mean("tail", JOINTS) == ""


def test_a_word_of_a_million_letters_is_answered() -> None:
    assert near_names("LeftArm" * 200_000, JOINTS) == []


def test_names_that_hold_the_word_are_meant_before_those_spelled_like_it() -> None:
    known = ["walk", "both-wave", "wave-left-hand", "wane"]
    assert near_names("wave", known) == ["wave-left-hand", "both-wave"]
    assert near_names("WAVE", [*known, "Wave"]) == ["Wave"]
    assert near_names("wlak", known)[0] == "walk"
