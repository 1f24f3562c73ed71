"""Vectors by size: compared one by one while they are few, then through a graph, then in cells.

A plan is chosen by rule from the number of passages and kept in the manifest. What a graph or cells
find is compared again with the whole vectors, so their 8-bit codes cost no order. Both are read
through memory maps: opening takes milliseconds, and processes share one copy.

A graph takes its documents one after the other, so that it can go on from an earlier one. Documents
put in at the end give the graph that all of them would give at once. Nodes of documents that went
stay and lead to nothing, until they are too many.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss as published
import numpy as np

from indexer.embed import Vectors
from indexer.store.base import Planted, Rows

faiss: Any = published
"""Its published types lack half of what it has."""
FILE = "nearest.faiss"
ORDER = "nearest.json"
MOST_GROWN = 1 / 4
"""Of a graph's nodes, so many may be added or lead to nothing before it is made anew."""
FEWEST_TRAINED = 1_000
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


def order(former: Sequence[Planted], wanted: Sequence[Planted]) -> Sequence[Planted]:
    """The order in which a graph is to hold documents: it goes on from a former one if that pays.

    Args:
        former: what an earlier graph of the same plan holds; nothing if there is none.
        wanted: the documents in the order of their rows.
    """
    there, asked = set(former), set(wanted)
    new = [document for document in wanted if document not in there]
    stale = sum(document.nodes for document in former if document not in asked)
    changed = stale + sum(document.nodes for document in new)
    if not former or changed > MOST_GROWN * sum(document.nodes for document in wanted):
        return wanted
    return [*former, *new]


def planted(folder: Path) -> Sequence[Planted]:
    """What the graph of a generation holds, in order; nothing if it has none or does not say."""
    path = folder / ORDER
    if not path.exists():
        return ()
    return [Planted(*fields) for fields in json.loads(path.read_text(encoding="utf-8"))]


def build(
    folder: Path,
    holds: Sequence[Planted],
    vectors_of: Callable[[str], Vectors],
    how: Plan,
    former: Path | None = None,
) -> None:
    """Write the graph or the cells of unit vectors.

    One thread builds a graph, because several would give a different one each time.

    Args:
        holds: the documents in the order that `order` gives.
        vectors_of: gives a document's vectors, shape (passages, dimensions); it is not asked for
            those that the former graph holds.
        former: the generation before, whose graph is gone on from if it holds the first of these.
    """
    threads = os.cpu_count() or 1
    faiss.omp_set_num_threads(threads)
    if how["kind"] == "hnsw":
        before = planted(former) if former is not None else ()
        if before and list(holds[: len(before)]) == list(before):
            made = faiss.read_index(str(former / FILE))  # type: ignore[operator]
        else:
            made, before = _bare_graph(holds, vectors_of, how), ()
        faiss.omp_set_num_threads(1)
        try:
            for document in holds[len(before) :]:
                _plant(made, vectors_of(document.document), how["links"])
        finally:
            faiss.omp_set_num_threads(threads)
    else:
        made = _bare_cells(holds, vectors_of, how)
        for document in holds:
            if document.nodes:
                made.add(vectors_of(document.document))
    faiss.write_index(made, str(folder / FILE))
    listed = [[d.document, d.key, d.nodes] for d in holds]
    (folder / ORDER).write_text(json.dumps(listed, separators=(",", ":")), encoding="utf-8")


def _bare_graph(holds: Sequence[Planted], vectors_of: Callable[[str], Vectors], how: Plan) -> Any:
    """A graph without nodes, its codes fitted to the first documents.

    To those alone, so that a document put in at the end does not change the codes of others.
    """
    wanted, first = max(how["exact_up_to"], FEWEST_TRAINED), []
    for document in holds:
        if wanted <= 0:
            break
        first.append(vectors_of(document.document)[:wanted])
        wanted -= len(first[-1])
    sample = np.concatenate(first)
    made = faiss.IndexHNSWSQ(
        sample.shape[1], faiss.ScalarQuantizer.QT_8bit, how["links"], faiss.METRIC_INNER_PRODUCT
    )
    made.hnsw.efConstruction = how["breadth"]
    made.train(sample)
    return made


def _plant(graph: Any, vectors: Vectors, links: int) -> None:
    """Add nodes whose levels depend on their numbers alone, and not on what was added when."""
    if not len(vectors):
        return
    drawn = np.random.default_rng(graph.ntotal).random(len(vectors))
    levels = np.floor(-np.log1p(-drawn) / math.log(links)).astype(np.int64)
    highest = graph.hnsw.assign_probas.size() - 1
    for level in np.minimum(levels, highest).tolist():
        graph.hnsw.levels.push_back(level + 1)
    graph.add(np.ascontiguousarray(vectors))


def _bare_cells(holds: Sequence[Planted], vectors_of: Callable[[str], Vectors], how: Plan) -> Any:
    """Cells without vectors, trained on every nth passage."""
    total = sum(document.nodes for document in holds)
    cells = min(how["cells"], total)
    step = max(1, total // (cells * SAMPLES_PER_CELL))
    some = [vectors_of(document.document)[::step] for document in holds if document.nodes]
    sample = np.concatenate(some)
    dimensions = sample.shape[1]
    middles = faiss.IndexFlatIP(dimensions)
    made = faiss.IndexIVFScalarQuantizer(
        middles,
        dimensions,
        cells,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    made.cp.niter = ROUNDS
    made.cp.min_points_per_centroid = 1
    made.cp.max_points_per_centroid = SAMPLES_PER_CELL
    made.train(sample)
    return made


class Nearest:
    """The graph or the cells of a generation. Safe to use from many threads."""

    def __init__(self, folder: Path, how: Plan, row_of: Rows | None = None) -> None:
        """Map what `build` wrote.

        Args:
            row_of: for each node its row, or -1; None where nodes are rows.

        Raises:
            RuntimeError: the file cannot be read.
        """
        self._row_of = row_of
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
        rows: Rows = found[0][found[0] >= 0]
        if self._row_of is not None:
            rows = self._row_of[rows]
            rows = rows[rows >= 0]
        return rows
