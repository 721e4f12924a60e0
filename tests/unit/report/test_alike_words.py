"""No two motifs are called the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kineme.report.alike_words import told_apart
from kineme.report.words import Description


def test_motifs_of_the_same_words_are_told_apart() -> None:
    words = {7: "waves", 3: "waves", 5: "walks", 9: "waves"}
    found = told_apart({number: Description(said, ["arm"]) for number, said in words.items()})
    assert {number: said.words for number, said in found.items()} == {
        3: "waves",
        5: "walks",
        7: "waves, another kind",
        9: "waves, a third kind",
    }


def test_what_moves_in_one_motif_alone_tells_it_apart() -> None:
    parts = {
        1: ("both arms wave", ["left arm", "right arm"]),
        2: ("both arms wave", ["torso", "left arm"]),
        3: ("both arms wave", ["torso"]),
        4: ("walks forward", ["left leg", "right leg"]),
        5: ("walks forward", ["right leg", "right arm", "left arm"]),
        6: ("right arm waves", []),
        7: ("right arm waves", ["right arm", "left leg"]),
        8: ("whole body moves", ["left arm"]),
        9: ("whole body moves", ["left leg", "torso"]),
    }
    found = told_apart({number: Description(*said) for number, said in parts.items()})
    assert [found[number].words for number in (2, 3, 5, 7, 9)] == [
        "both arms wave, torso moves too",
        "both arms wave, a third kind",
        "walks forward, both arms move too",
        "right arm waves, another kind",
        "whole body moves, another kind",
    ]
    assert all(found[number].parts == said[1] for number, said in parts.items())


_SAID = st.sampled_from(["waves", "waves, another kind", "waves, head moves too", "stands still"])
_PARTS = st.lists(st.sampled_from(["head", "left arm", "right arm", "left leg"]), unique=True)


@given(st.lists(st.builds(Description, _SAID, _PARTS), max_size=40))
def test_no_two_motifs_have_the_same_words(said: list[Description]) -> None:
    found = told_apart(dict(enumerate(said)))
    names = [found[number].words for number in range(len(said))]
    assert len(set(names)) == len(names)
    assert all(name.startswith(one.words) for name, one in zip(names, said, strict=True))
