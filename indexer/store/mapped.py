"""Arrays in files, mapped into memory, of which a process keeps no more than it needs.

What is read of a map counts as the process's memory until it is given back, and for one row the
system maps what lies around it too. Given back, it is still in the system's cache.
"""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_HELD = 256 * 2**20
AROUND = 64 * 2**10
"""So much is mapped about a row that is touched."""


class Mapped:
    """An array in a file. Safe to use from many threads."""

    def __init__(self, path: Path, most_held: int = MOST_HELD) -> None:
        """Map a .npy file, and hold so many bytes of it before they are given back.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        held = np.load(path, mmap_mode="r")
        self._map: mmap.mmap | None = held._mmap if held.nbytes > most_held else None
        self.array: NDArray[Any] = held.view(np.ndarray)
        """As a plain array, of which rows are taken in half the time."""
        self._touched = 0
        self._most_held = most_held

    def touched(self, rows: int, whole: bool = False) -> None:
        """Tell that so many rows were read, one after the other or here and there.

        Once that may be much, all is given back; what is needed again is mapped again.
        """
        if self._map is None:
            return
        size = self.array.itemsize * int(np.prod(self.array.shape[1:]))
        self._touched += rows * (size if whole else AROUND)
        if self._touched > self._most_held:
            self._touched = 0
            self._map.madvise(mmap.MADV_DONTNEED)
