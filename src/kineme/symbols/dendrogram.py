"""A tree of motifs, and its cuts: the number of motifs as a slider that needs no training.

Weighted Ward clustering: merging clusters of weights a and b raises the weighted sum of squares by
a b / (a + b) * |difference of centroids|^2, and the height of the merge is the square root of twice that
(Ward 1963; with equal weights the same as ``scipy.cluster.hierarchy.linkage(..., "ward")``, which takes
none). Found by following nearest neighbours until two are each other's (Murtagh 1983).
"""

from __future__ import annotations

import numpy as np

EXACT = 4096  # more vectors than this are first gathered into GROUPS by k-means
GROUPS = 1024


def merge_tree(vectors: np.ndarray, weights: np.ndarray | None = None, *, seed: int = 0) -> np.ndarray:
    """Ward's tree over vectors (M, D) with weights (M,) > 0 (how often each occurs; 1 by default).

    Returns (M - 1, 4) float64, a scipy linkage: the two clusters merged (a < b; cluster M + i is row i),
    the height, never falling, and the number of vectors. Beyond `EXACT` vectors the tree is exact within
    and above `GROUPS` k-means groups.

    Raises ValueError for vectors that are not finite, or weights that do not fit.
    """
    vectors = np.asarray(vectors, np.float64)
    weights = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    if vectors.ndim != 2 or not len(vectors) or not np.isfinite(vectors).all():
        raise ValueError(f"need finite vectors (M, D) with M > 0, not {vectors.shape}")
    if weights.shape != vectors.shape[:1] or not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError(f"need {len(vectors)} weights above 0")
    if len(vectors) <= EXACT:
        merges = _ward(vectors, weights)
    else:
        merges = _grouped(vectors, weights, seed)
    return _linkage(merges, len(vectors))


def cut(linkage: np.ndarray, clusters: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Labels (M,) int32 of the `clusters` clusters left when the highest merges are undone.

    Numbered by size, that is weight (by default the number of members), the largest 0; of equals, the one
    whose first member comes first. Cuts of one tree are nested.
    """
    total = len(linkage) + 1
    if not 1 <= clusters <= total:
        raise ValueError(f"{clusters} clusters of {total} vectors")
    parent = list(range(2 * total - 1))
    for row, (a, b) in enumerate(linkage[: total - clusters, :2].astype(int).tolist()):
        parent[a] = parent[b] = total + row
    roots = np.array([_root(parent, leaf) for leaf in range(total)])
    _, first, group = np.unique(roots, return_index=True, return_inverse=True)
    size = np.bincount(group, weights=weights)
    rank = np.empty(len(size), np.int32)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    return rank[group]


def _ward(vectors: np.ndarray, weights: np.ndarray) -> list[tuple[int, int, float]]:
    """Merges (a member of either cluster, height) by nearest-neighbour chains, each after those inside it."""
    from scipy.spatial.distance import cdist

    weight, size = weights.copy(), len(vectors)
    rise = cdist(vectors, vectors, "sqeuclidean")  # becomes the squared height of each possible merge
    rise *= 2 * weight[:, None] * weight / (weight[:, None] + weight)
    np.fill_diagonal(rise, np.inf)
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    gone = np.zeros(size, bool)
    while len(merges) < size - 1:
        if not chain:
            chain.append(int(np.argmin(gone)))
        here = chain[-1]
        near = int(np.argmin(rise[here]))
        if len(chain) == 1 or rise[here, near] < rise[here, chain[-2]]:  # of equals, back, so that chains end
            chain.append(near)
            continue
        near = chain[-2]
        del chain[-2:]
        keep, drop, height = min(here, near), max(here, near), rise[here, near]
        merges.append((keep, drop, float(np.sqrt(max(height, 0.0)))))
        gone[drop] = True
        a, b, others = weight[keep], weight[drop], np.flatnonzero(~gone)
        others = others[others != keep]
        w = weight[others]  # Lance and Williams 1967
        row = ((a + w) * rise[keep, others] + (b + w) * rise[drop, others] - w * height) / (a + b + w)
        rise[keep, others] = rise[others, keep] = row
        rise[drop, :] = rise[:, drop] = np.inf
        weight[keep] = a + b
    return merges


def _grouped(vectors: np.ndarray, weights: np.ndarray, seed: int) -> list[tuple[int, int, float]]:
    """Merges inside each of GROUPS k-means groups, then of the groups, none lower than those inside it."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):  # threads add up in any order
        means = KMeans(GROUPS, n_init=1, max_iter=30, random_state=seed)  # type: ignore[arg-type]
        label = means.fit_predict(vectors, sample_weight=weights)
    groups = [np.flatnonzero(label == group) for group in np.unique(label)]
    merges: list[tuple[int, int, float]] = []
    ceiling = np.zeros(len(groups))
    for g, members in enumerate(groups):
        inner = _ward(vectors[members], weights[members])
        merges += [(int(members[a]), int(members[b]), height) for a, b, height in inner]
        ceiling[g] = max((height for *_, height in inner), default=0.0)
    centres = np.stack([np.average(vectors[members], axis=0, weights=weights[members]) for members in groups])
    for a, b, height in _ward(centres, np.array([weights[members].sum() for members in groups])):
        ceiling[a] = max(height, ceiling[a], ceiling[b])
        merges.append((int(groups[a][0]), int(groups[b][0]), float(ceiling[a])))
    return merges


def _linkage(merges: list[tuple[int, int, float]], total: int) -> np.ndarray:
    """Merges sorted by height, with scipy's cluster numbers and sizes."""
    parent, size = list(range(2 * total - 1)), [1] * total
    rows = np.empty((len(merges), 4))
    for row, (a, b, height) in enumerate(sorted(merges, key=lambda merge: merge[2])):
        a, b = sorted((_root(parent, a), _root(parent, b)))
        parent[a] = parent[b] = total + row
        size.append(size[a] + size[b])
        rows[row] = a, b, height, size[-1]
    return rows


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = node = parent[parent[node]]
    return node
