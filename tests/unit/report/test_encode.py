"""Packing whole numbers into text: exact, also where differences wrap around, and small."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kineme.report.encode import pack, pack_positions, pack_still, unpack

_SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=12)


@given(st.sampled_from([np.int16, np.int32]).flatmap(lambda kind: arrays(kind, _SHAPES)))
def test_round_trip(rows: np.ndarray) -> None:
    np.testing.assert_array_equal(unpack(pack(rows), len(rows), rows.dtype.type), rows)


def test_largest_steps_wrap_around() -> None:
    rows = np.array([[-32768, 32767, -32768, 0, 32767]], dtype=np.int16)
    np.testing.assert_array_equal(unpack(pack(rows), 1, np.int16), rows)


def test_the_rows_given_stay_as_they_were() -> None:
    rows = np.arange(12, dtype=np.int16).reshape(3, 4)
    pack(rows)
    np.testing.assert_array_equal(rows, np.arange(12).reshape(3, 4))


def test_positions_have_one_row_a_coordinate() -> None:
    positions = np.random.default_rng(0).integers(-900, 900, (7, 4, 3)).astype(np.int16)
    rows = unpack(pack_positions(positions), 12, np.int16)
    np.testing.assert_array_equal(rows.T.reshape(7, 4, 3), positions)


@given(arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 5), st.just(3))), st.data())
def test_a_still_is_its_frame_to_half_a_step(positions: np.ndarray, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, len(positions) - 1))
    still = pack_still(positions, frame)
    steps = np.frombuffer(base64.b64decode(still["joints"]), np.int8).reshape(-1, 3)
    assert still["root"] == positions[frame, 0].tolist() and len(steps) == positions.shape[1]
    error = np.abs(still["root"] + steps.astype(int) * still["step"] - positions[frame])
    assert error.max() <= still["step"] / 2
    lows = sorted(positions[:, :, 1].min(axis=1).tolist())
    assert still["floor"] == lows[int(0.05 * len(lows))] - 25


def test_a_still_of_a_person_is_small_and_true_to_the_centimetre() -> None:
    reach = np.random.default_rng(0).uniform(-1400, 1400, (1, 31, 3)).astype(np.int32) + [
        [90_000, 900, -200_000]
    ]
    still = pack_still(reach.astype(np.int32))
    assert still["step"] <= 23 and len(json.dumps(still)) < 220
    assert pack_still(np.array([[[0, 0, 0], [0, 1300, 0]]], np.int16))["step"] <= 11


def test_smooth_motion_takes_under_half_a_byte_a_number() -> None:
    wave = (900 * np.sin(np.linspace(0, 20, 600)))[None] * np.linspace(0.2, 1, 60)[:, None]
    assert len(pack(wave.astype(np.int16))) < 0.5 * wave.size


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="int16 or int32"):
        pack(np.zeros((2, 2)))
