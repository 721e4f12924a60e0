"""What verbs share that give a take back changed: its head, and the format that it can be written in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kineme.errors import UsageError

#: cm/s of the lower foot that a person sees
GLIDES = 20.0

if TYPE_CHECKING:
    from kineme.models.a4mer.heads.head import Head


def load_head(model: str, kind: Literal["predictor", "interpolator"]) -> Head:
    """The head of the model that is named. Raises InputError where it lacks one."""
    from kineme.cli.index import model_folder
    from kineme.models.a4mer.heads.head import Head

    return Head.load(model_folder(model), kind)


def written_suffix(file: Path, asked: str | None) -> str:
    """The ending of a file that is written: the one that was asked for, or the take's own, or .bvh where that
    format is only read. Raises UsageError where nothing can be written under `asked`."""
    from kineme.formats.registry import FORMATS

    known = {suffix for f in FORMATS if f.write is not None for suffix in f.suffixes}
    if asked is not None:
        suffix = "." + asked.lower().lstrip(".")
        if suffix not in known:
            raise UsageError(f"{suffix} cannot be written; {', '.join(sorted(known))} can")
        return suffix
    own = file.suffix.lower()
    return own if own in known else ".bvh"


def feet_said(skate: float, glides: tuple[float, float]) -> str:
    """What is said of the feet of motion that was made: nothing where there is nothing to say.

    skate : cm/s of feet while they stand, or nan. glides : cm/s of the lower foot in what was made, and in
    what was seen.
    """
    said = [] if skate != skate else [f"standing feet slide {skate:.1f} cm/s"]
    if glides[0] > GLIDES and glides[0] > 2 * glides[1]:
        said.append(f"the lower foot glides at {glides[0]:.0f} cm/s ({glides[1]:.0f} in the take)")
    return "".join(f"; {part}" for part in said)
