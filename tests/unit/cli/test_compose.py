"""`kineme compose` as a user runs it, its sentences, and its page in a browser."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest

from kineme.cli.compose import _parts
from kineme.cli.main import main
from kineme.corpus.synthetic import generate
from kineme.errors import UsageError
from kineme.formats import load, save
from kineme.motion.feet import FEET, foot_skate, stance
from kineme.motion.retarget import retarget

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def takes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("takes")
    for seed, name in ((1, "walk"), (2, "wave"), (3, EVIL)):
        save(generate(seed, 1, 4.0)[0].motion, folder / f"{name}.bvh")
    return folder


def run(*words) -> int:
    return main([str(word) for word in words])


@pytest.mark.parametrize("form", ["bvh", "npz", "glb", "csv"])
def test_every_format(takes, tmp_path, form, capsys) -> None:
    out = tmp_path / f"both.{form}"
    assert run("compose", takes / "walk.bvh", takes / "wave.bvh", "-o", out) == 0
    said = capsys.readouterr()
    assert out.is_file() and "wave moves" in said.out and "cm/s" in said.out
    if form == "bvh":
        assert load(out).skeleton.names == load(takes / "walk.bvh").skeleton.names


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--parts", "legs=dance"], "walk, wave (or 1, 2)"),
        (["--parts", "tail=walk"], "no part of the body is called 'tail'"),
        (["--parts", "left-arm=1,left arm=2"], "names 'left arm' twice"),
        (["--parts", "lower body=2,tail=1"], "lower body"),
        (["--seconds", "100"], "ask for at most"),
        (["--rate", "2"], "between 0 and 1"),
        (["--page", "page.txt"], "writes .html"),
        (["--open"], "give both"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(takes, tmp_path, words, sentence, capsys) -> None:
    out = tmp_path / "both.bvh"
    assert run("compose", takes / "walk.bvh", takes / "wave.bvh", "-o", out, *words) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert sentence in said[-1] and not out.exists()


def test_the_page_plays_in_step_and_names_stay_text(takes, tmp_path) -> None:
    page_file = tmp_path / "both.html"
    words = ["compose", takes / f"{EVIL}.bvh", takes / "wave.bvh", "-o", tmp_path / "both.bvh"]
    assert run(*words, "--page", page_file) == 0
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]")
        assert EVIL in page.inner_text("#title")
        assert page.locator("#figures canvas").count() == 3 and page.locator("#shares tr").count() == 5
        pixels = "() => [...document.querySelectorAll('canvas')].map((c) => c.toDataURL())"
        before = page.evaluate(pixels)
        page.wait_for_function(
            "(old) => [...document.querySelectorAll('canvas')].every((c, k) => c.toDataURL() !== old[k])",
            arg=before,
        )
        assert not complaints
        browser.close()


def test_sentences_of_the_page_begin_with_a_capital_or_a_name() -> None:
    from kineme.report.compose_page import _sentence

    assert _sentence("neither moves", ("walk", "wave")) == "Neither moves"
    assert _sentence("walk is cut", ("walk", "wave")) == "walk is cut"


def test_the_page_rounds_as_the_terminal_does() -> None:
    from kineme.report.compose_page import _part

    speed = 88.46 / 100 / 30  # metres a frame
    made = SimpleNamespace(
        energies=({"legs": speed**2}, {"legs": 0.0}),
        shares={"legs": 0.88461},
        motion=SimpleNamespace(fps=30.0),
    )
    part = _part(made, "legs")  # type: ignore[arg-type]
    assert part["speeds"] == [88, 0] and part["given"] == [88, 12]


def test_a_number_that_is_the_other_clips_name_is_refused() -> None:
    names = ("2", "wave")
    assert _parts("legs=1,arms=wave", names) == {"legs": 1.0, "arms": 0.0}
    with pytest.raises(UsageError, match="the clip that is called 2 or the one of that number"):
        _parts("legs=2", names)
    assert _parts("legs=2", ("1", "2")) == {"legs": 0.0}
    with pytest.raises(UsageError, match="go by 1 and 2"):
        _parts("legs=a=b,c", ("a=b,c", "walk"))


def test_refinement_says_what_it_does_and_how_long_it_takes(monkeypatch, capsys) -> None:
    from kineme.cli.compose import _Steps

    steps = _Steps("mae-small")
    for done in (0, 1, 2, 25):
        steps(done, 25, 13)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "up to 25 looks at 13 pictures" in said[0] and "takes about 0 s" in said[1]


def test_what_is_said_of_the_feet_is_of_the_file(tmp_path, unpacked, capsys) -> None:
    """AMASS holds the standard body, on which the feet would slide that stood on the clip's own."""
    folder = unpacked(
        "bandai-namco/dataset-2.zip", "*_walk_normal_001.bvh", "*_wave-right-hand_normal_001.bvh"
    )
    walk, wave = (next(folder.rglob(f"*_{name}_normal_001.bvh")) for name in ("walk", "wave-right-hand"))
    out = tmp_path / "both.npz"
    assert run("compose", walk, wave, "-o", out) == 0
    said = capsys.readouterr()
    assert "on the standard body (SMPL), not on the skeleton of dataset-2_walk_normal_001" in said.err
    told = float(said.out.split("locked ")[1].split(" cm/s")[0])
    source, made = load(walk), load(out)
    standing = stance(retarget(source).positions[: len(made)], source.fps)
    assert foot_skate(made.positions, standing, made.fps) == pytest.approx(told, abs=0.06)
    assert told < 0.3 and made.positions[:, FEET, 1].min() > -0.03


def test_an_animation_is_called_after_the_composition(takes, tmp_path) -> None:
    assert run("compose", takes / "walk.bvh", takes / "wave.bvh", "-o", tmp_path / "greeting.glb") == 0
    data = (tmp_path / "greeting.glb").read_bytes()
    length = int.from_bytes(data[12:16], "little")
    assert [a["name"] for a in json.loads(data[20 : 20 + length])["animations"]] == ["greeting"]
