"""Comparisons, priorities and commitments as files that go into a paper: CSV, XLSX, DOCX, JSON.

Every row carries its whole citation, hashes and all, so that `icsearch verify` can check the file
against the documents years later. The same result always gives the same bytes.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from corpus.errors import QueryError
from corpus.model import System
from search_api import export_comparison
from search_api import export_priorities as of_priorities
from search_api.model import Commitments, Comparison, Priorities
from search_api.sheets import ABOUT_PLACE, LIST_JOIN, Rows, as_csv, as_json, as_xlsx, cited

COMMITMENT_COLUMNS = (
    "system_name",
    "due",
    "due_text",
    "action",
    "target",
    "value",
    "unit",
    "milestones",
    "owner",
    "ladder",
    "themes",
)


def export(  # `format` as the option is called
    comparison: Comparison,
    format: str,  # noqa: A002
    packs: Collection[str] = (),
) -> bytes:
    """A comparison as a file.

    Args:
        format: csv, xlsx, docx or json.
        packs: documents whose pages are those of a pack (`cite.packed`).

    Raises:
        QueryError: there is no such format.
    """
    writers: dict[str, Callable[[Comparison], bytes]] = {
        "csv": export_comparison.csv_of,
        "xlsx": export_comparison.xlsx_of,
        "docx": partial(export_comparison.docx_of, packs=packs),
        "json": as_json,
    }
    return _writer(writers, format)(comparison)


def export_priorities(
    priorities: Priorities,
    format: str,  # noqa: A002
    packs: Collection[str] = (),
) -> bytes:
    """Declared priorities as a file.

    Args:
        format: csv, xlsx, docx or json.
        packs: documents whose pages are those of a pack (`cite.packed`).

    Raises:
        QueryError: there is no such format.
    """
    writers: dict[str, Callable[[Priorities], bytes]] = {
        "csv": of_priorities.csv_of,
        "xlsx": of_priorities.xlsx_of,
        "docx": partial(of_priorities.docx_of, packs=packs),
        "json": as_json,
    }
    return _writer(writers, format)(priorities)


def export_commitments(
    commitments: Commitments,
    format: str,  # noqa: A002
    systems: Mapping[str, System],
) -> bytes:
    """Commitments as a file.

    Args:
        format: csv, xlsx or json.
        systems: by id, for their names.

    Raises:
        QueryError: there is no such format.
    """
    writers: dict[str, Callable[[Commitments], bytes]] = {
        "csv": lambda found: as_csv(*_register(found, systems)),
        "xlsx": partial(_register_xlsx, systems=systems),
        "json": as_json,
    }
    return _writer(writers, format)(commitments)


def _writer(writers: Mapping[str, Callable[[Any], bytes]], form: str) -> Callable[[Any], bytes]:
    if form not in writers:
        known = ", ".join(writers)
        raise QueryError(f"There is no export as {form!r}; there are {known}.", field="format")
    return writers[form]


def _register(found: Commitments, systems: Mapping[str, System]) -> tuple[tuple[str, ...], Rows]:
    """A row for each commitment."""
    return cited(
        COMMITMENT_COLUMNS,
        (
            (
                (
                    systems[c.system].name,
                    c.due,
                    c.due_text,
                    c.action,
                    c.target,
                    c.value,
                    c.unit,
                    LIST_JOIN.join(f"{m.due}: {m.text}" for m in c.milestones),
                    c.owner,
                    c.ladder,
                    LIST_JOIN.join(c.themes),
                ),
                c.citation,
            )
            for c in found.commitments
        ),
    )


def _register_xlsx(found: Commitments, systems: Mapping[str, System]) -> bytes:
    notes = [f"{len(found.commitments)} of {found.total} commitments.", *found.notes, ABOUT_PLACE]
    return as_xlsx("Commitments", {"Commitments": _register(found, systems)}, notes, found.index_id)
