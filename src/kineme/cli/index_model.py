"""Which model `kineme index` takes: given, of the library, trained, or of the package, and with whose motifs.

What is made lies in a hidden folder of the library until all else is made, too, and then takes the model's
place, as the takes do. A run that was stopped finds it there.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import kineme
from kineme.errors import InputError

if TYPE_CHECKING:
    from kineme.cli.index import Args
    from kineme.corpus import Corpus
    from kineme.models.a4mer import A4Mer
    from kineme.tasks.mined import Mined

#: the model of the package, and the motion from which on motifs of the takes' own are looked for
SHIPPED, ENOUGH_SECONDS = "a4mer-small", 120.0
#: where a model is trained, and where one lies that is not yet the library's
_TRAINING, _STAGED = ".training", ".next-model"
#: where the takes are until they are the library's
NEXT_CORPUS = ".next-corpus"
_STAY = "those that the library has; --mine looks for motifs anew in all takes"


@dataclass(frozen=True)
class Chosen:
    """A model with a vocabulary and motifs.

    Attributes
    ----------
    folder : where it lies now, the library's own or the hidden one. checksum : of its files.
    record : what it came from. why : which motifs these are, and how to get others.
    """

    model: A4Mer
    folder: Path
    checksum: str
    record: Mined
    why: str

    @property
    def is_new(self) -> bool:
        """Whether it is to take the place of the library's."""
        return self.folder.name == _STAGED

    def about(self, keys: Sequence[str]) -> dict[str, str]:
        """What the page of takes with these keys says about the model."""
        assert self.model.vocabulary is not None and self.model.motif_tree is not None
        origin, known = self.record.weights, set(self.record.keys)
        if known:
            count = sum(key in known for key in keys)
            origin += f", motifs mined in {'' if count == len(keys) else f'{count} of '}these takes"
        return {
            "Model": f"A4Mer, {origin}",
            "Atom codes": str(len(self.model.vocabulary.codes)),
            "Patterns": str(len(self.model.vocabulary.patterns)),
            "Motif prototypes": str(len(self.model.motif_tree.prototypes)),
            "Frames per second": f"{self.model.config.fps:g}",
            "Checksum": self.checksum[:16],
        }


def choose_model(args: Args, corpus: Corpus, keys: Sequence[str], given: A4Mer | None) -> Chosen:
    """The model for the takes of a library, whose keys (`known.take_key`) these are.

    given : the one that `args.model` names.
    """
    from kineme.models.a4mer import A4Mer
    from kineme.models.a4mer.folder import find_model
    from kineme.models.a4mer.heads.folder import copy_heads
    from kineme.tasks.library import MODEL
    from kineme.tasks.mined import Mined, read_mined

    place = args.out / MODEL
    now = Mined("", "", True, args.seed, kineme.__version__, sum(c.frames for c in corpus), tuple(keys))
    if args.train or args.preset is not None or args.steps is not None:
        made = _with_motifs_of(corpus, _trained(args, corpus), args.seed, only_if_none=not args.mine)
        return _stage(args, made, replace(now, weights="trained on these takes"), "learned anew")
    if given is None and place.is_dir():
        model, had = A4Mer.load(place), read_mined(place) or Mined("of the library")
        mine, why = _reason(args, corpus, keys, had)
        if not mine and not _wordless(model):
            return Chosen(model, place, _checksum(place), had, why)
        record, heads = replace(now, weights=had.weights, given=had.given), None
    else:
        heads = find_model(SHIPPED) if given is None else model_folder(str(args.model), args.out)
        model = A4Mer.load(heads) if given is None else given
        mine = args.mine or given is None and corpus.duration >= ENOUGH_SECONDS or _wordless(model)
        words = f"{SHIPPED}, of the package" if given is None else f"given: {Path(str(args.model)).name}"
        record = replace(now, weights=words, given="" if given is None else _checksum(heads))
        if not mine:  # its motifs came along with it
            record = replace(record, own=given is None, seed=0, frames=0, keys=())
        why = "looked for anew in all takes" if mine else "those of the model"
    found = _made_before(record, given, place, args.out / _STAGED)
    if found is not None:
        if heads is not None:
            copy_heads(heads, found.folder)
        return found
    made = _with_motifs_of(corpus, model, args.seed, only_if_none=not mine)
    return _stage(args, made, record, why, heads)


def _reason(args: Args, corpus: Corpus, keys: Sequence[str], had: Mined) -> tuple[bool, str]:
    """Whether the motifs of a library are looked for anew, and why or why not."""
    from kineme.tasks.mined import SHARE

    if args.mine:
        return True, "looked for anew in all takes, as --mine asks"
    share = had.new_share((key, clip.frames) for key, clip in zip(keys, corpus, strict=True))
    if args.keep or not had.own or (not had.keys and corpus.duration < ENOUGH_SECONDS):
        return False, _STAY
    if not had.keys:
        return (
            True,
            "looked for in the takes, which are long enough by now; with --keep they stay as they are",
        )
    if share <= SHARE:
        return False, _STAY
    new = f"{share:.0%} as much motion is new as they were found in, more than {SHARE:.0%}"
    return True, f"looked for anew in all takes, since {new}; with --keep they stay as they are"


def _wordless(model: A4Mer) -> bool:
    return model.vocabulary is None or model.motif_tree is None


def _checksum(folder: Path) -> str:
    from kineme.models.a4mer.folder import FILES
    from kineme.tasks.library import folder_checksum

    return folder_checksum(folder, [name for name in FILES if name != "README.md"])


def _made_before(record: Mined, given: A4Mer | None, *folders: Path) -> Chosen | None:
    """The model of this record where it lies in one of the folders already; `given` where it is that one."""
    from kineme.models.a4mer import A4Mer
    from kineme.tasks.mined import read_mined

    for folder in folders:
        if read_mined(folder) == record:
            try:
                checksum = _checksum(folder)
                same = given if checksum == record.given else None
                model = same or A4Mer.load(folder)
                return Chosen(model, folder, checksum, record, _STAY)
            except InputError:  # damaged: it is made again
                continue
    return None


def _stage(args: Args, model: A4Mer, record: Mined, why: str, heads: Path | None = None) -> Chosen:
    """Puts a new model in the hidden folder, with the heads that it has in the library and in `heads`."""
    from kineme.models.a4mer.heads.folder import copy_heads
    from kineme.tasks.library import MODEL
    from kineme.tasks.mined import FILE

    place, staged = args.out / MODEL, args.out / _STAGED
    model.save(staged, {FILE: record.text()})
    for source in (place, heads):
        if source is not None and source.is_dir():
            copy_heads(source, staged)
    return Chosen(model, staged, _checksum(staged), record, why)


@contextmanager
def installed(library: Path, chosen: Chosen) -> Iterator[None]:
    """Puts the new corpus and the chosen model in their places in the library when the block ends."""
    from kineme.formats.atomic import replace_folder
    from kineme.tasks.library import CORPUS, MODEL

    yield
    replace_folder(library / NEXT_CORPUS, library / CORPUS)
    if chosen.is_new:
        replace_folder(chosen.folder, library / MODEL)


def tidy(library: Path) -> None:
    """Removes from a finished library what only a run that is stopped could have used."""
    for name in (_TRAINING, _STAGED, NEXT_CORPUS):
        shutil.rmtree(library / name, ignore_errors=True)


def model_folder(name: str, own: Path | None = None) -> Path:
    """The folder of a model that is named by its folder, by a library, or as the package or a hub does.

    own : the library that is being made, which may name itself though it is not finished. Raises InputError
    where there is no such model, or another library is not finished.
    """
    from kineme.models.a4mer.folder import find_model
    from kineme.tasks.library import MODEL, is_library, part_of

    folder = Path(name)
    if not is_library(folder):
        return find_model(name)
    if own is not None and own.resolve() == folder.resolve():
        return folder / MODEL
    return part_of(folder, MODEL)


def _with_motifs_of(corpus: Corpus, model: A4Mer, seed: int, *, only_if_none: bool) -> A4Mer:
    """The model with codes, patterns and motifs of the corpus; as it is where it has some and they will do."""
    from kineme.tasks.discover import standard_positions

    if only_if_none and not _wordless(model):
        return model
    return model.with_vocabulary(
        [model.encode_atoms(standard_positions(clip), clip.fps) for clip in corpus], seed
    )


def _trained(args: Args, corpus: Corpus) -> A4Mer:
    """A model trained on the corpus in a folder of its own for these takes and settings."""
    from kineme.cli.training import train
    from kineme.train.plan import model_card, plan_for

    plan = plan_for(corpus.duration, args.preset, args.steps)
    key = hashlib.sha256(repr((corpus.checksum, plan, args.seed)).encode()).hexdigest()[:16]
    for other in (args.out / _TRAINING).glob("*"):  # of an interrupted run over other takes
        if other.name != key:
            shutil.rmtree(other, ignore_errors=True)
    names = [Path(source).resolve().name for source in args.sources]
    words = ["kineme", "index", *names, "-o", args.out.name, "--preset", plan.preset]
    words += ["--steps", str(plan.config.steps), "--seed", str(args.seed)]
    card = model_card(
        names,
        corpus.duration,
        plan,
        args.seed,
        licence=args.data_licence,
        command=shlex.join(words),
        checksum=corpus.checksum,
    )
    return train(corpus, plan, args.out / _TRAINING / key, args.seed, card)
