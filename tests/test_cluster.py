"""Embedding by Dask on two local workers, one of which is lost halfway."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from corpus.errors import ClusterError
from indexer.cluster import embedding
from indexer.embed import folder_of
from indexer.store import current_id, open_store
from search_api.cli import main
from tests.conftest import share_models
from tests.servers import free_port


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    address = f"tcp://127.0.0.1:{free_port()}"
    program = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = ["--host", address, "--no-dashboard", "--no-jupyter"]
    process = subprocess.Popen([*program, *options], stderr=subprocess.DEVNULL)
    yield address
    process.terminate()
    process.wait()


@pytest.fixture()
def workers(scheduler: str, tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    program = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler]
    options = "--nworkers 1 --nthreads 1 --no-dashboard --no-nanny --death-timeout 60".split()
    started = [
        subprocess.Popen(
            [*program, *options, "--local-directory", str(tmp_path / f"worker{i}")],
            stderr=subprocess.DEVNULL,
        )
        for i in range(2)
    ]
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_the_same_vectors_though_a_worker_is_lost(
    scheduler: str,
    workers: list[subprocess.Popen[bytes]],
    index_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indexer.cluster.BATCHES_A_TASK", 2)
    store = open_store(str(index_dir))
    texts = [p.text[:60] for p in store.passages(range(store.manifest.passages))]
    folder = index_dir / "models" / folder_of(store.manifest.made["model"])
    finished = 0

    def done(more: int) -> None:
        nonlocal finished
        finished += more
        if workers[0].poll() is None and finished < len(texts):
            workers[0].kill()
            workers[0].wait()

    with embedding(store.encoder, folder, scheduler) as cluster:
        made = cluster.passages(texts, done)
    assert finished == len(texts)
    assert workers[0].returncode and workers[1].poll() is None
    assert np.array_equal(made, store.encoder.passages(texts))


def test_an_index_made_on_a_cluster_is_the_same(
    scheduler: str,
    workers: list[subprocess.Popen[bytes]],
    tiny_corpus: Path,
    index_dir: Path,
    tmp_path: Path,
) -> None:
    for name, more in (("here", []), ("there", ["--scheduler", scheduler])):
        index = tmp_path / name
        share_models(index, index_dir / "models")
        done = CliRunner().invoke(
            main, ["index", "--corpus", str(tiny_corpus), "--index", str(index), "--quiet", *more]
        )
        assert done.exit_code == 0, done.output
    here, there = (open_store(str(tmp_path / name)) for name in ("here", "there"))
    assert current_id(str(tmp_path / "here")) == current_id(str(tmp_path / "there"))
    rows = np.arange(here.manifest.passages)
    assert np.array_equal(here.vectors(rows), there.vectors(rows))


def test_a_scheduler_that_does_not_answer(
    tiny_corpus: Path, tmp_path: Path, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.cluster.CONNECT_SECONDS", 0.5)
    address = f"tcp://127.0.0.1:{free_port()}"
    share_models(tmp_path, index_dir / "models")
    done = CliRunner().invoke(
        main,
        f"index --corpus {tiny_corpus} --index {tmp_path} --quiet --scheduler {address}".split(),
    )
    assert done.exit_code == 1
    assert f"The scheduler at {address} does not answer" in done.output
    assert len(done.output.splitlines()) == 1


def test_a_scheduler_without_workers(
    scheduler: str, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.cluster.CONNECT_SECONDS", 0.5)
    store = open_store(str(index_dir))
    folder = index_dir / "models" / folder_of(store.manifest.made["model"])
    with (
        pytest.raises(ClusterError, match=f"no workers; start some with: dask worker {scheduler}"),
        embedding(store.encoder, folder, scheduler),
    ):
        pass


def test_without_dask_the_command_to_install_it_is_named(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    store = open_store(str(index_dir))
    with (
        pytest.raises(ClusterError, match=r"pip install 'icsearch\[cluster\]'"),
        embedding(store.encoder, index_dir, "tcp://127.0.0.1:1"),
    ):
        pass
