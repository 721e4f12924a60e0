"""Surfaces over a skeleton: capsules, which need nothing, and the body models that a user holds.

`posing` has what is differentiated by a pose; `smpl.SmplBody` and `anny.AnnyBody` are imported where they are
used, since they bring torch.

Whatever moves with a skeleton offers the same as `Body`.
"""

from kineme.body.capsules import CapsuleBody
from kineme.body.surface import Body

__all__ = ["Body", "CapsuleBody"]
