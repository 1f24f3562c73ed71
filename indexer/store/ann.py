"""Vectors by size: compared one by one while they are few, then through a graph, then in cells.

A plan is chosen by rule from the number of passages and kept in the manifest. What a graph or cells
find is compared again with the whole vectors, so their 8-bit codes cost no order. Both are read
through memory maps: opening takes milliseconds, and processes share one copy.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss as published
import numpy as np

from indexer.embed import Vectors
from indexer.store.base import Rows

faiss: Any = published
"""Its published types lack half of what it has."""
FILE = "nearest.faiss"
LINKS = 16
BREADTH_BUILT = 80
LEAST_BREADTH = 256
MOST_BREADTH = 5_000
CELLS_PER_ROOT = 2
SAMPLES_PER_CELL = 64
ROUNDS = 10
FEWEST_CELLS = 64
SHARE_OF_CELLS = 1 / 32
MOST_CELLS = 1_024
BYTES_PER_LINK = 4
BYTES_OF_A_NODE = 24

Plan = Mapping[str, Any]
"""`kind`, how it was built, and up to how many passages are compared one by one all the same."""


def plan(passages: int, dimensions: int, exact_up_to: int, graph_megabytes: int) -> Plan | None:
    """How to find vectors among so many; None where all are compared.

    Args:
        exact_up_to: so many passages are compared one by one.
        graph_megabytes: a graph larger than this gives way to cells read from disk as needed.
    """
    if passages <= exact_up_to:
        return None
    graph = passages * (dimensions + 2 * LINKS * BYTES_PER_LINK + BYTES_OF_A_NODE)
    if graph <= graph_megabytes * 2**20:
        how: dict[str, Any] = {"kind": "hnsw", "links": LINKS, "breadth": BREADTH_BUILT}
    else:
        how = {"kind": "ivf", "cells": max(1, CELLS_PER_ROOT * math.isqrt(passages))}
    return how | {"codes": "8 bit", "exact_up_to": exact_up_to}


def build(folder: Path, vectors: Vectors, how: Plan) -> None:
    """Write the graph or the cells of unit vectors, shape (passages, dimensions).

    One thread builds a graph, because several would give a different one each time.
    """
    dimensions = vectors.shape[1]
    codes, cosine = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    threads = os.cpu_count() or 1
    faiss.omp_set_num_threads(threads)
    if how["kind"] == "hnsw":
        made = faiss.IndexHNSWSQ(dimensions, codes, how["links"], cosine)
        made.hnsw.efConstruction = how["breadth"]
        faiss.omp_set_num_threads(1)
    else:
        cells = min(how["cells"], len(vectors))
        middles = faiss.IndexFlatIP(dimensions)
        made = faiss.IndexIVFScalarQuantizer(middles, dimensions, cells, codes, cosine, False)
        made.cp.niter = ROUNDS
        made.cp.min_points_per_centroid = 1
        made.cp.max_points_per_centroid = SAMPLES_PER_CELL
    try:
        made.train(vectors)
        made.add(vectors)
    finally:
        faiss.omp_set_num_threads(threads)
    faiss.write_index(made, str(folder / FILE))


class Nearest:
    """The graph or the cells of a generation. Safe to use from many threads."""

    def __init__(self, folder: Path, how: Plan) -> None:
        """Map what `build` wrote.

        Raises:
            RuntimeError: the file cannot be read.
        """
        self._graph = how["kind"] == "hnsw"
        flags = faiss.IO_FLAG_MMAP_IFC if self._graph else faiss.IO_FLAG_MMAP
        self._index = faiss.read_index(str(folder / FILE), flags | faiss.IO_FLAG_READ_ONLY)
        self.size = int(self._index.ntotal)
        if not self._graph:
            # Else every question starts threads that read ahead.
            faiss.downcast_InvertedLists(self._index.invlists).prefetch_nthread = 0

    def rows(self, vector: Vectors, k: int, share: float) -> Rows | None:
        """Rows that are likely the nearest, the likeliest first; None if too few can be told apart.

        Args:
            k: how many are wanted of those that a filter lets through.
            share: what part of all rows the filter lets through.
        """
        wanted = max(LEAST_BREADTH, math.ceil(4 * k / share))
        if wanted > MOST_BREADTH:
            return None
        wanted = min(wanted, self.size)
        faiss.omp_set_num_threads(1)
        if self._graph:
            how = faiss.SearchParametersHNSW(efSearch=wanted)
        else:
            cells = max(FEWEST_CELLS, self._index.nlist * SHARE_OF_CELLS) / math.sqrt(share)
            how = faiss.SearchParametersIVF(nprobe=min(MOST_CELLS, math.ceil(cells)))
        _, found = self._index.search(vector[np.newaxis, :], wanted, params=how)
        rows: Rows = found[0]
        return rows[rows >= 0]
