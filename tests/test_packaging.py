"""The wheel, the documentation and the layers are what they say they are."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from indexer.settings import CHECKOUT
from search_api.cli import ELSEWHERE, main

PACKAGES = ("corpus", "indexer", "search_api", "web", "eval")


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        content: dict[str, object] = tomllib.load(file)["project"]
    return content


def test_the_wheel_holds_five_packages_and_no_documents(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(tmp_path),
            str(CHECKOUT),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == set(PACKAGES)
    assert "corpus/themes.toml" in names
    assert "indexer/store/postgres/migrations/0001_generations.sql" in names
    assert not [n for n in names if n.startswith("corpus/documents/")]
    assert any(n.startswith("web/templates/") for n in names)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_are_ours(package: str) -> None:
    module = __import__(package)
    assert Path(str(module.__file__)).is_relative_to(CHECKOUT)


def test_the_version_is_in_the_changelog(project: dict[str, object]) -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    assert versions[0] == project["version"]
    assert len(versions) == len(set(versions))


def test_torch_has_one_line_of_its_own(project: dict[str, object]) -> None:
    lines = (CHECKOUT / "requirements-torch.txt").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["torch==2.13.*"]
    assert "torch" not in str(project["dependencies"])
    assert not re.search(r"(?m)^torch\b", (CHECKOUT / "constraints.txt").read_text())


def test_every_dependency_is_pinned(project: dict[str, object]) -> None:
    pins = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower()
        for line in (CHECKOUT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    wanted = [*project["dependencies"], *(d for extra in extras.values() for d in extra)]  # type: ignore[misc]
    names = {re.split(r"[<>=!\[ ]", d)[0].lower().replace("_", "-") for d in wanted}
    assert names <= pins, names - pins


def test_every_verb_is_documented() -> None:
    readme = (CHECKOUT / "README.md").read_text() + (CHECKOUT / "docs" / "api.md").read_text()
    readme += (CHECKOUT / "CONTRIBUTING.md").read_text()
    for verb in {*main.commands, *ELSEWHERE} - {"info", "documents", "systems"}:
        assert f"icsearch {verb}" in readme, verb


def test_links_between_documents_lead_somewhere() -> None:
    for page in [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
