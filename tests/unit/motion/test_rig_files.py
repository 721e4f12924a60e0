"""Small files in the names and rest poses of the rigs that people have: upright, mapped, left is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bodies import INDEX, MIXAMO, rigged
from kineme import load, retarget, save
from kineme.corpus.synthetic import generate
from kineme.motion import SMPL22, Motion, Skeleton
from kineme.motion.canonical import JOINTS, PARENTS
from kineme.motion.frame import unit
from kineme.motion.rigs import recognise_rig
from kineme.motion.rotations import axis_angle_to_matrix, rotation_between

PARTS = "hip knee ankle foot collar shoulder elbow wrist".split()


def names_of(midline: str, limbs: str, sides: tuple[str, str] = ("Left", "Right")) -> dict[str, str]:
    """Canonical joint -> the rig's, from the names of the midline and a pattern for the limbs."""
    found = dict(zip(("pelvis", "spine1", "spine2", "spine3", "neck", "head"), midline.split(), strict=True))
    for side, token in zip(("left", "right"), sides, strict=True):
        for part, name in zip(PARTS, limbs.split(), strict=True):
            found[f"{side}_{part}"] = name.replace("*", token)
    return found


@dataclass(frozen=True)
class Rig:
    """How a rig is written: its table's name, joints, joints between others, leaves, and its zero pose.

    Attributes
    ----------
    between : joint of the rig -> a joint that stands between it and its parent.
    leaves : joint of the rig -> further joints that hang on it.
    zero : ``T`` (bones along the world's axes), ``A`` (arms hang 45 degrees), ``X`` (every bone along its
        local X) or ``-X`` (the same, right limbs along -X).
    fps, unit, z_up : of the file; metres per unit.
    """

    name: str
    joints: dict[str, str]
    between: dict[str, str]
    leaves: dict[str, tuple[str, ...]]
    zero: str = "T"
    fps: float = 30.0
    unit: float = 0.01


_UE = "thigh_* calf_* foot_* ball_* clavicle_* upperarm_* lowerarm_* hand_*"
_MIXAMO_LIMBS = "*UpLeg *Leg *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand"
_RIGIFY = "thigh.* shin.* foot.* toe.* shoulder.* upper_arm.* forearm.* hand.*"
_CC = "Thigh Calf Foot ToeBase Clavicle Upperarm Forearm Hand"
_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def _prefixed(prefix: str, words: str) -> str:
    return " ".join(prefix + word for word in words.split())


RIGS = {
    "mixamo": Rig("mixamo", MIXAMO, {}, {"LeftHand": ("LeftHandIndex1",), "Head": ("HeadTop_End",)}),
    "mixamo with prefix": Rig(
        "mixamo",
        {canonical: f"mixamorig:{name}" for canonical, name in MIXAMO.items()},
        {},
        {"mixamorig:LeftHand": ("mixamorig:LeftHandIndex1", "mixamorig:LeftHandThumb1")},
    ),
    "lafan1": Rig(
        "lafan1",
        names_of(
            "Hips Spine Spine1 Spine2 Neck Head", "*UpLeg *Leg *Foot *Toe *Shoulder *Arm *ForeArm *Hand"
        ),
        {},
        {},
        zero="X",
    ),
    "xsens as bvh": Rig(
        "xsens",
        names_of(
            "Hips Chest Chest3 Chest4 Neck Head", "*Hip *Knee *Ankle *Toe *Collar *Shoulder *Elbow *Wrist"
        ),
        {"Chest3": "Chest2"},
        {},
        fps=60.0,
    ),
    "xsens as segments": Rig(
        "xsens",
        names_of(
            "Pelvis L5 T12 T8 Neck Head", "*UpperLeg *LowerLeg *Foot *Toe *Shoulder *UpperArm *ForeArm *Hand"
        ),
        {"T12": "L3"},
        {},
        fps=240.0,
        unit=1.0,
    ),
    "rokoko": Rig(
        "rokoko",
        MIXAMO,
        {},
        {f"{side}Hand": tuple(f"{side}InHand{finger}" for finger in _FINGERS) for side in ("Left", "Right")},
        fps=100.0,
    ),
    "rokoko newton": Rig(
        "rokoko-newton",
        names_of(
            "Hips Spine1 Spine3 Spine4 Neck Head", "*Thigh *Shin *Foot *Toe *Shoulder *Arm *ForeArm *Hand"
        ),
        {"Spine3": "Spine2"},
        {"LeftHand": ("LeftFinger2Metacarpal",)},
    ),
    "rigify": Rig(
        "rigify",
        names_of(
            "DEF-spine DEF-spine.001 DEF-spine.002 DEF-spine.003 DEF-spine.004 DEF-spine.006",
            _prefixed("DEF-", _RIGIFY),
            ("L", "R"),
        ),
        {
            "DEF-shin.L": "DEF-thigh.L.001",
            "DEF-forearm.R": "DEF-upper_arm.R.001",
            "DEF-spine.006": "DEF-spine.005",
        },
        {"DEF-hand.L": ("DEF-f_index.01.L", "DEF-thumb.01.L")},
        zero="A",
        unit=1.0,
    ),
    "blender metarig": Rig(
        "rigify",
        names_of("spine spine.001 spine.002 spine.003 spine.004 spine.006", _RIGIFY, ("L", "R")),
        {"spine.006": "spine.005"},
        {"spine": ("pelvis.L", "pelvis.R"), "foot.L": ("heel.02.L",)},
        zero="A",
        unit=1.0,
    ),
    "unreal 4": Rig(
        "unreal-4",
        names_of("pelvis spine_01 spine_02 spine_03 neck_01 head", _UE, ("l", "r")),
        {},
        {"lowerarm_l": ("lowerarm_twist_01_l",), "hand_r": ("index_01_r",), "thigh_r": ("thigh_twist_01_r",)},
        zero="-X",
    ),
    "unreal 5": Rig(
        "unreal-5",
        names_of("pelvis spine_01 spine_04 spine_05 neck_01 head", _UE, ("l", "r")),
        {"spine_04": "spine_03", "head": "neck_02"},
        {"upperarm_l": ("upperarm_twist_01_l",), "hand_r": ("index_metacarpal_r",)},
        zero="-X",
    ),
    "character creator": Rig(
        "character-creator",
        names_of(
            _prefixed("CC_Base_", "Hip Waist Spine01 Spine02 NeckTwist01 Head"),
            _prefixed("CC_Base_*_", _CC),
            ("L", "R"),
        ),
        {"CC_Base_Head": "CC_Base_NeckTwist02"},
        {"CC_Base_L_Upperarm": ("CC_Base_L_UpperarmTwist01",), "CC_Base_L_ToeBase": ("CC_Base_L_BigToe1",)},
        fps=60.0,
    ),
    "soma": Rig(
        "soma",
        names_of(
            "Hips Spine1 Spine2 Chest Neck1 Head", "*Leg *Shin *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand"
        ),
        {"Hips": "Root", "Head": "Neck2"},
        {},  # filled in below
        zero="X",
        fps=120.0,
    ),
    "vroid": Rig(
        "vrm",
        names_of(
            _prefixed("J_Bip_C_", "Hips Spine Chest UpperChest Neck Head"),
            _prefixed("J_Bip_*_", "UpperLeg LowerLeg Foot ToeBase Shoulder UpperArm LowerArm Hand"),
            ("L", "R"),
        ),
        {},
        {"J_Bip_C_Head": ("J_Adj_L_FaceEye", "J_Adj_R_FaceEye")},
        unit=1.0,
    ),
    "vrm": Rig(
        "vrm",
        names_of(
            "hips spine chest upperChest neck head",
            "*UpperLeg *LowerLeg *Foot *Toes *Shoulder *UpperArm *LowerArm *Hand",
            ("left", "right"),
        ),
        {},
        {"head": ("jaw",), "leftHand": ("leftThumbProximal",)},
        unit=1.0,
    ),
}
RIGS["soma"].leaves.update(
    {
        "Head": ("HeadEnd", "Jaw", "LeftEye", "RightEye"),
        **{f"{side}ToeBase": (f"{side}ToeEnd",) for side in ("Left", "Right")},
        **{  # 24 of each hand: 4 of the thumb, 5 of the others
            f"{side}Hand": tuple(
                f"{side}Hand{finger}{k}"
                for finger, count in zip(_FINGERS, (4, 5, 5, 5, 5), strict=True)
                for k in [*range(1, count), "End"]
            )
            for side in ("Left", "Right")
        },
    }
)


def axes_along_x(flip_right: bool) -> np.ndarray:
    """(22, 3, 3): local axes of bones that lie along their X, right limbs along -X if `flip_right`."""
    axes = np.tile(np.eye(3), (22, 1, 1))
    for joint, children in enumerate(SMPL22.children):
        bone = unit(SMPL22.offsets[children[-1 if joint == 9 else 0]]) if children else None
        if joint in (0, 9):
            bone = np.array([0.0, 1.0, 0.0])
        axes[joint] = axes[PARENTS[joint]] if bone is None else rotation_between(np.array([1.0, 0, 0]), bone)
        if flip_right and JOINTS[joint].startswith("right_") and bone is not None:
            axes[joint] = axes[joint] @ np.diag([-1.0, -1.0, 1.0])
    return axes


def grown(motion: Motion, rig: Rig) -> Motion:
    """The motion with the rig's further joints: halfway between two, and as leaves."""
    skeleton = motion.skeleton
    names, parents, offsets = list(skeleton.names), list(skeleton.parents), list(skeleton.offsets)
    turns = [motion.local_rotations[:, j] for j in range(len(names))]  # type: ignore[index]
    still = np.tile(np.eye(3, dtype=np.float32), (len(motion), 1, 1))
    root = motion.root_translation
    for child, name in rig.between.items():
        k = names.index(child)
        above = parents[k]
        offset = offsets[k] / 2 if above >= 0 else np.zeros(3)
        at = k
        parents = [p + (p >= at) for p in parents]
        names.insert(at, name), parents.insert(at, above), turns.insert(at, still)
        offsets.insert(at, offset)
        parents[at + 1] = at
        offsets[at + 1] = offsets[at + 1] - offset if above >= 0 else np.zeros(3)
    local = None
    if rig.between.get(rig.joints["pelvis"]):  # a root on the floor: the body's place is its child's
        local = np.array(offsets, dtype=np.float32)[None].repeat(len(motion), axis=0)
        local[:, 1], local[:, 0], root = root, 0, np.zeros_like(root)
    for owner, leaves in rig.leaves.items():
        for k, leaf in enumerate(leaves):
            names.append(leaf), parents.append(names.index(owner)), turns.append(still)
            offsets.append(np.array([0.01 * k, 0.03, 0.01]))
            if local is not None:
                local = np.concatenate([local, np.tile(np.float32(offsets[-1]), (len(motion), 1, 1))], axis=1)
    bigger = Skeleton(tuple(names), tuple(parents), np.array(offsets))
    return motion.replace(
        skeleton=bigger,
        root_translation=root,
        local_rotations=np.stack(turns, axis=1),
        local_translations=local,
    )


def written(folder: Path, rig: Rig, body: Motion) -> Path:
    """A BVH of the body in the rig's names and zero pose."""
    axes = axes_along_x(rig.zero == "-X") if rig.zero in ("X", "-X") else None
    if rig.zero == "A":  # the zero pose has arms that hang: world axes there
        _, hang = np.eye(3), np.deg2rad(45)
        axes = np.tile(np.eye(3), (22, 1, 1))
        for side, sign in (("left", 1), ("right", -1)):
            turn = axis_angle_to_matrix(np.array([0, 0, sign * hang]))  # takes the hanging arm to the T-pose
            for part in ("shoulder", "elbow", "wrist"):
                axes[INDEX[f"{side}_{part}"]] = turn
    motion = grown(rigged(body, rig.joints, axes), rig)
    if rig.unit != 0.01:
        factor = np.float32(0.01 / rig.unit)  # the writer's centimetres
        local = motion.local_translations
        motion = motion.replace(
            skeleton=motion.skeleton.scaled(factor),
            root_translation=motion.root_translation * factor,
            local_translations=None if local is None else local * factor,
        )
    path = folder / "take.bvh"
    save(motion, path)
    return path


@pytest.fixture(scope="module")
def body() -> Motion:
    return generate(7, 1, 4.0, fps=30.0)[0].motion


@pytest.mark.parametrize("which", RIGS)
def test_a_file_of_the_rig_is_upright_mapped_and_left_is_left(
    which: str, body: Motion, tmp_path: Path
) -> None:
    rig = RIGS[which]
    motion = load(written(tmp_path, rig, body.replace(fps=rig.fps)))
    assert isinstance(motion, Motion)
    found = recognise_rig(motion.skeleton)
    assert found.rig == rig.name and found.missing == ()
    assert found.joints == {canonical: rig.joints[canonical] for canonical in JOINTS}
    assert motion.fps == rig.fps and motion.provenance.up_axis == "+Y"
    assert motion.provenance.unit_scale == pytest.approx(rig.unit)
    assert motion.skeleton.rest_height == pytest.approx(1.5, abs=0.35)
    rest = retarget(motion).skeleton.rest_positions
    assert rest[INDEX["left_wrist"], 0] > 0.5 > -0.5 > rest[INDEX["right_wrist"], 0]
    assert rest[INDEX["left_ankle"], 0] > 0 > rest[INDEX["right_ankle"], 0]
    assert rest[INDEX["left_foot"], 2] > rest[INDEX["left_ankle"], 2]
    apart = np.linalg.norm(retarget(motion).positions - body.positions, axis=-1)
    assert np.median(apart) < 0.01 and apart.max() < 0.06


def test_bones_seed_with_its_six_numbers_to_an_offset(body: Motion, tmp_path: Path) -> None:
    """77 joints under a root; ``OFFSET`` has three numbers twice, of which the last three count."""
    rig = RIGS["soma"]
    path = written(tmp_path, rig, body.replace(fps=120.0))
    lines = path.read_text().split("\n")
    six = [
        f"{line} {' '.join(line.split()[1:])}" if line.strip().startswith("OFFSET") else line
        for line in lines
    ]
    path.write_text("\n".join(six))
    motion = load(path)
    assert isinstance(motion, Motion)
    assert len(motion.skeleton) == 78 and recognise_rig(motion.skeleton).rig == "soma"
    assert motion.fps == 120 and motion.provenance.units == "cm"
    assert np.median(np.linalg.norm(retarget(motion).positions - body.positions, axis=-1)) < 0.01


def test_rigs_without_case_and_with_namespaces(body: Motion) -> None:
    skeleton = replace(SMPL22, names=tuple(f"Armature|{MIXAMO[name].upper()}" for name in JOINTS))
    assert recognise_rig(skeleton).rig == "mixamo"
