"""Files and folders that appear whole or not at all, and what a killed process leaves of them.

Temporary names say which process made them, on which computer: `.walk.kineme-1a2b3c4d-4711-x7f3q2.bvh`. So a
later run tells the leavings of a dead process from the work of a living one, whatever the clock says.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\..*\.kineme-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}(\..*)?", re.DOTALL)
_SET_ASIDE = ".kineme-old"


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _temporary_name(path: Path, suffix: str) -> Path:
    stem = path.name.removesuffix(suffix)[:80]
    return path.with_name(f".{stem}.kineme-{_host()}-{os.getpid()}-{secrets.token_hex(4)}{suffix}")


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A temporary path in `path`'s folder that takes `path`'s place when the block ends without error.

    The folder is made if need be. The content is on disk (fsync) before the name changes; after an error
    or Ctrl-C the temporary file is removed and what stood at `path` is untouched. The temporary name keeps
    the suffix, for libraries that look at it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(path, path.suffix)
    try:
        # 0o666 less the umask: a result is as open as any other file
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        _name(error, temporary, path)
        raise
    finally:
        with suppress(OSError):  # of what went wrong, this is not the cause
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """A new empty folder beside `path` that takes `path`'s place when the block ends without error.

    A folder that stands there is set aside until the new one is in place; `clean_up` puts it back where a
    process was killed between the two.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    clean_up(path.parent, path.name)
    temporary = _temporary_name(path, "")
    try:
        temporary.mkdir()
        yield temporary
        replace_folder(temporary, path)
    except OSError as error:
        _name(error, temporary, path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Puts the folder `new`, which lies beside `path`, in its place; it is set aside and back as above."""
    if not path.exists():
        os.replace(new, path)
        return
    old = path.with_name(f".{path.name}{_SET_ASIDE}")
    os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _name(error: OSError, temporary: Path, path: Path) -> None:
    """Has the error name `path`, which the user knows, for the temporary that stands in for it."""
    if error.filename is None or isinstance(error.filename, int):
        return
    named = Path(os.fsdecode(error.filename))
    if named == temporary or temporary in named.parents:
        error.filename = str(path / named.relative_to(temporary))


def clean_up(folder: Path, name: str | None = None) -> None:
    """Removes from `folder` what killed processes left there, and puts back a folder that was set aside.

    Only for a folder that no other process writes to now (see `lock`), or with the `name` of an entry of it.
    What belongs to another computer or to a living process stays.
    """
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if name is not None and not entry.name.startswith(f".{name[:80]}.kineme-"):
            continue
        match = _TEMPORARY.fullmatch(entry.name)
        if match is not None and match[1] == _host() and not is_alive(int(match[2])):
            _remove(entry)
        elif entry.name.startswith(".") and entry.name.endswith(_SET_ASIDE) and entry.is_dir():
            place = entry.with_name(entry.name[1 : -len(_SET_ASIDE)])
            if place.exists():
                _remove(entry)
            else:
                os.replace(entry, place)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this number runs on this computer; True where that cannot be told."""
    if process == os.getpid() or sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
