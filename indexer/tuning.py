"""What is added to the weights of the model that encodes questions; passages keep the model as is.

A model of general English puts "nobody helps me look after dad" and "support for unpaid carers"
some way apart. From written questions and the passages they were written for it was learned what
to add to each linear layer: W + BA, of low rank (LoRA: Hu, Shen, Wallis and others, ICLR 2022).
Passages are encoded by the model itself, so no index is embedded again.

`python -m eval.fit_questions` learns it, for the model that comes with the package. With another
model questions are encoded as passages are.
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

MADE = Path(__file__).parent / "questions.npz"
ID_LENGTH = 16

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Tuning:
    """What is added to a model.

    Attributes:
        weights_sha256: of the model that it is for.
        added: for each linear layer, by its name in the model, B of shape (out, rank) and A of
            shape (rank, in).
        id: of all that, in hexadecimal.
    """

    weights_sha256: str
    added: Mapping[str, tuple[Half, Half]]
    id: str

    def add_to(self, model: Any) -> None:
        """Change the weights of a sentence-transformers model.

        Raises:
            ModelError: a layer is not there, or is of another shape.
        """
        import torch

        layers = dict(model.named_modules())
        for name, (out, into) in self.added.items():
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
            added = {n: (held[f"{n}/B"], held[f"{n}/A"]) for n in held["layers"].tolist()}
            return Tuning(
                str(held["weights_sha256"]), added, sha256(content).hexdigest()[:ID_LENGTH]
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{MADE} is missing or damaged: install icsearch again.") from error


def write(weights_sha256: str, added: Mapping[str, tuple[Half, Half]]) -> None:
    """Keep what was learned as what comes with the package."""
    content = io.BytesIO()
    parts: dict[str, Any] = {
        f"{name}/{part}": held
        for name, both in added.items()
        for part, held in zip("BA", both, strict=True)
    }
    np.savez(content, weights_sha256=weights_sha256, layers=[*added], **parts)
    disk.replace(MADE, content.getvalue())
