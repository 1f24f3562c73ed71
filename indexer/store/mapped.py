"""Arrays in files, mapped into memory, of which a process keeps no more than it needs.

What is read of a map counts as the process's memory until it is given back, and for one row the
system maps what lies around it too. Given back, it is still in the system's cache, from where a
few rows are copied in less than half the time that mapping them again would take.
"""

import mmap
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import IndexDamaged
from indexer.manifest import WHAT_TO_DO
from indexer.store.base import Rows

MOST_HELD = 256 * 2**20


class Mapped:
    """An array in a file. Safe to use from many threads."""

    def __init__(self, path: Path, most_held: int = MOST_HELD) -> None:
        """Map a .npy file, and hold so many bytes of it before they are given back.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        held: Any = np.load(path, mmap_mode="r")
        self.array: NDArray[Any] = held.view(np.ndarray)
        """As a plain array, of which rows are taken in half the time."""
        large = held.nbytes > most_held
        self._map: mmap.mmap | None = held._mmap if large else None
        self._file = os.open(path, os.O_RDONLY) if large else None
        if self._file is not None:
            weakref.finalize(self, os.close, self._file)
        self._path = path
        self._begins = held.offset
        self._row_bytes = held.itemsize * int(np.prod(held.shape[1:]))
        self._read = 0
        self._most_held = most_held

    def rows(self, rows: Rows) -> NDArray[Any]:
        """Rows here and there, in the order asked.

        Raises:
            IndexDamaged: the file was made shorter since it was opened.
        """
        if self._file is None:
            found: NDArray[Any] = self.array[rows]
            return found
        return self.runs(rows, np.ones_like(rows))

    def runs(self, starts: Rows, counts: Rows) -> NDArray[Any]:
        """Rows here and there: from each start on so many, one after the other.

        Raises:
            IndexDamaged: the file was made shorter since it was opened.
        """
        if self._file is None:
            before = np.cumsum(counts) - counts
            found: NDArray[Any] = self.array[
                np.arange(counts.sum()) + np.repeat(starts - before, counts)
            ]
            return found
        size = self._row_bytes
        content = b"".join(
            [
                os.pread(self._file, count * size, self._begins + start * size)
                for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
            ]
        )
        if len(content) != int(counts.sum()) * size:
            raise IndexDamaged(f"{self._path} ends before it should; {WHAT_TO_DO}")
        return np.frombuffer(content, self.array.dtype).reshape(-1, *self.array.shape[1:])

    def gone_through(self, rows: int) -> None:
        """Tell that so many rows of the array were read where they lie.

        Once that may be much, all is given back; what is needed again is mapped again.
        """
        if self._map is None:
            return
        self._read += rows * self._row_bytes
        if self._read > self._most_held:
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)
