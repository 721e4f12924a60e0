

# --- evaluate ---------------------------------------------------------------------------------------------


def match_boundaries(found, true, tolerance):
    """Number of one-to-one pairs within `tolerance`, nearest first: look at every pair again for each match."""
    found, true, hit = sorted(found), sorted(true), 0
    while True:
        pairs = [(round(abs(f - t) / 1e-6), i, j) for i, f in enumerate(found) for j, t in enumerate(true)]
        pairs = [pair for pair in pairs if pair[0] <= round(tolerance / 1e-6) + 1]
        if not pairs:
            return hit
        _, i, j = min(pairs)
        del found[i], true[j]
        hit += 1


def purity(segments, labels):
    """Share of frames with the majority label of their segment, one segment at a time."""
    right = 0
    for segment in set(segments):
        inside = [label for s, label in zip(segments, labels, strict=True) if s == segment]
        right += max(inside.count(label) for label in set(inside))
    return right / len(labels)
