"""Changing files so that a crash, a full disk or a second process can do no harm.

A file is written aside, brought to the disk and renamed: whoever looks sees what was there
before or what is there now, never a part. A lock belongs to its process and ends with it, however
that ends.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import IndexBusy


def sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Bring everything under a folder to the disk, the folder last."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(content)
        _into_place(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def copy(source: Path, target: Path) -> None:
    """Copy a file's content whole or not at all."""
    new = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(source, new)
        _into_place(new, target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _into_place(new: Path, path: Path) -> None:
    sync(new)
    new.replace(path)
    sync(path.parent)


@contextmanager
def locked(file: Path, what: str) -> Iterator[None]:
    """Hold a lock file, made if need be, in which the holder's process id can be read.

    Raises:
        IndexBusy: another process holds it; `what` says what that one is doing.
    """
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise IndexBusy(
                f"Another process ({holder}) is {what}; wait until it is done."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield


# Corpora that this process is changing: an index that it builds meanwhile is part of the change.
_changing: set[Path] = set()


@contextmanager
def corpus_locked(corpus: Path, *, change: bool) -> Iterator[None]:
    """Hold a corpus folder, alone to change it or with others to read it, and leave no file there.

    A file system that cannot lock folders (some network shares) is used without the lock.

    Raises:
        IndexBusy: another process holds it.
    """
    place = corpus.resolve()
    if not place.is_dir() or (place in _changing and not change):
        yield
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if change else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IndexBusy(
                f"Another process is indexing, adding to or removing from {corpus}; "
                "wait until it is done."
            ) from None
        except OSError:
            pass
        if not change:
            yield
            return
        _changing.add(place)
        try:
            yield
        finally:
            _changing.discard(place)
    finally:
        os.close(handle)
