"""kineme: the building blocks of human motion, from the mocap files you already have."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: public name -> module; imported on first use, so that `import kineme` costs nothing
_PUBLIC = {
    "Motion": "kineme.motion",
    "Segment": "kineme.motion",
    "Skeleton": "kineme.motion",
    "load": "kineme.formats",
    "save": "kineme.formats",
    "resample": "kineme.motion.time",
    "retarget": "kineme.motion.retarget",
    "fit_rotations": "kineme.motion.fit_rotations",
    "Corpus": "kineme.corpus",
    "A4Mer": "kineme.models.a4mer",
    "discover": "kineme.tasks.discover",
    "recognise": "kineme.tasks.recognise",
    "Stream": "kineme.tasks.stream",
    "search": "kineme.tasks.search",
    "predict": "kineme.tasks.predict",
    "interpolate": "kineme.tasks.interpolate",
    "KinemeError": "kineme.errors",
}

if TYPE_CHECKING:
    from kineme.corpus import Corpus
    from kineme.errors import KinemeError
    from kineme.formats import load, save
    from kineme.models.a4mer import A4Mer
    from kineme.motion import Motion, Segment, Skeleton
    from kineme.motion.fit_rotations import fit_rotations
    from kineme.motion.retarget import retarget
    from kineme.motion.time import resample
    from kineme.tasks.discover import discover
    from kineme.tasks.interpolate import interpolate
    from kineme.tasks.predict import predict
    from kineme.tasks.recognise import recognise
    from kineme.tasks.search import search
    from kineme.tasks.stream import Stream

__all__ = [
    "A4Mer",
    "Corpus",
    "KinemeError",
    "Motion",
    "Segment",
    "Skeleton",
    "Stream",
    "__version__",
    "discover",
    "fit_rotations",
    "interpolate",
    "load",
    "predict",
    "recognise",
    "resample",
    "retarget",
    "search",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kineme' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value
