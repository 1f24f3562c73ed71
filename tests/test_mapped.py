"""Maps of large files: what was read is given back, and reads the same afterwards."""

from pathlib import Path

import numpy as np
import pytest

from indexer.store.mapped import Mapped


def resident(path: Path) -> int:
    """Kilobytes of a mapped file that count as this process's."""
    held, found = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            held = line.endswith(str(path))
        elif held and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux")
def test_what_was_read_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    values = np.arange(2**20, dtype=np.float32).reshape(-1, 256)
    np.save(path, values)
    held = Mapped(path, most_held=2**20)
    assert np.array_equal(held.array, values)
    assert resident(path) >= values.nbytes // 1024
    held.touched(10, whole=True)
    assert resident(path) >= values.nbytes // 1024
    held.touched(len(values), whole=True)
    assert resident(path) == 0
    assert np.array_equal(held.array[[7, 4000]], values[[7, 4000]])


def test_a_small_file_is_never_given_back(tmp_path: Path) -> None:
    path = tmp_path / "ends.npy"
    np.save(path, np.arange(100))
    held = Mapped(path)
    held.touched(10**9)
    assert held.array.sum() == 4950
