"""Rigs are told by their joints' names; the trees are those of common exporters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bodies import MIXAMO, humanoid, tree
from kineme.errors import InputError
from kineme.motion import SMPL22, Skeleton
from kineme.motion.canonical import JOINTS
from kineme.motion.rig_names import read_name
from kineme.motion.rigs import recognise_rig

#: rig -> (skeleton, expected names of pelvis spine1 spine2 spine3 neck head, and of the left limbs' joints)
RIGS: dict[str, tuple[Skeleton, str, str]] = {
    "mixamo": (
        humanoid(
            "mixamorig:Hips",
            "mixamorig:*UpLeg, mixamorig:*Leg, mixamorig:*Foot, mixamorig:*ToeBase, mixamorig:*Toe_End",
            "mixamorig:Spine, mixamorig:Spine1, mixamorig:Spine2",
            "mixamorig:Neck, mixamorig:Head, mixamorig:HeadTop_End",
            "mixamorig:*Shoulder, mixamorig:*Arm, mixamorig:*ForeArm, mixamorig:*Hand, mixamorig:*HandThumb1",
        ),
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head",
        "mixamorig:LeftUpLeg mixamorig:LeftLeg mixamorig:LeftFoot mixamorig:LeftToeBase "
        "mixamorig:LeftShoulder mixamorig:LeftArm mixamorig:LeftForeArm mixamorig:LeftHand",
    ),
    "lafan1": (
        humanoid(
            "Hips",
            "*UpLeg, *Leg, *Foot, *Toe",
            "Spine, Spine1, Spine2",
            "Neck, Head",
            "*Shoulder, *Arm, *ForeArm, *Hand",
        ),
        "Hips Spine Spine1 Spine2 Neck Head",
        "LeftUpLeg LeftLeg LeftFoot LeftToe LeftShoulder LeftArm LeftForeArm LeftHand",
    ),
    "unreal": (
        humanoid(
            "root, pelvis",
            "thigh_*, calf_*, foot_*, ball_*",
            "spine_01, spine_02, spine_03, spine_04, spine_05",
            "neck_01, neck_02, head",
            "clavicle_*, upperarm_*, lowerarm_*, hand_*, index_01_*",
            ("l", "r"),
        ),
        "pelvis spine_01 spine_04 spine_05 neck_01 head",
        "thigh_l calf_l foot_l ball_l clavicle_l upperarm_l lowerarm_l hand_l",
    ),
    "rigify": (
        humanoid(
            "DEF-spine",
            "DEF-thigh.*, DEF-thigh.*.001, DEF-shin.*, DEF-shin.*.001, DEF-foot.*, DEF-toe.*",
            "DEF-spine.001, DEF-spine.002, DEF-spine.003",
            "DEF-spine.004, DEF-spine.005, DEF-spine.006",
            "DEF-shoulder.*, DEF-upper_arm.*, DEF-upper_arm.*.001, DEF-forearm.*, DEF-hand.*, DEF-thumb.01.*",
            ("L", "R"),
        ),
        "DEF-spine DEF-spine.001 DEF-spine.002 DEF-spine.003 DEF-spine.004 DEF-spine.006",
        "DEF-thigh.L DEF-shin.L DEF-foot.L DEF-toe.L DEF-shoulder.L DEF-upper_arm.L DEF-forearm.L DEF-hand.L",
    ),
    "vrm": (
        humanoid(
            "J_Bip_C_Hips",
            "J_Bip_*_UpperLeg, J_Bip_*_LowerLeg, J_Bip_*_Foot, J_Bip_*_ToeBase",
            "J_Bip_C_Spine, J_Bip_C_Chest, J_Bip_C_UpperChest",
            "J_Bip_C_Neck, J_Bip_C_Head, J_Adj_L_FaceEye",
            "J_Bip_*_Shoulder, J_Bip_*_UpperArm, J_Bip_*_LowerArm, J_Bip_*_Hand, J_Bip_*_Index1",
            ("L", "R"),
        ),
        "J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head",
        "J_Bip_L_UpperLeg J_Bip_L_LowerLeg J_Bip_L_Foot J_Bip_L_ToeBase "
        "J_Bip_L_Shoulder J_Bip_L_UpperArm J_Bip_L_LowerArm J_Bip_L_Hand",
    ),
    "xsens": (
        humanoid(
            "Pelvis",
            "*UpperLeg, *LowerLeg, *Foot, *Toe",
            "L5, L3, T12, T8",
            "Neck, Head",
            "*Shoulder, *UpperArm, *ForeArm, *Hand",
        ),
        "Pelvis L5 T12 T8 Neck Head",
        "LeftUpperLeg LeftLowerLeg LeftFoot LeftToe LeftShoulder LeftUpperArm LeftForeArm LeftHand",
    ),
    "daz": (
        humanoid(
            "hip, pelvis",
            "*ThighBend, *ThighTwist, *Shin, *Foot, *Toe",
            "abdomenLower, abdomenUpper, chestLower, chestUpper",
            "neckLower, neckUpper, head, lEye",
            "*Collar, *ShldrBend, *ShldrTwist, *ForearmBend, *ForearmTwist, *Hand, *Thumb1",
            ("l", "r"),
        ),
        "pelvis abdomenLower chestLower chestUpper neckLower head",
        "lThighBend lShin lFoot lToe lCollar lShldrBend lForearmBend lHand",
    ),
    "human3.6m": (
        humanoid(
            "Hip",
            "*Hip, *Knee, *Foot",
            "Spine, Thorax",
            "Neck, Head",
            "*Shoulder, *Elbow, *Wrist",
            ("L", "R"),
        ),
        "Hip Spine - Thorax Neck Head",
        "LHip LKnee LFoot - - LShoulder LElbow LWrist",
    ),
    "soma": (
        humanoid(
            "Root, Hips",
            "*Leg, *Shin, *Foot, *ToeBase, *ToeEnd",
            "Spine1, Spine2, Chest",
            "Neck1, Neck2, Head, HeadEnd",
            "*Shoulder, *Arm, *ForeArm, *Hand, *HandIndex1",
        ),
        "Hips Spine1 Spine2 Chest Neck1 Head",
        "LeftLeg LeftShin LeftFoot LeftToeBase LeftShoulder LeftArm LeftForeArm LeftHand",
    ),
    "biped": (
        humanoid(
            "Bip01, Bip01 Pelvis",
            "Bip01 * Thigh, Bip01 * Calf, Bip01 * Foot, Bip01 * Toe0",
            "Bip01 Spine, Bip01 Spine1",
            "Bip01 Neck, Bip01 Head, Bip01 HeadNub",
            "Bip01 * Clavicle, Bip01 * UpperArm, Bip01 * Forearm, Bip01 * Hand, Bip01 * Finger0",
            ("L", "R"),
        ),
        "Bip01 Pelvis/Bip01 Spine/-/Bip01 Spine1/Bip01 Neck/Bip01 Head",
        "Bip01 L Thigh/Bip01 L Calf/Bip01 L Foot/Bip01 L Toe0/"
        "Bip01 L Clavicle/Bip01 L UpperArm/Bip01 L Forearm/Bip01 L Hand",
    ),
}
MIDLINE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
LEFT = tuple(f"left_{p}" for p in "hip knee ankle foot collar shoulder elbow wrist".split())


@pytest.mark.parametrize("rig", RIGS)
def test_rigs_of_common_exporters(rig: str) -> None:
    skeleton, midline, limbs = RIGS[rig]
    names = [part for text in (midline, limbs) for part in text.split("/" if "/" in text else " ")]
    expected = {c: n for c, n in zip((*MIDLINE, *LEFT), names, strict=True) if n != "-"}
    found = recognise_rig(skeleton)
    assert {c: n for c, n in found.joints.items() if not c.startswith("right_")} == expected
    # the right side is the left one's twin
    for canonical in LEFT:
        twin = canonical.replace("left_", "right_")
        assert (canonical in found.joints) == (twin in found.joints)
        if canonical in found.joints:
            assert found.joints[twin] != found.joints[canonical]
            assert skeleton.index(found.joints[twin]) != skeleton.index(found.joints[canonical])
    assert set(found.unmapped) == set(skeleton.names) - set(found.joints.values())
    assert set(found.missing) == set(JOINTS) - set(found.joints)
    found.require()


def test_known_rigs_are_called_by_their_names() -> None:
    assert recognise_rig(SMPL22).rig == "smpl"
    assert recognise_rig(RIGS["mixamo"][0]).rig == "mixamo"
    assert recognise_rig(RIGS["lafan1"][0]).rig == "lafan1"
    assert recognise_rig(RIGS["unreal"][0]).rig == "unreal-5"
    assert recognise_rig(RIGS["biped"][0]).rig == "humanoid"


def test_smpl_with_hands_and_other_spelling() -> None:
    names = (*SMPL22.names, "left_hand", "right_hand")
    parents = (*SMPL22.parents, 20, 21)
    longer = Skeleton(names, parents, np.zeros((24, 3)))
    assert recognise_rig(longer).joints == {name: name for name in JOINTS}
    assert recognise_rig(longer).unmapped == ("left_hand", "right_hand")
    spelled = {"left_": "L_", "right_": "R_"}

    def spell(name: str) -> str:
        for long, short in spelled.items():
            if name.startswith(long):
                return short + name.removeprefix(long).capitalize()
        return name.capitalize()

    other = replace(SMPL22, names=tuple(spell(name) for name in JOINTS))
    assert recognise_rig(other).joints == {name: spell(name) for name in JOINTS}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("mixamorig:LeftUpLeg", ("left", "thigh")),
        ("lfemur", ("left", "femur")),
        ("LHipJoint", ("left", "hip")),
        ("upperarm_l", ("left", "upperarm")),
        ("thigh.R", ("right", "thigh")),
        ("CC_Base_R_Calf", ("right", "knee")),
        ("Skeleton:LUArm", ("left", "upperarm")),
        ("RightForeArm", ("right", "elbow")),  # holds "ear"
        ("LEFT_ANKLE", ("left", "ankle")),
        ("upperarm_twist_01_l", (None, None)),
        ("CC_Base_L_BigToe1", (None, None)),
        ("LeftHandThumb1", (None, None)),
        ("LeftToe_End", (None, None)),
        ("lEye", (None, None)),
        ("Hips", (None, None)),
        ("L5", (None, None)),  # a vertebra
        ("leg", (None, None)),
    ],
)
def test_side_and_part_of_a_name(name: str, read: tuple[str | None, str | None]) -> None:
    part = {"femur": "thigh"}.get(read[1] or "", read[1])
    assert read_name(name) == (read[0], part)


def test_names_that_the_tree_contradicts_are_not_believed() -> None:
    text = """
    Hips
     LeftUpLeg
      LeftFoot
     LeftLeg
     RightUpLeg
      RightLeg
       RightFoot
     Spine
      LeftArm
       LeftForeArm
        LeftHand
      RightArm
       RightForeArm
        RightHand
      Head
    """
    found = recognise_rig(tree(text))
    assert "left_knee" in found.missing and found.joints["right_knee"] == "RightLeg"
    with pytest.raises(InputError) as error:
        found.require(path="take.bvh")
    sentence = str(error.value)
    assert sentence.startswith("take.bvh: no joint was found for left_knee")
    for word in ("LeftLeg", "--map my_rig.toml", "[joints]", 'left_knee = "LeftLeg"'):
        assert word in sentence


def test_bone_ends_stand_for_missing_hands_and_feet() -> None:
    skeleton = humanoid(
        "pelvis",
        "thigh.*, shin.*, foot.*",
        "spine",
        "neck, head",
        "shoulder.*, upper_arm.*, forearm.*",
        ("L", "R"),
    )
    ends = tuple((skeleton.index(n), (0.0, 0.2, 0.0)) for n in ("forearm.L", "forearm.R", "foot.L", "foot.R"))
    found = recognise_rig(replace(skeleton, end_sites=ends)).require()
    assert found.ends == {
        "left_foot": "foot.L",
        "right_foot": "foot.R",
        "left_wrist": "forearm.L",
        "right_wrist": "forearm.R",
    }
    no_length = tuple((joint, (0.0, 0.0, 0.0)) for joint, _ in ends)
    assert "left_wrist" in recognise_rig(replace(skeleton, end_sites=no_length)).missing


def test_what_is_no_body_is_unknown() -> None:
    found = recognise_rig(tree("bone\n bone1\n  bone2\n bone3"))
    assert found.rig == "unknown" and found.joints == {} and found.missing == JOINTS
    with pytest.raises(InputError, match="among bone, bone1, bone2, bone3"):
        found.require()


def test_places_without_a_tree_are_told_by_names_alone() -> None:
    names = tuple(MIXAMO.values())[::-1]
    flat = Skeleton(names, (-1, *[0] * 21), np.zeros((22, 3)))
    assert recognise_rig(flat).joints == MIXAMO
    coco = "LHip RHip LKnee RKnee LAnkle RAnkle LShoulder RShoulder LElbow RElbow LWrist RWrist Nose".split()
    flat = Skeleton(tuple(coco), (-1, *[0] * 12), np.zeros((13, 3)))
    found = recognise_rig(flat)
    assert found.joints["left_knee"] == "LKnee" and found.joints["right_elbow"] == "RElbow"
    assert "pelvis" in found.missing
