"""The corpus of the search table: every held-out clip of all data sets, each once."""

from __future__ import annotations

from pathlib import Path

import kineme
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.evaluate import sources
from kineme.evaluate.corpora import cache_folder
from kineme.motion import Motion

_CODE = ("motion/*.py", "formats/*.py", "evaluate/held_out.py", "evaluate/sources.py")
_GRAMMAR = tuple(f"corpus/{name}.py" for name in ("synthetic", "grammar", "posing"))
_ARCHIVES = (
    *sources.BANDAI_FILES, *sources.HDM05_FILES, "reactidle/reactidle.zip", "cmu/asf-amc.zip",
)  # fmt: skip
_SPLITS = ("bandai-namco", "hdm05", "reactidle", "cmu")
#: clips of each data set in the small version that tests run, which is synthetic
QUICK_TAKES, QUICK_SECONDS = 24, 8.0


def open_held_out(
    split: str, quick: bool = False, data: Path | None = None, cache: Path | None = None
) -> Corpus:
    """The clips of ``test`` (or ``val``, for choosing settings) at 30 fps; a clip's group is its data set.

    Exact duplicates are left out, and so are second forms of a recording (retargeted copies of CMU trials).
    Built once and kept in the cache. `quick` : synthetic takes instead.
    """
    package = Path(kineme.__file__).parent
    used = sorted(f for pattern in (*_CODE, *_GRAMMAR) for f in package.glob(pattern))
    if not quick:
        data = data or sources.find_data()
        used += [data / file for file in _ARCHIVES]
        used += [data / "splits" / f"{name}_{split}.txt" for name in _SPLITS]
    name = f"held-out-{split}{'-quick' if quick else ''}-{sources.digest(used)[:12]}"
    folder = (cache or cache_folder()) / "evaluate" / name
    if (folder / "corpus.json").is_file():
        return Corpus.open(folder)
    clips = _synthetic() if quick else _real(data or sources.find_data(), split)
    folder.parent.mkdir(parents=True, exist_ok=True)
    names, groups, motions = zip(*clips, strict=True)
    return Corpus.from_motions(motions, folder, names, groups=groups)


def _synthetic() -> list[tuple[str, str, Motion]]:
    takes = generate(3, QUICK_TAKES, QUICK_SECONDS, sources.FPS)
    return [(take.name, "synthetic", take.motion) for take in takes]


def _real(data: Path, split: str) -> list[tuple[str, str, Motion]]:
    clips = [(clip.name, "bandai-namco", clip.motion) for clip in sources.bandai_clips(data, split)]
    clips += [(clip.name, "hdm05", clip.motion) for clip in sources.hdm05_clips(data, split)]
    idle = sources.read_split(data, "reactidle", split)
    motions = sources.read_archive(data / "reactidle/reactidle.zip", [f"reactidle/{n}.bvh" for n in idle])
    clips += [(name, "reactidle", motion) for name, motion in zip(idle, motions, strict=True)]
    trials = [n.removesuffix(".amc") for n in sources.read_split(data, "cmu", split) if n.endswith(".amc")]
    bodies = sorted({f"asf-amc/{trial.split('_')[0]}.asf" for trial in trials})
    motions = sources.read_archive(data / "cmu/asf-amc.zip", [f"asf-amc/{t}.amc" for t in trials], bodies)
    return clips + [(trial, "cmu", motion) for trial, motion in zip(trials, motions, strict=True)]
