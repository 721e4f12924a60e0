"""What motion files hold, and what was guessed on reading them.

A row a motion: format, rate, frames, unit, up axis, height of the rest pose, and the rig with the joints
that were not mapped to the canonical body. Every guess can be overridden by an option. A file that cannot be
read gets a sentence on stderr; where you named it yourself, the exit code is 2.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from kineme.cli.console import Table, put, put_styled, warn
from kineme.cli.reading import ReadingArgs, exit_code
from kineme.errors import InputError, KinemeError

if TYPE_CHECKING:
    from kineme.motion import Motion


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)
    json: bool = False
    """Print a list of objects instead of the table."""
    suggest_map: Annotated[Path | None, tyro.conf.arg(metavar="MAP.toml")] = None
    """Write a draft of a map file for the first motion, to be edited and given with --map."""


def run(args: Args) -> int:
    from kineme.formats import find_files, load_all
    from kineme.formats.registry import nothing_found

    options = args.reading.options()
    if not args.files:
        raise InputError("name a motion file or a folder")
    if args.suggest_map is not None and args.suggest_map.exists():
        raise InputError(
            "the file is there already; name another, so that no edited map is lost", args.suggest_map
        )
    rows: list[dict[str, Any]] = []
    there: list[Path] = []
    failed: list[Path] = []
    for source in args.files:
        try:
            there += (inside := find_files(source))
            if not inside:
                raise nothing_found(source)
        except InputError as error:
            rows.append(_unreadable(source, error))
            failed.append(source)
    files, drafted = find_files(there), None
    looked_at = [*failed, *files]
    for file in files:
        try:
            motions = load_all(file, options)
            rows.extend(describe(motion, file) for motion in motions)
            if args.suggest_map is not None and drafted is None:
                drafted = _draft(motions[0], file, args.suggest_map)
        except KinemeError as error:
            rows.append(_unreadable(file, error))
            failed.append(file)
    if args.json:
        put(*json.dumps(rows, indent=2).split("\n"))
    else:
        _print_table(rows)
    if drafted is not None:
        put(f"wrote {drafted}: edit it, then give it with --map {shlex.quote(str(drafted))}", file=sys.stderr)
    return exit_code(failed, looked_at, args.files)


def _draft(motion: Motion, file: Path, target: Path) -> Path:
    """Writes the draft of a map file."""
    from kineme.formats.atomic import atomic_write
    from kineme.motion.map_draft import draft_map

    text = draft_map(motion.skeleton, file.stem)
    with atomic_write(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def describe(motion: Motion, file: Path) -> dict[str, Any]:
    """What is known of a motion, as plain values for JSON."""
    from kineme.motion.rigs import recognise_rig

    rig = recognise_rig(motion.skeleton)
    origin = motion.provenance
    return {
        "file": str(file),
        "format": origin.format,
        "fps": motion.fps,
        "frames": len(motion),
        "duration_s": round(motion.duration, 6),
        "joints": len(motion.skeleton),
        "units": origin.units,
        "metres_per_unit": origin.unit_scale,
        "up_axis": origin.up_axis,
        "height_m": round(motion.skeleton.rest_height, 4),
        "rig": rig.rig,
        "mapping": rig.joints | {name: f"{joint} (its end)" for name, joint in rig.ends.items()},
        "missing": list(rig.missing),
        "unmapped": list(rig.unmapped),
        "positions_only": motion.positions_only,
        "guessed": dict(origin.guessed),
        "notes": [note for note in (*origin.notes, rig.advice) if note],
        "error": None,
    }


def _unreadable(file: Path, error: KinemeError) -> dict[str, Any]:
    """A row with the same keys for a file that could not be read."""
    keys = ("format", "fps", "frames", "joints", "units", "up_axis", "height_m", "rig", "unmapped")
    return {"file": str(file), **dict.fromkeys(keys), "error": str(error)}


def _print_table(rows: list[dict[str, Any]]) -> None:
    good = [row for row in rows if not row["error"]]
    if good:
        _table(good).show(None if sys.stdout.isatty() else 160)
    if any(row["guessed"] for row in good):
        put_styled(("? guessed; say it with --unit, --up, --channels or --source-fps", "dim"))
    if len(good) == 1:
        _print_details(good[0])
    else:
        said: dict[str, list[str]] = {}
        for row in good:
            for note in row["notes"]:
                said.setdefault(note, []).append(Path(row["file"]).name)
        for note, files in said.items():
            named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
            put_styled((f"{note}: {named}", "dim"))
    for row in rows:
        if row["error"]:
            warn(row["error"])


def _table(rows: list[dict[str, Any]]) -> Table:
    """A line a motion; files are named from the folder that they share."""
    shared = os.path.commonpath([os.path.dirname(os.path.abspath(row["file"])) for row in rows])
    table = Table()
    numeric = ("fps", "frames", "joints", "height", "unmapped")
    for title in ("file", "format", "fps", "frames", "joints", "unit", "up", "height", "rig", "unmapped"):
        table.column(
            title,
            justify="right" if title in numeric else "left",
            overflow="fold",
            no_wrap=title != "file",
            min_width=16 if title == "file" else None,
        )
    for row in rows:
        asked = row["guessed"]
        table.row(
            os.path.relpath(row["file"], shared),
            row["format"],
            f"{row['fps']:.6g}" + ("?" if "fps" in asked else ""),
            str(row["frames"]),
            str(row["joints"]),
            row["units"] + ("?" if "unit" in asked else ""),
            row["up_axis"] + ("?" if "up" in asked else ""),
            f"{row['height_m']:.2f} m",
            row["rig"],
            str(len(row["unmapped"])),
        )
    return table


def _print_details(row: dict[str, Any]) -> None:
    """Mapping, guesses and notes of a single motion."""
    lines = [f"{name} <- {joint}" for name, joint in row["mapping"].items()]
    sections = [
        ("guessed", [f"{name}: {value}" for name, value in row["guessed"].items()]),
        ("mapped", lines),
        ("missing", row["missing"]),
        ("unmapped", row["unmapped"]),
        ("notes", row["notes"]),
    ]
    for title, entries in sections:
        if entries:
            joined = ("; " if title == "notes" else ", ").join(entries)
            put_styled((title, "bold"), f" {joined}")
