"""The renderer against its slow twin, its gradients against finite differences, what a picture shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import naive
from kineme.body import CapsuleBody
from kineme.body.posing import SkinnedBody, rotation_of
from kineme.motion import SMPL22
from kineme.motion.canonical import INDEX
from kineme.render import points as splatting
from kineme.render.camera import Camera, frontal
from kineme.render.points import Look, draw, render, splat


def some_points(frames: int = 2, count: int = 7, size: int = 9, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(frames, count, 2, generator=generator, dtype=torch.float64) * (size + 4) - 2
    depth = 3 + torch.rand(frames, count, generator=generator, dtype=torch.float64) * 0.05
    return pixels, depth, torch.rand(frames, count, generator=generator, dtype=torch.float64)


def test_pictures_are_the_printed_sums() -> None:
    pixels, depth, shade = some_points()
    look = Look(radius=1.7)
    drawn = draw(pixels, depth, shade, 9, look)
    expected = naive.point_picture(pixels[1].numpy(), depth[1].numpy(), shade[1].numpy(), 9, look)
    np.testing.assert_allclose(drawn[1].numpy(), expected, atol=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    pixels, depth, shade = (value.requires_grad_() for value in some_points())

    def picture(*values):
        return draw(*values, 9, Look(radius=1.7))

    # the nearest point sets the scale and is held fixed: its depth only cancels out of the mean
    assert torch.autograd.gradcheck(picture, (pixels, depth, shade), eps=1e-6, atol=1e-5)


def test_chunks_change_nothing(monkeypatch) -> None:
    found = []
    for chunk in (1000, 3):
        monkeypatch.setattr(splatting, "CHUNK", chunk)
        pixels, depth, shade = (value.requires_grad_() for value in some_points())
        picture = draw(pixels, depth, shade, 9)
        picture.square().sum().backward()
        found.append((picture.detach(), pixels.grad, depth.grad, shade.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_points_outside_of_the_picture_are_left_out() -> None:
    far = torch.tensor([[-50.0, 4.0], [400.0, 3.0], [4.0, -9.0]])
    grid = splat(far, torch.ones(3, 1), torch.zeros(3, dtype=torch.long), 1, 9, 2.0)
    assert not grid.any()


def test_the_nearer_point_is_seen() -> None:
    pixels = torch.full((1, 2, 2), 4.5)
    picture = draw(pixels, torch.tensor([[3.0, 3.5]]), torch.tensor([[0.2, 0.9]]), 9, Look(softness=0.02))
    assert float(picture[0, 4, 4]) == pytest.approx(0.2 * (1 - np.exp(-2)) + np.exp(-2), abs=1e-4)


def test_what_is_far_behind_is_as_bright_where_it_is_seen_alone() -> None:
    """A hand half a metre before the body does not darken it: weights are compared in a pixel alone."""
    pixels = torch.tensor([[[3.5, 3.5], [20.5, 20.5]]], requires_grad=True)
    depth = torch.tensor([[3.0, 4.2]], requires_grad=True)
    picture = draw(pixels, depth, torch.tensor([[0.6, 0.6]]), 24)
    assert float(picture.detach()[0, 20, 20]) == pytest.approx(float(picture.detach()[0, 3, 3]), abs=1e-5)
    picture.square().sum().backward()
    assert pixels.grad is not None and torch.isfinite(pixels.grad).all()
    assert depth.grad is not None and torch.isfinite(depth.grad).all()


def test_an_edge_before_the_body_has_no_exploding_gradient() -> None:
    """A near point whose disc just touches a pixel of a far one: its weight there falls by orders of
    magnitude."""
    worst = 0.0
    for apart in 2.0 - np.geomspace(1e-9, 0.5, 400):  # the disc ends two pixels away
        pixels = torch.tensor([[[4.5, 4.5], [4.5 + apart, 4.5]]], dtype=torch.float64, requires_grad=True)
        depth = torch.tensor([[3.5, 3.0]], dtype=torch.float64)
        draw(pixels, depth, torch.tensor([[0.9, 0.1]], dtype=torch.float64), 9)[0, 4, 4].backward()
        assert pixels.grad is not None
        worst = max(worst, float(pixels.grad.abs().max()))
    assert worst < 50


def standing(frames: int = 2, **raised: float):
    rotations = torch.eye(3).repeat(frames, 22, 1, 1)
    for joint, angle in raised.items():
        c, s = np.cos(angle), np.sin(angle)
        rotations[:, INDEX[joint]] = torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float32)
    return rotations, torch.from_numpy(SMPL22.offsets[:1].copy()).repeat(frames, 1)


@pytest.fixture(scope="module")
def body() -> SkinnedBody:
    return SkinnedBody(CapsuleBody().skin, 2000)


def test_a_raised_hand_darkens_its_place(body) -> None:
    camera = Camera(size=64)
    down, up = (render(body(*standing(1, left_shoulder=a)), camera)[0] for a in (-1.4, 1.4))
    left_above = (slice(0, 16), slice(40, 64))  # the body's left is on the picture's right
    assert float(up[left_above].min()) < 0.6 < float(down[left_above].min())


def test_the_picture_is_from_the_front_wherever_the_body_looks(body) -> None:
    camera, (rotations, root) = Camera(size=48), standing(1, left_shoulder=1.0)
    turned, angle = rotations.clone(), 2.0
    c, s = np.cos(angle), np.sin(angle)
    turned[:, 0] = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=torch.float32)
    moved = root + torch.tensor([3.0, 0.0, -2.0])
    one, other = render(body(rotations, root), camera), render(body(turned, moved), camera)
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)


def test_gradients_reach_the_pose(body) -> None:
    """A wrong arm is brought to its picture by the gradient of the picture alone."""
    camera = Camera(size=48)
    wanted = render(body(*standing(1, left_shoulder=0.6)), camera).detach()
    rotations, root = standing(1)
    sixd = torch.cat([rotations[..., 0], rotations[..., 1]], dim=-1).requires_grad_()
    optimiser = torch.optim.Adam([sixd], lr=0.03)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = (render(body(rotation_of(sixd), root), camera) - wanted).square().sum()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.2 * losses[0]


def test_the_gradient_of_a_picture_is_that_of_finite_differences(body) -> None:
    camera = Camera(size=32)
    double = SkinnedBody(CapsuleBody().skin, 300).double()
    rotations, root = (value.double() for value in standing(1, left_shoulder=0.3))

    def loss(shift):
        return render(double(rotations, root + shift), camera, Look(radius=3.0)).square().sum()

    shift = torch.tensor([[0.0, 0.01, 0.0]], dtype=torch.float64, requires_grad=True)
    loss(shift).backward()
    step = torch.tensor([[0.0, 1e-6, 0.0]], dtype=torch.float64)
    with torch.no_grad():
        slope = (loss(shift + step) - loss(shift - step)) / 2e-6
    assert shift.grad is not None
    assert float(shift.grad[0, 1]) == pytest.approx(float(slope), rel=1e-3)


def test_the_camera_is_a_pinhole() -> None:
    camera = Camera(size=100, distance=4.0, span=2.0, height=1.0)
    pixels, depth = camera.project(torch.tensor([[0.0, 1.0, 0.0], [1.0, 2.0, 0.0], [1.0, 1.0, 2.0]]))
    torch.testing.assert_close(pixels, torch.tensor([[50.0, 50.0], [100.0, 0.0], [150.0, 50.0]]))
    assert depth.tolist() == [4.0, 4.0, 2.0]


def test_frontal_keeps_heights_and_distances() -> None:
    joints = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 22, 3)))
    seen = frontal(joints, joints)
    torch.testing.assert_close(seen[..., 1], joints[..., 1])
    torch.testing.assert_close(torch.cdist(seen, seen), torch.cdist(joints, joints), atol=1e-6, rtol=1e-6)
