"""The catalogue: what is shipped, and what a wrong one is told."""

from pathlib import Path

import pytest

from corpus import open_catalogue
from corpus.catalogue import outside_bodies, sha256_of, slug
from corpus.errors import CatalogueError


def test_shipped_catalogue_is_whole() -> None:
    catalogue = open_catalogue()
    assert list(catalogue.systems) == [
        "sefton",
        "lancashire-south-cumbria",
        "south-east-london",
        "hertfordshire-west-essex",
    ]
    assert len(catalogue.themes) >= 25
    assert all(theme.words for theme in catalogue.themes.values())


def test_every_shipped_file_is_the_one_described() -> None:
    catalogue = open_catalogue()
    for document in catalogue.documents.values():
        assert sha256_of(catalogue.path(document)) == document.sha256
    files = {p.name for p in catalogue.folder.iterdir()}
    assert files == {d.file for d in catalogue.documents.values()}


def test_the_pack_is_one_file_and_its_documents_do_not_overlap() -> None:
    pack = [d for d in open_catalogue().documents.values() if d.pages]
    assert len({d.file for d in pack}) == 1
    ranges = [tuple(map(int, str(d.pages).split("-"))) for d in pack]
    assert all(a[1] + 1 == b[0] for a, b in zip(ranges, ranges[1:], strict=False))


def test_the_predecessors_page_is_superseded() -> None:
    document = open_catalogue().documents["sefton-ccg-five-year-strategy"]
    assert (document.system, document.status, document.level) == (
        "sefton",
        "superseded",
        "predecessor",
    )


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("systems.toml", ('level = "place"', 'level = "planet"'), "level of southmere"),
        ("systems.toml", ('name = "Northvale"', 'nome = "Northvale"'), "unknown keys: nome"),
        ("systems.toml", ("[[system]]", "[system"), "not valid TOML"),
        ("documents.toml", ('system = "northvale"', 'system = "nowhere"'), "'nowhere'"),
        ("documents.toml", ('file = "north.txt"', 'file = "../north.txt"'), "must lie in"),
        ("documents.toml", ('title = "Plan of northvale"\n', ""), "lacks title"),
        ("documents.toml", ('id = "southmere-plan"', 'id = "northvale-plan"'), "used twice"),
        ("documents.toml", ('id = "southmere-plan"', 'id = "South Mere"'), "may hold only"),
        (
            "documents.toml",
            ('file = "north.txt"', 'period_to = "2025"\nfile = "x"'),
            "whole number",
        ),
    ],
)
def test_a_wrong_catalogue_is_told_in_one_sentence(
    tiny_corpus: Path, file: str, change: tuple[str, str], told: str
) -> None:
    path = tiny_corpus / file
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(CatalogueError) as error:
        open_catalogue(tiny_corpus)
    assert told in error.value.message
    assert file in error.value.message


def test_a_folder_without_catalogue_takes_systems_from_folders(tmp_path: Path) -> None:
    (tmp_path / "Great Mere").mkdir()
    (tmp_path / "Great Mere" / "joint_forward-plan.txt").write_text("A plan.")
    (tmp_path / "Great Mere" / "joint forward plan.md").write_text("Another.")
    catalogue = open_catalogue(tmp_path)
    assert list(catalogue.systems) == ["great-mere"]
    assert sorted(catalogue.documents) == [
        "great-mere-joint-forward-plan",
        "great-mere-joint-forward-plan-2",
    ]
    assert {d.title for d in catalogue.documents.values()} == {"Joint forward plan"}


def test_a_missing_or_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no corpus folder"):
        open_catalogue(tmp_path / "nowhere")
    with pytest.raises(CatalogueError, match="holds no documents"):
        open_catalogue(tmp_path)


def test_slug_and_outside_bodies() -> None:
    assert slug("Hertfordshire & West Essex’s Plan") == "hertfordshire-west-essexs-plan"
    bodies = outside_bodies()
    assert "Leicester" in bodies
    assert "West Yorkshire" in bodies
    assert bodies == tuple(sorted(bodies, key=lambda n: (-len(n), n)))
