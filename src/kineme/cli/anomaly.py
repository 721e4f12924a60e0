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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from kineme.cli.reading import ReadingArgs
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
    from kineme.models.hgvae import Calibration
    from kineme.tasks.anomaly import Alarm, WindowScores

    Found = list[tuple[str, WindowScores, list[Alarm]]]


@dataclass(frozen=True)
class Args:
    files: tyro.conf.Positional[tuple[Path, ...]]
    """Motion files, or folders of them."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=("-o",), metavar="FILE")] = None
    """File for the scores of all windows and joints; by default a table of alarms is printed."""
    format: Literal["csv", "json"] = "csv"
    """How to write that file."""
    page: Path | None = None
    """Also write a page (HTML) with a plot of every file's scores over time."""
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
    from kineme.formats import find_files, load_all
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
    options, found = args.reading.options(None, None), []
    files = find_files(args.files)
    for file in files:
        try:
            motions = load_all(file, options)
            for number, motion in enumerate(motions):
                scores = score_motion(motion, model, args.stride, usual)
                name = f"{file}#{number}" if len(motions) > 1 else str(file)
                found.append((name, scores, alarms(scores, limit, calibration.joints)))
        except InputError as error:
            print(f"kineme: {error}", file=sys.stderr)
    if not found:
        raise InputError("there is no motion file in it that can be used", args.files[0])
    if args.out is not None:
        text = _json(found, calibration, limit) if args.format == "json" else _csv(found, limit)
        with atomic_write(args.out) as part:
            part.write_text(text, encoding="utf-8", newline="")
    if args.page is not None:
        from kineme.report.plots import score_page

        rows = [(name, scores.times.mean(1), scores.scores, scores.times[-1, 1]) for name, scores, _ in found]
        with atomic_write(args.page) as part:
            part.write_text(score_page("How unlikely the motion is", rows, limit), encoding="utf-8")
    _print(found, limit, calibration)
    return 0


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
