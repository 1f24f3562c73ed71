"""What `indexer.tuning` adds to the model that encodes questions, learned from written questions.

    python -m eval.fit_questions --index .index

Each question should have a greater cosine with its passage than with any other of the same corpus
(softmax, cross-entropy). The passages keep the vectors that they have in the index. Of the layers
of the model only additions of low rank are learned (LoRA: Hu, Shen, Wallis and others, ICLR 2022),
by AdamW with a rate that falls to nothing. Judged questions are not read. Beside the questions to
passages of documents there are those of `invented.jsonl`, whose passages are in no document: they
are there so that what is learned holds for documents that nobody wrote questions for. Texts of
other fields (`--dataset`, the documents of public collections, never their questions) keep the
vectors that the model gives them, so that it forgets nothing else. `--without CORPUS` leaves the
questions of one corpus out and says what the rest does for them, unseen; it then writes nothing.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from eval.dataset import read_dataset
from eval.labels import read_labels
from indexer import tuning
from indexer.embed import DEFAULT_MODEL, by_length, find_model
from indexer.store import Store, open_store
from search_api.retrieve import text_to_embed
from search_api.understand import Understander

Numbers = NDArray[np.float32]

INVENTED = "invented"
SCALE = 20.0
"""How sharply the softmax tells cosines apart: as the model itself was trained."""
RANK = 32
EPOCHS = 3
RATE = 3e-3
BATCH = 64
KEPT = 0.8
"""The share of what was learned that is added: between the model before and after lies one that
does better on what it has not seen (Wortsman, Ilharco and others, CVPR 2022)."""
WARM_UP = 20
MOST_PIECES = 64
MOST_KEPT = 1_000
"""Texts of each other field, evenly spaced."""
WORDS_KEPT = 20
LIKE_LENGTH = 12
"""Questions whose numbers of characters differ by less may be put into a batch, to pad little."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Questions to the passages of some documents.

    Attributes:
        passages: unit vectors, shape (passages, dimensions).
        questions: as they are embedded.
        answers: the place of each question's passage, shape (questions,).
    """

    passages: Numbers
    questions: tuple[str, ...]
    answers: NDArray[np.int64]


def corpora_of(store: Store, without: str | None) -> tuple[dict[str, Corpus], int]:
    """The written questions by corpus, and how many passages of theirs a store does not hold.

    Raises:
        click.ClickException: the corpus to be left out is not there.
    """
    rows = {p.id: row for row, p in enumerate(store.passages(range(store.manifest.passages)))}
    asked: dict[str, list[tuple[int, str]]] = {}
    missing = 0
    for entry in read_labels("written.jsonl"):
        row = rows.get(entry["passage"])
        if row is None:
            missing += 1
        else:
            asked.setdefault(entry["corpus"], []).extend((row, q) for q in entry["questions"])
    if without not in (None, INVENTED, *asked):
        raise click.ClickException(
            f"The index holds no passages of the corpus {without} that questions were written for; "
            f"there are: {', '.join([*asked, INVENTED])}."
        )
    found = {}
    for name, own in asked.items():
        places = np.array([row for row, _ in own], dtype=np.int64)
        documents = {document.id for document in store.documents_of(places)}
        among = np.sort(np.concatenate([np.arange(*store.rows_of(d)) for d in documents]))
        vectors = np.asarray(store.vectors(among), dtype=np.float32)
        texts = _as_embedded(store, (question for _, question in own))
        found[name] = Corpus(vectors, texts, np.searchsorted(among, places))
    entries = read_labels("invented.jsonl")
    found[INVENTED] = Corpus(
        store.encoder.passages([entry["text"] for entry in entries]),
        _as_embedded(store, (q for entry in entries for q in entry["questions"])),
        np.repeat(np.arange(len(entries)), [len(entry["questions"]) for entry in entries]),
    )
    return found, missing


def _as_embedded(store: Store, questions: Iterator[str]) -> tuple[str, ...]:
    understander = Understander(store)
    return tuple(text_to_embed(understander.understand(q, None)) for q in questions)


class Learner:
    """A sentence-transformers model whose linear layers learn additions of low rank."""

    def __init__(self, model: Any, rank: int) -> None:
        """Let every linear layer of the transformer learn; all else stays as it is."""
        import torch

        torch.manual_seed(SEED)
        self._model = model
        self.added: dict[str, tuple[Any, Any]] = {}
        for parameter in model.parameters():
            parameter.requires_grad = False
        for name, layer in list(model.named_modules()):
            if isinstance(layer, torch.nn.Linear) and ".layer." in name:
                out, into = layer.weight.shape
                a = torch.nn.Parameter(torch.randn(rank, into) / math.sqrt(into))
                b = torch.nn.Parameter(torch.zeros(out, rank))
                self.added[name] = b, a
                layer.forward = _with(layer, b, a)

    def parameters(self) -> list[Any]:
        """What is learned."""
        return [part for both in self.added.values() for part in both]

    def vectors(self, texts: Sequence[str]) -> Any:
        """Unit vectors of questions, shape (texts, dimensions), as a tensor."""
        import torch

        given = self._model.tokenizer(
            list(texts), padding=True, truncation=True, max_length=MOST_PIECES, return_tensors="pt"
        )
        return torch.nn.functional.normalize(self._model(dict(given))["sentence_embedding"], dim=1)

    def encoded(self, texts: Sequence[str]) -> Numbers:
        """The same without learning, as an array."""
        import torch

        self._model.eval()
        out: Numbers | None = None
        order = by_length(texts)
        with torch.no_grad():
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                some = self.vectors([texts[i] for i in rows]).numpy()
                out = np.empty((len(texts), some.shape[1]), np.float32) if out is None else out
                out[rows] = some
        assert out is not None
        return out

    def learn(
        self, corpora: Sequence[Corpus], epochs: int, rate: float, kept: Sequence[str] = ()
    ) -> Iterator[float]:
        """Go through all questions so many times; the mean loss of each time.

        Args:
            kept: texts whose vectors should stay as they are.
        """
        import torch

        others = [kept[at : at + BATCH] for at in range(0, len(kept), BATCH)]
        stay = [torch.from_numpy(self.encoded(some)) for some in others]
        optimizer = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=0.0)
        chance = np.random.default_rng(SEED)
        steps = epochs * len(batches(corpora, chance))

        def share(step: int) -> float:
            return min((step + 1) / WARM_UP, 1 - step / (steps + 1))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        passages = [torch.from_numpy(corpus.passages) for corpus in corpora]
        for _ in range(epochs):
            self._model.train()
            losses = []
            order = batches(corpora, chance)
            every = len(order) // len(others) if others else 0
            for number, (which, some) in enumerate(order):
                corpus = corpora[which]
                scores = SCALE * self.vectors([corpus.questions[i] for i in some])
                wanted = torch.from_numpy(corpus.answers[some])
                loss = torch.nn.functional.cross_entropy(scores @ passages[which].T, wanted)
                if every and number % every == 0 and number // every < len(others):
                    now = self.vectors(others[number // every])
                    loss = loss + SCALE * (1 - (now * stay[number // every]).sum(dim=1)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            yield float(np.mean(losses))

    def keep(self, share: float) -> None:
        """Take back all but a share of what was learned."""
        import torch

        with torch.no_grad():
            for b, _ in self.added.values():
                b *= share

    def halves(self) -> dict[str, tuple[tuning.Half, tuning.Half]]:
        """What was learned, in half precision."""
        return {
            name: (b.detach().numpy().astype(np.float16), a.detach().numpy().astype(np.float16))
            for name, (b, a) in self.added.items()
        }


def _with(layer: Any, b: Any, a: Any) -> Any:
    import torch

    def forward(values: Any) -> Any:
        return torch.nn.functional.linear(values, layer.weight + b @ a, layer.bias)

    return forward


def batches(
    corpora: Sequence[Corpus], chance: np.random.Generator
) -> list[tuple[int, NDArray[np.int64]]]:
    """Questions of one corpus and of like length together, in an order left to chance."""
    out: list[tuple[int, NDArray[np.int64]]] = []
    for which, corpus in enumerate(corpora):
        order = chance.permutation(len(corpus.questions))
        length = np.array([len(corpus.questions[i]) // LIKE_LENGTH for i in order])
        order = order[np.argsort(length, kind="stable")]
        out += [(which, order[at : at + BATCH]) for at in range(0, len(order), BATCH)]
    return [out[i] for i in chance.permutation(len(out))]


def told_of(corpus: Corpus, learner: Learner) -> str:
    """How well questions find their passages."""
    scores = learner.encoded(corpus.questions) @ corpus.passages.T
    right = scores[np.arange(len(scores)), corpus.answers]
    rank = (scores > right[:, np.newaxis]).sum(axis=1) + 1
    return f"MRR {(1 / rank).mean():.3f}, R@10 {(rank <= 10).mean():.3f}"


def of_another_field(folder: Path) -> list[str]:
    """Some documents of a collection, each by its first words.

    Raises:
        DatasetError: the folder holds no collection.
    """
    documents = read_dataset(folder).documents
    some = documents[:: -(-len(documents) // MOST_KEPT)]
    return [text for d in some if (text := " ".join(f"{d[1]} {d[2]}".split()[:WORDS_KEPT]))]


@click.command()
@click.option("--index", required=True, metavar="DIR|URL", help="Index that holds the passages.")
@click.option("--rank", type=click.IntRange(1), default=RANK, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=EPOCHS, show_default=True)
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=RATE, show_default=True)
@click.option("--dataset", "datasets", multiple=True, type=click.Path(path_type=Path))
@click.option("--without", metavar="CORPUS", help="Leave this corpus out, and judge by it.")
def main(
    index: str,
    rank: int,
    epochs: int,
    rate: float,
    datasets: tuple[Path, ...],
    without: str | None,
) -> None:
    """Learn what is added to the model for questions, and keep it."""
    from sentence_transformers import SentenceTransformer

    source = find_model(DEFAULT_MODEL)
    assert isinstance(source, Path)
    written, missing = corpora_of(open_store(index), without)
    if missing:
        click.echo(f"{missing} passages with questions are not in this index: left out.")
    some = [corpus for name, corpus in written.items() if name != without]
    kept = [text for folder in datasets for text in of_another_field(folder)]
    learner = Learner(SentenceTransformer(str(source), device="cpu"), rank)
    before = {name: told_of(corpus, learner) for name, corpus in written.items()}
    for number, loss in enumerate(learner.learn(some, epochs, rate, kept), start=1):
        click.echo(f"{number} of {epochs} times through: loss {loss:.3f}")
    learner.keep(KEPT)
    for name, corpus in written.items():
        seen = "unseen" if name == without else "learned from"
        told = f"{before[name]} before, {told_of(corpus, learner)} now"
        click.echo(f"{name}, {len(corpus.questions)} questions, {seen}: {told}")
    if without is None:
        from indexer.embed import DEFAULT_SHA256

        tuning.write(DEFAULT_SHA256, learner.halves())
        click.echo(f"Written: {tuning.MADE}")


if __name__ == "__main__":
    main()
