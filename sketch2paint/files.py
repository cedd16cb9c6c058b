"""Files that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, or none for one file
_UMASK = os.umask(0)
os.umask(_UMASK)


@contextmanager
def written_beside(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success rename it to `path`.

    The folder is made if it is missing. After an error the temporary file is removed and an older
    file at `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Short, or a long name would get too long; random, as threads and hosts share folders; the
    # suffix stays last: encoders choose the format by it.
    beside = path.with_name(f".{secrets.token_hex(8)}.tmp{path.suffix}")
    try:
        yield beside
        with open(beside, "rb+") as file:  # Windows syncs no file that is open for reading
            os.fsync(file.fileno())  # or a power cut could keep the new name with no content
        os.chmod(beside, 0o666 & ~_UMASK)  # some writers make private files
        os.replace(beside, path)
    except OSError as error:
        full = error.filename is None and error.errno in FULL  # what writes knows no name
        if full or error.filename == str(beside):
            error.filename = str(path)  # the name the user knows
            del error.filename2
        raise
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; while another process holds it, say so and wait.

    Args:
        path: File of the lock; it is made, and stays.
    """
    from filelock import FileLock, Timeout  # not for --help

    open(path, "a").close()  # what fails from here on is not the folder but the locking
    # The system gives the lock of a killed process back. A soft lock would stay for ever, and with
    # it everybody who waits; no lock does less harm.
    lock = FileLock(path, fallback_to_soft=False, preserve_lock_file=True)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"{path.parent}: another process is preparing it; waiting for it.", flush=True)
        lock.acquire()
    except OSError:  # a file system without locks: some of clusters and networks
        pass
    try:
        yield
    finally:
        lock.release()


def sync_folder(folder: Path) -> None:
    """Bring renames in a folder to the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
