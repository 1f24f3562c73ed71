"""Nothing unpinned, unlisted or altered gets in: packages, licences, weights, the wheel."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import ModelError
from indexer import embed
from indexer.embed import DEFAULT_MODEL, DEFAULT_PACKAGE, find_model, prepare
from indexer.settings import CHECKOUT
from tests import supply

BY_ANOTHER_FILE = {"torch"}  # requirements-torch.txt


def test_every_package_that_comes_in_is_pinned_at_what_is_installed() -> None:
    everything = [r for asked in supply.wanted().values() for r in asked]
    installed = {name: p.version for name, p in supply.needed(everything).items()}
    assert len(installed) > 100
    pinned = supply.pins()
    assert {n for n in installed if n not in pinned} <= BY_ANOTHER_FILE
    differ = {n: (v, pinned[n]) for n, v in installed.items() if pinned.get(n, v) != v}
    assert not differ


def test_every_package_of_the_product_has_its_licence_listed() -> None:
    listed = (CHECKOUT / "docs" / "licences.md").read_text()
    asked = supply.wanted()
    for name in supply.needed(asked["serving"] + asked["index"]):
        assert f"| {name} |" in listed, "run: python -m tests.supply > docs/licences.md"


def test_one_changed_bit_in_the_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = find_model(DEFAULT_MODEL)
    assert isinstance(source, Path)
    weights = tmp_path / "model" / "model.safetensors"
    weights.parent.mkdir()
    shutil.copyfile(source / weights.name, weights)
    monkeypatch.setattr(embed, "find_model", lambda name: weights.parent)
    monkeypatch.setattr(embed, "_export", lambda *_: pytest.fail("exported all the same"))
    with weights.open("r+b") as file:
        file.seek(40_000_000)
        (byte,) = file.read(1)
        file.seek(40_000_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ModelError, match="not those of all-MiniLM-L6-v2"):
        prepare(DEFAULT_MODEL, tmp_path / "store")


def test_no_code_of_a_model_package_is_run(tmp_path: Path) -> None:
    """A package of the model's name that would leave a mark if it were imported."""
    package = tmp_path / DEFAULT_PACKAGE
    (package / "model").mkdir(parents=True)
    mark = tmp_path / "imported"
    (package / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    (package / "model" / "model.safetensors").write_bytes(b"not the weights")
    code = (
        "import sys; from pathlib import Path; from indexer.embed import prepare\n"
        "prepare('all-MiniLM-L6-v2', Path(sys.argv[1]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store")],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}"},
        capture_output=True,
        text=True,
    )
    assert f"The weights in {package / 'model'} are not those" in ran.stderr
    assert not mark.exists()


def test_the_real_model_package_is_not_imported_either(index_dir: Path) -> None:
    assert importlib.util.find_spec(DEFAULT_PACKAGE)
    assert prepare(DEFAULT_MODEL, index_dir / "models").exists()
    assert DEFAULT_PACKAGE not in sys.modules


def test_the_same_source_gives_the_same_wheel(tmp_path: Path) -> None:
    wheels = []
    for name, stamp in (("first", 1_000_000_000), ("second", 1_700_000_000)):
        source = tmp_path / name
        source.mkdir()
        for part in ("corpus", "indexer", "search_api", "web", "eval"):
            left_out = shutil.ignore_patterns("__pycache__", "documents", "screenshots")
            shutil.copytree(CHECKOUT / part, source / part, ignore=left_out)
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(CHECKOUT / file, source / file)
        for path in source.rglob("*"):
            os.utime(path, (stamp, stamp))
        out = tmp_path / f"{name}-wheel"
        wanted = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", *wanted],
            check=True,
            cwd=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        (wheel,) = out.glob("*.whl")
        wheels.append(wheel.read_bytes())
    assert wheels[0] == wheels[1]


def test_an_audit_without_the_internet_knows_what_is_weak(tmp_path: Path) -> None:
    def audit(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(CHECKOUT / "scripts" / "audit.py"), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    pins = tmp_path / "pins.txt"
    pins.write_text("# made up\nSome_Thing==1.10\nother==2.0\nfixed==3.1\nold==1.0\n")
    folder = tmp_path / "vulns" / "some-thing"
    folder.mkdir(parents=True)
    nothing = audit(str(tmp_path), str(pins))
    assert nothing.returncode == 2 and "no advisories for PyPI" in nothing.stderr
    (folder / "MADE-1.yaml").write_text(
        "id: MADE-1\naliases: [CVE-0000-1]\ndetails: |\n  Made up.\n  More.\naffected:\n"
        "- package: {name: some.thing, ecosystem: PyPI}\n"
        "  ranges:\n  - type: ECOSYSTEM\n    events:\n"
        "    - introduced: 1.9\n    - last_affected: 1.10\n"
    )
    affected = [
        ("other", [], ["2.0.0", "not-a-version"]),
        ("fixed", [{"introduced": "0"}, {"fixed": "3.1"}], []),
        ("old", [{"introduced": "0"}, {"fixed": "0.9"}, {"introduced": "1.1"}], []),
    ]
    for name, events, versions in affected:
        about: dict[str, object] = {"package": {"name": name, "ecosystem": "PyPI"}}
        about |= {"versions": versions, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
        (folder / f"{name}.json").write_text(json.dumps({"id": f"X-{name}", "affected": [about]}))
    about = {"package": {"name": "fixed", "ecosystem": "PyPI"}, "versions": ["3.1"]}
    gone = {"id": "GONE", "withdrawn": "2026-01-01T00:00:00Z", "affected": [about]}
    (folder / "gone.json").write_text(json.dumps(gone))
    found = audit(str(tmp_path), str(pins))
    assert found.returncode == 1, found.stderr
    lines = found.stdout.splitlines()
    assert lines[:2] == ["other 2.0: X-other ", "some-thing 1.10: MADE-1 (CVE-0000-1) Made up."]
    assert lines[2].startswith("2 known weaknesses in 4 packages by 4 advisories")
    (folder / "MADE-1.yaml").unlink()
    (folder / "other.json").unlink()
    assert audit(str(tmp_path), str(pins)).returncode == 0
