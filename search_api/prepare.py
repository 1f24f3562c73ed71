"""Finding what rules find in documents before anyone asks for it."""

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
    if in_database(place):  # each machine finds it when it is first asked
        return
    kinds = (("commitments", commitments.RULES), ("priorities", declared.RULES))
    with suppress(IcsearchError):
        now = current_id(place)
        if all(path_in(Path(place), now, name, rules).is_file() for name, rules in kinds):
            return
        store = open_store(place)
        concepts.concepts_of(store)
        declared.declared_of(store)
        commitments.register(store)
