"""Slow, obvious twins of every clever algorithm; the tests compare the two."""

from __future__ import annotations

import math

# --- evaluate ---------------------------------------------------------------------------------------------


def match_boundaries(found, true, tolerance):
    """Number of one-to-one pairs within `tolerance`, nearest first; every pair is tried for each match."""
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


def mpjpe(made, true):
    """Mean over joints (J, 3), one at a time."""
    return sum(math.dist(a, b) for a, b in zip(made, true, strict=True)) / len(made)


def l2p(made, true, mean, std):
    """Frame by frame: normalise both, sum up all squares."""
    found = []
    for a, b in zip(made, true, strict=True):
        for x, y in zip(a, b, strict=True):
            one, two = (x - mean) / std, (y - mean) / std
            found.append(math.sqrt(sum((p - q) ** 2 for p, q in zip(one.ravel(), two.ravel(), strict=True))))
    return sum(found) / len(found)


def l2q(made, true):
    """Frame by frame, joint by joint: the sign that is nearer."""
    found = []
    for a, b in zip(made, true, strict=True):
        for x, y in zip(a, b, strict=True):
            squares = [min(((q - p) ** 2).sum(), ((-q - p) ** 2).sum()) for p, q in zip(y, x, strict=True)]
            found.append(math.sqrt(sum(squares)))
    return sum(found) / len(found)


def npss(made, true):
    """Channel by channel, with the Fourier sum written out."""
    total = weight = 0.0
    for a, b in zip(made, true, strict=True):
        for channel in range(a.shape[1]):
            powers = []
            for x in (a[:, channel], b[:, channel]):
                n = len(x)
                real = [sum(x[t] * math.cos(2 * math.pi * k * t / n) for t in range(n)) for k in range(n)]
                powers.append([r * r for r in real])
            one, two = ([p / sum(power) for p in power] for power in powers)
            moved = carried = 0.0
            for p, q in zip(one, two, strict=True):
                carried += p - q
                moved += abs(carried)
            total += moved * sum(powers[1])
            weight += sum(powers[1])
    return total / weight


# --- symbols ----------------------------------------------------------------------------------------------


def mine(sequences, min_support, max_length, codes=None):
    """{pattern: support}, by counting every stretch of every sequence."""
    support = {(code,): 0 for code in range(codes or 0)}
    for sequence in sequences:
        for start in range(len(sequence)):
            for stop in range(start + 1, min(start + max_length, len(sequence)) + 1):
                pattern = tuple(sequence[start:stop])
                support[pattern] = support.get(pattern, 0) + 1
    return {pattern: n for pattern, n in support.items() if n >= min_support or len(pattern) == 1}


def segmentations(sequence):
    """Every way to cut a sequence into pieces, as lists of tuples."""
    if not sequence:
        yield []
    for stop in range(1, len(sequence) + 1):
        for rest in segmentations(sequence[stop:]):
            yield [tuple(sequence[:stop]), *rest]


def cover_by_trying_all(sequence, weight):
    """The best of all covers, by definition, or None; weight {pattern: rounded log support}."""
    covers = [pieces for pieces in segmentations(sequence) if all(piece in weight for piece in pieces)]
    return min(
        covers,
        key=lambda pieces: (len(pieces), -sum(weight[p] for p in pieces), [-len(p) for p in pieces]),
        default=None,
    )


def cover(sequence, weight, longest):
    """The best cover by dynamic programming from the end, one position at a time, or None."""
    best = {len(sequence): (0, 0, 0)}  # position -> (pieces, -weight, length of the first piece)
    for start in reversed(range(len(sequence))):
        choices = []
        for n in range(1, min(longest, len(sequence) - start) + 1):
            piece = tuple(sequence[start : start + n])
            if piece in weight and start + n in best:
                pieces, light, _ = best[start + n]
                choices.append((pieces + 1, light - weight[piece], -n))
        if choices:
            best[start] = min(choices)
    if 0 not in best:
        return None
    pieces, start = [], 0
    while start < len(sequence):
        stop = start - best[start][2]
        pieces.append(tuple(sequence[start:stop]))
        start = stop
    return pieces


def nearest(tokens, centres, count):
    """Codes and distances of the nearest centres, one float64 pair at a time; of equals, the lower code."""
    found = []
    for token in tokens:
        pairs = sorted(
            (sum((float(t) - float(c)) ** 2 for t, c in zip(token, centre, strict=True)), k)
            for k, centre in enumerate(centres)
        )
        found.append([(k, square**0.5) for square, k in pairs[:count]])
    return found


# --- motion -----------------------------------------------------------------------------------------------


def forward_kinematics(parents, offsets, local_rotations, root):
    """One frame: every joint's place and rotation by walking from the root to it."""
    places, turns = [], []
    for joint in range(len(parents)):
        chain = [joint]
        while parents[chain[0]] >= 0:
            chain.insert(0, parents[chain[0]])
        place, turn = root, local_rotations[chain[0]]
        for step in chain[1:]:
            place = place + turn @ offsets[step]
            turn = turn @ local_rotations[step]
        places.append(place)
        turns.append(turn)
    return places, turns


# --- corpus -----------------------------------------------------------------------------------------------


def window_starts(frames, length, stride):
    """First frames of windows: step by step, the last one moved back to the end of the clip."""
    if frames <= length:
        return [0]
    found, k = [], 0
    while round(k * stride) + length < frames:
        found.append(round(k * stride))
        k += 1
    return [*found, frames - length]


def fill_linear(values, bad):
    """A list of numbers with those at `bad` on the line between their sound neighbours, held at the ends."""
    filled = list(values)
    for at in range(len(values)):
        if not bad[at]:
            continue
        before = [k for k in range(at) if not bad[k]]
        after = [k for k in range(at, len(values)) if not bad[k]]
        if before and after:
            low, high = before[-1], after[0]
            filled[at] = values[low] + (values[high] - values[low]) * (at - low) / (high - low)
        else:
            filled[at] = values[before[-1]] if before else values[after[0]]
    return filled


# --- formats ----------------------------------------------------------------------------------------------


def bvh_positions(text, root_adds=False, others_add=False):
    """Per frame {joint: place} in the file's own units and axes, by walking the text once per frame."""
    import numpy as np

    def turn(axis, degrees):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        rows = {"X": [[1, 0, 0], [0, c, -s], [0, s, c]], "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
        return np.array(rows.get(axis, [[c, -s, 0], [s, c, 0], [0, 0, 1]]))

    head, motion = text.split("MOTION")
    frames = []
    for line in motion.strip().splitlines()[2:]:
        numbers, places = [float(word) for word in line.split()], {}
        stack, pending = [(np.zeros(3), np.eye(3))], None  # the place and rotation of every open joint
        for line_ in head.splitlines():
            words = line_.split()
            if words[:1] in (["ROOT"], ["JOINT"], ["End"]):
                pending = None if words[0] == "End" else words[1]
            elif words[:1] == ["OFFSET"]:
                offset = np.array([float(word) for word in words[-3:]])
                place, rotation = stack[-1]
                stack.append((place + rotation @ offset, rotation))
            elif words[:1] == ["CHANNELS"]:
                (above, rotation), (place, _) = stack[-2], stack[-1]
                adds = others_add if len(stack) > 2 else root_adds
                moved = offset.copy()
                for channel in words[2:]:
                    number, axis = numbers.pop(0), "XYZ".index(channel[0])
                    if channel.endswith("position"):
                        moved[axis] = number + (offset[axis] if adds else 0)
                    else:
                        rotation = rotation @ turn(channel[0], number)
                stack[-1] = (above + stack[-2][1] @ moved, rotation)
                places[pending] = stack[-1][0]
            elif words[:1] == ["}"]:
                stack.pop()
        frames.append(places)
    return frames


def pool(features, lengths):
    """Mean of each segment's rows, one segment at a time."""
    rows, at = [], 0
    for length in lengths:
        rows.append(sum(features[at + k] for k in range(length)) / length)
        at += length
    return rows


# --- A4Mer ------------------------------------------------------------------------------------------------


def atom_cuts(poses, tau, shortest, longest):
    """Lengths of atoms: walk frame by frame and test each against the atom's first step, extrapolated."""
    lengths, start = [], 0
    while start < len(poses):
        stop = start + 1
        while stop < len(poses) and stop - start < longest:
            h = stop - start
            if h >= shortest:
                guess = poses[start] + h * (poses[start + 1] - poses[start])
                gap = sum(math.dist(a, b) for a, b in zip(poses[stop], guess, strict=True)) / len(guess)
                if gap > tau:
                    break
            stop += 1
        if stop - start < shortest and lengths:
            lengths[-1] += stop - start
        else:
            lengths.append(stop - start)
        start = stop
    return lengths


def settle(tokens, frames, spread, fps, seconds, width, rounds):
    """Bilateral filter, one pair of tokens at a time."""
    times, at = [], 0.0
    for n in frames:
        times.append((at + n / 2) / fps)
        at += n
    x = [list(map(float, row)) for row in tokens]
    for _ in range(rounds):
        out = []
        for i, a in enumerate(x):
            total, mean = 0.0, [0.0] * len(a)
            for j, b in enumerate(x):
                gap = abs(times[i] - times[j])
                if gap > 6 * seconds:
                    continue
                w = frames[j] * math.exp(-gap / seconds - math.dist(a, b) ** 2 / (2 * (width * spread) ** 2))
                total += w
                mean = [m + w * v for m, v in zip(mean, b, strict=True)]
            out.append([m / total for m in mean])
        x = out
    return x


def decomposed_loss(predicted, target, sequence, alpha):
    """A4Mer's objective in plain loops; targets are layer-normalised first. Lists of lists of floats."""

    def sl1(a, b):
        d = [abs(p - q) for p, q in zip(a, b, strict=True)]
        return sum(0.5 * v * v if v < 1 else v - 0.5 for v in d) / len(d)

    def norm(row):
        mean = sum(row) / len(row)
        var = sum((v - mean) ** 2 for v in row) / len(row)
        return [(v - mean) / math.sqrt(var + 1e-5) for v in row]

    target = [norm(row) for row in target]
    losses = []
    for s in sorted(set(sequence)):
        rows = [k for k, owner in enumerate(sequence) if owner == s]
        mean_p = [sum(predicted[k][d] for k in rows) / len(rows) for d in range(len(predicted[0]))]
        mean_t = [sum(target[k][d] for k in rows) / len(rows) for d in range(len(predicted[0]))]
        overall = sl1(mean_p, mean_t)
        total = 0.0
        for k in rows:
            local_p = [v - m for v, m in zip(predicted[k], mean_p, strict=True)]
            local_t = [v - m for v, m in zip(target[k], mean_t, strict=True)]
            local = sl1(local_p, local_t)
            total += local + alpha * (local / max(overall, 1e-6)) * overall
        losses.append(total / len(rows))
    return sum(losses) / len(losses)


def segment_attention(x, lengths, layer):
    """A `SegmentAttention` layer on one segment after the other; x (N, D) tensor in sequence order."""
    import torch

    out, at = [], 0
    for n in lengths:
        q, k, v = layer.qkv(x[at : at + n]).unflatten(-1, (3, layer.heads, -1)).unbind(1)
        heads = []
        for h in range(layer.heads):
            score = q[:, h] @ k[:, h].T / q.shape[-1] ** 0.5
            heads.append(torch.softmax(score, -1) @ v[:, h])
        out.append(layer.out(torch.cat(heads, -1)))
        at += n
    return torch.cat(out)


# --- tasks ------------------------------------------------------------------------------------------------


def cheapest_path_cost(costs, price):
    """The least sum of costs (steps x states) plus `price` a change, over all sequences of states."""
    import itertools

    steps, states = len(costs), len(costs[0])

    def cost(path):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return sum(costs[k][s] for k, s in enumerate(path)) + price * changes

    return min(map(cost, itertools.product(range(states), repeat=steps)))


def alignment_costs(costs):
    """{(first, last): least cost a row} over all ways through costs (n x m) in steps (1,1), (1,2), (2,1)."""
    rows, columns = len(costs), len(costs[0])
    best = {}

    def walk(i, j, spent, first):
        if i == rows - 1:
            key = (first, j)
            best[key] = min(best.get(key, math.inf), spent / rows)
        if i + 1 < rows and j + 1 < columns:
            walk(i + 1, j + 1, spent + costs[i + 1][j + 1], first)
        if i + 1 < rows and j + 2 < columns:
            walk(i + 1, j + 2, spent + (costs[i + 1][j + 1] + costs[i + 1][j + 2]) / 2, first)
        if i + 2 < rows and j + 1 < columns:
            walk(i + 2, j + 1, spent + costs[i + 1][j + 1] + costs[i + 2][j + 1], first)

    for j in range(columns):
        walk(0, j, costs[0][j], j)
    return best


def scan_values(clips, looks, share, length, tempos):
    """{(clip, row): least value over looks and tempos}, place by place.

    `clips` : coarse poses (N, C) of each; `looks` : the query's poses (K, C) at the moments `share` (K,).
    """
    found = {}
    for number, clip in enumerate(clips):
        for row in range(len(clip)):
            for tempo in tempos:
                places = [row + round(float(s) * length * tempo) for s in share]
                if places[-1] >= len(clip):
                    continue
                for look in looks:
                    value = sum(float(((clip[p] - q) ** 2).sum()) for p, q in zip(places, look, strict=True))
                    found[number, row] = min(found.get((number, row), math.inf), value)
    return found


# --- HG-VAE -----------------------------------------------------------------------------------------------
# A straight transcription of the paper's equations: one window after another, as the formulas are printed.


def dct(x):
    """Eq. 7 for one joint coordinate, l = 1 ... N."""
    n_frames = len(x)
    return [
        math.sqrt(2 / n_frames)
        * sum(
            x[n - 1] / math.sqrt(1 + (l == 1)) * math.cos(math.pi / (2 * n_frames) * (2 * n - 1) * (l - 1))
            for n in range(1, n_frames + 1)
        )
        for l in range(1, n_frames + 1)  # noqa: E741  # the paper's letter
    ]


def gcl(graph, weights, name, activation=True):
    """Eq. 4: sigma(S A W + b) of one graph (N, F); weights by their names in the state dict."""
    import torch

    s, w, b = (weights[f"{name}.{part}"] for part in ("adjacency", "weight", "bias"))
    out = torch.matmul(torch.matmul(s, graph), w) + b
    if not activation:
        return out
    return 0.5 * out * (1 + torch.erf(out / math.sqrt(2)))  # GELU


def gcb(graph, weights, name, printed=False):
    """Eq. 5 of one graph."""
    inner = gcl(gcl(graph, weights, f"{name}.first"), weights, f"{name}.second")
    alpha = weights[f"{name}.alpha"]
    return inner + alpha * graph if printed else graph + alpha * inner


def log_normal(x, mean, log_variance):
    """Sum of log N(x; mean, variance) over all entries."""
    import torch

    return torch.distributions.Normal(mean, torch.exp(log_variance / 2)).log_prob(x).sum()


def hgvae(window, weights, config, basis, label=None):
    """One window (nodes, frames) through the whole model, all latents at their posterior means.

    label : the window's class number, which enters where `config.condition` says.

    Returns mean and log-variance of x, and (posterior, prior) of z_0, z_1 ... as pairs of mean and
    log-variance."""
    import torch

    def gaussian(both):
        mean, log_variance = both.split(both.shape[-1] // 2, dim=-1)
        return mean, torch.clamp(log_variance, -20, 3)

    printed = config.residual == "printed"
    graph, features = torch.matmul(window, basis.T), []
    for level in range(len(config.levels)):
        graph = gcl(graph, weights, f"encoder.{level}.0")
        for block in range(config.blocks):
            graph = gcb(graph, weights, f"encoder.{level}.{block + 1}", printed)
        features.append(graph)
    path, levels = weights["start"][:, 0], []
    for number, seen in enumerate(reversed(features)):
        rung, prior = f"rungs.{number}", None
        every = bool(config.labels) and config.condition == "every"
        if every and label is not None:
            path = torch.stack(
                [
                    node + of_class[label]
                    for node, of_class in zip(path, weights[f"{rung}.classes"], strict=True)
                ]
            )
        if number or every:
            for block in range(config.blocks):
                path = gcb(path, weights, f"{rung}.blocks.{block}", printed)
            both = gcl(path, weights, f"{rung}.prior", activation=False)
            prior = gaussian(both)
            path = path + weights[f"{rung}.prior_weight"] * gcl(both, weights, f"{rung}.beside_prior")
            seen = torch.cat([gcl(path, weights, f"{rung}.resize"), seen], dim=-1)
        mixed = gcl(seen, weights, f"{rung}.mix")
        posterior = gaussian(gcl(mixed, weights, f"{rung}.posterior", activation=False))
        latent = posterior[0]
        if config.labels and not every and not number:
            hot = [float(c == label) for c in range(len(config.labels))]
            latent = torch.stack([torch.tensor([*node.tolist(), *hot]) for node in latent])
        path = path + weights[f"{rung}.latent_weight"] * gcl(latent, weights, f"{rung}.expand")
        levels.append((posterior, prior))
    for block in range(config.blocks):
        path = gcb(path, weights, f"last.{block}", printed)
    mean, log_variance = gcl(path, weights, "out", activation=False).split(basis.shape[0], dim=-1)
    log_variance = torch.clamp(torch.matmul(log_variance, basis), -20, 3)
    return torch.matmul(mean, basis), log_variance, levels


def kl(posterior, prior):
    """Eq. 1's divergence of one level, by torch.distributions; the standard normal where prior is None."""
    import torch

    q = torch.distributions.Normal(posterior[0], torch.exp(posterior[1] / 2))
    zero = torch.zeros_like(posterior[0])
    p = torch.distributions.Normal(
        *((zero, zero + 1) if prior is None else (prior[0], torch.exp(prior[1] / 2)))
    )
    return torch.distributions.kl_divergence(q, p).sum()


def latent_log_density(levels):
    """Eq. 2 at the posterior means: log p(z_0) + sum log p(z_l | z_<l)."""
    import torch

    found = torch.zeros(())
    for posterior, prior in levels:
        mean, log_variance = (torch.zeros_like(posterior[0]),) * 2 if prior is None else prior
        found = found + log_normal(posterior[0], mean, log_variance)
    return found


# --- action coupling ----------------------------------------------------------------------------------------


def motion_energy(positions, parts) -> list[float]:
    """Eq. 2 joint by joint and frame by frame, the root's place taken off."""
    frames, joints, _ = positions.shape
    found = [0.0] * joints
    for members in parts.values():
        total = 0.0
        for joint in members:
            for t in range(1, frames):
                now = positions[t, joint] - positions[t, 0]
                before = positions[t - 1, joint] - positions[t - 1, 0]
                total += sum(float(a - b) ** 2 for a, b in zip(now, before, strict=True))
        for joint in members:
            found[joint] = total / (len(members) * (frames - 1))
    return found


def coupled_joint(first, second, rate: float, energy: float, other: float):
    """Eq. 3 for one joint in one frame, as printed."""
    whole = rate * energy + (1 - rate) * other
    return rate * energy * first / whole + (1 - rate) * other * second / whole


# --- rendering ----------------------------------------------------------------------------------------------


def point_picture(pixels, depth, shade, size: int, look):
    """A picture pixel by pixel: the mean of the points around, by distance and depth, over the background."""
    from math import exp

    near = min(depth)
    picture = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(size):
            cover = weight = lit = 0.0
            for (x, y), z, grey in zip(pixels, depth, shade, strict=True):
                apart = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2
                k = max(0.0, 1 - apart / look.radius**2) ** 2
                front = exp((near - z) / look.softness)
                cover, weight, lit = cover + k, weight + k * front, lit + k * front * grey
            seen = 1 - exp(-cover)
            picture[row][column] = (seen * lit / weight if weight else 0.0) + (1 - seen) * look.background
    return picture


def attention(pixels, energy, size: int):
    """Eq. 6 pixel by pixel, a square pixel added to every squared distance."""
    return [
        [
            sum(
                e / ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 + 1)
                for (x, y), e in zip(pixels, energy, strict=True)
            )
            for column in range(size)
        ]
        for row in range(size)
    ]
