"""Moments to learn from: where they lie in the takes, the atoms around each, encoded once, and what happened.

An interpolator's moments are in groups, a group for each length of gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from kineme.errors import InputError
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.tokens import Atoms, Seen, Span, before, encode_spans, keys_of, padded
from kineme.models.a4mer.network import A4MerNetwork
from kineme.motion.canonical import MIRROR
from kineme.nn.moments import Cuts, Moments, moments, truth, whole_times
from kineme.nn.recall import Library, fitted, nearest

Kind = Literal["predictor", "interpolator"]
#: seconds of the gaps that an interpolator learns from
GAPS = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0)
#: least seconds of observed motion on either side of what is learnt from
LEAST = 2.0
_CHUNK = 256


def with_mirrored(takes: TakeBank) -> TakeBank:
    """The takes, and then each as a mirror shows it."""
    mirrored = takes.positions[:, list(MIRROR)] * np.array([-1, 1, 1], dtype=np.float32)
    cuts = takes.offsets[1:-1]
    return TakeBank([*np.split(takes.positions, cuts), *np.split(mirrored, cuts)], takes.fps)


def cuts_of(takes: TakeBank, stride: float, context: float, gap: float | None, after: float) -> Cuts:
    """Moments every `stride` seconds that have `context` seconds before them and `after` behind them.

    gap : seconds of a gap, after which there are `after` seconds; None: nothing is observed again.
    """
    rows = []
    beyond = (gap or 0.0) + after
    for start, stop in zip(takes.offsets[:-1], takes.offsets[1:], strict=True):
        low, high = start + round(context * takes.fps), stop - 1 - round(beyond * takes.fps)
        now = np.arange(low, high + 1, max(1, round(stride * takes.fps)))
        rows.append(np.stack([np.full(len(now), start), np.full(len(now), stop - 1), now]))
    first, last, now = np.concatenate(rows, axis=1).astype(np.int64)
    then = None if gap is None else now + max(2, round(gap * takes.fps))
    return Cuts(takes.positions, takes.fps, first, last, now, then)


def only(cuts: Cuts, which: np.ndarray) -> Cuts:
    """Those moments that `which` (n,) numbers name."""
    then = None if cuts.then is None else cuts.then[which]
    return cuts._replace(first=cuts.first[which], last=cuts.last[which], now=cuts.now[which], then=then)


def spans_of(cuts: Cuts, which: int, model_fps: float, seconds: float) -> list[Span]:
    """What was observed around one moment: the `seconds` before it, and after a gap as many again."""
    first, now = int(cuts.first[which]), int(cuts.now[which])
    spans = [before(cuts.positions[first : now + 1], cuts.fps, model_fps, seconds)]
    if cuts.then is not None:
        then = int(cuts.then[which])
        stop = min(then + round(seconds * cuts.fps), int(cuts.last[which])) + 1
        spans.append(Span(cuts.positions[then:stop], cuts.fps, (then - now) / cuts.fps))
    return spans


def encode_cuts(network: A4MerNetwork, cuts: Cuts, seconds: float) -> list[Atoms]:
    """Atoms around every moment, of the observed alone."""
    fps, found = network.config.fps, []
    for part in parts(len(cuts.now), _CHUNK):
        found += encode_spans(network, [spans_of(cuts, int(k), fps, seconds) for k in part])
    return found


def query_of(atoms: list[Atoms] | None, cuts: Cuts, made: Moments) -> Library:
    """Moments of `cuts` as they are recalled, of which it is not known what happened.

    Without their atoms they are recalled by poses alone.
    """
    count = len(cuts.now)
    if atoms is None:
        keys = np.zeros((count, 0, 1), dtype=np.float16)
    else:
        keys = keys_of(atoms, 1 if cuts.then is None else 2).astype(np.float16)
    columns = (keys, made.ends, made.about, np.zeros((count, 0, 0), dtype=np.float16), np.full(count, -1))
    return Library(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))


def library_of(atoms: list[Atoms] | None, cuts: Cuts, config: HeadConfig, owner: np.ndarray) -> Library:
    """The moments of `cuts`, and what happened."""
    found = []
    times = whole_times(cuts, config.longest)
    for part in parts(len(cuts.now), _CHUNK):
        some = only(cuts, part)
        made = moments(some, times, 2, config.waves, config.longest)
        weights = fitted(truth(some, made) - made.base, made.waves).astype(np.float16)
        query = query_of(None if atoms is None else [atoms[k] for k in part], some, made)
        found.append(query._replace(weights=torch.from_numpy(weights)))
    joined = Library(*(torch.cat(column) for column in zip(*found, strict=True)))
    return joined._replace(owner=torch.from_numpy(owner))


@dataclass(frozen=True, eq=False)
class HeadBank:
    """Moments of a head.

    Attributes
    ----------
    groups : moments of one length of gap each. library : all of them, group after group. firsts : where each
        group begins in it. neighbours : (N, n) the nearest moments of other takes. times : of each group,
        when its truth is looked at. seen : atoms of each group's moments, in float16; empty without a
        network.
    """

    groups: tuple[Cuts, ...]
    times: tuple[np.ndarray, ...]
    library: Library
    firsts: np.ndarray
    neighbours: torch.Tensor
    seen: tuple[Seen, ...] = ()

    @property
    def sides(self) -> int:
        """1 where the past alone is known, 2 for gaps."""
        return 1 if self.groups[0].then is None else 2

    def draw(self, rng: np.random.Generator, count: int) -> tuple[int, np.ndarray]:
        """A group, by its size, and `count` of its moments."""
        sizes = np.array([len(cuts.now) for cuts in self.groups], dtype=np.float64)
        group = int(rng.choice(len(sizes), p=sizes / sizes.sum()))
        return group, rng.integers(int(sizes[group]), size=count)


def build_bank(
    network: A4MerNetwork | None,
    sources: Sequence[tuple[TakeBank, float]],
    config: HeadConfig,
    kind: Kind,
    people: Sequence[str] = (),
) -> HeadBank:
    """Moments of takes and of their mirror images: (takes, stride in seconds) each.

    people : who is in each take, one take after another; where they are not told, each take is somebody else.
    Raises InputError where no take is long enough.
    """
    groups: list[Cuts] = []
    owners: list[np.ndarray] = []
    gaps: tuple[float | None, ...] = (None,)
    if kind == "interpolator":
        gaps = tuple(gap for gap in GAPS if gap <= config.longest + 1e-6)
    number = 0
    for takes, stride in sources:
        both = with_mirrored(takes)
        for gap in gaps:
            after = config.longest if gap is None else LEAST
            wide = stride if gap is None else stride * len(gaps)
            cuts = cuts_of(both, wide, LEAST, gap, after)
            if len(cuts.now):
                groups.append(cuts)
                take = np.searchsorted(both.offsets, cuts.now, side="right") - 1
                owners.append(number + take % len(takes))  # a mirror image is of the same take
        number += len(takes)
    if not groups:
        need = LEAST + (config.longest if kind == "predictor" else LEAST + min(GAPS))
        raise InputError(f"no take is {need:g} s long; such a head needs longer takes to learn from")
    times = [whole_times(cuts, config.longest) for cuts in groups]
    atoms = [None if network is None else encode_cuts(network, c, config.context_seconds) for c in groups]
    rows = [library_of(a, c, config, o) for a, c, o in zip(atoms, groups, owners, strict=True)]
    library = Library(*(torch.cat(column) for column in zip(*rows, strict=True)))
    firsts = np.concatenate([[0], np.cumsum([len(cuts.now) for cuts in groups])])
    sides = 1 if kind == "predictor" else 2
    found = torch.zeros(library.size, 0, dtype=torch.int64)
    if config.recalled and config.route == "curves":
        found = nearest(library, library, config.recalled, sides, others=True)
        if config.strangers and people:
            found = _of_strangers(found, library, config, sides, people)
    seen = tuple(padded(a, torch.float16) for a in atoms if a is not None)
    return HeadBank(tuple(groups), tuple(times), library, firsts, found, seen)


def _of_strangers(
    found: torch.Tensor, library: Library, config: HeadConfig, sides: int, people: Sequence[str]
) -> torch.Tensor:
    """Neighbours (N, n), of which some rows hold moments of other people alone."""
    numbers = {person: number for number, person in enumerate(dict.fromkeys(people))}
    if len(numbers) < 2:
        return found
    who = torch.tensor([numbers[person] for person in people])[library.owner]
    chosen = np.flatnonzero(np.random.default_rng(0).random(library.size) < config.strangers)
    rows = torch.from_numpy(chosen)
    by_person = library._replace(owner=who)
    found = found.clone()
    found[rows] = nearest(by_person.of(rows), by_person, found.shape[1], sides, others=True)
    return found


def parts(count: int, size: int) -> Iterator[np.ndarray]:
    """Numbers from 0 to count in pieces of `size`."""
    for at in range(0, count, size):
        yield np.arange(at, min(at + size, count))
