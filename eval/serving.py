"""What a server of one index answers: how soon it is ready, how fast, and how many a second.

Servers are real ones on loopback, in processes of their own; their clients share the machine with
them. What is compared with them, the encoder alone, is timed in turn with them.
"""

import http.client
import json
import socket
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

from eval.timing import WARM_UP, Spent, fresh_questions, timed, timing
from indexer.store import open_store
from search_api.settings import SearchSettings

CLIENTS = (1, 2, 4, 8, 16)
REQUESTS_A_CLIENT = 30


def api(settings: SearchSettings) -> Any:
    """The API of an index that is open."""
    from search_api.app import create_api
    from search_api.serving import Serving

    serving = Serving(settings)
    serving.searcher()
    return create_api(serving, settings)


@contextmanager
def served(settings: SearchSettings, workers: int = 1) -> Iterator[tuple[str, int, float]]:
    """A server in processes of its own on this machine: its host, port and seconds to be ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    process = get_context("spawn").Process(target=_serve, args=(settings, port, workers))
    process.start()
    try:
        while not _ready(port):
            if process.exitcode is not None:
                raise RuntimeError(f"The server ended with {process.exitcode} before it was ready.")
            time.sleep(0.02)
        yield "127.0.0.1", port, time.perf_counter() - started
    finally:
        process.terminate()
        process.join()


def _serve(settings: SearchSettings, port: int, workers: int) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    # Nobody is turned away here, however slow the machine is just now.
    patient = settings.in_a_server().model_copy(update={"longest_wait": 60.0})
    made = partial(api, patient)
    config = uvicorn.Config(made, factory=True, log_level="error", workers=workers)
    # Named as TCP, as `icsearch serve` does, or each answer waits 40 ms for Nagle's algorithm.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listening])
        else:
            # This process has a standing-in input of its own, which workers could not take over.
            sys.stdin = None
            Multiprocess(config, sockets=[listening]).run()


def _ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


def over_http(settings: SearchSettings, queries: int) -> dict[str, Any]:
    """One client's times through HTTP beside the encoder's alone, question by question in turn."""
    encoder = open_store(settings.index, threads=settings.in_a_server().threads).encoder
    texts = fresh_questions()
    spent: Spent = {}
    with served(settings) as (host, port, ready):
        connection = http.client.HTTPConnection(host, port)
        for _ in range(WARM_UP):
            get(connection, next(texts))
        for _ in range(queries):
            alone, whole = next(texts), next(texts)
            timed(spent, "encoder alone", partial(encoder.query, alone))
            timed(spent, "HTTP search", partial(get, connection, whole))
        known = next(texts)
        get(connection, known)
        for _ in range(queries):
            timed(spent, "HTTP search again", lambda: get(connection, known))
    stages = {stage: timing(values) for stage, values in spent.items()}
    ratio = {
        p: round(stages["HTTP search"][p] / stages["encoder alone"][p], 2) for p in ("p50", "p95")
    }
    return {"ready_ms": round(ready * 1000, 1), "stages": stages, "http_to_encoder": ratio}


def throughput(settings: SearchSettings, workers: int) -> dict[str, Any]:
    """Questions a second that 1 to 16 clients get answered, and what the encoder alone would do.

    The clients share the machine with the server. No question comes twice. The encoder alone is
    asked by as many threads just before each number of clients, so that a slow moment of the
    machine falls on both; the best of each is compared.
    """
    encoder = open_store(settings.index, threads=settings.in_a_server().threads).encoder
    texts = fresh_questions()
    rates, alone = [], []
    with served(settings, workers) as (host, port, _):
        _clients(host, port, 4, texts)
        for clients in CLIENTS:
            asked = [next(texts) for _ in range(max(4, clients) * REQUESTS_A_CLIENT)]
            with ThreadPoolExecutor(clients) as pool:
                started = time.perf_counter()
                list(pool.map(encoder.query, asked))
                alone.append(len(asked) / (time.perf_counter() - started))
            seconds, took = _clients(host, port, clients, texts)
            rates.append(
                {
                    "clients": clients,
                    "a_second": round(len(took) / seconds, 1),
                    "encoder_alone_a_second": round(alone[-1], 1),
                }
                | timing(took)
            )
    best = max(rate["a_second"] for rate in rates)
    return {
        "workers": workers,
        "clients": rates,
        "encoder_alone_a_second": round(max(alone), 1),
        "share_of_encoder": round(best / max(alone), 2),
    }


def _clients(host: str, port: int, clients: int, texts: Iterator[str]) -> tuple[float, list[float]]:
    """Seconds and each request's milliseconds of so many clients asking at once.

    Whoever is answered asks the next question of one list, so that none is idle before its end
    because more of the others' connections fell to the other worker.
    """
    asked = [next(texts) for _ in range(max(4, clients) * REQUESTS_A_CLIENT)]
    waiting, took = iter(asked), list[float]()
    lock = threading.Lock()

    def taken() -> str | None:
        with lock:
            return next(waiting, None)

    def client(_: int) -> None:
        connection = http.client.HTTPConnection(host, port)
        while (text := taken()) is not None:
            started = time.perf_counter()
            get(connection, text)
            took.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return time.perf_counter() - started, took


def get(connection: http.client.HTTPConnection, text: str) -> dict[str, Any]:
    """A search through HTTP, its JSON read."""
    connection.request("GET", f"/api/v1/search?{urllib.parse.urlencode({'q': text})}")
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"The server answered {reply.status}: {body[:200]!r}")
    found: dict[str, Any] = json.loads(body)
    return found
