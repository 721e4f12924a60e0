"""ELAN ``.eaf``: tiers of annotations, in the structure of the EAF 3.0 schema (Max Planck Institute).

Times are milliseconds of the motion file. A tier of ELAN holds no two annotations at once, so labels that
overlap go to ``labels``, ``labels 2`` and so on.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from kineme import __version__
from kineme.formats.tiers import Sheet, Tier, plain_text, without_overlap

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_TYPE = "segments"
#: the constraints that every file of ELAN lists
_CONSTRAINTS = {
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps allowed "
    "within this interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to the same "
    "parent are ordered",
    "Symbolic_Association": "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps are "
    "allowed",
}


def write_eaf(sheet: Sheet, path: Path) -> None:
    """Write the tiers of a take; the same sheet gives the same bytes."""
    ET.register_namespace("xsi", _XSI)
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": f"kineme {__version__}",
            "DATE": sheet.modified.isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{_XSI}}}noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ET.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    order = ET.SubElement(root, "TIME_ORDER")
    count = 0
    for tier in sheet.tiers:
        rows = without_overlap(tier.segments) or [[]]
        for number, row in enumerate(rows, start=1):
            called = tier.name if number == 1 else f"{tier.name} {number}"
            element = ET.SubElement(root, "TIER", _tier_attributes(called, tier, sheet))
            for segment in row:
                count += 1
                start = round(segment.start * 1000)
                slots = (start, max(round(segment.end * 1000), start + 1))
                _annotate(element, order, count, slots, segment.label)
    for name, value in (("lastUsedAnnotationId", str(count)), ("source", plain_text(sheet.file))):
        ET.SubElement(header, "PROPERTY", {"NAME": name}).text = value
    ET.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true"},
    )
    for name, description in _CONSTRAINTS.items():
        ET.SubElement(root, "CONSTRAINT", {"DESCRIPTION": description, "STEREOTYPE": name})
    ET.indent(root, "    ")
    path.write_bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n")


def _tier_attributes(name: str, tier: Tier, sheet: Sheet) -> dict[str, str]:
    attributes = {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": plain_text(name)}
    if not tier.by_hand:
        attributes["ANNOTATOR"] = f"kineme {__version__}"
    if sheet.subject:
        attributes["PARTICIPANT"] = plain_text(sheet.subject)
    return attributes


def _annotate(tier: ET.Element, order: ET.Element, number: int, slots: tuple[int, int], label: str) -> None:
    names = [f"ts{2 * number - 1}", f"ts{2 * number}"]
    for name, milliseconds in zip(names, slots, strict=True):
        ET.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(milliseconds)})
    references = {"ANNOTATION_ID": f"a{number}", "TIME_SLOT_REF1": names[0], "TIME_SLOT_REF2": names[1]}
    annotation = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", references)
    ET.SubElement(annotation, "ANNOTATION_VALUE").text = plain_text(label)
