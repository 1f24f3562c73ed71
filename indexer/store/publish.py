"""How a generation in a folder becomes the one that is served, and how an older one does again.

Everything of a generation reaches the disk before its name does, and its name before the pointer to
it: whenever the machine stops, the pointer names a whole generation. The pointer's first line is
what is served; below it stands what was served before, the latest first, so that nothing here
depends on a clock.
"""

import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from corpus.errors import IcsearchError, IndexDamaged, IndexGone, IndexWriteError
from indexer import disk
from indexer.embed import EXPORTING, Encoder, folder_of
from indexer.manifest import FileFacts, Manifest, sha256
from indexer.store import GENERATIONS, MODELS, POINTER, PROGRESS, current_id, history, there, writer
from indexer.store.base import Contents
from indexer.store.folder import FolderStore

BUILDING = ".building-"
DELETING = ".deleting-"
DAMAGED = ".damaged-"


class Folder:
    """Generations in a folder: each one is a folder of its own, and a file points to one."""

    def __init__(self, root: Path) -> None:
        """A folder that is there or will be made."""
        self.root = root
        self.models = root / MODELS
        self.progress = root / PROGRESS

    def writing(self) -> AbstractContextManager[None]:
        """Hold the folder for writing."""
        return writing(self.root)

    def former(self, encoder: Encoder) -> FolderStore | None:
        """The whole generation served last: damage must not be taken over into a new one."""
        for index_id in _kept(self.root):
            folder = self.root / GENERATIONS / index_id
            try:
                check(folder)
                return FolderStore(folder, encoder)
            except IcsearchError:
                continue
        return None

    def holds(self, index_id: str) -> bool:
        """Whether a generation is there with every file as written."""
        return whole(self.root / GENERATIONS / index_id)

    def write(
        self,
        contents: Contents,
        encoder: Encoder,
        manifest: Callable[[Mapping[str, FileFacts]], Manifest],
    ) -> None:
        """Write a generation aside and publish it by one rename.

        Files that the generation before has too get a second name. A generation of another index is
        copied from: what lies in one place must not depend on what lies in another.
        """
        before = contents.before if isinstance(contents.before, FolderStore) else None
        ours = before is not None and before.folder.parent == self.root / GENERATIONS
        work = Path(tempfile.mkdtemp(prefix=BUILDING, dir=self.root / GENERATIONS))
        try:
            writer.write(work, contents, before, linked=ours)
            made = manifest(written(work, before if ours else None))
            made.write(work)
            # What was written is opened once before anyone relies on it.
            try:
                FolderStore(work, encoder).close()
            except IndexDamaged as error:
                raise _unwritten(self.root, f"a part of it was not ({error.message})") from error
            publish(work, self.root / GENERATIONS / made.index_id)
        finally:
            _clear(work)

    def switch(self, index_id: str, keep: int) -> Manifest:
        """Serve a generation, and delete all but those served last."""
        switch(self.root, index_id)
        prune(self.root, keep)
        return Manifest.read(self.root / GENERATIONS / index_id)


def _clear(work: Path) -> None:
    """Delete what was built, if it was not published."""
    gone = work.with_name(f"{DELETING}{work.name.removeprefix(BUILDING)}")
    with suppress(OSError):
        # A tantivy reader still open would make a lock file in a folder it finds by name.
        work.rename(gone)
    for folder in (work, gone):
        shutil.rmtree(folder, ignore_errors=True)


def written(work: Path, former: FolderStore | None = None) -> dict[str, FileFacts]:
    """Size and SHA-256 of every file of a generation but the locks that tantivy makes.

    What is the very file of a former generation, whole as that is, is not read again.
    """
    found = {}
    known = former.manifest.files if former is not None else {}
    for path in sorted(p for p in work.rglob("*") if p.is_file() and p.suffix != writer.LOCK):
        name = str(path.relative_to(work))
        if former is not None and name in known and path.samefile(former.folder / name):
            found[name] = known[name]
        else:
            found[name] = FileFacts(sha256(path), path.stat().st_size)
    return found


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold an index for writing; say in one sentence what stands in the way.

    Raises:
        IndexBusy: another process is writing to it.
        IndexWriteError: it cannot be written; what was served before still is.
    """
    try:
        (root / GENERATIONS).mkdir(parents=True, exist_ok=True)
        with disk.locked(root / "lock", f"writing to {root}"):
            yield
    except IcsearchError:
        raise
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise _unwritten(root, reason) from error
    except (RuntimeError, ValueError) as error:
        # tantivy and FAISS tell every trouble with a disk so.
        if not re.search(
            r"IoError|io::Error|os error|No space|write error|could not open", str(error)
        ):
            raise
        raise _unwritten(root, error) from error


def _unwritten(root: Path, reason: object) -> IndexWriteError:
    return IndexWriteError(
        f"The index in {root} cannot be written: {reason}. What was served before still is."
    )


def whole(target: Path) -> bool:
    """Whether a generation is there with every file as written; a damaged one is put aside."""
    if not target.is_dir():
        return False
    try:
        check(target)
    except IcsearchError:
        aside, number = target.with_name(f"{DAMAGED}{target.name}"), 1
        while aside.exists():
            number += 1
            aside = target.with_name(f"{DAMAGED}{target.name}-{number}")
        target.rename(aside)
        return False
    return True


def check(folder: Path) -> Manifest:
    """The manifest of a generation, after comparing every byte of every file with it.

    Raises:
        IndexDamaged: a file is missing or is not what was written; the sentence names it.
    """
    manifest = Manifest.read(folder)
    manifest.check_files(folder, most_hashed=sys.maxsize)
    return manifest


def publish(work: Path, target: Path) -> None:
    """Bring a finished generation to the disk and under its name, whole or not at all."""
    # Built privately, served by whoever may read the index: often another user.
    mode = target.parent.stat().st_mode & 0o777
    for path in [*work.rglob("*"), work]:
        path.chmod(mode if path.is_dir() else mode & 0o666)
    disk.sync_tree(work)
    work.rename(target)
    disk.sync(target.parent)


def switch(root: Path, index_id: str) -> None:
    """Serve a generation from now on, in one step."""
    served = _served(root)
    if served[:1] == [index_id]:
        return
    before = [name for name in served if (root / GENERATIONS / name).is_dir() and name != index_id]
    disk.replace(root / POINTER, "\n".join([index_id, *before, ""]).encode("ascii"))


def _served(root: Path) -> list[str]:
    """What was served, the latest first; nothing if the pointer is damaged."""
    try:
        return history(str(root))
    except IndexDamaged:
        return []


def _kept(root: Path) -> list[str]:
    """What can be opened, that served last first; in order of name if the pointer is damaged."""
    lying = there(str(root))
    served = [name for name in _served(root) if name in lying]
    return served + sorted(lying - {*served})


def prune(root: Path, keep: int) -> None:
    """Delete all but the `keep` generations served last; the current one is never deleted.

    What cannot be deleted is left: the index is whole without that.
    """
    folder = root / GENERATIONS
    for index_id in _kept(root)[keep:]:
        try:
            # Away from its name first: half a generation must not look like one.
            (folder / index_id).rename(folder / f"{DELETING}{index_id}")
        except OSError:
            continue
    _forget_models(root)
    for left in (BUILDING, DELETING, EXPORTING):
        for path in [*folder.glob(f"{left}*"), *(root / MODELS).glob(f"{left}*")]:
            shutil.rmtree(path, ignore_errors=True)


def _forget_models(root: Path) -> None:
    """Take models that no generation was made with away from their names.

    Links are left alone, since another index uses what they lead to.
    """
    folder = root / MODELS
    if folder.is_symlink() or not folder.is_dir():
        return
    try:
        made = [Manifest.read(root / GENERATIONS / name).made for name in there(str(root))]
    except IcsearchError:
        return  # what was damaged may have been made with any
    used = {folder_of(one["model"]) for one in made}
    for model in folder.iterdir():
        if model.name[0] != "." and model.name not in used and not model.is_symlink():
            with suppress(OSError):
                model.rename(folder / f"{DELETING}{model.name}")


def roll_back(root: Path, index_id: str | None = None) -> Manifest:
    """Serve the generation that was served before, or the one named, after checking all of it.

    Raises:
        IndexMissing: there is no index at that place.
        IndexGone: there is no other generation, or the named one is no longer kept.
        IndexDamaged: a file of it is not what was written.
        IndexBusy, IndexWriteError: the index cannot be changed now.
    """
    if not (root / GENERATIONS).is_dir():
        current_id(str(root))
    with writing(root):
        served, kept = _served(root), _kept(root)
        others = [name for name in kept if name not in served[:1]]
        if index_id is None and not others:
            raise IndexGone(f"The index in {root} keeps no other generation to go back to.")
        wanted = index_id or others[0]
        if wanted not in kept:
            raise IndexGone(
                f"The index in {root} does not keep the generation {wanted}; "
                f"it keeps {', '.join(kept) or 'none'}.",
                field="index_id",
            )
        manifest = check(root / GENERATIONS / wanted)
        switch(root, wanted)
        return manifest
