"""What `indexer.tuning` adds to the model, learned from questions written for passages.

    python -m eval.fit_encoder --index .index --teacher FOLDER --dataset DIR

Of the layers of the model only additions of low rank are learned (LoRA: Hu, Shen, Wallis and
others, ICLR 2022), by AdamW with a rate that falls to nothing, and twice. First for both: each
question should have a greater cosine with its passage than with the others of its batch, all of one
corpus (softmax, cross-entropy: Henderson, Al-Rfou and others, 2017); a passage is read half the
time with its context, as it is embedded. Then for questions alone, the passages staying where they
are: each should be nearer to what answers it than to any other passage of its corpus. That many
passages answer a broad question only the second can tell, and where passages should stand that
nobody asked for only the first.

Judged questions are not read. Beside the questions to passages of documents there are those of
`invented.jsonl`, whose passages are in no document: they are there so that what is learned holds
for documents that nobody wrote questions for. The second time the wordings of the concepts are
questions to all passages that are about the concept: the invented ones that were written for it,
and those of `tagged.jsonl`.

A larger model (`--teacher`) learns the same questions first. How it spreads a question over the
passages is learned as well as which passage it was written for (knowledge distillation: Hinton,
Vinyals and Dean, 2015), and this over the passages of documents for questions that were not written
for them.

Texts of other fields (`--dataset`, the documents of public collections, never their questions) keep
the vectors that the model gives them, so that it forgets nothing else. `--without CORPUS` leaves
one corpus out and says what the rest does for its questions, unseen; it then writes nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from corpus import Passage
from eval.dataset import read_dataset
from eval.labels import read_labels
from indexer import split, tuning
from indexer.embed import DEFAULT_MODEL, DEFAULT_SHA256, by_length, find_model
from indexer.store import Store, open_store
from search_api.concepts import listed
from search_api.retrieve import text_to_embed
from search_api.understand import Understander

Numbers = NDArray[np.float32]
Texts = tuple[str, ...]
Answers = tuple[Mapping[int, float], ...]
Batch = TypeVar("Batch")

INVENTED = "invented"
SCALE = 20.0
"""How sharply the softmax tells cosines apart: as the model itself was trained."""
RANK = 32
EPOCHS_OF_BOTH = 1
RATE_OF_BOTH = 6e-4
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
PAIRS = 128
"""Questions of a step that is learned for both, each with a passage that it was written for."""
BATCH = 64
ALIKE = 8
"""So many batches' pairs are put together by the length of the passages, to pad little."""
KEPT = 0.8
"""The share of what was learned for questions alone that is added: between the model before and
after lies one that does better on what it has not seen (Wortsman, Ilharco and others, CVPR 2022).
"""
WARM_UP = 20
MOST_PIECES = 64
MOST_PIECES_OF_PASSAGES = 192
MOST_KEPT = 1_000
"""Texts of each other field, evenly spaced."""
WORDS_KEPT, FEW_WORDS_KEPT = 60, 20
"""Of each such text, when passages and when questions are learned."""
LIKE_LENGTH = 12
"""Questions whose numbers of characters differ by less may be put into a batch, to pad little."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Questions to the passages of some documents.

    Attributes:
        alone: the passages.
        context: each with its context, as it is embedded too; the same where it has none.
        questions: as they are embedded.
        answers: for each question what each passage that answers it counts, by its place. Where no
            question has any, what the teacher says is all that is known.
        vectors: of the passages, shape (passages, dimensions), once they stay where they are.
        taught: the teacher's vectors of the questions and of the passages.
    """

    alone: Texts
    context: Texts
    questions: Texts
    answers: Answers
    vectors: Numbers | None = None
    taught: tuple[Numbers, Numbers] | None = None


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
        """By the name of what their passages are of: the written questions, then the concepts.

        A corpus of documents has, last, the questions to other passages.

        Args:
            without: the questions of this corpus go to its own passages alone.
        """
        entries = read_labels("invented.jsonl")
        texts = tuple(entry["text"] for entry in entries)
        written = [(n, q) for n, entry in enumerate(entries) for q in entry["questions"]]
        about: dict[str, dict[int, float]] = {}
        for place, entry in enumerate(entries):
            about.setdefault(entry["concept"], {})[place] = 1.0
        out = {INVENTED: self._corpora(texts, texts, written, about)}
        for name, own in self._written.items():
            out[name] = self._of_documents(name, own)
        asked = {name: some[0].questions for name, some in out.items()}
        for name in self._written:
            others = [
                q for other in out if other not in (name, without) for q in asked[other][::ONE_OF]
            ]
            out[name].append(
                replace(out[name][0], questions=tuple(others), answers=({},) * len(others))
            )
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
        passages = [self._passages[row] for row in among]
        about: dict[str, dict[int, float]] = {}
        for row, entry in tagged:
            for grade, worth in (("squarely", 1.0), ("partly", PARTLY)):
                for concept in entry[grade]:
                    about.setdefault(concept, {})[place[row]] = worth
        return self._corpora(
            tuple(split.embedded_text(p, p.start) for p in passages),
            tuple(self._in_context(p) for p in passages),
            [(place[row], question) for row, question in own],
            about,
        )

    def _corpora(
        self,
        alone: Texts,
        context: Texts,
        written: Sequence[tuple[int, str]],
        about: Mapping[str, Mapping[int, float]],
    ) -> list[Corpus]:
        questions = tuple(self._as_embedded(question) for _, question in written)
        asked = [
            (text, about[words[0]])
            for words, wordings in listed()
            if max(about.get(words[0], {}).values(), default=0.0) == 1.0
            for text in (*wordings, *words)
        ]
        return [
            Corpus(alone, context, questions, tuple({place: 1.0} for place, _ in written)),
            Corpus(alone, context, tuple(t for t, _ in asked), tuple(a for _, a in asked)),
        ]

    def _in_context(self, passage: Passage) -> str:
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

    def of_passages(self, corpus: Corpus) -> Numbers:
        """The vectors of a corpus's passages, as an index keeps them: with and without context."""
        both = self.encoded(corpus.alone, MOST_PIECES_OF_PASSAGES)
        if corpus.context != corpus.alone:
            both = both + self.encoded(corpus.context, MOST_PIECES_OF_PASSAGES)
        mixed: Numbers = both / np.linalg.norm(both, axis=1, keepdims=True)
        return mixed

    def learn_both(
        self, corpora: Sequence[Corpus], epochs: int, rate: float, kept: Sequence[str] = ()
    ) -> Iterator[float]:
        """Go through all questions and their passages so many times; the mean loss of each time.

        Args:
            kept: texts whose vectors should stay as they are.
        """
        chance = np.random.default_rng(SEED)

        def loss(batch: Pairs) -> Any:
            corpus = corpora[batch.corpus]
            texts = corpus.alone if chance.random() < 0.5 else corpus.context
            passages = self.vectors([texts[n] for n in batch.passages], MOST_PIECES_OF_PASSAGES)
            return self._loss(corpus, batch.questions, passages, batch.passages)

        # Questions and passages of a step are compared with each other: chance must not part them.
        yield from self._learn(lambda: pairs(corpora, chance), loss, epochs, rate, kept, False)

    def learn_questions(
        self, corpora: Sequence[Corpus], epochs: int, rate: float, kept: Sequence[str] = ()
    ) -> Iterator[float]:
        """Go through all questions so many times, the passages staying where they are.

        Args:
            corpora: with vectors.
            kept: texts whose vectors should stay as they are.
        """
        import torch

        chance = np.random.default_rng(SEED)
        stay = [torch.from_numpy(c.vectors) for c in corpora if c.vectors is not None]

        def loss(batch: tuple[int, NDArray[np.int64]]) -> Any:
            which, questions = batch
            return self._loss(corpora[which], questions, stay[which])

        yield from self._learn(lambda: batches(corpora, chance), loss, epochs, rate, kept, True)

    def _loss(
        self,
        corpus: Corpus,
        questions: Sequence[int] | NDArray[np.int64],
        passages: Any,
        places: Sequence[int] | slice = slice(None),
    ) -> Any:
        import torch

        scores = SCALE * self.vectors([corpus.questions[i] for i in questions]) @ passages.T
        wanted = torch.from_numpy(wanted_of(corpus, questions, places))
        return torch.nn.functional.cross_entropy(scores, wanted)

    def _learn(
        self,
        order_of: Callable[[], list[Batch]],
        loss_of: Callable[[Batch], Any],
        epochs: int,
        rate: float,
        kept: Sequence[str],
        dropout: bool,
    ) -> Iterator[float]:
        import torch

        others = [kept[at : at + BATCH] for at in range(0, len(kept), BATCH)]
        stay = [torch.from_numpy(self.encoded(some, MOST_PIECES_OF_PASSAGES)) for some in others]
        optimizer = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=0.0)
        order = order_of()
        steps = epochs * len(order)

        def share(step: int) -> float:
            return min((step + 1) / WARM_UP, max(0.01, 1 - step / (steps + 1)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        for _ in range(epochs):
            self._model.train(dropout)
            losses = []
            every = max(1, len(order) // len(others)) if others else 0
            for number, batch in enumerate(order):
                loss = loss_of(batch)
                if every and number % every == 0 and number // every < len(others):
                    now = self.vectors(others[number // every], MOST_PIECES_OF_PASSAGES)
                    loss = loss + SCALE * (1 - (now * stay[number // every]).sum(dim=1)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            order = order_of()
            yield float(np.mean(losses))

    def settle(self, share: float = 1.0) -> dict[str, tuple[tuning.Half, tuning.Half]]:
        """Add a share of what was learned to the model and begin anew.

        Returns:
            What was added, in half precision.
        """
        import torch

        out = {}
        layers = dict(self._model.named_modules())
        with torch.no_grad():
            for name, (b, a) in self.added.items():
                b *= share
                out[name] = tuple(part.detach().numpy().astype(np.float16) for part in (b, a))
                layers[name].weight += b @ a
                b.zero_()
                a.normal_(std=1 / math.sqrt(a.shape[1]))
        return out


def _with(layer: Any, b: Any, a: Any) -> Any:
    import torch

    def forward(values: Any) -> Any:
        linear = torch.nn.functional.linear
        return linear(values, layer.weight, layer.bias) + linear(linear(values, a), b)

    return forward


def wanted_of(
    corpus: Corpus,
    questions: Sequence[int] | NDArray[np.int64],
    places: Sequence[int] | slice = slice(None),
) -> Numbers:
    """How questions should be spread over passages: shape (questions, passages), rows sum to 1.

    By the passages that answer them, and for a share (`TAUGHT`) as the teacher does, if there is
    one; wholly so where no answer is known.

    Args:
        places: of the passages that they are spread over, each once; all of the corpus if not said.
    """
    all_of_them = np.zeros((len(questions), len(corpus.alone)), dtype=np.float32)
    for row, i in enumerate(questions):
        for place, worth in corpus.answers[i].items():
            all_of_them[row, place] = worth
    wanted = all_of_them[:, places]
    total = wanted.sum(axis=1, keepdims=True)
    wanted /= np.where(total > 0, total, 1)
    if corpus.taught is None:
        return wanted
    asked, passages = corpus.taught
    told = np.exp(SCALE * (asked[list(questions)] @ passages.T - 1))[:, places]
    told /= told.sum(axis=1, keepdims=True)
    share = np.where(total > 0, TAUGHT, 1).astype(np.float32)
    mixed: Numbers = (1 - share) * wanted + share * told
    return mixed


def taught(corpora: Mapping[str, Sequence[Corpus]], teacher: Learner) -> dict[str, list[Corpus]]:
    """The corpora with what a teacher makes of them once it has learned the first of each name."""
    own = [
        replace(some[0], vectors=teacher.encoded(some[0].context, MOST_PIECES_OF_PASSAGES))
        for some in corpora.values()
    ]
    for loss in teacher.learn_questions(own, TEACHERS_EPOCHS, TEACHERS_RATE):
        click.echo(f"The teacher, once through: loss {loss:.3f}")
    out: dict[str, list[Corpus]] = {}
    for first, (name, some) in zip(own, corpora.items(), strict=True):
        assert first.vectors is not None
        out[name] = [
            replace(corpus, taught=(teacher.encoded(corpus.questions), first.vectors))
            for corpus in some
        ]
    return out


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


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions of one corpus, and what answers them; a passage that serves two stands once."""

    corpus: int
    questions: tuple[int, ...]
    passages: tuple[int, ...]


def pairs(corpora: Sequence[Corpus], chance: np.random.Generator) -> list[Pairs]:
    """Every question with its passages, those of like length together, in an order of chance."""
    out: list[Pairs] = []
    for which, corpus in enumerate(corpora):
        order = [int(i) for i in chance.permutation(len(corpus.questions))]
        length = [max(len(corpus.alone[place]) for place in some) for some in corpus.answers]
        for at in range(0, len(order), PAIRS * ALIKE):
            some = sorted(order[at : at + PAIRS * ALIKE], key=lambda i: length[i])
            for start in range(0, len(some), PAIRS):
                questions = tuple(some[start : start + PAIRS])
                places = dict.fromkeys(p for i in questions for p in corpus.answers[i])
                out.append(Pairs(which, questions, tuple(places)))
    return [out[i] for i in chance.permutation(len(out))]


def told_of(corpus: Corpus, learner: Learner) -> str:
    """How well questions find the passage that each was written for."""
    vectors = learner.of_passages(corpus) if corpus.vectors is None else corpus.vectors
    scores = learner.encoded(corpus.questions) @ vectors.T
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
@click.option("--dataset", "datasets", multiple=True, type=click.Path(path_type=Path))
@click.option("--without", metavar="CORPUS", help="Leave this corpus out, and judge by it.")
@click.option("--bfloat16", is_flag=True, help="Multiply with 16 bits, if the processor can.")
def main(
    index: str,
    teacher: str | None,
    rank: int,
    datasets: tuple[Path, ...],
    without: str | None,
    bfloat16: bool,
) -> None:
    """Learn what is added to the model for passages and for questions, and keep it."""
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

    def tell(when: str) -> None:
        for name, some in corpora.items():
            seen = "unseen" if name == without else "learned from"
            told = told_of(some[0], learner)
            click.echo(f"{when}: {name}, {len(some[0].questions)} questions, {seen}: {told}")

    tell("As it comes")
    written = [some[0] for some in own.values()]
    for loss in learner.learn_both(written, EPOCHS_OF_BOTH, RATE_OF_BOTH, kept):
        click.echo(f"Learned for both: loss {loss:.3f}")
    passages = learner.settle()
    tell("Learned for both")
    every = []
    for some in own.values():
        vectors = learner.of_passages(some[0])
        usable = [c for c in some if c.questions and (c.taught is not None or all(c.answers))]
        every += [replace(corpus, vectors=vectors) for corpus in usable]
    few = [" ".join(text.split()[:FEW_WORDS_KEPT]) for text in kept]
    fixed = {name: learner.of_passages(some[0]) for name, some in corpora.items()}
    corpora = {n: [replace(some[0], vectors=fixed[n])] for n, some in corpora.items()}
    for number, loss in enumerate(learner.learn_questions(every, EPOCHS, RATE, few), start=1):
        click.echo(f"For questions, {number} of {EPOCHS} times through: loss {loss:.3f}")
    questions = learner.settle(KEPT)
    tell("Learned for questions")
    if without is None:
        tuning.write(DEFAULT_SHA256, passages, questions)
        click.echo(f"Written: {tuning.MADE}")


def _model(name: str) -> Any:
    from sentence_transformers import SentenceTransformer

    # The usual attention goes back through its steps far more slowly on a CPU.
    return SentenceTransformer(name, device="cpu", model_kwargs={"attn_implementation": "eager"})


if __name__ == "__main__":
    main()
