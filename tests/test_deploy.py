"""What is written of settings and deployment is true of the code."""

import re
import runpy

import pytest
from click.testing import CliRunner

from indexer.settings import CHECKOUT
from search_api.cli import main

SCRIPT = runpy.run_path(str(CHECKOUT / "scripts" / "settings_table.py"))
FILES = [
    *CHECKOUT.glob("*.md"),
    *CHECKOUT.glob("docs/*.md"),
    *CHECKOUT.glob("deploy/*"),
    CHECKOUT / "Dockerfile",
    CHECKOUT / "compose.yaml",
]


def test_the_page_of_settings_is_that_of_the_code() -> None:
    wanted = SCRIPT["page"]()
    found = SCRIPT["PAGE"].read_text(encoding="utf-8")
    assert found == wanted, "run: python scripts/settings_table.py"


def test_every_setting_says_what_it_is() -> None:
    for _, settings in SCRIPT["CLASSES"]:
        for name, field in settings.model_fields.items():
            assert field.description, name


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_settings_that_are_named_exist(path: object) -> None:
    known = {
        f"ICSEARCH_{name.upper()}"
        for _, settings in SCRIPT["CLASSES"]
        for name in settings.model_fields
    }
    for name, several in re.findall(r"(ICSEARCH_[A-Z][A-Z_]*)([*…]?)", path.read_text()):  # type: ignore[attr-defined]
        assert any(k.startswith(name) for k in known) if several else name in known, name


def test_the_unit_and_the_image_start_what_there_is() -> None:
    told = CliRunner().invoke(main, ["serve", "--help"]).output
    unit = (CHECKOUT / "deploy" / "icsearch.service").read_text()
    image = (CHECKOUT / "Dockerfile").read_text()
    for option in {*re.findall(r"--[a-z-]+", re.findall(r"ExecStart=.*", unit)[0])}:
        assert option in told
    for option in {*re.findall(r'"(--[a-z]+)"', image.rpartition("CMD")[2])}:
        assert option in told
    for source in re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", image, re.MULTILINE):
        for name in source.split():
            assert (CHECKOUT / name).exists(), name


def test_citus_is_told_of_every_table() -> None:
    made, told = set(), (CHECKOUT / "deploy" / "citus.sql").read_text()
    for step in (CHECKOUT / "indexer" / "store" / "postgres" / "migrations").glob("*.sql"):
        for name, body in re.findall(
            r"CREATE TABLE icsearch\.(\w+) \((.*?)\n\)", step.read_text(), re.DOTALL
        ):
            made.add(name)
            spread = f"create_distributed_table('icsearch.{name}', 'document_id'" in told
            assert spread == ("document_id" in body), name
    # The model is read once by each machine: the coordinator keeps it.
    kept = {name for name in made if f"create_reference_table('icsearch.{name}')" in told}
    spread_out = set(re.findall(r"create_distributed_table\('icsearch\.(\w+)'", told))
    assert kept | spread_out | {"models"} == made
