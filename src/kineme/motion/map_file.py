"""A person's own answer to which joint is which: a map file, for rigs that names alone do not tell.

```toml
# my_rig.toml
name = "my rig"              # optional

[joints]                     # the body's joint = "the file's joint"
pelvis = "Bone001"
left_hip = "Bone014"
left_knee = "Bone015"
```
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from kineme.errors import InputError, did_you_mean
from kineme.motion.canonical import JOINTS
from kineme.motion.rigs import RigMap, recognise_rig, rig_map
from kineme.motion.skeleton import Skeleton

_MAX_BYTES = 1_000_000


def read_map(path: str | Path, skeleton: Skeleton) -> RigMap:
    """The map in a TOML file, for one skeleton.

    Joints that the file leaves out are taken from the names as far as they tell (`recognise_rig`) and
    are still free; an empty name (``left_foot = ""``) says that the skeleton has no such joint.

    Raises InputError where the file is no such map or names a joint that does not exist.
    """
    path = Path(path)
    given, name = _read(path)
    found: dict[str, int] = {}
    for canonical, joint in given.items():
        if canonical not in JOINTS:
            advice = did_you_mean(canonical, JOINTS, "the joints are")
            raise InputError(f"{canonical!r} is no joint of the body; {advice}", path)
        if not joint:
            continue
        if joint not in skeleton.names:
            hint = did_you_mean(joint, skeleton.names, "its joints are", form="{!r}")
            raise InputError(f"the skeleton has no joint {joint!r} for {canonical}; {hint}", path)
        if (index := skeleton.names.index(joint)) in found.values():
            raise InputError(f"the joint {joint!r} stands for two joints of the body; give it once", path)
        found[canonical] = index
    for canonical, joint in recognise_rig(skeleton).joints.items():
        index = skeleton.names.index(joint)
        if canonical not in given and index not in found.values():
            found[canonical] = index
    return rig_map(skeleton, name, found)


def apply_map(path: str | Path, skeleton: Skeleton) -> Skeleton:
    """The skeleton with the roles that the map file gives its joints; the same errors as `read_map`."""
    rig = read_map(path, skeleton)
    return replace(skeleton, name=rig.rig, roles=tuple(rig.joints.items()))


def _read(path: Path) -> tuple[dict[str, str], str]:
    """The [joints] table and the name."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("the map file is larger than a megabyte; it should hold some twenty lines", path)
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the map file cannot be read ({error.strerror})", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the map file is no valid TOML: {error}", path) from None
    joints = content.get("joints")
    if not isinstance(joints, dict) or not joints:
        raise InputError('the map file needs a [joints] table with lines such as left_knee = "LeftLeg"', path)
    for canonical, joint in joints.items():
        if not isinstance(joint, str):
            raise InputError(f"{canonical} should be a joint's name in quotes, not {joint!r}", path)
    unknown = sorted(set(content) - {"joints", "name"})
    if unknown:
        raise InputError(
            f"the map file has an unknown entry {unknown[0]!r}; it takes name and [joints]", path
        )
    return joints, str(content.get("name", path.stem))
