"""Which format a file is in, and the way in and out of all of them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kineme.errors import InputError, UsageError
from kineme.formats import actor, amass, asf_amc, bvh, c3d, expmap, glb, hik, humanml3d, joints, trc
from kineme.formats.atomic import atomic_write
from kineme.formats.options import MAX_BYTES, Format, ReadOptions
from kineme.motion import Motion

#: every format, in the order in which content is tried; a new format is one file and one entry here
FORMATS: tuple[Format, ...] = (
    *(bvh.FORMAT, asf_amc.FORMAT, amass.FORMAT, hik.FORMAT, humanml3d.FORMAT, actor.FORMAT),
    *(joints.FORMAT, expmap.FORMAT, c3d.FORMAT, trc.FORMAT),
)
#: formats that are written and not read: no reader finds them in a folder
WRITTEN_ONLY: tuple[Format, ...] = (glb.FORMAT,)

_HEAD = 4096


def _head(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode) or stat.S_ISSOCK(status.st_mode):
            raise InputError("this is no regular file; copy what it gives into one", path)
        size = status.st_size
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        raise InputError("there is no such file", path) from None
    except IsADirectoryError:
        raise InputError("this is a folder, and one file is wanted; name a file in it", path) from None
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", path) from None
    if not head:
        raise InputError("the file is empty; export it again", path)
    if size > MAX_BYTES:
        raise InputError(
            f"the file has {size / 1e9:.1f} GB, more than the {MAX_BYTES / 1e9:.0f} GB limit", path
        )
    return head


def detect(path: str | Path) -> Format:
    """The format of the file at `path`, by its content first and its suffix after.

    Raises InputError where it is missing, empty or of no known kind.
    """
    path = Path(path)
    head = _head(path)
    suffix = path.suffix.lower()
    by_suffix = [entry for entry in FORMATS if suffix in entry.suffixes]
    for entry in [*by_suffix, *(f for f in FORMATS if f not in by_suffix)]:
        if entry.sniff(path, head):
            return entry
    if by_suffix:
        return by_suffix[0]  # its reader says precisely what is wrong
    for entry in WRITTEN_ONLY:
        if entry.sniff(path, head):
            return entry
    if suffix == ".fbx" or head.startswith(b"Kaydara FBX"):
        raise InputError(f"FBX is not read; Blender turns it into BVH: {fbx_command(path)}", path)
    if suffix == ".asf":
        raise InputError("an ASF holds a skeleton without motion; name the AMC files that go with it", path)
    known = ", ".join(sorted({s for entry in FORMATS for s in entry.suffixes}))
    raise InputError(f"this is no motion file that kineme reads ({known})", path)


def fbx_command(path: Path) -> str:
    """The command that converts an FBX file to a BVH beside it with Blender.

    A name that a shell or Python could read as more than a name is replaced, so that the line can be pasted.
    """
    name = str(path) if re.fullmatch(r"[\w ./:+\-]+", str(path)) else "take.fbx"
    target = str(Path(name).with_suffix(".bvh"))
    steps = (
        "import bpy",
        "bpy.ops.wm.read_factory_settings(use_empty=True)",
        f"bpy.ops.import_scene.fbx(filepath='{name}')",
        "rig = next(o for o in bpy.data.objects if o.type == 'ARMATURE')",
        "bpy.context.view_layer.objects.active = rig",
        "first, last = map(int, rig.animation_data.action.frame_range)",
        f"bpy.ops.export_anim.bvh(filepath='{target}', frame_start=first, frame_end=last, rotate_mode='ZXY')",
    )
    return f'blender --background --python-expr "{"; ".join(steps)}"'


def load_all(path: str | Path, options: ReadOptions | None = None) -> list[Motion]:
    """Every motion in the file. Raises InputError, which names the file, where it cannot be used."""
    path = Path(path)
    try:
        return detect(path).read(path, options or ReadOptions())
    except InputError as error:
        if error.path is None:
            raise InputError(error.message, path, error.line) from None
        raise
    except MemoryError:
        raise InputError("it does not fit into memory; cut it into shorter takes", path) from None


def files_read(path: Path, options: ReadOptions | None = None) -> list[Path]:
    """What is opened where `path` is read: the file, what its format reads beside it, and what the options name.

    They need not exist. Nothing but the file's beginning is read, and nothing is raised.
    """
    options = options or ReadOptions()
    try:
        beside = detect(path).beside(path, options)
    except (InputError, OSError):
        beside = []
    named = (Path(file) for file in (options.skeleton_file, options.map) if file is not None)
    return list(dict.fromkeys((path, *beside, *named)))


def load(path: str | Path, **options: Any) -> Motion | list[Motion]:
    """Read a motion file.

    Parameters
    ----------
    path : a BVH, AMC (its ASF beside it), AMASS ``.npz``, or joints ``.npy/.npz/.csv`` file.
    options : fields of `ReadOptions`, such as ``unit=0.01``, ``up="+Z"`` or ``fps=60``.

    Returns
    -------
    The motion, or a list of motions where the file holds several. What was guessed stands in
    ``motion.provenance.guessed``.

    Raises
    ------
    InputError : with one sentence that names the file, and the line where there is one.
    """
    motions = load_all(path, _options(options))
    return motions[0] if len(motions) == 1 else motions


def _options(values: dict[str, Any]) -> ReadOptions:
    unknown = sorted(set(values) - set(ReadOptions.__dataclass_fields__))
    if unknown:
        raise UsageError(
            f"no reading option is called {', '.join(unknown)}; "
            f"there are {', '.join(ReadOptions.__dataclass_fields__)}"
        )
    return ReadOptions(**values)


def writers_of(path: Path) -> list[Format]:
    """The formats that can be written under the ending of `path`. Raises InputError where there is none."""
    able = [f for f in (*FORMATS, *WRITTEN_ONLY) if f.write is not None]
    writers = [f for f in able if path.suffix.lower() in f.suffixes]
    if not writers:
        known = ", ".join(sorted({s for f in able for s in f.suffixes}))
        raise InputError(f"kineme writes {known}, not {path.suffix or 'a name without a suffix'}", path)
    return writers


def save(motion: Motion, path: str | Path, *, overwrite: bool = True) -> None:
    """Write a motion in the format of the path's suffix: ``.bvh``, ``.glb``, ``.npz``, ``.npy`` or ``.csv``.

    ``.npz`` is AMASS (SMPL-H) for a motion with rotations and joints for one of positions only.
    The file appears whole or not at all. Raises InputError where the format cannot hold the motion.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError("the file is there already; overwriting was not asked for", path)
    writers = writers_of(path)
    chosen = next((f for f in writers if motion.positions_only == (f.name == "joints")), writers[0])
    assert chosen.write is not None
    with atomic_write(path) as temporary:
        chosen.write(motion, temporary)


def find_files(sources: str | Path | Iterable[str | Path]) -> list[Path]:
    """The readable motion files of files and folders, sorted, each once, however it is spelled.

    A file that is named is taken whatever it is called; in folders, at any depth, those with a known
    suffix are taken, and of the ambiguous suffixes (``.npz .npy .csv .pkl .txt``) those whose content fits.
    Links that lead in circles are followed once. Raises InputError for a source that does not exist.
    """
    if isinstance(sources, str | Path):
        sources = [sources]
    found: dict[str, Path] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise InputError("there is no such file or folder", source)
        for file in sorted(_walk(source)) if source.is_dir() else [source]:
            found.setdefault(os.path.abspath(file), file)
    return list(found.values())


def nothing_found(source: Path) -> InputError:
    """What to say of a source without a motion file; of FBX files, how Blender makes BVH of them."""
    fbx = next(iter(sorted(source.rglob("*.fbx"))), None) if source.is_dir() else None
    if fbx is None:
        return InputError(
            "there is no motion file in it; name a file or a folder of .bvh, .amc, .npz or others",
            source,
        )
    return InputError(
        f"there is no motion file in it but FBX; Blender makes BVH of it: {fbx_command(fbx)}", source
    )


def _walk(folder: Path) -> Iterable[Path]:
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in files:
            path = Path(place, name)
            if not name.startswith(".") and _is_motion(path):
                yield path


def _is_motion(path: Path) -> bool:
    suffix = path.suffix.lower()
    candidates = [f for f in FORMATS if suffix in f.suffixes]
    if not candidates or not path.is_file():
        return False
    if suffix not in (".npz", ".npy", ".csv", ".pkl", ".txt"):
        return True
    try:
        head = _head(path)
    except InputError:
        return False
    return any(f.sniff(path, head) for f in candidates)
