"""Small TRC and C3D files of a synthetic person, in the point sets that labs and trackers use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bodies import INDEX
from kineme.corpus.synthetic import generate
from kineme.motion import Motion

_LIMBS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
COCO17 = [
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *(f"{side}_{limb.lower()}" for limb in _LIMBS for side in ("left", "right")),
]
_FEET = [f"{side}{part}" for side in "LR" for part in ("BigToe", "SmallToe", "Heel")]
BODY25 = [
    *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
    *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
    *_FEET,
]
HALPE26 = [
    *("Nose", "LEye", "REye", "LEar", "REar"),
    *(f"{side}{limb}" for limb in _LIMBS for side in "LR"),
    *("Head", "Neck", "Hip"),
    *_FEET,
]
OPENCAP = ["Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "midHip"]
OPENCAP += ["RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", *_FEET, "r.ASIS_study", "r_knee_study"]
PLUGIN = {
    **{"PELO": "pelvis", "TRXO": "spine3", "HEDO": "head", "LASI": "left_hip", "LKNE": "left_knee"},
    **{"C7": "neck", "CLAV": "neck"},
    **{
        f"{s[0].upper()}{code}": f"{s}_{joint}"
        for s in ("left", "right")
        for code, joint in {
            **{"FEP": "hip", "FEO": "knee", "TIO": "ankle", "TOE": "foot"},
            **{"CLO": "shoulder", "HUO": "elbow", "RAO": "wrist"},
        }.items()
    },
}
CENTRES = {
    f"{s[0].upper()}{code}": f"{s}_{joint}"
    for s in ("left", "right")
    for code, joint in {
        "HJC": "hip",
        "KJC": "knee",
        "AJC": "ankle",
        "SJC": "shoulder",
        "EJC": "elbow",
    }.items()
} | {"LWJC": "left_wrist", "RWJC": "right_wrist"}
MARKERS = [
    "LASI",
    "RASI",
    "LPSI",
    "RPSI",
    "LTHI",
    "LKNE",
    "LTIB",
    "LANK",
    "LHEE",
    "LTOE",
    "RKNE",
    "RANK",
    "C7",
]


def person(seconds: float = 2.0) -> Motion:
    return generate(4, 1, seconds, fps=60.0)[0].motion


def place(name: str, body: Motion) -> np.ndarray:
    """(T, 3) metres: where a point of any of the sets above is on a body."""
    plain = name.lower().replace("_", "")
    if name in PLUGIN:
        return body.positions[:, INDEX[PLUGIN[name]]]
    if name in CENTRES:
        return body.positions[:, INDEX[CENTRES[name]]]
    turn, head = body.global_rotations[:, INDEX["head"]], body.positions[:, INDEX["head"]]
    face = {"nose": (0, 0.02, 0.1), "eye": (0.03, 0.05, 0.09), "ear": (0.07, 0, 0), "head": (0, 0.18, 0)}
    side = {"l": "left", "r": "right"}.get(plain[0], "left")
    plain = plain.removeprefix("left").removeprefix("right")
    for word, (x, y, z) in face.items():
        if plain in (word, f"l{word}", f"r{word}"):
            return head + turn @ np.array([x if side == "left" else -x, y, z])
    if plain in ("midhip", "hip", "neck") and name[0] not in "lr":
        hips, arms = ([INDEX[f"{s}_{part}"] for s in ("left", "right")] for part in ("hip", "shoulder"))
        return body.positions[:, arms if plain == "neck" else hips].mean(axis=1)
    ankle, foot = (body.positions[:, INDEX[f"{side}_{part}"]] for part in ("ankle", "foot"))
    if plain.endswith("toe"):
        across = 0.03 if ("big" in plain) == (side == "right") else -0.03
        return foot + body.global_rotations[:, INDEX[f"{side}_ankle"]] @ np.array([across, 0, 0])
    if plain.endswith("heel"):
        return ankle - 0.4 * (foot - ankle)
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        if plain.endswith(part) and "study" not in plain:
            return body.positions[:, INDEX[f"{side}_{part}"]]
    return body.positions[:, 0] + np.array([0.1, 0.05, 0.1])  # a marker of no meaning here


def places(names: list[str], body: Motion) -> np.ndarray:
    """(T, P, 3) metres."""
    return np.stack([place(name, body) for name in names], axis=1)


def write_trc(path: Path, names: list[str], values: np.ndarray, fps: float = 60.0, units: str = "m") -> Path:
    """A TRC as OpenSim writes it; NaN becomes an empty cell."""
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{fps:g}\t{fps:g}\t{len(values)}\t{len(names)}\t{units}\t{fps:g}\t1\t{len(values)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{k}" for k in range(1, len(names) + 1) for axis in "XYZ"),
        "",
    ]
    rows = []
    for frame, row in enumerate(values.reshape(len(values), -1)):
        cells = ["" if np.isnan(value) else f"{value:.6f}" for value in row]
        rows.append("\t".join([str(frame + 1), f"{frame / fps:.6f}", *cells]))
    path.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    return path


def write_c3d(path: Path, names: list[str], values: np.ndarray, fps: float = 60.0) -> Path:
    """A C3D in millimetres by ezc3d; NaN becomes a residual of -1."""
    import ezc3d

    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [fps]
    file["parameters"]["POINT"]["LABELS"]["value"] = list(names)
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    points = np.ones((4, len(names), len(values)))
    points[:3] = values.transpose(2, 1, 0) * 1000
    file["data"]["points"] = points
    file.write(str(path))
    return path
