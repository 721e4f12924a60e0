"""The `kineme` command itself: verbs, help, exit codes, and that it is quick."""

from __future__ import annotations

import ast
import errno
import importlib
import inspect
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, fields, is_dataclass
from types import SimpleNamespace

import pytest

from kineme import __version__
from kineme.cli import main as cli
from kineme.errors import InputError

HEAVY = ("torch", "lightning", "numpy", "scipy", "sklearn", "pyarrow", "pandas")


def _leaves(table: dict[str, cli.Verb], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [
        leaf
        for word, verb in table.items()
        for leaf in ([(*path, word)] if verb.module else _leaves(verb.words, (*path, word)))
    ]


def _module(path: tuple[str, ...]) -> str:
    table, module = cli.VERBS, ""
    for word in path:
        module, table = table[word].module, table[word].words
    return module


VERBS = _leaves(cli.VERBS)


@dataclass(frozen=True)
class _Args:
    quick: bool = False
    """Do less."""


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch):
    """Puts a verb `try` in the table whose `run` is the function that the test gives."""

    def install(run) -> None:
        module = SimpleNamespace(Args=_Args, run=run, __doc__="Tries a thing.")
        monkeypatch.setitem(sys.modules, "kineme_try", module)
        monkeypatch.setitem(cli.VERBS, "try", cli.Verb("tries a thing", "kineme_try"))

    return install


def _loaded_by(*words: str) -> set[str]:
    """Which heavy packages a fresh process has imported after `kineme WORDS`."""
    code = f"""
import json, sys
from kineme.cli.main import main
code = main({list(words)!r})
print(json.dumps([code, sorted(m for m in {HEAVY!r} if m in sys.modules)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(loaded)


def test_help_imports_nothing_heavy() -> None:
    assert _loaded_by("--help") == set()


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_help_of_a_verb_imports_nothing_heavy(path: tuple[str, ...]) -> None:
    assert _loaded_by(*path, "--help") == set()


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_verb_has_its_parts(path: tuple[str, ...]) -> None:
    module = importlib.import_module(_module(path))
    assert is_dataclass(module.Args) and module.Args.__dataclass_params__.frozen
    assert callable(module.run) and module.__doc__


def _docstrings(options: type) -> set[str]:
    """Fields of a dataclass with a docstring under them; none where the class was put together in code."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(options))).body[0].body
    except OSError:
        return set()
    return {
        field.target.id
        for field, after in zip(body, body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }


def _unexplained(options: type) -> list[str]:
    """Options without a word about them; groups of options are looked into."""
    explained = {name for kind in options.__mro__[:-1] for name in _docstrings(kind)}
    missing: list[str] = []
    for field in fields(options):
        notes = getattr(field.type, "__metadata__", ())
        if is_dataclass(field.default_factory):
            missing += _unexplained(field.default_factory)
        elif field.name not in explained and not any(getattr(note, "help", None) for note in notes):
            missing.append(field.name)
    return missing


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    assert not _unexplained(importlib.import_module(_module(path)).Args)


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {word} " in shown for word in cli.VERBS)


def test_no_verb_shows_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert cli.main(["train"]) == 2
    assert "a4mer" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"kineme {__version__}\n"


@pytest.mark.parametrize(
    "words, said",
    [
        (["segmnt"], "did you mean `kineme segment`?"),
        (["train", "a4mr"], "did you mean `kineme train a4mer`?"),
        (["zzz"], "it knows demo, info"),
        (["--verbose"], "has no option '--verbose'"),
    ],
)
def test_unknown_word(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith("kineme: ") and error.count("\n") == 1


def test_arguments_reach_the_verb(verb) -> None:
    verb(lambda args: 7 if args.quick else 0)
    assert cli.main(["try"]) == 0
    assert cli.main(["try", "--quick"]) == 7


def test_bad_option_is_exit_2(verb) -> None:
    verb(lambda args: 0)
    assert cli.main(["try", "--quik"]) == 2


def _raise(error: BaseException):
    def run(args) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    "error, code, said",
    [
        (InputError("the file is empty", "a.bvh"), 2, "kineme: a.bvh: the file is empty\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "out.csv"),
            2,
            "kineme: out.csv: Permission denied; you may not",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "kineme: No space left on device; "),
        (KeyboardInterrupt(), 130, "kineme: stopped; "),
    ],
)
def test_errors_are_one_sentence(verb, capsys, error, code, said) -> None:
    verb(_raise(error))
    assert cli.main(["try"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(said) and captured.err.count("\n") == 1 and captured.out == ""


def test_a_fault_of_ours_leaves_its_traceback_in_a_file(verb, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("KINEME_DEBUG", raising=False)
    verb(_raise(ZeroDivisionError("division by zero")))
    assert cli.main(["try"]) == 1
    (file,) = tmp_path.iterdir()
    error = capsys.readouterr().err
    assert str(file) in error and "Traceback" not in error
    assert "ZeroDivisionError" in file.read_text() and "Traceback" in file.read_text()
    monkeypatch.setenv("KINEME_DEBUG", "1")
    cli.main(["try"])
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "kineme", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.returncode == cli.NO_READER and done.stderr == ""


def test_help_flows_whatever_the_lines_of_the_source(monkeypatch, capsys) -> None:
    """In a verb's own options, in those of a base, and in those that it holds; and the verb still runs."""
    monkeypatch.setenv("COLUMNS", "400")
    assert cli.main(["segment", "--help"]) == 0
    said = capsys.readouterr().out
    for words in (
        "or a4mer-small, which comes with the package. With a library,",
        "csv and json are one table, eaf (ELAN) and nwb (with ndx-ethogram) a file a take.",
        "a [joints] table of lines such as left_knee",
    ):
        assert words in said
    assert cli.main(["segment"]) == 2
    assert "name the files to segment" in capsys.readouterr().err
