"""NWB with ndx-ethogram: a table of bouts for every tier, and the catalogue of what could have occurred.

Needs the packages of ``kineme[nwb]``. Times are seconds of the motion file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kineme import __version__
from kineme.errors import UsageError
from kineme.formats.tiers import Kind, Sheet, Tier, plain_text

#: the processing module that holds the tables, as NWB's best practices name it
MODULE = "behavior"


def require_nwb() -> None:
    """Raises UsageError, with what to install, where pynwb or ndx-ethogram is missing."""
    try:
        import ndx_ethogram  # noqa: F401  # pyright: ignore[reportMissingImports]
        import pynwb  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError(f'NWB needs further packages ({error}): pip install "kineme[nwb]"') from None


def write_nwb(sheet: Sheet, path: Path) -> None:
    """Write the tiers of a take.

    The file's session starts when the motion file was written last: most motion files say nothing better.
    Raises UsageError where the packages are missing.
    """
    require_nwb()
    from pynwb import NWBHDF5IO, NWBFile  # pyright: ignore[reportMissingImports]

    file = NWBFile(
        session_description=plain_text(
            f"motion capture take {sheet.take}; its start is the time of the file "
            f"{Path(sheet.file).name!r}, seconds count from its first frame"
        ),
        identifier=plain_text(f"{sheet.take} {sheet.sha256[:16]}".strip()),
        session_start_time=sheet.modified,
        subject=_subject(sheet),
        source_script=f"kineme {__version__}",
        source_script_file_name="kineme",
    )
    module = file.create_processing_module(MODULE, "segments of human motion")
    for tier in sheet.tiers:
        if tier.segments:  # a table without rows is no use, and HDF5 cannot hold its text columns
            _add_tier(module, tier, sheet)
    with NWBHDF5IO(str(path), "w") as output:
        output.write(file)


def _subject(sheet: Sheet) -> Any:
    from pynwb.file import Subject  # pyright: ignore[reportMissingImports]

    return Subject(subject_id=plain_text(sheet.subject), species="Homo sapiens") if sheet.subject else None


def _add_tier(module: Any, tier: Tier, sheet: Sheet) -> None:
    from hdmf.common import VectorData  # pyright: ignore[reportMissingImports]
    from ndx_ethogram import EthogramBouts  # pyright: ignore[reportMissingImports]

    name = re.sub(r"[^\w.]+", "_", tier.name)
    catalogue = _catalogue(f"{name}_ethogram", tier)
    columns: dict[str, tuple[str, list[Any]]] = {
        "start_time": ("seconds from the take's first frame", [float(s.start) for s in tier.segments]),
        "stop_time": (
            "seconds from the take's first frame, exclusive",
            [float(s.end) for s in tier.segments],
        ),
        "label": ("what it is", [plain_text(s.label) for s in tier.segments]),
        "confidence": ("0 to 1", [float(s.confidence) for s in tier.segments]),
    }
    about: dict[str, Any] = {"labeling_method": "manual" if tier.by_hand else "automated"}
    if not tier.by_hand:
        about["source_software"] = f"kineme {__version__}"
        about["parameters"] = json.dumps(dict(sheet.settings), sort_keys=True)
    bouts = EthogramBouts(
        name=name,
        description=plain_text(f"{tier.name} of {sheet.take}"),
        columns=[VectorData(name=key, description=what, data=data) for key, (what, data) in columns.items()],
        ethogram=catalogue,
        **about,
    )
    module.add(catalogue)
    module.add(bouts)


def _catalogue(name: str, tier: Tier) -> Any:
    from hdmf.common import VectorData  # pyright: ignore[reportMissingImports]
    from ndx_ethogram import Ethogram  # pyright: ignore[reportMissingImports]

    listed = {kind.text for kind in tier.kinds}
    others = sorted({s.label for s in tier.segments} - listed)
    kinds = [*tier.kinds, *(Kind(text) for text in others)]
    columns: dict[str, tuple[str, list[Any]]] = {
        "behavior": ("as the bouts call it", [plain_text(kind.text) for kind in kinds]),
        "definition": ("in plain words", [plain_text(kind.meaning) or "none was given" for kind in kinds]),
        "behavior_type": ("lasting or a point in time", ["state"] * len(kinds)),
    }
    if not tier.by_hand:
        columns["native_code"] = ("the model's number", [kind.number for kind in kinds])
    return Ethogram(
        name=name,
        description=f"what {tier.name} tell apart",
        exclusive=not tier.by_hand,
        columns=[VectorData(name=key, description=what, data=data) for key, (what, data) in columns.items()],
    )
