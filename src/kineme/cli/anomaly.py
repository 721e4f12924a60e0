"""How unlikely motion is: a score per file, where in time it is high, and which joints are to blame.

Two rules raise an alarm, and every alarm says which did. "window": the mean surprise of a window's numbers
under a model of motion, in nats, is above the threshold. "joint": the evidence against a single joint
(surprise, an odd number, a jump, a standstill) is above that joint's own threshold; such joints are named.
All thresholds were measured on sound motion at a stated rate of false alarms. Files shorter than a window are
scored with their last frame repeated, and marked. Without --model the weights that come with kineme are used.
A file that cannot be used is named on stderr and left out; where you named it yourself, the exit code is 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import tyro

from kineme.cli.console import Table, put, put_styled, warn
from kineme.cli.durations import seconds_in
from kineme.cli.reading import ReadingArgs, exit_code
from kineme.cli.tables import csv_text, json_text, write_text
from kineme.errors import InputError, UsageError

if TYPE_CHECKING:
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
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """Also write a page (HTML) with a plot of every file's scores over time; for a library by default
    anomaly.html in it, with a link on its report."""
    model: str | None = None
    """Folder of an HG-VAE model, a library with one in it, or its name on the Hugging Face hub; by default
    hgvae-small, which comes with kineme."""
    overwrite: bool = False
    """Replace files that are there already; never one that is read. The library's own anomaly.html follows
    from its takes, and is written anew without it."""
    threshold: float | None = None
    """Score of a window from which it is an alarm, instead of the model's own."""
    stride: str = "0.4s"
    """How far windows are apart, such as 0.2s or 500ms."""
    reading: Annotated[ReadingArgs, tyro.conf.arg(name="")] = field(default_factory=ReadingArgs)


def run(args: Args) -> int:
    from kineme.cli.motion_model import load_model
    from kineme.cli.outputs import Inputs, check_free, check_page
    from kineme.tasks.anomaly import alarms, score_motion
    from kineme.tasks.calibrate import joint_thresholds, usual_of

    if not args.files:
        raise UsageError("name the files to look at")
    if not 0 < (stride := seconds_in(args.stride)) <= 60:
        raise UsageError(f"--stride is the time between windows, above 0 and up to 60s, not {args.stride}")
    check_page(args.page)
    read = Inputs(_inputs(args), args.reading.options())
    check_free(filter(None, (args.out, args.page)), args.overwrite, read)
    model = load_model(args.model)
    calibration = model.calibration
    if calibration is None:
        where = args.model or "the model"
        raise InputError("has no thresholds; `kineme train hgvae` measures them", where)
    limit = calibration.window if args.threshold is None else args.threshold
    usual, joints = usual_of(calibration), joint_thresholds(calibration)
    found = []
    failed: list[Path] = []
    for name, motion in _motions(args, failed):
        try:
            scores = score_motion(motion, model, stride, usual)
        except InputError as error:
            warn(f"{name}: {error}")
            failed.append(Path(name))
            continue
        found.append((name, scores, alarms(scores, limit, joints)))
    if not found:
        raise InputError("there is no motion file in it that can be used", args.files[0])
    limits = Limits(limit, joints, calibration.false_alarms, calibration.measured_on)
    if args.out is not None:
        write_text(_json(found, limits) if args.format == "json" else _csv(found, limits), args.out)
    _write_page(args, found, limits)
    _print(found, limits)
    return exit_code(failed, [*failed, *found], args.files)


class Limits(NamedTuple):
    """Thresholds of a window's score and of the evidence against each joint; the share of sound windows that
    is above each of the two, and what motion it was measured on."""

    window: float
    joints: tuple[float, ...]
    false_alarms: float
    measured_on: str


def _sorted_out(args: Args) -> tuple[list[Path], list[Path]]:
    """The libraries among what is named, and the rest."""
    from kineme.tasks.library import is_library

    libraries = [path for path in args.files if is_library(path)]
    return libraries, [path for path in args.files if path not in libraries]


def _inputs(args: Args) -> Iterator[Path]:
    """Files that are scored, libraries with the files that their takes came from, and the model."""
    from kineme.cli.outputs import library_inputs
    from kineme.formats import find_files
    from kineme.tasks.library import open_library

    libraries, others = _sorted_out(args)
    for library in libraries:
        opened = open_library(library)
        yield from library_inputs(opened, opened.corpus)
    yield from find_files(others) if others else ()
    if args.model is not None:
        yield Path(args.model)


def _motions(args: Args, failed: list[Path]) -> Iterator[tuple[str, Motion]]:
    """Takes with their names; a file that cannot be read is named, enters `failed`, and the others are used."""
    from kineme.formats import find_files, load_all
    from kineme.tasks.library import open_library

    libraries, others = _sorted_out(args)
    for library in libraries:
        yield from ((clip.name, clip.motion) for clip in open_library(library).corpus)
    options = args.reading.options()
    for file in find_files(others) if others else ():
        try:
            motions = load_all(file, options)
        except InputError as error:
            warn(str(error))
            failed.append(file)
            continue
        for number, motion in enumerate(motions):
            yield f"{file}#{number}" if len(motions) > 1 else str(file), motion


def _write_page(args: Args, found: Found, limits: Limits) -> None:
    from kineme.formats.atomic import atomic_write
    from kineme.formats.lock import folder_lock
    from kineme.report.page import link_page
    from kineme.report.plots import AlarmedClip, score_page
    from kineme.report.serve import PAGE
    from kineme.tasks.library import is_library

    library = args.files[0] if len(args.files) == 1 and is_library(args.files[0]) else None
    page = args.page if args.page is not None or library is None else library / "anomaly.html"
    if page is None:
        return
    rows = [
        AlarmedClip(
            name,
            scores.times.mean(1),
            scores.scores,
            scores.times[-1, 1],
            tuple(
                (alarm.start, alarm.end, _rule(alarm), _blamed(alarm, len(alarm.joints))) for alarm in raised
            ),
        )
        for name, scores, raised in found
    ]
    with atomic_write(page) as part:
        part.write_text(score_page("How unlikely the motion is", rows, limits.window), encoding="utf-8")
    if library is not None and args.page is None and (library / PAGE).is_file():
        with folder_lock(library, "kineme anomaly"):  # the report is read and written again
            link_page(library / PAGE, page.name, "Anomalies")
    put(f"the page: {page}")


def _csv(found: Found, limits: Limits) -> str:
    """A row a window: its score, which rule raised an alarm and which joints, and all joints' evidence."""
    from kineme.tasks.anomaly import window_rules

    names = found[0][1].names
    head = ["file", "start", "end", "score", "threshold", "alarm", "rule", "unlikely_joints", "padded"]
    table = []
    for file, scores, _ in found:
        rules = window_rules(scores, limits.window, limits.joints)
        for (start, end), score, own, joints in zip(
            scores.times, scores.scores, rules, scores.joints, strict=True
        ):
            over = [n for n, joint, most in zip(names, joints, limits.joints, strict=True) if joint > most]
            row = [file, f"{start:.3f}", f"{end:.3f}", f"{score:.4f}", f"{limits.window:.4f}", int(bool(own))]
            row += ["+".join(own), " ".join(over), int(scores.padded)]
            table.append([*row, *(f"{joint:.4f}" for joint in joints)])
    return csv_text([*head, *(f"evidence_{name}" for name in names)], table)


def _json(found: Found, limits: Limits) -> str:
    from kineme.tasks.anomaly import window_rules

    about = {
        "threshold": limits.window,
        "false_alarms": limits.false_alarms,
        "measured_on": limits.measured_on,
        "rules": {
            "window": "the score of a window is above `threshold`",
            "joint": "the evidence against a joint is above its entry of `joint_thresholds`",
        },
        "joint_thresholds": dict(zip(found[0][1].names, limits.joints, strict=True)),
    }
    files = []
    for file, scores, raised in found:
        windows = [
            {
                "start": start,
                "end": end,
                "score": score,
                "rules": rules,
                "joints": dict(zip(scores.names, joints, strict=True)),
            }
            for (start, end), score, rules, joints in zip(
                scores.times.tolist(),
                scores.scores.tolist(),
                window_rules(scores, limits.window, limits.joints),
                scores.joints.tolist(),
                strict=True,
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
    return json_text({**about, "files": files})


def _rule(alarm: Alarm) -> str:
    return " + ".join(alarm.rules)


def _blamed(alarm: Alarm, most: int) -> str:
    """The worst joints with the evidence against each."""
    named = [f"{n} {e:.2f}" for n, e in zip(alarm.joints[:most], alarm.evidence[:most], strict=True)]
    return ", ".join(named) + (" ..." if len(alarm.joints) > most else "")


def _print(found: Found, limits: Limits) -> None:
    low, high = min(limits.joints), max(limits.joints)
    put_styled(
        f"rule window: the score is above {limits.window:.3f}; rule joint: the evidence against a joint is above "
        f"its own threshold, {low:.2f} to {high:.2f}. Each was measured so that {limits.false_alarms:.0%} of "
        "sound windows raise it.",
        wrap=True,
    )
    table = Table(boxed=True)
    for heading in ("file", "score", "alarm from", "to (s)", "rule", "joints, evidence"):
        text = heading in ("file", "rule", "joints, evidence")
        table.column(heading, justify="left" if text else "right", overflow="fold")
    for file, scores, raised in found:
        name = Path(file).name + (" (shorter than a window)" if scores.padded else "")
        if not raised:
            table.row(name, f"{scores.clip:.3f}", "-", "-", "", "")
        for k, alarm in enumerate(raised):
            head = (name, f"{scores.clip:.3f}") if k == 0 else ("", "")
            joints = _blamed(alarm, 3).split(", ")
            table.row(*head, f"{alarm.start:.2f}", f"{alarm.end:.2f}", _rule(alarm), joints)
    table.show()
