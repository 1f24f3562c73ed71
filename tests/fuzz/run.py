"""Fuzz one target for a while, led by coverage: python -m tests.fuzz.run TARGET [SECONDS].

`make fuzz` runs all. A finding is written to tests/fuzz/found and named; put it, made small, into
tests/fuzz/corpus with its mending.
"""

import io
import sys
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["indexer", "search_api", "corpus"]):
    import search_api.understand  # noqa: F401
    from tests.fuzz.targets import PARTS, TARGETS, package, tried

HERE = Path(__file__).parent


def seeds(name: str) -> list[bytes]:
    """What the fuzzer starts from, beside the corpus: small files of our own making."""
    from tests import attacks

    if name == "question":
        return [b"what do other ICSs say about dementia", b'UEC -sefton "end of life" not LSC?']
    suffix = {"text": "txt", "markdown": "md"}.get(name, name)
    made = [a.make() for a in attacks.ATTACKS.values() if a.suffix == suffix]
    if name in PARTS:
        with zipfile.ZipFile(io.BytesIO(package(name))) as archive:
            made.append(archive.read(PARTS[name]))
    return [content for content in made if len(content) < 60_000]


def main() -> None:
    """Runs until the time is up or something is found."""
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    if name not in TARGETS:
        sys.exit(f"There is no target {name}; there are {', '.join(TARGETS)}.")
    start = HERE / "seeds" / name
    found = HERE / "found"
    for folder in (start, found, HERE / "corpus" / name):
        folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(name)):
        (start / f"{number}").write_bytes(content)
    sys.argv[1:] = [
        f"-max_total_time={seconds}",
        "-max_len=65536",
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={found}/{name}-",
        str(start),
        str(HERE / "corpus" / name),
    ]
    atheris.Setup(sys.argv, lambda data: tried(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
