"""The cover of code sequences by the fewest patterns.

**What is optimal.** A cover cuts a sequence into pieces, each of which is a pattern. Among the covers with
the fewest patterns, the one with the largest sum of log support is taken (log2 in 64ths, rounded, so that
sums are exact); among these the one whose first pattern is longest, then the one whose second is, and so on.
That leaves exactly one.

**How it is found.** Let f(i) be the best score of a cover of the codes from i on: f(end) = 0 and

    f(i) = min over the patterns p that start at i of  cost(p) + f(i + |p|),    cost(p) = B - weight(p),

where B exceeds every possible sum of weights, so that one pattern fewer always wins. With + for * and min
for +, this is a linear recursion with a memory of L values, L being the longest pattern. All sequences are
swept from their ends in lockstep, and a long one is cut into blocks: the L values at a block's start are an
L x L (min, +) matrix times those at its end. A first sweep finds the matrices of all blocks at once, a short
pass multiplies them through, and a second sweep, with the true values at every block's end, makes the
choices. Nothing is assumed of the patterns: a set that is not closed under sub-patterns is covered as
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineme.errors import InputError
from kineme.symbols.mining import Patterns
from kineme.symbols.ragged import Ragged

BLOCK = 1 << 11  # a sequence longer than this is swept in blocks of about this many codes
CHUNK = 1 << 20  # whole sequences are covered together in runs of about this many codes
WEIGHT_STEPS = 64  # to one log2 of support
_INF = np.int64(1) << 61


@dataclass(frozen=True, eq=False)
class Cover:
    """M pieces that cover S sequences without gap or overlap.

    Parameters
    ----------
    pattern : (M,) int32, the number of each piece's pattern.
    start : (M,) int64, where the piece starts in the flat ``sequences.values``.
    length : (M,) int32, its number of codes.
    offsets : (S + 1,) int64; the pieces of sequence s are offsets[s] … offsets[s + 1] - 1.
    """

    pattern: np.ndarray
    start: np.ndarray
    length: np.ndarray
    offsets: np.ndarray

    @property
    def sequences(self) -> Ragged:
        """The pattern numbers as sequences."""
        return Ragged(self.pattern, self.offsets)

    def __len__(self) -> int:
        return len(self.pattern)


def cover(
    sequences: Ragged,
    patterns: Patterns,
    *,
    min_support: int = 0,
    max_codes: int | None = None,
    durations: np.ndarray | None = None,
    max_duration: int | None = None,
) -> Cover:
    """Cover every sequence with the fewest patterns (see the module for ties).

    The keywords limit which patterns may be used, single codes excepted; pattern numbers stay those of
    `patterns`, so covers at several time scales can be compared.

    Parameters
    ----------
    sequences : codes.
    patterns : any set of patterns that can cover them, as `mining.mine` finds.
    min_support : rarer patterns are not used.
    max_codes : nor are patterns of more codes.
    durations : (N,) integers, how long each code of ``sequences.values`` lasts (frames, milliseconds).
    max_duration : no piece of two codes or more lasts longer, in the unit of `durations`.

    Raises
    ------
    InputError : a sequence that the patterns cannot cover, or one of more than some 30 million codes.
    ValueError : durations that do not fit the codes.
    """
    limit = np.inf if max_codes is None else max_codes
    allowed = (patterns.support >= min_support) & (patterns.lengths <= limit) | (patterns.lengths == 1)
    allowed = np.append(allowed, False)  # the last answers for -1, no pattern
    weight = np.rint(WEIGHT_STEPS * np.log2(np.maximum(patterns.support, 1))).astype(np.int64)
    elapsed = _elapsed(sequences, durations, max_duration)
    pattern, start, length = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for first, last in _chunks(sequences):
        part, base = sequences.span(first, last), sequences.offsets[first]
        ids = patterns.trie.match(part)
        ids[~allowed[ids]] = -1
        if elapsed is not None:
            _drop_long(ids, elapsed[base : base + len(ids) + 1], max_duration)
        choice = _choose(part, ids, weight, first)
        starts = _walk(choice)
        start.append(starts + base)
        length.append(choice[starts])
        pattern.append(ids[starts, choice[starts] - 1])
    start = np.concatenate(start)
    offsets = np.searchsorted(start, sequences.offsets)
    return Cover(np.concatenate(pattern), start, np.concatenate(length), offsets)


def _elapsed(sequences: Ragged, durations: np.ndarray | None, max_duration: int | None) -> np.ndarray | None:
    """(N + 1,) time before each code; None where durations do not matter."""
    if (durations is None) != (max_duration is None):
        raise ValueError("durations and max_duration go together")
    if durations is None:
        return None
    durations = np.asarray(durations)
    if durations.shape != sequences.values.shape or durations.dtype.kind not in "iu":
        raise ValueError(f"durations must be one integer for each of the {len(sequences.values)} codes")
    return np.concatenate([[0], np.cumsum(durations, dtype=np.int64)])


def _drop_long(ids: np.ndarray, elapsed: np.ndarray, limit: int | None) -> None:
    """Take out, in place, the matches of two codes or more that last longer than the limit."""
    for n in range(2, ids.shape[1] + 1):
        long = elapsed[n:] - elapsed[:-n] > limit
        ids[: len(long), n - 1][long] = -1


def _chunks(sequences: Ragged) -> list[tuple[int, int]]:
    """Runs of whole sequences, each of about CHUNK codes, or of one longer sequence."""
    if not len(sequences):
        return []
    number = sequences.offsets[:-1] // CHUNK
    firsts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    return list(zip(firsts, [*firsts[1:], len(sequences)], strict=True))


def _choose(part: Ragged, ids: np.ndarray, weight: np.ndarray, first: int) -> np.ndarray:
    """(N,) int32, the length of the best piece at each position, from the matches ids (N, L)."""
    used = np.flatnonzero((ids >= 0).any(axis=0))
    longest = int(used.max(initial=0)) + 1
    big = len(ids) * int(weight.max(initial=0)) + 1
    if len(ids) * big >= _INF:
        name = first + int(part.lengths.argmax())
        raise InputError(f"sequence {name} has {part.lengths.max()} codes, too many to cover; cut it in two")
    cost = np.append(big - weight, _INF)  # the last belongs to -1, no pattern
    ends, lengths, sequence = _blocks(part)
    boundary = np.full((longest, 1, len(ends)), _INF)  # f at the end of each block and beyond
    boundary[0] = 0
    joined = np.flatnonzero(sequence[1:] == sequence[:-1])  # blocks that one of the same sequence follows
    if len(joined):
        basis = np.full((longest, longest, len(joined)), _INF)
        basis[np.arange(longest), np.arange(longest)] = 0
        matrices = _sweep(ids, cost, ends[joined + 1], lengths[joined + 1], basis)
        for j in range(len(joined) - 1, -1, -1):
            f = (matrices[:, :, j] + boundary[:, 0, joined[j] + 1]).min(axis=1)
            boundary[:, 0, joined[j]] = np.minimum(f, _INF)
    choice = np.ones(len(ids), np.int32)
    scores = _sweep(ids, cost, ends, lengths, boundary, choice)[0, 0]
    opens = np.diff(sequence, prepend=-1) > 0
    stuck = sequence[opens & (scores >= _INF)]
    if len(stuck):
        where = f"sequence {first + stuck[0]}"
        raise InputError(f"the patterns cannot cover {where}; make every code a pattern on its own")
    return choice


def _blocks(part: Ragged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends, lengths and sequence numbers (B,) of the blocks, in order; an empty sequence has none."""
    blocks = -(-part.lengths // BLOCK)
    sequence = np.repeat(np.arange(len(part)), blocks)
    within = np.arange(len(sequence)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    size, count = part.lengths[sequence], blocks[sequence]
    start, end = size * within // count, size * (within + 1) // count
    return part.offsets[sequence] + end, end - start, sequence


def _sweep(
    ids: np.ndarray,
    cost: np.ndarray,
    ends: np.ndarray,
    lengths: np.ndarray,
    boundary: np.ndarray,
    choice: np.ndarray | None = None,
) -> np.ndarray:
    """Run the recursion over B blocks in lockstep, from their ends to their starts.

    boundary (L, C, B) holds f(end + j), j = 0 … L - 1, in C cases; (L, C, B) f(start + j) is returned. With
    one case, `choice` (N,) receives the length of the best pattern at each position, the longest of equals.
    """
    longest, _, blocks = boundary.shape
    order = np.argsort(-lengths, kind="stable")
    ends, lengths = ends[order], lengths[order]
    ring = boundary[-np.arange(longest)][..., order]  # f at distance d from the end, in row d modulo L
    distances = np.arange(1, lengths.max(initial=0) + 1)
    active = np.searchsorted(-lengths, -distances, side="right")  # how many blocks are that long
    for distance, count in zip(distances.tolist(), active.tolist(), strict=True):
        at = ends[:count] - distance
        step = cost[ids[at]].T  # (L, count)
        best = step[0] + ring[(distance - 1) % longest, :, :count]
        pick = np.ones(count, np.int32)
        for n in range(2, longest + 1):
            score = step[n - 1] + ring[(distance - n) % longest, :, :count]
            if choice is not None:
                pick[score[0] <= best[0]] = n
            np.minimum(best, score, out=best)
        if choice is not None:
            choice[at] = pick
        np.minimum(best, _INF, out=ring[distance % longest, :, :count])
    result = np.empty_like(ring)
    rows = (lengths - np.arange(longest)[:, None]) % longest
    result[..., order] = ring[rows, :, np.arange(blocks)].transpose(0, 2, 1)
    return result


def _walk(choice: np.ndarray) -> np.ndarray:
    """Starts (M,) of the pieces, following the chosen lengths (N,) from position 0 on."""
    starts = bytearray(len(choice))
    steps, at, end = choice.tolist(), 0, len(choice)
    while at < end:
        starts[at] = 1
        at += steps[at]
    return np.flatnonzero(np.frombuffer(starts, np.uint8))
