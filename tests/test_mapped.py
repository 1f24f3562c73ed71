"""Maps of large files: what was read is given back, and reads the same afterwards."""

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexDamaged
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
    held.gone_through(10)
    assert resident(path) >= values.nbytes // 1024
    held.gone_through(len(values))
    assert resident(path) == 0
    assert np.array_equal(held.array[[7, 4000]], values[[7, 4000]])


@pytest.mark.parametrize("most_held", [0, 2**30], ids=["copied from the file", "mapped"])
def test_runs_of_rows_are_those_of_the_array(tmp_path: Path, most_held: int) -> None:
    path = tmp_path / "statements.npy"
    values = np.arange(3_000, dtype=np.float16).reshape(-1, 3)
    np.save(path, values)
    held = Mapped(path, most_held)
    starts, counts = np.array([990, 5, 7, 5]), np.array([10, 2, 0, 1])
    wanted = values[[*range(990, 1000), 5, 6, 5]]
    assert np.array_equal(held.runs(starts, counts), wanted)
    assert held.runs(starts[:0], counts[:0]).shape == (0, 3)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux")
def test_rows_here_and_there_of_a_large_file_are_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    np.save(path, np.zeros((2**12, 256), dtype=np.float32))
    held = Mapped(path, most_held=2**20)
    held.runs(np.arange(0, 2**12, 7), np.ones(2**12 // 7 + 1, dtype=np.int64))
    assert resident(path) == 0


def test_a_file_that_was_made_shorter_is_told(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    np.save(path, np.zeros((1_000, 4), dtype=np.float32))
    held = Mapped(path, most_held=0)
    with path.open("r+b") as file:
        file.truncate(10_000)
    with pytest.raises(IndexDamaged, match=r"vectors\.npy ends before it should"):
        held.runs(np.array([0, 990]), np.array([3, 3]))


def test_a_small_file_is_never_given_back(tmp_path: Path) -> None:
    path = tmp_path / "ends.npy"
    np.save(path, np.arange(100))
    held = Mapped(path)
    held.gone_through(10**9)
    assert held.array.sum() == 4950
