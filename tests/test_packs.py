"""A pack's documents proposed from its agenda."""

from dataclasses import replace

import pytest

from corpus import open_catalogue
from corpus.model import Page, Reading
from indexer.assemble import assemble
from indexer.load import load
from indexer.packs import propose


def test_the_council_pack_proposes_its_two_items() -> None:
    catalogue = open_catalogue()
    document = catalogue.documents["sefton-plan-2023-25"]
    whole = replace(document, pages=None, first_line=None)
    (reading,) = assemble(load(catalogue.path(document)), [whole])
    assert [(p.title, p.pages) for p in propose(reading)] == [
        ("Sefton Plan 2023-25", "3-130"),
        ("Special Educational Needs and Disabilities Joint Commissioning Plan", "131-196"),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("A plan (Pages 1 - 2)\nAnother (Pages 3 to 4)", 2),
        ("A plan (Pages 1 - 2)", 0),
        ("A plan (Pages 1 - 3)\nAnother (Pages 2 - 4)", 0),
        ("A plan (Pages 1 - 2)\nAnother (Pages 3 - 99)", 0),
        ("See the plan for more.", 0),
    ],
)
def test_only_items_that_fit_are_proposed(text: str, count: int) -> None:
    pages = tuple(Page(n, 0, len(text)) for n in range(1, 5))
    assert len(propose(Reading(text, (), pages))) == count
