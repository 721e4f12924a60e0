"""Surfaces over a skeleton: capsules, which need nothing. Others offer the same as `Body`."""

from kineme.body.capsules import CapsuleBody
from kineme.body.surface import Body

__all__ = ["Body", "CapsuleBody"]
