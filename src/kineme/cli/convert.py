"""Write motion files in another format: BVH, GLB, AMASS .npz, or joints as .npy, .npz or .csv.

BVH to BVH keeps the file's own hierarchy, units and numbers. AMASS holds the canonical body, so other rigs
are retargeted to it, and joint positions that become a BVH get rotations on it. GLB holds a figure;
several files of one rig become its animations. A file that cannot be used is named on stderr and left out;
where you named it yourself, the exit code is 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.console import put, warn
from kineme.cli.outputs import Inputs, check_free, folder_for
from kineme.cli.reading import ReadingArgs, exit_code
from kineme.errors import InputError, KinemeError, UsageError

if TYPE_CHECKING:
    from kineme.formats import ReadOptions
    from kineme.motion import Motion

_FORMATS = ("bvh", "glb", "npz", "npy", "csv")


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    out: Annotated[Path, tyro.conf.arg(aliases=("-o", "--output"), metavar="FILE|FOLDER")]
    """A file, for one motion; or a folder, made if need be."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)
    to: Literal["bvh", "glb", "npz", "npy", "csv"] | None = None
    """The format of the files in a folder of results; the output's suffix tells it for a single one."""
    fps: float | None = None
    """Frames per second of the result; resampled by time."""
    skeleton: Literal["own", "canonical"] = "own"
    """Keep the file's own skeleton, or retarget to the canonical 22 joints."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read."""
    in_place: bool = False
    """Take the travel over the floor out: the pelvis stays where it was in the first frame."""


def run(args: Args) -> int:
    from kineme.formats import find_files, load_all, save
    from kineme.formats.registry import nothing_found

    options = args.reading.options()
    if not args.files:
        raise InputError("name a motion file or a folder")
    files = find_files(args.files)
    if not files:
        raise nothing_found(args.files[0])
    suffix, into_folder = _target(args)
    inputs = Inputs(files, options)
    if into_folder:
        folder_for(args.out)
        check_free(_expected(files, args.out, suffix), args.overwrite, inputs)
    if suffix == ".glb" and not into_folder:
        return _as_animations(files, options, args)
    if len(files) > 1 and not into_folder:
        raise UsageError(f"{len(files)} files do not fit into {args.out}; name a folder and --to FORMAT")
    if not into_folder:
        check_free([args.out], args.overwrite, inputs)
    taken: dict[Path, Path] = {}
    failed: list[Path] = []
    for file in files:
        try:
            motions = load_all(file, options)
            if len(motions) > 1 and not into_folder:
                raise InputError(f"it holds {len(motions)} motions; name a folder and --to FORMAT", file)
            for number, motion in enumerate(motions, start=1):
                stem = file.stem if len(motions) == 1 else f"{file.stem}_{number:04d}"
                target = _free(args.out / f"{stem}{suffix}", taken) if into_folder else args.out
                check_free([target], args.overwrite, inputs)
                save(_prepared(motion, suffix, args), target)
                taken[target] = file
                _say([motion], file, target)
        except KinemeError as error:
            failed.append(file)
            warn(str(error))
    return exit_code(failed, files, args.files)


def _as_animations(files: list[Path], options: ReadOptions, args: Args) -> int:
    """All motions of all files in one GLB; a file that cannot be used is named and left out."""
    from kineme.formats import load_all
    from kineme.formats.atomic import atomic_write
    from kineme.formats.glb import write_glb

    check_free([args.out], args.overwrite, Inputs(files, options))
    motions: list[Motion] = []
    failed: list[Path] = []
    for file in files:
        try:
            given = load_all(file, options)
            found = [_prepared(motion, ".glb", args) for motion in given]
            if motions and not found[0].skeleton.same_tree(motions[0].skeleton):
                first = motions[0].provenance.file
                raise InputError(f"it has another skeleton than {first}; use --to glb and a folder", file)
            motions += found
            _say(given, file, args.out)
        except KinemeError as error:
            failed.append(file)
            warn(str(error))
    if motions:
        with atomic_write(args.out) as temporary:
            write_glb(motions, temporary)
    return exit_code(failed, files, args.files)


def _say(motions: Sequence[Motion], file: Path, target: Path) -> None:
    """Where a file's motions went, and what the reader mended in them."""
    put(f"{file} -> {target}")
    for note in dict.fromkeys(note for motion in motions for note in motion.provenance.notes):
        if note.startswith("repaired: "):
            put(f"  {note}")


def _target(args: Args) -> tuple[str, bool]:
    """The suffix of what is written, and whether the output is a folder."""
    suffix = args.out.suffix.lower()
    if suffix.lstrip(".") in _FORMATS and not args.out.is_dir():
        if args.to is not None and f".{args.to}" != suffix:
            raise UsageError(f"--to {args.to} and the output {args.out.name} do not agree")
        return suffix, False
    if args.to is None:
        raise UsageError(f"name a file with a suffix of {', '.join(_FORMATS)}, or a folder and --to FORMAT")
    return f".{args.to}", True


def _free(path: Path, taken: dict[Path, Path]) -> Path:
    """`path`, or with a number behind its stem where this run has written it already from another file."""
    number, free = 2, path
    while free in taken:
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
        number += 1
    return free


def _expected(files: list[Path], folder: Path, suffix: str) -> list[Path]:
    """What is written where every file holds one motion; of one with several, more is known when it is read."""
    taken: dict[Path, Path] = {}
    for file in files:
        taken[_free(folder / f"{file.stem}{suffix}", taken)] = file
    return list(taken)


def _prepared(motion: Motion, suffix: str, args: Args) -> Motion:
    """The motion on the skeleton and at the rate that were asked for."""
    from kineme.motion.canonical import JOINTS
    from kineme.motion.frame import in_place
    from kineme.motion.retarget import retarget
    from kineme.motion.time import resample
    from kineme.tasks.prepare import fit_for

    if args.skeleton == "canonical" and motion.skeleton.names != JOINTS:
        motion = retarget(motion)
    motion = fit_for(motion, suffix)
    if args.fps is not None:
        motion = resample(motion, args.fps)
    return in_place(motion) if args.in_place else motion
