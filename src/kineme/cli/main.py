"""The `kineme` command: finds the verb, imports only that verb's module, and says errors in one sentence.

A verb's module holds a frozen dataclass `Args`, read from the command line by tyro, and `run(args) -> int`.
Its docstring is the text that `kineme VERB --help` begins with.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from kineme import __version__
from kineme.cli.console import put, warn
from kineme.errors import InputWarning, KinemeError, UsageError, did_you_mean

#: the disk is full, a quota is used up, a file may not grow, nothing may be written
_DISK = (errno.ENOSPC, getattr(errno, "EDQUOT", -1), errno.EFBIG, errno.EROFS)
#: what to do about other errors of the file system
_ADVICE = {
    errno.EEXIST: "a file stands where a folder is needed: name another place",
    errno.ENOTDIR: "a file stands where a folder is needed: name another place",
    errno.EISDIR: "it is a folder, and a file is needed: name a file",
    errno.EACCES: "you may not read or write there: change its permissions, or name another place",
    errno.EPERM: "you may not read or write there: change its permissions, or name another place",
    errno.ENOENT: "nothing can be read or written there: name another place",
    errno.ENAMETOOLONG: "give a shorter name",
}
#: exit codes: bad input or usage; a fault of ours; stopped by Ctrl-C; the reader of our output went away
BAD_INPUT, FAULT, STOPPED, NO_READER = 2, 1, 130, 141


@dataclass(frozen=True)
class Verb:
    """One word of the command line: a module to run, or a table of further words."""

    summary: str
    module: str = ""
    words: dict[str, Verb] = field(default_factory=dict)


VERBS: dict[str, Verb] = {
    "demo": Verb("make motion, find its atoms and motifs, write a page to look at", "kineme.cli.demo"),
    "info": Verb("what a motion file holds, and what was guessed on reading it", "kineme.cli.info"),
    "convert": Verb("write motion files in another format", "kineme.cli.convert"),
    "ingest": Verb("read a folder of motion files into a corpus", "kineme.cli.ingest"),
    "train": Verb(
        "train a model on a corpus",
        words={
            "a4mer": Verb("Action Atoms and Action Motifs", "kineme.cli.train_a4mer"),
            "recogniser": Verb("the classes of labelled takes", "kineme.cli.train_recogniser"),
            "predictor": Verb("how motion goes on", "kineme.cli.train_predictor"),
            "interpolator": Verb("gaps of whole frames", "kineme.cli.train_interpolator"),
            "hgvae": Verb("a generative model of whole motion", "kineme.cli.train_hgvae"),
            "compose": Verb("two actions at once, of single actions alone", "kineme.cli.train_compose"),
            "mae": Verb("a small masked autoencoder of pictures of bodies", "kineme.cli.train_mae"),
        },
    ),
    "index": Verb("files in, a library of atoms and motifs out, with its page", "kineme.cli.index"),
    "segment": Verb("the atoms and motifs of files, as CSV, JSON, ELAN or NWB", "kineme.cli.segment"),
    "recognise": Verb("what happens in files, by the names of known classes", "kineme.cli.recognise"),
    "export": Verb("a library's segments as CSV, JSON, ELAN or NWB", "kineme.cli.export"),
    "cut": Verb("every occurrence of a motif as a motion file of its own", "kineme.cli.cut"),
    "search": Verb(
        "more like this: the stretches of a library nearest to one of a file", "kineme.cli.search"
    ),
    "duplicates": Verb("stretches that a library holds twice, as CSV or JSON", "kineme.cli.duplicates"),
    "stats": Verb("how often and how long each motif occurs, by subject or group", "kineme.cli.stats"),
    "predict": Verb("how a take goes on, in its own skeleton", "kineme.cli.predict"),
    "interpolate": Verb(
        "fill a gap of whole frames, or lead one take into another", "kineme.cli.interpolate"
    ),
    "impute": Verb("fill what is missing of a motion, and leave the rest alone", "kineme.cli.impute"),
    "anomaly": Verb("how unlikely motion is, when, and which joints", "kineme.cli.anomaly"),
    "generate": Verb("make new motion with a trained model", "kineme.cli.generate"),
    "compose": Verb("two actions at once: the legs of one clip, the arms of another", "kineme.cli.compose"),
    "open": Verb("show a library's page in the browser", "kineme.cli.open"),
    "name": Verb("give a motif of a library a name that stays", "kineme.cli.name"),
    "check": Verb("whether every file of a library, corpus or model is whole", "kineme.cli.check"),
    "evaluate": Verb("make one of the project's tables", "kineme.cli.evaluate"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `kineme` with `argv` (default: the process's arguments); returns the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a file name may hold bytes that no encoding knows
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except KinemeError as error:
        return _say(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return _say("stopped; no file was left half-written, and the same command can be run again", STOPPED)
    except BrokenPipeError:  # as in `kineme info takes | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    except OSError as error:
        if error.filename is None and error.errno not in _DISK:
            return _report_fault(error)
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        said = f"{where}{error.strerror or error}"
        if error.errno in _ADVICE:
            said += f"; {_ADVICE[error.errno]}"
        if error.errno in _DISK:
            said += "; what was there before is unharmed: make room, and run the same command again"
        return _say(said, BAD_INPUT)
    except Exception as error:
        return _report_fault(error)


def _dispatch(words: list[str]) -> int:
    """Follows the words of the command line to a verb and runs it."""
    if words[:1] == ["--version"]:
        put(f"kineme {__version__}")
        return 0
    table, path = VERBS, ["kineme"]
    while True:
        if not words or words[0] in ("-h", "--help"):
            put(*_help_text(path, table).split("\n"))
            return 0 if words else BAD_INPUT
        word = words.pop(0)
        if word not in table:
            raise UsageError(_unknown(word, path, table))
        verb, path = table[word], [*path, word]
        if verb.module:
            return _run(verb.module, " ".join(path), words)
        table = verb.words


def _run(module_name: str, prog: str, words: list[str]) -> int:
    """Reads the rest of the command line into the verb's `Args` and runs it."""
    import tyro

    module = importlib.import_module(module_name)
    if {"-h", "--help"} & set(words):
        from kineme.cli.help_text import join_lines

        join_lines(module.Args)
    try:
        args = tyro.cli(
            module.Args,
            prog=prog,
            args=words,
            description=module.__doc__,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except SystemExit as stop:  # tyro has printed its help, or what was wrong
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    with warnings.catch_warnings():
        others = warnings.showwarning
        warnings.simplefilter("always", InputWarning)
        warnings.showwarning = lambda message, kind, *rest, **more: (
            warn(str(message)) if issubclass(kind, InputWarning) else others(message, kind, *rest, **more)
        )
        return module.run(args)


def _help_text(path: list[str], table: dict[str, Verb]) -> str:
    width = max(map(len, table))
    lines = [f"  {word:<{width}}  {verb.summary}" for word, verb in table.items()]
    command = " ".join(path)
    head = [f"usage: {command} VERB ...", ""]
    if len(path) == 1:
        head += ["Learns, finds and measures the building blocks of human motion.", ""]
    tail = ["", f"`{command} VERB --help` says more about one of them."]
    if len(path) == 1:
        tail += [
            "",
            "Start with `kineme demo`, or `kineme index FOLDER -o library --open` on your own files.",
        ]
    return "\n".join([*head, *lines, *tail])


def _unknown(word: str, path: list[str], table: dict[str, Verb]) -> str:
    command = " ".join(path)
    advice = did_you_mean(word, table, "it knows", most=1, form=f"`{command} {{}}`")
    kind = "option" if word.startswith("-") else "verb"
    return f"`{command}` has no {kind} {word!r}; {advice}"


def _say(sentence: str, code: int) -> int:
    warn(sentence)
    return code


def _report_fault(error: Exception) -> int:
    """An error that we did not foresee: where the traceback is and what to do with it."""
    if os.environ.get("KINEME_DEBUG"):
        traceback.print_exception(error)
    with tempfile.NamedTemporaryFile(
        "w", prefix="kineme-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        made = [f"kineme {__version__}, Python {sys.version.split()[0]}, {sys.platform}", *sys.argv]
        file.write(" ".join(made) + "\n")
        traceback.print_exception(error, file=file)
    name = type(error).__name__
    return _say(
        f"this is a fault in kineme ({name}: {error}); please report it with the file {file.name}", FAULT
    )
