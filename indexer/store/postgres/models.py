"""Exported models in the database, and their copies on this machine."""

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from corpus.errors import ModelError
from indexer.embed import MODEL, QUESTIONS, Encoder, folder_of
from indexer.store.postgres.database import Connection, Database

PART_BYTES = 4 * 2**20


def key_of(encoder: Encoder) -> str:
    """The name of a model's folder, and of its rows."""
    return folder_of(asdict(encoder.facts))


def put(connection: Connection, encoder: Encoder, models: Path) -> None:
    """Bring to the database the files of a model that are not there."""
    key = key_of(encoder)
    rows = connection.execute("SELECT DISTINCT file FROM icsearch.models WHERE model = %s", (key,))
    held = {name for (name,) in rows}
    files = [MODEL, "tokenizer.json", "encoder.json"]
    files += [QUESTIONS] if encoder.facts.tuned else []
    wanted = [name for name in files if name not in held]
    if not wanted:
        return
    with connection.transaction(), connection.cursor() as cursor:
        statement = "COPY icsearch.models (model, file, part, content) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.set_types(["text", "text", "int4", "bytea"])
            for name in wanted:
                with (models / key / name).open("rb") as file:
                    part = 0
                    while content := file.read(PART_BYTES):
                        copy.write_row((key, name, part, content))
                        part += 1


def model_folder(database: Database, index_id: str, models: Path) -> Path:
    """The folder with the model of a generation; what it lacks is fetched from the database.

    Raises:
        ModelError: the folder cannot be written, or the database has no model.
    """
    ((manifest,),) = database.rows(
        "SELECT manifest FROM icsearch.generations WHERE index_id = %s", (index_id,)
    )
    key = folder_of(json.loads(manifest)["made"]["model"])
    folder = models / key
    rows = database.rows("SELECT DISTINCT file FROM icsearch.models WHERE model = %s", (key,))
    missing = [name for (name,) in rows if not (folder / name).exists()]
    if not rows and not folder.exists():
        raise ModelError("The database lacks its model; run: icsearch index.")
    if not missing:
        return folder
    try:
        models.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".fetched-", dir=models))
        try:
            for name in missing:
                _fetch(database, key, name, work / name)
            if not folder.exists():
                work.rename(folder)
            else:
                for name in missing:
                    (work / name).rename(folder / name)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"The model cannot be kept in {models} ({error.strerror or error}); "
            "set ICSEARCH_MODELS to a folder that can be written."
        ) from error
    return folder


def _fetch(database: Database, key: str, name: str, path: Path) -> None:
    query = "SELECT content FROM icsearch.models WHERE model = %s AND file = %s AND part = %s"
    part = 0
    with path.open("wb") as file:
        while found := database.rows(query, (key, name, part)):
            file.write(found[0][0])
            part += 1
