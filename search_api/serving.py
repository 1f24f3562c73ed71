"""The generation that is served now, and older ones that a link may name."""

import gc
import threading
import time
from collections import OrderedDict
from contextlib import suppress

from corpus.errors import IcsearchError, IndexDamaged
from indexer.store import current_id, kept_ids
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings

KEPT_OPEN = 3
RETRY_SECONDS = 10.0


class Serving:
    """Opens generations on demand and follows the pointer to the current one.

    A new generation is opened for the next question; what is asked meanwhile is answered from the
    former one, and questions under way keep theirs.
    """

    def __init__(self, settings: SearchSettings) -> None:
        """Serve the index that the settings name. Nothing is opened yet."""
        self.settings = settings
        self._open: OrderedDict[str, Searcher] = OrderedDict()
        self._lock = threading.Lock()
        self._last: Searcher | None = None
        self._bad: tuple[str, float] | None = None
        self.problem: str | None = None
        """Why the generation that should be served is not, in a sentence."""

    def searcher(self, index_id: str | None = None) -> Searcher:
        """The Searcher of the current generation, or of the one named.

        Raises:
            IndexMissing, IndexDamaged: there is none to serve.
            IndexGone: the one named is no longer kept.
        """
        if index_id is not None:
            return self._opened(index_id)
        wanted = ""
        try:
            wanted = current_id(self.settings.index)
            if self._last is not None and self._bad is not None and self._bad[0] == wanted:
                # Checking a generation takes long: not again with every question.
                if time.monotonic() < self._bad[1]:
                    return self._last
            self._last = self._opened(wanted, follow=True)
            if self._last.index_id == wanted:  # not while another request is still opening it
                self.problem = self._bad = None
        except IndexDamaged as error:
            # A generation that cannot be opened does not take the last good one away.
            self._last = self._last or self._last_good()
            if self._last is None:
                raise
            self.problem = f"{error.message} Until then {self._last.index_id} is served."
            self._bad = (wanted, time.monotonic() + RETRY_SECONDS)
        except IcsearchError:
            if self._last is None:
                raise
        return self._last

    def _last_good(self) -> Searcher | None:
        """The generation served last before that can be opened."""
        try:
            kept = kept_ids(self.settings.index)[1:]
        except IcsearchError:
            return None
        for index_id in kept:
            try:
                return self._opened(index_id)
            except IcsearchError:
                continue
        return None

    def _opened(self, index_id: str, follow: bool = False) -> Searcher:
        found = self._open.get(index_id)
        if found is not None:
            with suppress(KeyError):  # closed meanwhile
                self._open.move_to_end(index_id)
            return found
        if follow and self._last is not None and self._lock.locked():
            return self._last
        with self._lock:
            if index_id not in self._open:
                self._open[index_id] = open_searcher(self.settings, index_id)
                while len(self._open) > KEPT_OPEN:
                    self._open.popitem(last=False)
                _settle()
            return self._open[index_id]


def _settle() -> None:
    """Let later collections of garbage leave alone what is there now.

    Going through all that an index holds stops every question for a tenth of a second. What a
    generation held that is no longer open goes when the next one is opened.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
