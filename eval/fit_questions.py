"""What `indexer.tuning` adds to the model that encodes questions, learned from written questions.

    python -m eval.fit_questions --index .index --teacher FOLDER

Each question should have a greater cosine with its passage than with any other of the same corpus
(softmax, cross-entropy). The passages keep the vectors that they have in the index. Of the layers
of the model only additions of low rank are learned (LoRA: Hu, Shen, Wallis and others, ICLR 2022),
by AdamW with a rate that falls to nothing. Judged questions are not read. Beside the questions to
passages of documents there are those of `invented.jsonl`, whose passages are in no document: they
are there so that what is learned holds for documents that nobody wrote questions for. The wordings
of the concepts are questions to all passages that are about the concept: the invented ones that
were written for it, and those of `tagged.jsonl`.

A larger model (`--teacher`) learns the same first. How it spreads a question over the passages is
learned as well as which passage it was written for (knowledge distillation: Hinton, Vinyals and
Dean, 2015), and this over the passages of documents for questions that were not written for them.

Texts of other fields (`--dataset`, the documents of public collections, never their questions) keep
the vectors that the model gives them, so that it forgets nothing else. `--without CORPUS` leaves
one corpus out and says what the rest does for its questions, unseen; it then writes nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from corpus import Passage
from eval.dataset import read_dataset
from eval.labels import read_labels
from indexer import split, tuning
from indexer.embed import DEFAULT_MODEL, by_length, find_model
from indexer.store import Store, open_store
from search_api.concepts import listed
from search_api.retrieve import text_to_embed
from search_api.understand import Understander

Numbers = NDArray[np.float32]
Texts = tuple[str, ...]

INVENTED = "invented"
SCALE = 20.0
"""How sharply the softmax tells cosines apart: as the model itself was trained."""
RANK = 32
EPOCHS = 3
RATE = 3e-3
TEACHERS_EPOCHS = 1
TEACHERS_RATE = 2e-3
TAUGHT = 0.4
"""How much the teacher counts where a question has a passage that it was written for."""
PARTLY = 0.25
"""What a passage that is partly about a concept counts beside one that squarely is."""
ONE_OF = 3
"""So many of the questions to other passages are spread over those of a corpus by the teacher."""
BATCH = 64
KEPT = 0.8
"""The share of what was learned that is added: between the model before and after lies one that
does better on what it has not seen (Wortsman, Ilharco and others, CVPR 2022)."""
WARM_UP = 20
MOST_PIECES = 64
MOST_PIECES_OF_PASSAGES = 256
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
        texts: each passage with its context, as it is embedded.
        questions: as they are embedded.
        answers: for each question what each passage that answers it counts, by its place; nothing
            where the teacher alone tells.
        taught: vectors that a teacher gives the questions and the passages.
    """

    passages: Numbers
    texts: Texts
    questions: Texts
    answers: tuple[Mapping[int, float], ...]
    taught: tuple[Numbers, Numbers] | None = field(default=None, repr=False)


class Known:
    """The written questions and what is about each concept, as they are to be learned from.

    Attributes:
        missing: how many passages of `written.jsonl` are not in the index.
    """

    def __init__(self, store: Store) -> None:
        """Read the labels, and find their passages in an index."""
        self._store = store
        self._passages = store.passages(range(store.manifest.passages))
        self._rows = {passage.id: row for row, passage in enumerate(self._passages)}
        self._understander = Understander(store)
        self._written: dict[str, list[tuple[int, str]]] = {}
        self.missing = 0
        for entry in read_labels("written.jsonl"):
            row = self._rows.get(entry["passage"])
            if row is None:
                self.missing += 1
            else:
                own = self._written.setdefault(entry["corpus"], [])
                own.extend((row, question) for question in entry["questions"])
        self.names = [*self._written, INVENTED]

    def corpora(self, without: str | None) -> dict[str, list[Corpus]]:
        """By the name of what their passages are of, the written questions first of each.

        Args:
            without: the questions of this corpus go to its own passages alone.
        """
        entries = read_labels("invented.jsonl")
        texts = [entry["text"] for entry in entries]
        vectors = self._store.encoder.passages(texts)
        written = [(n, q) for n, entry in enumerate(entries) for q in entry["questions"]]
        about: dict[str, dict[int, float]] = {}
        for place, entry in enumerate(entries):
            about.setdefault(entry["concept"], {})[place] = 1.0
        invented = self._corpus(vectors, texts, written)
        out = {
            INVENTED: [invented, replace(invented, **self._of_concepts(about))],
        }
        for name, own in self._written.items():
            out[name] = self._of_documents(name, own)
        asked = {name: some[0].questions for name, some in out.items()}
        for name in self._written:
            others = [
                q for other in out if other not in (name, without) for q in asked[other][::ONE_OF]
            ]
            first = out[name][0]
            out[name].append(replace(first, questions=tuple(others), answers=({},) * len(others)))
        return out

    def _of_documents(self, name: str, own: Sequence[tuple[int, str]]) -> list[Corpus]:
        tagged = [
            (self._rows[entry["passage"]], entry)
            for entry in read_labels("tagged.jsonl")
            if entry["corpus"] == name and entry["passage"] in self._rows
        ]
        named = np.array([row for row, _ in own] + [row for row, _ in tagged])
        documents = {document.id for document in self._store.documents_of(named)}
        among = np.sort(np.concatenate([np.arange(*self._store.rows_of(d)) for d in documents]))
        place = {int(row): n for n, row in enumerate(among)}
        vectors = np.asarray(self._store.vectors(among), dtype=np.float32)
        texts = [self._text(self._passages[row]) for row in among]
        first = self._corpus(vectors, texts, [(place[row], q) for row, q in own])
        about: dict[str, dict[int, float]] = {}
        for row, entry in tagged:
            for grade, worth in (("squarely", 1.0), ("partly", PARTLY)):
                for concept in entry[grade]:
                    about.setdefault(concept, {})[place[row]] = worth
        return [first, replace(first, **self._of_concepts(about))]

    def _corpus(
        self, vectors: Numbers, texts: Sequence[str], asked: Sequence[tuple[int, str]]
    ) -> Corpus:
        questions = tuple(self._as_embedded(question) for _, question in asked)
        return Corpus(vectors, tuple(texts), questions, tuple({place: 1.0} for place, _ in asked))

    def _of_concepts(self, about: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
        """Every wording and every term as a question to what is about its concept."""
        asked = [
            (text, about[words[0]])
            for words, wordings in listed()
            if max(about.get(words[0], {}).values(), default=0.0) == 1.0
            for text in (*wordings, *words)
        ]
        return {
            "questions": tuple(text for text, _ in asked),
            "answers": tuple(answers for _, answers in asked),
        }

    def _text(self, passage: Passage) -> str:
        whose = split.context(passage, self._store.systems[passage.system].name)
        return f"{whose}\n{split.embedded_text(passage, passage.start)}"

    def _as_embedded(self, question: str) -> str:
        return text_to_embed(self._understander.understand(question, None))


class Learner:
    """A sentence-transformers model whose linear layers learn additions of low rank."""

    def __init__(self, model: Any, rank: int, bfloat16: bool = False) -> None:
        """Let every linear layer of the transformer learn; all else stays as it is.

        Args:
            bfloat16: multiply with so many bits, which some processors do several times as fast.
        """
        import torch

        torch.manual_seed(SEED)
        self._model = model
        self._bfloat16 = bfloat16
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

    def vectors(self, texts: Sequence[str], most_pieces: int = MOST_PIECES) -> Any:
        """Unit vectors of texts, shape (texts, dimensions), as a tensor."""
        import torch

        given = self._model.tokenizer(
            list(texts), padding=True, truncation=True, max_length=most_pieces, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            found = self._model(dict(given))["sentence_embedding"]
        return torch.nn.functional.normalize(found.float(), dim=1)

    def encoded(self, texts: Sequence[str], most_pieces: int = MOST_PIECES) -> Numbers:
        """The same without learning, as an array."""
        import torch

        self._model.eval()
        out: Numbers | None = None
        order = by_length(texts)
        with torch.no_grad():
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                some = self.vectors([texts[i] for i in rows], most_pieces).numpy()
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
                wanted = torch.from_numpy(wanted_of(corpus, some))
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
        linear = torch.nn.functional.linear
        return linear(values, layer.weight, layer.bias) + linear(linear(values, a), b)

    return forward


def wanted_of(corpus: Corpus, some: Sequence[int] | NDArray[np.int64]) -> Numbers:
    """How questions should be spread over the passages: shape (questions, passages), rows sum to 1.

    By the passages that answer them, and for a share (`TAUGHT`) as the teacher does, if there is
    one; wholly so where no answer is known.
    """
    wanted = np.zeros((len(some), len(corpus.passages)), dtype=np.float32)
    for row, i in enumerate(some):
        for place, worth in corpus.answers[i].items():
            wanted[row, place] = worth
    total = wanted.sum(axis=1, keepdims=True)
    wanted /= np.where(total > 0, total, 1)
    if corpus.taught is None:
        return wanted
    questions, passages = corpus.taught
    told = np.exp(SCALE * (questions[some] @ passages.T - 1))
    told /= told.sum(axis=1, keepdims=True)
    share = np.where(total > 0, TAUGHT, 1).astype(np.float32)
    mixed: Numbers = (1 - share) * wanted + share * told
    return mixed


def taught(corpora: Mapping[str, Sequence[Corpus]], teacher: Learner) -> dict[str, list[Corpus]]:
    """The corpora with what a teacher makes of them once it has learned the first of each name."""
    passages = {}
    for name, some in corpora.items():
        passages[name] = teacher.encoded(some[0].texts, MOST_PIECES_OF_PASSAGES)
    own = [replace(some[0], passages=passages[name]) for name, some in corpora.items()]
    for loss in teacher.learn(own, TEACHERS_EPOCHS, TEACHERS_RATE):
        click.echo(f"The teacher, once through: loss {loss:.3f}")
    return {
        name: [
            replace(corpus, taught=(teacher.encoded(corpus.questions), passages[name]))
            for corpus in some
        ]
        for name, some in corpora.items()
    }


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
    """How well questions find the passage that each was written for."""
    scores = learner.encoded(corpus.questions) @ corpus.passages.T
    answers = np.array([next(iter(answers)) for answers in corpus.answers])
    right = scores[np.arange(len(scores)), answers]
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
@click.option("--teacher", metavar="NAME|DIR", help="A larger sentence-transformers model.")
@click.option("--rank", type=click.IntRange(1), default=RANK, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=EPOCHS, show_default=True)
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=RATE, show_default=True)
@click.option("--dataset", "datasets", multiple=True, type=click.Path(path_type=Path))
@click.option("--without", metavar="CORPUS", help="Leave this corpus out, and judge by it.")
@click.option("--bfloat16", is_flag=True, help="Multiply with 16 bits, if the processor can.")
def main(
    index: str,
    teacher: str | None,
    rank: int,
    epochs: int,
    rate: float,
    datasets: tuple[Path, ...],
    without: str | None,
    bfloat16: bool,
) -> None:
    """Learn what is added to the model for questions, and keep it."""
    known = Known(open_store(index))
    if without not in (None, *known.names):
        raise click.ClickException(
            f"The index holds no passages of the corpus {without} that questions were written for; "
            f"there are: {', '.join(known.names)}."
        )
    if known.missing:
        click.echo(f"{known.missing} passages with questions are not in this index: left out.")
    kept = [text for folder in datasets for text in of_another_field(folder)]
    source = find_model(DEFAULT_MODEL)
    assert isinstance(source, Path)
    corpora = known.corpora(without)
    own = {name: some for name, some in corpora.items() if name != without}
    if teacher is not None:
        own = taught(own, Learner(_model(teacher), rank, bfloat16))
    learner = Learner(_model(str(source)), rank, bfloat16)
    before = {name: told_of(some[0], learner) for name, some in corpora.items()}
    every = [c for some in own.values() for c in some if c.taught is not None or all(c.answers)]
    for number, loss in enumerate(learner.learn(every, epochs, rate, kept), start=1):
        click.echo(f"{number} of {epochs} times through: loss {loss:.3f}")
    learner.keep(KEPT)
    for name, some in corpora.items():
        seen = "unseen" if name == without else "learned from"
        told = f"{before[name]} before, {told_of(some[0], learner)} now"
        click.echo(f"{name}, {len(some[0].questions)} questions, {seen}: {told}")
    if without is None:
        from indexer.embed import DEFAULT_SHA256

        tuning.write(DEFAULT_SHA256, learner.halves())
        click.echo(f"Written: {tuning.MADE}")


def _model(name: str) -> Any:
    from sentence_transformers import SentenceTransformer

    # The usual attention goes back through its steps far more slowly on a CPU.
    return SentenceTransformer(name, device="cpu", model_kwargs={"attn_implementation": "eager"})


if __name__ == "__main__":
    main()
