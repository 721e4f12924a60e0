"""Cards of an earlier run: what is kept is what is found, and new takes are looked through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.formats.checksums import file_record
from kineme.models.a4mer import A4Mer
from kineme.tasks.alike import STRETCHES, Alike, Before, alike_stretches, first_example
from kineme.tasks.cards import Cards, read_cards, stretches_key
from kineme.tasks.discover import SCALES, SHORTEST, Discovery, discover, standard_positions
from kineme.tasks.known import take_key
from kineme.tasks.library import CARDS, Settings, begin_library, write_results
from kineme.tasks.motifs import Occurrence
from kineme.tasks.poses import poses, quantise
from kineme.tasks.search_index import PoseIndex
from small_models import small_model

Near = list[dict[int, tuple[Alike, ...]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, A4Mer]:
    takes = [take.motion for take in generate(6, 6, 8.0)]
    corpus = Corpus.from_motions(takes, tmp_path_factory.mktemp("cards") / "corpus", [*"abcdef"])
    return corpus, small_model(corpus)


def index_of(corpus: Corpus) -> PoseIndex:
    return PoseIndex.of([quantise(poses(standard_positions(clip), clip.fps)) for clip in corpus])


def keys_of(corpus: Corpus) -> list[str]:
    return [take_key(clip) for clip in corpus]


def cards_of(corpus: Corpus, found: Discovery, near: Near) -> Cards:
    index, clips, keys = index_of(corpus), list(corpus), keys_of(corpus)
    alike = {}
    for scale, of_scale in zip(found.scales, near, strict=True):
        for motif in scale.motifs:
            example = first_example(index, clips, motif)
            if example is not None:
                told = tuple((clips[s.clip].name, *s[1:]) for s in of_scale[motif.number])
                alike[stretches_key(keys, [example])] = told
    return Cards({"k": ("waves", ("left arm",))}, alike, dict(zip(corpus.names, keys, strict=True)))


def test_with_the_same_takes_nothing_is_looked_for(
    made: tuple[Corpus, A4Mer], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, model = made
    found, index = discover(corpus, model, motifs=4), index_of(corpus)
    near = alike_stretches(index, corpus, found)
    assert any(stretches for of_scale in near for stretches in of_scale.values())
    cards = cards_of(corpus, found, near)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("looked for")

    monkeypatch.setattr("kineme.tasks.alike.nearest", never)
    assert alike_stretches(index, corpus, found, before=Before(keys_of(corpus), cards)) == near


def test_new_takes_are_looked_through(made: tuple[Corpus, A4Mer]) -> None:
    """What was found stays, and the best of new takes comes among it."""
    corpus, model = made
    old = corpus.subset([*"abde"])
    found = discover(old, model, motifs=4)
    before = alike_stretches(index_of(old), old, found)
    cards = cards_of(old, found, before)
    # the same motifs with the same examples, in a corpus that has two takes more, one of them in between
    place = {0: 0, 1: 1, 2: 3, 3: 4}
    moved = _moved(found, place)
    added = alike_stretches(index_of(corpus), corpus, moved, before=Before(keys_of(corpus), cards))
    whole = alike_stretches(index_of(corpus), corpus, moved)
    seen = set()
    for of_old, of_added, of_whole in zip(before, added, whole, strict=True):
        assert of_old.keys() == of_added.keys() == of_whole.keys()
        for number, stretches in of_added.items():
            kept = [s._replace(clip=place[s.clip]) for s in of_old[number]]
            new = [s for s in stretches if s.clip in (2, 5)]
            assert list(stretches) == sorted([*kept, *new], key=lambda s: s.distance)[: len(stretches)]
            assert len(stretches) == min(STRETCHES, len(kept) + len(new))
            seen |= {s.clip for s in new}
            # a look through all takes aligns with others beside, to a few millimetres
            pairs = zip(stretches[:3], of_whole[number][:3], strict=False)
            assert all(abs(a.distance - b.distance) < 0.02 for a, b in pairs)
    assert seen == {2, 5}
    # without them again what was theirs is gone: all takes are looked through
    again = alike_stretches(
        index_of(old), old, found, before=Before(keys_of(old), cards_of(corpus, moved, added))
    )
    assert again == before


def _moved(found: Discovery, place: dict[int, int]) -> Discovery:
    from dataclasses import replace

    def moved(examples: tuple[Occurrence, ...]) -> tuple[Occurrence, ...]:
        return tuple(Occurrence(place[e.clip], e.start, e.end) for e in examples)

    scales = [
        replace(scale, motifs=tuple(replace(m, examples=moved(m.examples)) for m in scale.motifs))
        for scale in found.scales
    ]
    return replace(found, scales=tuple(scales))


@pytest.fixture()
def library(made: tuple[Corpus, A4Mer], tmp_path: Path) -> tuple[Path, Cards]:
    corpus, model = made
    begin_library(tmp_path / "library")
    found = discover(corpus, model, motifs=4)
    cards = cards_of(corpus, found, alike_stretches(index_of(corpus), corpus, found))
    settings = Settings(2.0, SHORTEST, SCALES, 4)
    write_results(tmp_path / "library", corpus, found, settings, "abc", {}, keys_of(corpus), cards.text())
    return tmp_path / "library", cards


def test_what_is_written_comes_back(
    library: tuple[Path, Cards], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert read_cards(library[0], "abc") == library[1]
    assert read_cards(tmp_path / "nowhere", "abc") == Cards()
    assert read_cards(library[0], "abd") == Cards()
    monkeypatch.setattr("kineme.__version__", "99.0")
    assert read_cards(library[0], "abc") == Cards()


@pytest.mark.parametrize(
    "lie",
    [
        {"format": 2}, {"words": 3}, {"words": {"k": ["waves"]}}, {"words": {"k": ["waves", ["tail"]]}},
        {"words": {"k": ["w" * 500, []]}}, {"words": {"k": [1, []]}}, {"alike": {"k": [["a", 0, 1, True]]}},
        {"alike": {"k": [["a", 1, 0, True, 0.1]]}}, {"alike": {"k": [["a", 0, np.inf, True, 0.1]]}},
        {"alike": {"k": [["a", 0, 1, "yes", 0.1]]}}, {"alike": {"k": [["a", 0, 1, True, -0.1]]}},
        {"alike": {"k": [[1, 0, 1, True, 0.1]]}}, None,
    ],
)  # fmt: skip
def test_cards_that_lie_are_none(library: tuple[Path, Cards], lie: dict | None) -> None:
    """A stranger's library may hold anything under sums that fit."""
    folder, _ = library
    content = json.loads((folder / CARDS).read_text())
    (folder / CARDS).write_text("[" if lie is None else json.dumps({**content, **lie}))
    assert read_cards(folder, "abc") == Cards()  # damaged
    head = json.loads((folder / "library.json").read_text())
    head["files"][CARDS] = file_record(folder / CARDS)
    (folder / "library.json").write_text(json.dumps(head))
    assert read_cards(folder, "abc") == Cards()
