"""The generation that is served now, and older ones that a link may name."""

import threading
from collections import OrderedDict

from corpus.errors import IcsearchError
from indexer.store import current_id
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings

KEPT_OPEN = 3


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

    def searcher(self, index_id: str | None = None) -> Searcher:
        """The Searcher of the current generation, or of the one named.

        Raises:
            IndexMissing, IndexDamaged: there is none to serve.
            IndexGone: the one named is no longer kept.
        """
        if index_id is not None:
            return self._opened(index_id)
        try:
            self._last = self._opened(current_id(self.settings.index), follow=True)
        except IcsearchError:
            # A new generation that cannot be opened does not take the good one away.
            if self._last is None:
                raise
        return self._last

    def _opened(self, index_id: str, follow: bool = False) -> Searcher:
        found = self._open.get(index_id)
        if found is not None:
            return found
        if follow and self._last is not None and self._lock.locked():
            return self._last
        with self._lock:
            if index_id not in self._open:
                self._open[index_id] = open_searcher(self.settings, index_id)
                while len(self._open) > KEPT_OPEN:
                    self._open.popitem(last=False)
            return self._open[index_id]
