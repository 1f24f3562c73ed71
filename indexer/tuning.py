"""What is added to the weights of the model that comes with the package.

A model of general English puts "nobody helps me look after dad" and "support for unpaid carers"
some way apart. From written questions and the passages they were written for it was learned what
to add to each linear layer: W + BA, of low rank (LoRA: Hu, Shen, Wallis and others, ICLR 2022).
One addition is for all texts; a second, on top of it, for questions alone. What was indexed with
other additions, or with none, is embedded again.

`python -m eval.fit_encoder` learns both. Any other model is used as it comes.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ModelError
from indexer import disk

MADE = Path(__file__).parent / "tuning.npz"
ID_LENGTH = 16
KINDS = ("passages", "questions")

Half = NDArray[np.float16]
Added = Mapping[str, tuple[Half, Half]]
"""For each linear layer, by its name in the model, B of shape (out, rank) and A of (rank, in)."""


@dataclass(frozen=True)
class Tuning:
    """What is added to a model.

    Attributes:
        weights_sha256: of the model that it is for.
        passages: what is added for all texts.
        questions: what is added for questions beside that.
        id: of all that, in hexadecimal.
    """

    weights_sha256: str
    passages: Added
    questions: Added
    id: str


def add(added: Added, model: Any) -> None:
    """Change the weights of a sentence-transformers model.

    Raises:
        ModelError: a layer is not there, or is of another shape.
    """
    import torch

    layers = dict(model.named_modules())
    for name, (out, into) in added.items():
        weight = getattr(layers.get(name), "weight", None)
        if weight is None or tuple(weight.shape) != (out.shape[0], into.shape[1]):
            raise ModelError(f"{MADE} does not fit the model: it has no such layer {name}.")
        with torch.no_grad():
            weight += torch.from_numpy(out.astype(np.float32) @ into.astype(np.float32))


def tuned_by(weights_sha256: str | None) -> str:
    """The id of what comes with the package for a model; "" where there is nothing for it.

    Raises:
        ModelError: what comes with the package is missing or damaged.
    """
    made = shipped()
    return made.id if made.weights_sha256 == weights_sha256 else ""


@lru_cache(maxsize=1)
def shipped() -> Tuning:
    """What comes with the package.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        content = MADE.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            passages, questions = (
                {n: (held[f"{kind}/{n}/B"], held[f"{kind}/{n}/A"]) for n in held["layers"].tolist()}
                for kind in KINDS
            )
            identity = sha256(content).hexdigest()[:ID_LENGTH]
            return Tuning(str(held["weights_sha256"]), passages, questions, identity)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{MADE} is missing or damaged: install icsearch again.") from error


def write(weights_sha256: str, passages: Added, questions: Added) -> None:
    """Keep what was learned, of the same layers, as what comes with the package."""
    content = io.BytesIO()
    parts: dict[str, Any] = {
        f"{kind}/{name}/{part}": held
        for kind, added in zip(KINDS, (passages, questions), strict=True)
        for name, both in added.items()
        for part, held in zip("BA", both, strict=True)
    }
    np.savez(content, weights_sha256=weights_sha256, layers=[*passages], **parts)
    disk.replace(MADE, content.getvalue())
