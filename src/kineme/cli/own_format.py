"""What verbs share that give a take back changed: its head, and the format that it can be written in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kineme.errors import UsageError

#: cm/s of the slower foot that a person sees
GLIDES = 20.0
#: metres between poses, mean over joints, from which on a recalled moment is another movement
FAR = 0.08

if TYPE_CHECKING:
    from kineme.models.a4mer.heads.head import Head
    from kineme.motion import Motion


def load_head(model: str, kind: Literal["predictor", "interpolator"]) -> Head:
    """The head of the model that is named. Raises InputError where it lacks one."""
    from kineme.cli.index import model_folder
    from kineme.models.a4mer.heads.head import Head

    return Head.load(model_folder(model), kind)


def written_suffix(file: Path, asked: str | None) -> str:
    """The ending of a file that is written: the one that was asked for, or the take's own, or .bvh where that
    format is only read. Raises UsageError where nothing can be written under `asked`."""
    from kineme.formats.registry import FORMATS, WRITTEN_ONLY

    known = {suffix for f in (*FORMATS, *WRITTEN_ONLY) if f.write is not None for suffix in f.suffixes}
    if asked is not None:
        suffix = "." + asked.lower().lstrip(".")
        if suffix not in known:
            raise UsageError(f"{suffix} cannot be written; {', '.join(sorted(known))} can")
        return suffix
    own = file.suffix.lower()
    return own if own in known else ".bvh"


def written_said(file: Path, motion: Motion, suffix: str) -> str:
    """A sentence where what is written is not in the format or on the skeleton of the take in `file`; else
    nothing."""
    from kineme.motion.canonical import SMPL22
    from kineme.motion.standing import same_lengths

    if suffix == ".npz" and not motion.positions_only:
        skeleton = motion.skeleton
        if skeleton.names == SMPL22.names and same_lengths(skeleton, SMPL22):
            return ""
        return f".npz holds the standard body (SMPL), not the skeleton of {file.name}"
    asf_amc = file.suffix.lower() in (".amc", ".asf")
    return (
        f"{file.name} is ASF/AMC, which is only read; BVH is written" if asf_amc and suffix == ".bvh" else ""
    )


def glides_much(glides: tuple[float, float]) -> bool:
    """Whether a person sees feet glide. glides : cm/s of the slower foot in what was made, and in what was seen."""
    return glides[0] > GLIDES and glides[0] > 2 * glides[1]


def feet_said(skate: float, glides: tuple[float, float]) -> str:
    """What is said of the feet of motion that was made: nothing where there is nothing to say.

    skate : cm/s of feet while they stand, or nan. glides : as `glides_much` takes it.
    """
    if glides_much(glides):
        return (
            f"; the feet glide over the floor (the slower one at {glides[0]:.0f} cm/s, in the take at "
            f"{glides[1]:.0f})"
        )
    return "" if skate != skate else f"; standing feet slide {skate:.1f} cm/s"


def why_gliding(
    kind: Literal["predictor", "interpolator"], recalled: float, *, average: bool, instead: str = ""
) -> str:
    """A sentence on why feet glide in what was made, and what can be done about it.

    recalled : metres to the nearest moment that was recalled, or nan. average : whether it is only the answer that
    is right on average that glides, and nothing that follows a recalled moment. instead : what has not been done
    yet and may help against an average.
    """
    if recalled > FAR:  # `far_said` has said it, and what helps
        return "the feet glide since nothing like it is known, in the average and where one moment is followed alike"
    if average:
        more = f": {instead}" if instead else ""
        return f'the average of several ways to go glides{more} (the guide, "Prediction and gaps")'
    near = "" if recalled != recalled else f" (the nearest one has its joints {100 * recalled:.0f} cm away)"
    return (
        f"feet glide in what follows a recalled moment, too: those that are known{near} are of another pace; only "
        f"a head trained on motion like this take helps (`kineme train {kind}`)"
    )


def far_said(recalled: float, kind: Literal["predictor", "interpolator"]) -> str:
    """A sentence where the nearest moment that a head recalled is far, by `recalled` metres or nan; else
    nothing."""
    if not recalled > FAR:
        return ""
    what, do = {
        "predictor": ("the take's end", "trust the first half second, and"),
        "interpolator": ("the gap", "make the gap shorter where you can, and"),
    }[kind]
    return (
        f"nothing like it is known: the nearest moment recalled has its joints {100 * recalled:.0f} cm from those "
        f"at {what}, so what was made may be as far off; {do} train a head of your own on such motion "
        f"(`kineme train {kind}`)"
    )
