"""One process at a time for a folder that is written.

The lock is a file beside the folder, ``.NAME.kineme-lock``, with the number of the process and the name of
its computer. The operating system holds the lock itself and lets go of it when the process ends, however it
ends; the file's content is for people, and for computers that share a disk without sharing locks.
"""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kineme.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows: only what the file says
    fcntl = None

#: the lock of a folder whose parent cannot be written
LOCK_INSIDE = ".kineme-lock"


@contextmanager
def folder_lock(folder: str | Path, what: str) -> Iterator[None]:
    """Holds the lock of `folder` in the block; `what` is done with it is for the message to others.

    Raises UsageError where another process holds it: one sentence that names it.
    """
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.kineme-lock")
    try:
        handle = _take(path, folder)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or not folder.is_dir():
            raise
        path = folder / LOCK_INSIDE  # where only the folder itself may be written, as in a container
        handle = _take(path, folder)
    try:
        os.ftruncate(handle, 0)
        holder = {"process": os.getpid(), "computer": socket.gethostname(), "what": what}
        os.pwrite(handle, json.dumps(holder).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held, so that nobody's newer file goes
        os.close(handle)


def _take(path: Path, folder: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            free, holder = _try_lock(handle), _holder(handle)
            if not free or _is_elsewhere(holder):
                raise UsageError(_sentence(holder, path, folder, free))
            try:
                if os.fstat(handle).st_ino == os.stat(path).st_ino:
                    return handle
            except FileNotFoundError:
                pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last holder has just removed it: there is a new one


def _try_lock(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _holder(handle: int) -> dict[str, str | int]:
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_elsewhere(holder: dict[str, str | int]) -> bool:
    return holder.get("computer", socket.gethostname()) != socket.gethostname()


def _sentence(holder: dict[str, str | int], path: Path, folder: Path, free: bool) -> str:
    who = f"process {holder.get('process', 'unknown')} on {holder.get('computer', 'this computer')}"
    advice = "wait until it has finished, or name another folder"
    if free:
        advice = f"if it no longer runs there, delete {path}"
    return f"{folder} is in use by {who} ({holder.get('what', 'kineme')}); {advice}"
