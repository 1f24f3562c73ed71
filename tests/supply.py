"""What the project is made of: the packages it comes to need, their pins and their licences.

python -m tests.supply > docs/licences.md
"""

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement

from indexer.settings import CHECKOUT

HEAD = """# Licences

What `icsearch` needs besides Python, by what it is needed for, as the packages themselves say.
Written by `python -m tests.supply > docs/licences.md`; `make sbom` writes more, as CycloneDX.
Vendored files have their licences beside them: nhsuk-frontend and htmx under `web/static`,
axe-core under `tests/vendor`.

| package | licence | needed for |
|---|---|---|
"""


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: by extra, "serving" being what everybody needs."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = {"serving": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(r) for r in names] for extra, names in asked.items()}


def needed(asked: Iterable[Requirement]) -> dict[str, importlib.metadata.Distribution]:
    """The packages that are asked for and all that they ask for, by canonical name.

    What this machine does not need, or does not have installed, is left out.
    """
    found: dict[str, importlib.metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(r, frozenset([""])) for r in asked]
    while todo:
        requirement, extras = todo.pop()
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = canonical(requirement.name)
        inner = frozenset(requirement.extras) | {""}
        if (name, inner) in seen:
            continue
        seen.add((name, inner))
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        todo += [(Requirement(r), inner) for r in found[name].requires or []]
    return found


def pins() -> dict[str, str]:
    """The exact versions in constraints.txt, by canonical name."""
    lines = (CHECKOUT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonical(name): version for name, version in pairs}


def licence(package: importlib.metadata.Distribution) -> str:
    """The licence that a package's metadata names, in a line."""
    told = package.metadata
    named = told.get("License-Expression") or ""
    if not named:
        classifiers = [c for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
        named = ", ".join(c.rsplit(" :: ", 1)[-1] for c in classifiers)
    if not named:
        first = (told.get("License") or "").strip().splitlines()
        named = first[0] if first else ""
    return named.replace("|", "/") or "not stated"


def table(by_extra: Mapping[str, Iterable[Requirement]]) -> str:
    """All packages with licence and purpose, as Markdown."""
    purposes: dict[str, list[str]] = {}
    packages: dict[str, importlib.metadata.Distribution] = {}
    for extra, asked in by_extra.items():
        for name, package in needed(asked).items():
            packages[name] = package
            purposes.setdefault(name, []).append(extra)
    lines = []
    for name in sorted(packages):
        purpose = "serving" if "serving" in purposes[name] else ", ".join(purposes[name])
        lines.append(f"| {name} | {licence(packages[name])} | {purpose} |\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(HEAD + table(wanted()))
