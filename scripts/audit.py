"""Known weaknesses in what is pinned, from advisories on this machine: no internet is asked.

    python scripts/audit.py FOLDER [PINS]

FOLDER holds advisories in the OSV format, one a file, JSON or YAML: a copy of the PyPA's database
(github.com/pypa/advisory-database) or the unpacked archive of the ecosystem PyPI from osv.dev.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PINS = Path(__file__).resolve().parent.parent / "constraints.txt"


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 nothing is known, 1 something is, 2 there is nothing to judge by."""
    folder = Path(arguments[0]) if arguments else Path()
    pinned = pins(Path(arguments[1]) if len(arguments) > 1 else PINS)
    advisories = 0
    found = set()
    for advisory in read(folder) if arguments else ():
        advisories += 1
        found |= {
            f"{name} {version}: {advisory['id']} {told(advisory)}"
            for name, version in pinned.items()
            if concerns(advisory, name, version)
        }
    if not advisories:
        sys.stderr.write(f"There are no advisories for PyPI in {folder.absolute()}.\n")
        return 2
    for line in sorted(found):
        sys.stdout.write(f"{line}\n")
    count = f"{len(pinned)} packages by {advisories} advisories"
    sys.stdout.write(f"{len(found)} known weaknesses in {count}.\n")
    return 1 if found else 0


def pins(path: Path) -> dict[str, Version]:
    """The packages of a file of name==version lines."""
    lines = re.findall(r"^([\w.-]+)==([^\s;#]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in lines}


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The advisories in a folder that are for PyPI and not withdrawn."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".yaml", ".yml")):
        text = path.read_text(encoding="utf-8")
        # As text alone: YAML would make a number of version 1.10.
        one = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.BaseLoader)  # noqa: S506
        if isinstance(one, dict) and "id" in one and not one.get("withdrawn"):
            if any(
                a.get("package", {}).get("ecosystem") == "PyPI" for a in one.get("affected", [])
            ):
                yield one


def told(advisory: Mapping[str, Any]) -> str:
    """Other names of a weakness, and its first line."""
    said = str(advisory.get("summary") or advisory.get("details") or "").strip().split("\n")[0]
    return " ".join([*(f"({a})" for a in advisory.get("aliases", [])), said[:120]])


def concerns(advisory: Mapping[str, Any], name: str, version: Version) -> bool:
    """Whether a version is named, or stands in a range."""
    for affected in advisory["affected"]:
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI" or canonicalize_name(package["name"]) != name:
            continue
        ranges = [r for r in affected.get("ranges", []) if r["type"] in ("ECOSYSTEM", "SEMVER")]
        if any(same(v, version) for v in affected.get("versions", [])):
            return True
        if any(within(r["events"], version) for r in ranges):
            return True
    return False


def same(text: str, version: Version) -> bool:
    """Whether a text is a version; some old ones are none."""
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def within(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    """Whether the last event up to a version lets it be affected."""
    steps = sorted((Version(v), kind) for e in events for kind, v in e.items() if kind != "limit")
    affected = False
    for at, kind in steps:
        if at < version or (at == version and kind != "last_affected"):
            affected = kind == "introduced"
    return affected


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
