"""Whether an index and its corpus are whole: every byte of every kept generation and the model."""

from dataclasses import dataclass
from pathlib import Path

from corpus import open_catalogue
from corpus.catalogue import sha256_of
from corpus.errors import IcsearchError, IndexDamaged
from indexer.administer import left_over
from indexer.embed import OnnxEncoder, folder_of
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, MODELS, current_id, kept_ids, there
from indexer.store.publish import DAMAGED, check


@dataclass(frozen=True, slots=True)
class Findings:
    """What is in order and what is not, each in a sentence."""

    whole: tuple[str, ...]
    problems: tuple[str, ...]


def examine(settings: IndexSettings) -> Findings:
    """Compare an index and its corpus with what was written of them. Nothing is changed.

    Raises:
        IndexMissing: there is no index at that place.
        CatalogueError: the catalogue cannot be read.
    """
    whole: list[str] = []
    problems: list[str] = []
    root = Path(settings.index)
    try:
        served = current_id(settings.index)
        generations = kept_ids(settings.index)
    except IndexDamaged as error:
        problems.append(error.message)
        served, generations = "", sorted(there(settings.index))
    models = set()
    for index_id in generations:
        try:
            manifest = check(root / GENERATIONS / index_id)
        except IcsearchError as error:
            problems.append(error.message)
            continue
        models.add(folder_of(manifest.made["model"]))
        state = "served" if index_id == served else "kept"
        whole.append(
            f"Generation {index_id}, {state}, is whole: {len(manifest.documents)} documents, "
            f"{len(manifest.files)} files."
        )
    for name in sorted(models):
        try:
            OnnxEncoder(root / MODELS / name)
            whole.append(f"Model {name} is whole.")
        except IcsearchError as error:
            problems.append(error.message)
    for aside in sorted(root.glob(f"*/{DAMAGED}*")):
        problems.append(f"{aside} was damaged and put aside; delete it once it is of no interest.")
    problems += _of_corpus(settings.corpus)
    if not problems:
        whole.append(f"Every document in {settings.corpus} is as the catalogue describes it.")
    return Findings(tuple(whole), tuple(problems))


def _of_corpus(corpus: Path) -> list[str]:
    catalogue = open_catalogue(corpus)
    problems = []
    for document in catalogue.documents.values():
        try:
            actual = sha256_of(catalogue.path(document))
        except IcsearchError as error:
            problems.append(error.message)
            continue
        if actual != document.sha256:
            problems.append(
                f"{catalogue.path(document)} is not the file that the catalogue describes as "
                f"{document.id}: put it back from a copy, or its SHA-256 into documents.toml."
            )
    left = left_over(corpus)
    return problems + [f"{p} has no entry in the catalogue: add or delete it." for p in left]
