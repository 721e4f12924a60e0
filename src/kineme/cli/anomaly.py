"""How unlikely motion is: a score per file, where in time it is high, and which joints are to blame.

A score is the mean surprise of a window's numbers under a model of motion, in nats. Windows above the
threshold, which was measured on sound motion at a stated rate of false alarms, are alarms; so are windows
in which the evidence against a single joint (surprise, an odd number, a jump, a standstill) is above its
own threshold. Files shorter than a window are scored with their last frame repeated, and marked. Without
--model the weights that come with kineme are used.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.models.hgvae import Calibration
    from kineme.motion import Motion
    from kineme.tasks.anomaly import Alarm, WindowScores

    Found = list[tuple[str, WindowScores, list[Alarm]]]


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, folders of them, or a library: then its takes."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE")] = None
    """File for the scores of all windows and joints; by default a table of alarms is printed."""
    format: Literal["csv", "json"] = "csv"
    """How to write that file."""
    page: Path | None = None
    """Also write a page (HTML) with a plot of every file's scores over time; for a library by default
    anomaly.html in it, with a link on its report."""
    model: str | None = None
    """Folder of an HG-VAE model, or its name on the Hugging Face hub; by default the one that comes with
    kineme."""
    threshold: float | None = None
    """Score of a window from which it is an alarm, instead of the model's own."""
    stride: float = 0.4
    """Seconds between windows."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    from kineme.cli.motion_model import load_model
    from kineme.formats.atomic import atomic_write
    from kineme.tasks.anomaly import alarms, score_motion
    from kineme.tasks.calibrate import usual_of

    if not args.files:
        raise UsageError("name the files to look at")
    if not 0 < args.stride <= 60:
        raise UsageError(f"--stride is seconds between windows, above 0, not {args.stride}")
    model = load_model(args.model)
    calibration = model.calibration
    if calibration is None:
        where = args.model or "the model"
        raise InputError("has no thresholds; `kineme train hgvae` measures them", where)
    limit = calibration.window if args.threshold is None else args.threshold
    usual = usual_of(calibration)
    found = []
    for name, motion in _motions(args):
        try:
            scores = score_motion(motion, model, args.stride, usual)
        except InputError as error:
            print(f"kineme: {name}: {error}", file=sys.stderr)
            continue
        found.append((name, scores, alarms(scores, limit, calibration.joints)))
    if not found:
        raise InputError("there is no motion file in it that can be used", args.files[0])
    if args.out is not None:
        text = _json(found, calibration, limit) if args.format == "json" else _csv(found, limit)
        with atomic_write(args.out) as part:
            part.write_text(text, encoding="utf-8", newline="")
    _write_page(args, found, limit)
    _print(found, limit, calibration)
    return 0


def _motions(args: Args) -> Iterator[tuple[str, Motion]]:
    """Takes with their names; a file that cannot be read is named, and the others are used."""
    from kineme.formats import find_files, load_all
    from kineme.tasks.library import is_library, open_library

    libraries = [path for path in args.files if is_library(path)]
    for library in libraries:
        yield from ((clip.name, clip.motion) for clip in open_library(library).corpus)
    others = [path for path in args.files if path not in libraries]
    options = args.reading.options()
    for file in find_files(others) if others else ():
        try:
            motions = load_all(file, options)
        except InputError as error:
            print(f"kineme: {error}", file=sys.stderr)
            continue
        for number, motion in enumerate(motions):
            yield f"{file}#{number}" if len(motions) > 1 else str(file), motion


def _write_page(args: Args, found: Found, limit: float) -> None:
    from kineme.formats.atomic import atomic_write
    from kineme.report.page import link_page
    from kineme.report.plots import score_page
    from kineme.tasks.library import is_library

    library = args.files[0] if len(args.files) == 1 and is_library(args.files[0]) else None
    page = args.page if args.page is not None or library is None else library / "anomaly.html"
    if page is None:
        return
    rows = [(name, scores.times.mean(1), scores.scores, scores.times[-1, 1]) for name, scores, _ in found]
    with atomic_write(page) as part:
        part.write_text(score_page("How unlikely the motion is", rows, limit), encoding="utf-8")
    if library is not None and args.page is None and (library / "report.html").is_file():
        link_page(library / "report.html", page.name, "Anomalies")
        print(f"the plots: {page}")


def _csv(found: Found, limit: float) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = found[0][1].names
    table.writerow(["file", "start", "end", "score", "alarm", "padded", *names])
    for file, scores, _ in found:
        for (start, end), score, joints in zip(scores.times, scores.scores, scores.joints, strict=True):
            over = int(score > limit)
            row = [file, f"{start:.3f}", f"{end:.3f}", f"{score:.4f}", over, int(scores.padded)]
            table.writerow([*row, *(f"{joint:.4f}" for joint in joints)])
    return text.getvalue()


def _json(found: Found, calibration: Calibration, limit: float) -> str:
    about = {
        "threshold": limit,
        "false_alarms": calibration.false_alarms,
        "measured_on": calibration.measured_on,
        "joint_thresholds": dict(zip(found[0][1].names, calibration.joints, strict=True)),
    }
    files = []
    for file, scores, raised in found:
        windows = [
            {
                "start": start,
                "end": end,
                "score": score,
                "joints": dict(zip(scores.names, joints, strict=True)),
            }
            for (start, end), score, joints in zip(
                scores.times.tolist(), scores.scores.tolist(), scores.joints.tolist(), strict=True
            )
        ]
        files.append(
            {
                "file": file,
                "score": scores.clip,
                "padded": scores.padded,
                "alarms": [asdict(alarm) for alarm in raised],
                "windows": windows,
            }
        )
    return json.dumps({**about, "files": files}, indent=1) + "\n"


def _print(found: Found, limit: float, calibration: Calibration) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"threshold {limit:.3f}: {calibration.false_alarms:.0%} of sound windows are above it"
    )
    table.title_justify = "left"
    for heading in ("file", "score", "alarm from", "to (s)", "joints"):
        table.add_column(
            heading, justify="left" if heading in ("file", "joints") else "right", overflow="fold"
        )
    for file, scores, raised in found:
        name = Path(file).name + (" (shorter than a window)" if scores.padded else "")
        if not raised:
            table.add_row(name, f"{scores.clip:.3f}", "-", "-", "")
        for k, alarm in enumerate(raised):
            joints = ", ".join(alarm.joints[:4]) + (" ..." if len(alarm.joints) > 4 else "")
            head = (name, f"{scores.clip:.3f}") if k == 0 else ("", "")
            table.add_row(*head, f"{alarm.start:.2f}", f"{alarm.end:.2f}", joints)
    Console().print(table)
