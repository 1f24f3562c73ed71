"""The manifest of a generation: how it was made, of what, and the SHA-256 of every file in it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import IndexDamaged

FORMAT = 3
"""Raised with every change of what lies in a generation."""
READ = (2, FORMAT)
"""The formats that this version opens."""
OWN_SHA256 = "manifest.sha256"
WHAT_TO_DO = "run icsearch index to make it again, or icsearch index --rollback to go back."


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """What reading one document found.

    `reading_sha256` is of all of it, `key` of that and of how passages and vectors were made of it.
    """

    id: str
    sha256: str
    text_sha256: str
    reader: str
    pages: int
    words: int
    passages: int
    tables: int
    unreadable_pages: int
    warnings: tuple[str, ...]
    seconds: float
    reading_sha256: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Size and SHA-256 of one file of a generation."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a generation was made. `index_id` is a hash of inputs, never of time."""

    index_id: str
    built_at: str
    made: Mapping[str, Any]
    documents: tuple[DocumentReport, ...]
    failures: Mapping[str, str]
    passages: int
    systems: int
    files: Mapping[str, FileFacts]
    format: int = field(default=FORMAT)

    def text(self) -> str:
        """It as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def write(self, folder: Path) -> None:
        """Write it as `manifest.json` of a generation."""
        content = self.text().encode()
        (folder / "manifest.json").write_bytes(content)
        (folder / OWN_SHA256).write_text(hashlib.sha256(content).hexdigest() + "\n", "ascii")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a generation.

        Raises:
            IndexDamaged: it is missing, unreadable or of another format.
        """
        path = folder / "manifest.json"
        try:
            written = path.read_bytes()
            # Generations made before this file was are read without it.
            own = folder / OWN_SHA256
            if own.exists() and own.read_bytes().strip() != _hex(written):
                raise IndexDamaged(f"{path} is damaged: it is not what was written; {WHAT_TO_DO}")
            return cls.parse(written, str(folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"{path} is missing or damaged ({error}); {WHAT_TO_DO}") from error

    @classmethod
    def parse(cls, text: str | bytes, where: str) -> "Manifest":
        """The manifest that JSON describes.

        Raises:
            IndexDamaged: it is of another format.
            ValueError, KeyError, TypeError: it is no manifest.
        """
        content = json.loads(text)
        if content["format"] not in READ:
            newer = " or install the newer version" if content["format"] > FORMAT else ""
            raise IndexDamaged(
                f"The index in {where} has format {content['format']}, but this version reads "
                f"formats {READ[0]} to {FORMAT}; run: icsearch index{newer}."
            )
        content["documents"] = tuple(
            DocumentReport(**d | {"warnings": tuple(d["warnings"])}) for d in content["documents"]
        )
        content["files"] = {name: FileFacts(**f) for name, f in content["files"].items()}
        return cls(**content)

    def check_files(self, folder: Path, most_hashed: int) -> None:
        """Compare the files with what was written: sizes always, hashes of the smallest.

        Args:
            most_hashed: how many bytes may be read for hashes, the smallest files first, so that
                opening takes no longer the larger an index is.

        Raises:
            IndexDamaged: a file is missing or is not what was written; the sentence names it.
        """
        read = 0
        for name, facts in sorted(self.files.items(), key=lambda item: item[1].bytes):
            read += facts.bytes
            path = folder / name
            try:
                size = path.stat().st_size
            except OSError:
                raise IndexDamaged(f"The index lacks {path}; {WHAT_TO_DO}") from None
            if size != facts.bytes or (read <= most_hashed and sha256(path) != facts.sha256):
                raise IndexDamaged(f"{path} is damaged: it is not what was written; {WHAT_TO_DO}")


def _hex(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: object) -> str:
    """SHA-256 of a value as canonical JSON, in hexadecimal."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
