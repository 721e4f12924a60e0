"""Joint names of the rigs that kineme knows by heart (data only).

Names are compared after namespaces such as ``mixamorig:`` are taken off and without regard to case.
A table fits a skeleton when every name in it is there; the first that fits wins, so special rigs
stand before the general ones whose names they share.
"""

from __future__ import annotations

from dataclasses import dataclass

_SIDED = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


@dataclass(frozen=True)
class RigTable:
    """One rig's spelling of the canonical joints.

    Attributes
    ----------
    name : what the rig is called in reports.
    joints : canonical joint -> the rig's joint; canonical joints that the rig lacks are left out.
    marks : further names that must be there, to tell apart rigs that share the mapped names.
    """

    name: str
    joints: dict[str, str]
    marks: tuple[str, ...] = ()


def _table(
    name: str,
    torso: dict[str, str],
    limbs: str,
    *,
    left: str = "Left",
    right: str = "Right",
    marks: tuple[str, ...] = (),
) -> RigTable:
    """A table from the midline's names and a pattern for the limbs.

    `limbs` holds the names of hip, knee, ankle, foot, collar, shoulder, elbow and wrist in that order,
    ``*`` standing for the side's token and ``-`` for a joint that the rig lacks.
    """
    joints = dict(torso)
    for part, pattern in zip(_SIDED, limbs.split(), strict=True):
        if pattern != "-":
            joints[f"left_{part}"] = pattern.replace("*", left)
            joints[f"right_{part}"] = pattern.replace("*", right)
    return RigTable(name, joints, marks)


def _torso(pelvis: str, spine1: str, spine2: str, spine3: str, neck: str, head: str) -> dict[str, str]:
    names = zip(
        ("pelvis", "spine1", "spine2", "spine3", "neck", "head"),
        (pelvis, spine1, spine2, spine3, neck, head),
        strict=True,
    )
    return {canonical: name for canonical, name in names if name}


_MIXAMO_LIMBS = "*UpLeg *Leg *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand"

TABLES: tuple[RigTable, ...] = (
    _table(
        "smpl",
        _torso("pelvis", "spine1", "spine2", "spine3", "neck", "head"),
        "*_hip *_knee *_ankle *_foot *_collar *_shoulder *_elbow *_wrist",
        left="left",
        right="right",
    ),
    _table(
        "smpl",
        _torso("Pelvis", "Spine1", "Spine2", "Spine3", "Neck", "Head"),
        "*_Hip *_Knee *_Ankle *_Foot *_Collar *_Shoulder *_Elbow *_Wrist",
        left="L",
        right="R",
    ),
    _table(
        "bandai-namco",
        _torso("Hips", "Spine", "", "Chest", "Neck", "Head"),
        "UpperLeg_* LowerLeg_* Foot_* Toes_* Shoulder_* UpperArm_* LowerArm_* Hand_*",
        left="L",
        right="R",
        marks=("joint_Root",),
    ),
    # Acclaim (CMU, HDM05): a joint stands at its bone's start, so `lradius` is the elbow and `lhand` the
    # wrist (`lwrist` lies in mid-forearm).
    _table(
        "acclaim",
        _torso("root", "lowerback", "upperback", "thorax", "lowerneck", "head"),
        "*femur *tibia *foot *toes *clavicle *humerus *radius *hand",
        left="l",
        right="r",
    ),
    # Two conversions of CMU keep Acclaim's joints under other names and drop the lengths of thorax and wrist:
    # `LeftHand` and `LeftWrist` are Acclaim's `lwrist`, and the hand follows in the same place.
    _table(
        "cmu-cgspeed",
        _torso("Hips", "LowerBack", "Spine", "Spine1", "Neck", "Head"),
        "*UpLeg *Leg *Foot *ToeBase *Shoulder *Arm *ForeArm *FingerBase",
        marks=("LHipJoint", "Neck1"),
    ),
    # Human3.6M as exponential maps: shoulders hang on the joint below the neck.
    _table(
        "h36m",
        _torso("Hips", "Spine", "", "Spine1", "Neck", "Head"),
        "*UpLeg *Leg *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand",
        marks=("LeftHandThumb", "L_Wrist_End", "R_Wrist_End"),
    ),
    _table(
        "cmu-joints",
        _torso("Hips", "lowerback", "Chest", "Chest2", "lowerneck", "Head")
        | {"left_wrist": "lhand", "right_wrist": "rhand"},
        "*Hip *Knee *Ankle *Toe *Collar *Shoulder *Elbow -",
        marks=("LHipJoint",),
    ),
    _table(
        "fair1", _torso("Hips", "Spine", "Spine2", "Spine3", "Neck", "Head"), _MIXAMO_LIMBS, marks=("Spine1",)
    ),
    _table(
        "rokoko",
        _torso("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"),
        _MIXAMO_LIMBS,
        marks=("LeftInHandIndex",),
    ),
    # BONES-SEED (77 joints, bones along local X): a leg hangs on the hip itself, two necks.
    _table(
        "soma",
        _torso("Hips", "Spine1", "Spine2", "Chest", "Neck1", "Head"),
        "*Leg *Shin *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand",
        marks=("Neck2",),
    ),
    # Xsens MVN: as it writes BVH, and its segments as MVNX and FBX name them.
    _table(
        "xsens",
        _torso("Hips", "Chest", "Chest3", "Chest4", "Neck", "Head"),
        "*Hip *Knee *Ankle *Toe *Collar *Shoulder *Elbow *Wrist",
    ),
    _table(
        "xsens",
        _torso("Pelvis", "L5", "T12", "T8", "Neck", "Head"),
        "*UpperLeg *LowerLeg *Foot *Toe *Shoulder *UpperArm *ForeArm *Hand",
    ),
    # Rokoko Studio's own skeleton in newer exports ("Newton").
    _table(
        "rokoko-newton",
        _torso("Hips", "Spine1", "Spine3", "Spine4", "Neck", "Head"),
        "*Thigh *Shin *Foot *Toe *Shoulder *Arm *ForeArm *Hand",
    ),
    # Blender's Rigify: the bones that deform, and the same names without prefix (the metarig).
    *(
        _table(
            "rigify",
            _torso(*(f"{p}spine{n}" for n in ("", ".001", ".002", ".003", ".004", ".006"))),
            f"{p}thigh.* {p}shin.* {p}foot.* {p}toe.* {p}shoulder.* {p}upper_arm.* {p}forearm.* {p}hand.*",
            left="L",
            right="R",
        )
        for p in ("DEF-", "")
    ),
    # Unreal's mannequins: five spine joints in version 5, three in version 4.
    *(
        _table(
            name,
            _torso("pelvis", "spine_01", spine2, spine3, "neck_01", "head"),
            "thigh_* calf_* foot_* ball_* clavicle_* upperarm_* lowerarm_* hand_*",
            left="l",
            right="r",
        )
        for name, spine2, spine3 in (
            ("unreal-5", "spine_04", "spine_05"),
            ("unreal-4", "spine_02", "spine_03"),
        )
    ),
    # VRM: VRoid's bone names, and the humanoid's bones by the standard's names.
    _table(
        "vrm",
        _torso(*(f"J_Bip_C_{n}" for n in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"))),
        "J_Bip_*_UpperLeg J_Bip_*_LowerLeg J_Bip_*_Foot J_Bip_*_ToeBase "
        "J_Bip_*_Shoulder J_Bip_*_UpperArm J_Bip_*_LowerArm J_Bip_*_Hand",
        left="L",
        right="R",
    ),
    _table(
        "vrm",
        _torso("hips", "spine", "chest", "upperChest", "neck", "head"),
        "*UpperLeg *LowerLeg *Foot *Toes *Shoulder *UpperArm *LowerArm *Hand",
        left="left",
        right="right",
    ),
    _table("mixamo", _torso("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"), _MIXAMO_LIMBS),
    _table(
        "lafan1",
        _torso("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"),
        "*UpLeg *Leg *Foot *Toe *Shoulder *Arm *ForeArm *Hand",
    ),
    _table(
        "character-creator",
        _torso(
            "CC_Base_Hip",
            "CC_Base_Waist",
            "CC_Base_Spine01",
            "CC_Base_Spine02",
            "CC_Base_NeckTwist01",
            "CC_Base_Head",
        ),
        "CC_Base_*_Thigh CC_Base_*_Calf CC_Base_*_Foot CC_Base_*_ToeBase "
        "CC_Base_*_Clavicle CC_Base_*_Upperarm CC_Base_*_Forearm CC_Base_*_Hand",
        left="L",
        right="R",
    ),
    # Hands and toes are end sites in this one.
    _table(
        "reactidle",
        _torso("pelvis", "spine", "", "spine.001", "neck", "face"),
        "thigh.* shin.* foot.* - shoulder.* upper_arm.* forearm.* -",
        left="L",
        right="R",
    ),
)
