"""What fuzzing found once is tried again, on every target."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, tried

CORPUS = Path(__file__).parent / "fuzz" / "corpus"
KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_stays_mended(path: Path, index_dir: Path) -> None:
    assert path.parent.name in TARGETS
    tried(path.parent.name, path.read_bytes())


def test_the_corpus_is_small() -> None:
    assert KEPT
    assert sum(path.stat().st_size for path in KEPT) < 100_000
