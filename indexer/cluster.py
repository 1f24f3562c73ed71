"""Embedding on many machines by Dask: `icsearch index --scheduler tcp://…`.

Only texts and vectors travel, and the model once to each worker; reading, splitting and writing
stay here. Texts are put together as a single machine puts them together, so the vectors are the
same. A worker that is lost has its work done again by another. Workers need icsearch of the same
version.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import ClusterError
from indexer.embed import BATCH, Encoder, EncoderFacts, OnnxEncoder, Vectors, by_length

BATCHES_A_TASK = 8
CONNECT_SECONDS = 10
WORKERLESS_SECONDS = 60
# So often may a task's worker die before the task itself is taken for the cause.
RETRIES = 5

_encoders: dict[str, OnnxEncoder] = {}


@contextmanager
def embedding(encoder: Encoder, folder: Path, scheduler: str | None) -> Iterator[Encoder]:
    """What embeds: this process, or a cluster that is given the model in `folder`.

    Raises:
        ClusterError: Dask is not installed, or the scheduler or all its workers do not answer.
    """
    if scheduler is None:
        yield encoder
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "Embedding on a cluster needs Dask; run: pip install 'icsearch[cluster]'"
        ) from error
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"The scheduler at {scheduler} does not answer; start one with: dask scheduler"
        ) from error
    with client:
        yield OnCluster(encoder, folder, scheduler, client)


class OnCluster:
    """An encoder whose passages are embedded by the workers of a Dask cluster."""

    def __init__(self, encoder: Encoder, folder: Path, scheduler: str, client: Any) -> None:
        """Bring the model to every worker, those that come later included.

        Raises:
            ClusterError: there are no workers.
        """
        from distributed import WorkerPlugin

        self.facts = encoder.facts
        self._encoder = encoder
        self._scheduler = scheduler
        self._client = client
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        key = encoder.facts.onnx_sha256

        class Model(WorkerPlugin):  # type: ignore[misc]
            def setup(self, worker: Any) -> None:
                target = Path(worker.local_directory) / key[:16]
                target.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    (target / name).write_bytes(content)

        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise self._workerless() from error
        client.register_plugin(Model(), name=f"icsearch-{key[:16]}")

    def _workerless(self) -> ClusterError:
        return ClusterError(
            f"The scheduler at {self._scheduler} has no workers; start some with: "
            f"dask worker {self._scheduler}"
        )

    def query(self, text: str) -> Vectors:
        """One unit vector, made here."""
        return self._encoder.query(text)

    def count_pieces(self, text: str) -> int:
        """How many word pieces the model makes of a text, its two marks included."""
        return self._encoder.count_pieces(text)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is one of the model's own word pieces, so a common word."""
        return self._encoder.knows(word)

    def passages(
        self, texts: Sequence[str], done: Callable[[int], None] = lambda _: None
    ) -> Vectors:
        """Unit vectors, shape (texts, dimensions); `done` is told how many more are finished.

        Raises:
            ClusterError: no worker is left, or one failed on a text again and again.
        """
        out = np.empty((len(texts), self.facts.dimensions), dtype=np.float32)
        order, size = by_length(texts), BATCH * BATCHES_A_TASK
        parts = [order[at : at + size] for at in range(0, len(order), size)]
        waiting = {
            self._client.submit(
                embed, asdict(self.facts), [texts[i] for i in part], pure=False, retries=RETRIES
            ): part
            for part in parts
        }
        while waiting:
            for future in self._finished(list(waiting)):
                part = waiting.pop(future)
                try:
                    out[part] = future.result()
                except Exception as error:  # whatever a worker raised, or Dask for it
                    raise ClusterError(
                        f"A worker of {self._scheduler} could not embed "
                        f"({type(error).__name__}: {error})."
                    ) from error
                done(len(part))
        return out

    def _finished(self, futures: Sequence[Any]) -> list[Any]:
        """Those that are done, once one is."""
        from distributed import wait

        while True:
            try:
                with self._client.as_current():
                    return list(wait(futures, WORKERLESS_SECONDS, "FIRST_COMPLETED").done)
            except TimeoutError:
                if not self._client.scheduler_info(n_workers=-1)["workers"]:
                    raise self._workerless() from None


def embed(facts: dict[str, Any], texts: list[str]) -> Vectors:
    """Vectors of texts, made by the worker that this runs on."""
    from distributed import get_worker

    key = EncoderFacts(**facts).onnx_sha256
    if key not in _encoders:
        _encoders[key] = OnnxEncoder(Path(get_worker().local_directory) / key[:16])
    return _encoders[key].passages(texts)
