"""Mixed traffic at twice what the server can answer, while the index is switched under it.

    python -m tests.soak.load --seconds 900

Starts `icsearch serve` on loopback with two generations of the shipped corpus, one of which lacks a
document, notes what each answers when nobody else asks, measures how many requests a second can be
answered, then sends twice as many at random moments. Some clients read slowly, some send slowly,
some go away. Ten times the other generation is served.

Held to: no error but 503 with `Retry-After`; each answer the same bytes as the one noted for the
generation that it names; memory bounded; 99 % of accepted requests within two seconds; and again an
answer within five seconds of the end.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from indexer.build import build_index
from indexer.settings import CHECKOUT, IndexSettings
from indexer.store import open_store
from indexer.store.publish import roll_back

SWITCHES = 10
MOST_P99 = 2.0
MOST_RECOVERY = 5.0
MOST_GROWTH_MB = 300
SLOW, GONE = 0.04, 0.04
SLOW_SECONDS = 8.0
QUESTIONS = (
    "dementia", "unpaid carers", "net zero", "children and young people", "dental care",
    "urgent and emergency care", "workforce", "housing", "cancer screening", "mental health",
    "health inequalities", "digital", "end of life", "obesity", "respiratory", "social prescribing",
)  # fmt: skip
ASKED = ("/api/v1/search", "/api/v1/ask", "/ask", "/search")
DROPPED = "sel-strategic-priorities"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers in lower case, body, and seconds it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(slots=True)
class Seen:
    """What happened under load."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    by_kind: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    generations: Counter[str] = field(default_factory=Counter)
    slow: int = 0
    gone: int = 0
    compared: int = 0


def addresses() -> dict[str, float]:
    """What is asked, and how often as a share of all: the API, pages, the viewer and exports.

    The shares are a guess at how people work: half of all requests are questions, one in twenty a
    file to keep.
    """
    pairs = [
        urlencode([("theme", first), ("theme", second)])
        for first, second in zip(QUESTIONS, QUESTIONS[1:], strict=False)
    ]
    asked = [
        urlencode({"q": f"what do others say about {question}", "home": "sefton"})
        for question in QUESTIONS
    ]
    viewer = "/documents/sefton-plan-2023-25"
    office = ("docx", "xlsx", "csv")
    mix: tuple[tuple[float, list[str]], ...] = (
        (0.5, [f"{path}?{q}" for path in ASKED for q in asked]),
        (0.16, [f"{path}?{pair}" for path in ("/api/v1/compare", "/compare") for pair in pairs]),
        (0.14, [*(f"{viewer}?page={n}" for n in (60, 70, 79, 80)), f"/api/v1{viewer}/text"]),
        (0.1, ["/", "/documents", "/systems", "/api/v1/health", "/priorities"]),
        (0.05, ["/commitments?theme=dementia", "/api/v1/commitments?limit=20"]),
        (0.04, [f"/compare?{pair}&format={form}" for pair in pairs for form in office]),
        (0.005, [f"/priorities?format={form}" for form in office]),
        (0.005, [f"/commitments?theme=dementia&format={form}" for form in office[1:]]),
    )
    return {address: share / len(group) for share, group in mix for address in group}


def in_json(address: str) -> bool:
    """Whether the bytes of an answer are compared: those that depend on nothing but the index."""
    return address.startswith(("/api/v1/search", "/api/v1/ask", "/api/v1/compare"))


def kind_of(address: str) -> str:
    """What sort of request it is: its path, and the format of an export."""
    path, _, query = address.partition("?")
    form = re.search(r"format=(\w+)", query)
    return path + (f" {form[1]}" if form else "")


def processor() -> tuple[float, float]:
    """Seconds of processor time since the machine started: all that were used, all there were."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    ticks = os.sysconf("SC_CLK_TCK")
    return (sum(fields) - fields[3] - fields[4]) / ticks, sum(fields) / ticks


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def get(port: int, address: str, slow: bool = False, leave_after: float = 0.0) -> Reply:
    """Ask once; perhaps reading slowly, perhaps going away after some seconds."""
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        if slow:
            half = len(request) // 2
            writer.write(request[:half])
            await asyncio.sleep(SLOW_SECONDS / 4)
            request = request[half:]
        writer.write(request)
        await writer.drain()
        if leave_after:
            await asyncio.sleep(leave_after)
            return Reply(0, {}, b"", 0.0)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        answered = time.perf_counter()
        status = int(head.split()[1])
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        headers = {name.lower(): value for name, value in pairs}
        body = b""
        while part := await reader.read(4096 if slow else 1 << 16):
            body += part
            if slow and time.perf_counter() - answered < SLOW_SECONDS:
                await asyncio.sleep(0.2)
        if headers.get("transfer-encoding") == "chunked":
            body = _joined(body)
        return Reply(status, headers, body, time.perf_counter() - started)
    finally:
        writer.close()


def _joined(body: bytes) -> bytes:
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        joined += body[:length]
        body = body[length + 2 :]
    return joined


def essence(body: bytes) -> tuple[str, str]:
    """The generation that an answer names everywhere, and a hash of all but the time it took.

    Raises:
        ValueError: it names two generations.
    """
    told = json.loads(body)
    told.pop("took_ms", None)
    named = {told["index_id"], *(c["index_id"] for c in told.get("citations", []))}
    if len(named) != 1:
        raise ValueError(f"an answer names {named}")
    return told["index_id"], sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def two_generations(folder: Path) -> tuple[Path, list[str]]:
    """An index of the shipped corpus, and before it one of all but one document."""
    corpus, index = folder / "corpus", folder / "index"
    shutil.copytree(CHECKOUT / "corpus", corpus, ignore=shutil.ignore_patterns("*.py", "__pyc*"))
    for known in (CHECKOUT / ".index", CHECKOUT / ".index-test"):
        if (known / "CURRENT").exists():
            shutil.copytree(known, index)  # so that nothing is embedded again
            break
    settings = IndexSettings(corpus=corpus, index=str(index))
    listing = corpus / "documents.toml"
    whole = listing.read_text()
    entries = re.split(r"(?=^\[\[document\]\])", whole, flags=re.MULTILINE)
    listing.write_text("".join(e for e in entries if f'"{DROPPED}"' not in e))
    assert DROPPED not in {d["id"] for d in tomllib.loads(listing.read_text())["document"]}
    less = build_index(settings).index_id
    listing.write_text(whole)
    return index, [less, build_index(settings).index_id]


async def serve(index: Path) -> tuple[asyncio.subprocess.Process, int]:
    """The server and its port. It keeps no answers, so that every request is work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "search_api.cli", "serve", "--port", "0", "--index", str(index),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"ICSEARCH_ANSWERS_KEPT": "0", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    found = re.search(r":(\d+) ", line)
    assert found, line
    return process, int(found[1])


def memory_mb(process: asyncio.subprocess.Process) -> float:
    """What the server holds of memory that is its own."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    anonymous = re.search(r"RssAnon:\s+(\d+)", status)
    assert anonymous
    return int(anonymous[1]) / 1024


class Load:
    """One run against one server."""

    def __init__(self, port: int, chance: random.Random) -> None:
        """Ask at a port; all chance comes from one place, so that a run can be repeated."""
        self.port = port
        self.chance = chance
        self.asked = addresses()
        self.shares = [*self.asked.values()]
        self.known: dict[tuple[str, str], str] = {}
        self.bodies: dict[str, list[bytes]] = {}
        self.seen = Seen()

    def choice(self) -> str:
        """An address, each as often as it is asked."""
        return self.chance.choices([*self.asked], self.shares)[0]

    async def note(self) -> None:
        """Write down what the generation served now answers."""
        for address in filter(in_json, self.asked):
            reply = await get(self.port, address)
            assert reply.status == 200, (address, reply.status)
            index_id, content = essence(reply.body)
            self.known[address, index_id] = content
            self.bodies.setdefault(index_id, []).append(reply.body)

    async def capacity(self, seconds: float) -> float:
        """Requests a second when as many ask as are answered at once."""
        until, done = time.perf_counter() + seconds, 0

        async def client() -> None:
            nonlocal done
            while time.perf_counter() < until:
                await get(self.port, self.choice())
                done += 1

        await asyncio.gather(*(client() for _ in range(os.cpu_count() or 1)))
        return done / seconds

    async def one(self) -> None:
        """One request of the mix, judged."""
        address, kind = self.choice(), self.chance.random()
        try:
            if kind < GONE:
                self.seen.gone += 1
                await get(self.port, address, leave_after=self.chance.uniform(0.01, 0.5))
                return
            slow = kind < GONE + SLOW
            self.seen.slow += slow
            reply = await get(self.port, address, slow)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.seen.wrong.append(f"{address}: {error!r}")
            return
        self.seen.statuses[reply.status] += 1
        if reply.status == 503:
            if "retry-after" not in reply.headers:
                self.seen.wrong.append(f"{address}: 503 without Retry-After")
        elif reply.status != 200:
            self.seen.wrong.append(f"{address}: {reply.status}")
        else:
            if not slow:
                self.seen.seconds.append(reply.seconds)
                self.seen.by_kind[kind_of(address)].append(reply.seconds)
            self.judge(address, reply.body)

    def judge(self, address: str, body: bytes) -> None:
        """Hold an answer against what its generation answers when nobody else asks."""
        if not in_json(address):
            return
        try:
            index_id, content = essence(body)
        except ValueError as error:
            self.seen.wrong.append(f"{address}: {error}")
            return
        self.seen.generations[index_id] += 1
        self.seen.compared += 1
        if self.known.get((address, index_id)) != content:
            self.seen.wrong.append(f"{address}: not the answer of {index_id}")

    async def traffic(self, rate: float, seconds: float) -> None:
        """Requests at random moments, so many a second, whether or not they are answered."""
        under_way: set[asyncio.Task[None]] = set()
        until = time.perf_counter() + seconds
        at = time.perf_counter()
        while at < until:
            at += self.chance.expovariate(rate)
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            task = asyncio.create_task(self.one())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)


async def measure(seconds: float, seed: int) -> dict[str, Any]:
    """The whole run: what was found, and what was not as it should be."""
    with tempfile.TemporaryDirectory(prefix="icsearch-load-") as scratch:
        index, generations = two_generations(Path(scratch))
        process, port = await serve(index)
        try:
            load = Load(port, random.Random(seed))
            await load.note()
            roll_back(index, generations[0])
            while (
                json.loads((await get(port, "/api/v1/health")).body)["index"]["id"]
                != generations[0]
            ):
                await asyncio.sleep(0.2)
            await load.note()
            rate = await load.capacity(min(20.0, seconds / 3))
            memory: list[float] = []
            switches = 0

            async def watch() -> None:
                while True:
                    memory.append(memory_mb(process))
                    await asyncio.sleep(1)

            async def switch() -> None:
                nonlocal switches
                for _ in range(SWITCHES):
                    await asyncio.sleep(seconds / (SWITCHES + 1))
                    await asyncio.to_thread(roll_back, index)
                    switches += 1

            (used, of), ours = processor(), spent(process.pid) + spent(os.getpid())
            beside = [asyncio.create_task(watch()), asyncio.create_task(switch())]
            await load.traffic(2 * rate, seconds)
            ended = time.perf_counter()
            ours = spent(process.pid) + spent(os.getpid()) - ours
            others = (processor()[0] - used - ours) / (processor()[1] - of)
            await beside[1]
            after = next(iter(load.asked))
            reply = await get(port, after)
            while reply.status != 200:
                await asyncio.sleep(0.1)
                reply = await get(port, after)
            recovery = time.perf_counter() - ended
            beside[0].cancel()
        finally:
            process.send_signal(signal.SIGINT)
            await process.wait()
        wrong_quotes, quotes = _quotes(index, load)
    summed = _summed(load, rate, seconds, memory, switches, recovery, quotes, wrong_quotes)
    return {"processor_used_by_others": round(others, 2), **summed}


def _quotes(index: Path, load: Load) -> tuple[int, int]:
    """Citations noted that are not the document's own words, and how many there were."""
    wrong = count = 0
    for index_id, bodies in load.bodies.items():
        store = open_store(str(index), index_id)
        for body in bodies:
            for c in json.loads(body).get("citations", []):
                text = store.reading(c["document_id"]).text
                count += 1
                wrong += text[c["start"] : c["end"]] != c["quote"]
    return wrong, count


def _summed(
    load: Load, rate: float, seconds: float, memory: Sequence[float], switches: int,
    recovery: float, quotes: int, wrong_quotes: int,
) -> dict[str, Any]:  # fmt: skip
    seen = load.seen
    cuts = statistics.quantiles(seen.seconds, n=100)
    # The first fifth warms up: both generations are opened in it.
    early, late = max(memory[: len(memory) // 5 or 1]), max(memory[len(memory) // 5 :])
    result = {
        "seconds": seconds,
        "capacity_a_second": round(rate, 1),
        "sent_a_second": round(2 * rate, 1),
        "answered": seen.statuses[200],
        "turned_away": seen.statuses[503],
        "other_statuses": sum(n for s, n in seen.statuses.items() if s not in (200, 503)),
        "slow_clients": seen.slow,
        "gone_clients": seen.gone,
        "answers_compared": seen.compared,
        "by_generation": dict(seen.generations),
        "switches": switches,
        "quotes_checked": quotes,
        "p50_seconds": round(cuts[49], 3),
        "p99_seconds": round(cuts[98], 3),
        "p99_by_kind": {
            kind: round(sorted(times)[int(len(times) * 0.99)], 2)
            for kind, times in sorted(seen.by_kind.items())
        },
        "memory_mb_warm": round(early),
        "memory_mb_most": round(late),
        "recovery_seconds": round(recovery, 2),
    }
    failures = seen.wrong[:20]
    failures += [f"p99 is {cuts[98]:.2f} s"] if cuts[98] > MOST_P99 else []
    failures += [f"recovery took {recovery:.1f} s"] if recovery > MOST_RECOVERY else []
    failures += ["memory grew"] if late > early + MOST_GROWTH_MB else []
    failures += [f"{wrong_quotes} quotes are wrong"] if wrong_quotes else []
    failures += ["a generation was never asked"] if len(seen.generations) < 2 else []
    return result | {"wrong": len(seen.wrong), "failures": failures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what was found and write it to a file if one is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.load")
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON file of the figures")
    given = parser.parse_args(arguments)
    result = asyncio.run(measure(given.seconds, given.seed))
    told = json.dumps(result, indent=1)
    sys.stdout.write(f"{told}\n")
    if given.output:
        given.output.write_text(f"{told}\n")
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
