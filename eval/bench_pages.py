"""`icsearch bench --pages`: what a page takes beyond its JSON twin, and how much it weighs.

The site runs as people run it, in a process of its own. Page and twin are asked for in turns. Other
work on the machine only ever adds, so the best of all rounds is what a page takes; medians stand
beside it.
"""

import gzip
import http.client
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_MS_OVER = 20.0
MOST_BYTES = 150_000
WARM_UP = 3
API = "/api/v1"
SIX = "&".join(
    f"theme={t}" for t in ("dementia", "housing", "cancer", "prevention", "workforce", "dying-well")
)
ASKED = "q=what%20do%20other%20ICSs%20say%20about%20dementia&home=sefton"
TWINS = {
    "/": f"{API}/systems",
    f"/ask?{ASKED}": f"{API}/ask?{ASKED}",
    "/search?q=dementia": f"{API}/search?q=dementia",
    f"/compare?{SIX}": f"{API}/compare?{SIX}",
    "/priorities": f"{API}/priorities",
    "/commitments": f"{API}/commitments",
    "/documents": f"{API}/documents",
    "/systems": f"{API}/systems",
    "/quality": f"{API}/health",
    "/about": f"{API}/health",
    "/accessibility": f"{API}/health",
}


@dataclass(frozen=True, slots=True)
class PageTiming:
    """Best milliseconds of a page and its twin, what is between them, and the weight.

    Attributes:
        bytes: of the first load, compressed: the page with its style sheets and scripts.
    """

    page: str
    twin: str
    page_ms: float
    twin_ms: float
    over_ms: float
    page_p50: float
    twin_p50: float
    bytes: int


def measure_pages(index: str, rounds: int) -> dict[str, Any]:
    """Timings of every page and its twin over one site."""
    with serving(index) as connection:
        pairs = TWINS | longest_document(connection)
        spent: dict[str, list[float]] = {}
        for _ in range(WARM_UP):
            for address in (*pairs, *pairs.values()):
                _get(connection, address)
        for number in range(rounds):
            for page, twin in pairs.items():
                for address in (page, twin) if number % 2 else (twin, page):
                    started = time.perf_counter()
                    _get(connection, address)
                    took = (time.perf_counter() - started) * 1000
                    spent.setdefault(f"{page} {address}", []).append(took)
        timings = []
        for page, twin in pairs.items():
            of_page, of_twin = spent[f"{page} {page}"], spent[f"{page} {twin}"]
            own, other = min(of_page), min(of_twin)
            timings.append(
                PageTiming(
                    page,
                    twin,
                    round(own, 2),
                    round(other, 2),
                    round(own - other, 2),
                    round(statistics.median(of_page), 2),
                    round(statistics.median(of_twin), 2),
                    weight(connection, page),
                )
            )
    return {
        "pages": [asdict(t) for t in timings],
        "rounds": rounds,
        "bounds": {"over_ms": MOST_MS_OVER, "bytes": MOST_BYTES},
    }


@contextmanager
def serving(index: str) -> Iterator[http.client.HTTPConnection]:
    """A connection to the site over an index, in a process of its own."""
    code = "from search_api.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--index", index]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        told = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
        if told is None:
            raise RuntimeError("the site did not start")
        address = told[1], int(told[2])
        with closing(http.client.HTTPConnection(*address, timeout=120)) as connection:
            yield connection
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def longest_document(connection: http.client.HTTPConnection) -> dict[str, str]:
    """The viewer of the document with most words, at the page of a citation, and its twin."""
    found = json.loads(_get(connection, f"{API}/documents", plain=True))["documents"]
    longest = max(found, key=lambda d: int(d["words"]))["id"]
    twin = f"{API}/documents/{longest}/text"
    asked = f"{API}/search?q=dementia&document={longest}&limit=1"
    hits = json.loads(_get(connection, asked, plain=True))["hits"]
    cite = f"?cite={hits[0]['passage']['id']}" if hits else ""
    return {f"/documents/{longest}{cite}": twin}


def weight(connection: http.client.HTTPConnection, page: str) -> int:
    """Bytes of a page and of what it loads at first, each compressed as the site sends it."""
    source = _get(connection, page, plain=True)
    wanted = set(re.findall(rb'(?:href|src)="(/static/[^"]+)"', source))
    addresses = [page, *(address.decode() for address in wanted)]
    return sum(len(_get(connection, address)) for address in addresses)


def _get(connection: http.client.HTTPConnection, address: str, plain: bool = False) -> bytes:
    """What is at an address, as it comes over the line, or unpacked."""
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request("GET", target, headers={"Accept-Encoding": "gzip"})
    reply = connection.getresponse()
    content = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{address} answers {reply.status}")
    packed = reply.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(content) if plain and packed else content


def show_pages(result: dict[str, Any]) -> None:
    """Print the timings as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Best of {result['rounds']} rounds, in milliseconds")
    table.add_column("Page", overflow="fold")
    for column in ("Page", "Twin", "Over", "Page p50", "Twin p50", "kB"):
        table.add_column(column, justify="right")
    for t in result["pages"]:
        cells = (t["page_ms"], t["twin_ms"], t["over_ms"], t["page_p50"], t["twin_p50"])
        table.add_row(t["page"], *(f"{v:.1f}" for v in cells), f"{t['bytes'] / 1000:.0f}")
    console = Console(highlight=False)
    console.print(table)
    most = max(t["over_ms"] for t in result["pages"])
    heaviest = max(t["bytes"] for t in result["pages"]) / 1000
    console.print(
        f"No page takes more than {most:.1f} ms over its twin (at most {MOST_MS_OVER:g}); the "
        f"heaviest first load is {heaviest:.0f} kB compressed (at most {MOST_BYTES / 1000:g})."
    )
