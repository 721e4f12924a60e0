"""The capsule surface over any skeleton: closed, around its bones, moved as skinning says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import tree, walkabout
from kineme.body import Body, CapsuleBody
from kineme.errors import InputError
from kineme.formats import find_files, load
from kineme.motion import SMPL22, Skeleton
from kineme.motion.capsules import AROUND, RINGS, capsule_skin
from kineme.motion.skin import Skin

#: vertices of a capsule
EACH = 2 + 2 * RINGS * AROUND


def volume(skin: Skin) -> float:
    """Signed volume by the divergence theorem: positive where faces look outwards."""
    a, b, c = (skin.vertices[skin.faces[:, k]].astype(float) for k in range(3))
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def check(skin: Skin) -> None:
    edges = np.sort(skin.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()  # closed
    assert volume(skin) > 0
    np.testing.assert_allclose(np.linalg.norm(skin.normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(skin.weights.sum(axis=1), 1, atol=1e-6)
    a, b, c = (skin.vertices[skin.faces[:, k]].astype(float) for k in range(3))
    across = np.cross(b - a, c - a)
    assert (np.einsum("fi,fi->f", across, skin.normals[skin.faces].mean(axis=1)) >= -1e-12).all()


def test_the_canonical_body():
    body = CapsuleBody()
    assert isinstance(body, Body)
    check(body.skin)
    low, high = body.skin.vertices.min(axis=0), body.skin.vertices.max(axis=0)
    assert abs(low[1]) < 0.05 and 1.65 < high[1] < 1.8
    np.testing.assert_allclose(low[0], -high[0], atol=1e-5)  # left and right alike
    assert 0.05 < volume(body.skin) < 0.15  # cubic metres, with what capsules share


@pytest.mark.parametrize(
    ("archive", "pattern"),
    [
        ("bandai-namco/dataset-1.zip", "*walk_normal_002.bvh"),
        ("cmu/bvh-retargeted.zip", "*/001_01*"),
        ("reactidle/reactidle.zip", "*000_genuine*"),
        ("cmu/asf-amc.zip", "*02*"),
    ],
)
def test_real_rigs(archive: str, pattern: str, unpacked: Callable[..., Path]):
    skeleton = load(find_files(unpacked(archive, pattern))[0])[:2].skeleton
    skin = capsule_skin(skeleton)
    check(skin)
    assert 1.3 < np.ptp(skin.vertices[:, 1]) < 2.1 and abs(skin.vertices[:, 1].min()) < 0.15
    assert np.ptp(skin.vertices[:, 2]) < 0.6


@given(st.lists(st.integers(0, 100), min_size=0, max_size=12), st.integers(0, 10**6))
def test_any_tree_of_bones(parents: list[int], seed: int):
    """Skeletons that are no body, with bones of length zero among them."""
    rng = np.random.default_rng(seed)
    tree_of = (-1, *(parent % (k + 1) for k, parent in enumerate(parents)))
    offsets = rng.normal(size=(len(tree_of), 3)) * rng.choice([0, 1e-7, 0.01, 1], (len(tree_of), 1))
    skin = capsule_skin(Skeleton(tuple(f"j{k}" for k in range(len(tree_of))), tree_of, offsets))
    assert np.isfinite(skin.vertices).all() and len(skin.vertices) % EACH == 0
    assert skin.joints.max() < len(tree_of)


def test_posed_is_rest_at_rest_and_rigid_along_bones():
    body, motion = CapsuleBody(), walkabout(frames=4)
    skin = body.skin
    places, turns = skin.rest
    np.testing.assert_allclose(skin.posed(places[None], turns[None])[0], skin.vertices, atol=1e-6)
    moved = body.vertices(motion)
    assert moved.shape == (4, len(skin.vertices), 3)
    elbow = skin.skeleton.index("left_elbow")
    own = skin.joints[:, 0] == elbow
    rest, now = skin.vertices[own][:, None] - skin.vertices[own], moved[2][own][:, None] - moved[2][own]
    np.testing.assert_allclose(np.linalg.norm(now, axis=-1), np.linalg.norm(rest, axis=-1), atol=1e-5)
    # the same vertices are where the joint's own frame puts them
    frame = motion.global_rotations[2, elbow], motion.positions[2, elbow]
    expected = (skin.vertices[own] - places[elbow]) @ frame[0].T + frame[1]
    np.testing.assert_allclose(moved[2][own], expected, atol=1e-5)


def test_another_skeleton_is_refused():
    with pytest.raises(InputError, match="other joints"):
        CapsuleBody(tree("a\n b\n  c")).vertices(walkabout())
    with pytest.raises(InputError, match="does not have"):
        Skin(SMPL22, np.zeros((3, 3)), np.zeros((3, 3)), [[0, 1, 2]], np.full((3, 1), 22), np.ones((3, 1)))  # type: ignore[arg-type]
