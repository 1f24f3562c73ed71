"""Finding what rules find in documents before anyone asks for it."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from corpus.errors import IcsearchError
from indexer.store import current_id, in_database, open_store
from search_api import commitments, concepts, declared
from search_api.derived import path_in
from search_api.settings import SearchSettings


def prepare(url: str | None) -> None:
    """Have everything found for the current generation of an index, and kept, if it is not yet.

    Args:
        url: of the index; the usual one if None. What cannot be opened is left for the command
            that needs it to tell.
    """
    place = SearchSettings().index if url is None else url
    with suppress(IcsearchError):
        if is_prepared(place):
            return
        store = open_store(place)
        concepts.concepts_of(store)
        declared.declared_of(store)
        commitments.register(store)


def prepare_beside(place: str) -> None:
    """The same in a process of its own that makes way for others, and return when it is done.

    It may take minutes in a large index, and within a server would hold up every question. It ends
    with the process that began it.
    """
    with suppress(IcsearchError):
        if not is_prepared(place):
            command = [sys.executable, "-m", "search_api.prepare", place]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as found:  # noqa: S603 - ours
                found.wait()


def is_prepared(place: str) -> bool:
    """Whether all is found for the current generation of an index.

    Raises:
        IndexMissing, IndexDamaged: there is none.
    """
    if in_database(place):  # each machine finds it when it is first asked
        return True
    now = current_id(place)
    kinds = (("commitments", commitments.RULES), ("priorities", declared.RULES))
    return all(path_in(Path(place), now, name, rules).is_file() for name, rules in kinds)


def _ends_with_its_parent() -> None:
    # Not through `sys.stdin`, whose lock would be held when this process ends by itself.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    os.nice(19)
    threading.Thread(target=_ends_with_its_parent, daemon=True).start()
    prepare(sys.argv[1])
