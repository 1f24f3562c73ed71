"""No secret in the repository, and no test named in the documentation that is not there."""

import re
import subprocess
from pathlib import Path

from indexer.settings import CHECKOUT

SECRET = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}|\bsk-[A-Za-z0-9]{32,}\b|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\."
    r"|://[^/\s:@{}]+:[^/\s:@{}…]{4,}@(?!127\.0\.0\.1|localhost|[^/\s]*\.?example)"
)


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(CHECKOUT), "ls-files", "-z"], capture_output=True, check=True
    )
    return [CHECKOUT / name for name in listed.stdout.decode().split("\0") if name]


def test_there_is_no_secret_in_the_repository() -> None:
    found = []
    for path in files():
        if path.is_file() and path.name != Path(__file__).name:
            text = path.read_bytes().decode(errors="replace")
            found += [f"{path.name}: {m[0][:40]}" for m in SECRET.finditer(text)]
    assert found == []


def test_the_scan_would_find_one() -> None:
    assert SECRET.search("-----BEGIN RSA PRIVATE KEY-----")
    assert SECRET.search("https://user:hunter2@host.test/x")
    assert not SECRET.search("postgresql://user@127.0.0.1/x")


def test_every_test_that_the_security_page_names_is_there() -> None:
    page = (CHECKOUT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    there = set()
    for path in (CHECKOUT / "tests").glob("test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    assert len(named) > 30
    assert named <= there, named - there
