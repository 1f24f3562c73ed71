"""Who is answered, who waits and who is turned away; and what damage leaves served."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from corpus.errors import IndexDamaged
from indexer.build import build_index
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, current_id
from search_api import serving as serving_module
from search_api.app import too_busy
from search_api.searcher import Searcher
from search_api.serving import Serving
from search_api.settings import SearchSettings
from search_api.turns import Bounded, Turns
from tests.test_crash import another_plan
from web.admin.session import hashed
from web.app import create_app
from web.settings import WebSettings

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}


def in_a_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story in a thread of its own: the browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        # Without a bound a story may wait for ever: that is a failure, not a silence.
        pool.submit(lambda: asyncio.run(asyncio.wait_for(story(), 30))).result()


class Site:
    """An app that can be held at its work, and at sending its answer."""

    def __init__(self) -> None:
        self.working = 0
        self.most = 0
        self.work = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            while (await receive()).get("more_body"):
                pass
        self.working += 1
        self.most = max(self.most, self.working)
        await self.work.wait()
        self.working -= 1
        await send(START)
        await send(BODY)


class Client:
    """One request, and the status of its answer."""

    def __init__(self, app: Bounded, path: str = "/ask", method: str = "GET") -> None:
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        self.reads = asyncio.Event()
        self.reads.set()
        self.sends = asyncio.Event()
        self.sends.set()
        scope = {"type": "http", "path": path, "method": method, "headers": []}
        self.task = asyncio.ensure_future(app(scope, self.receive, self.send))

    async def receive(self) -> Any:
        await self.sends.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            await self.reads.wait()


def bounded(site: Site, **given: Any) -> Bounded:
    turns = Turns(**{"at_work": 1, "most": 3, "longest_wait": 0.05, **given})
    return Bounded(site, turns, too_busy, ("/free",))


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_some_work_some_wait_and_others_are_told_to_come_back() -> None:
    async def story() -> None:
        site = Site()
        app = bounded(site, longest_wait=30)
        first, second, third = (Client(app) for _ in range(3))
        await settled()
        turned_away = Client(app)
        await settled()
        assert turned_away.status == 503 and turned_away.headers[b"retry-after"] == b"2"
        assert (site.working, site.most) == (1, 1)
        site.work.set()
        await asyncio.gather(first.task, second.task, third.task)
        assert [c.status for c in (first, second, third)] == [200] * 3
        assert site.most == 1
        again = Client(app)
        await again.task
        assert again.status == 200

    in_a_loop(story)


def test_nobody_waits_longer_than_the_bound() -> None:
    async def story() -> None:
        site = Site()
        app = bounded(site)
        first, second = Client(app), Client(app)
        await second.task
        assert second.status == 503 and first.status is None
        site.work.set()
        await first.task
        third = Client(app)
        await third.task
        assert third.status == 200

    in_a_loop(story)


def test_slow_readers_slow_senders_and_free_paths_hold_up_nobody() -> None:
    async def story() -> None:
        site = Site()
        site.work.set()
        app = bounded(site)
        reader, sender = Client(app), Client(app, method="POST")
        reader.reads.clear()
        sender.sends.clear()
        await settled()
        assert reader.status == 200 and not reader.task.done()
        assert not sender.task.done()
        other = Client(app)
        await other.task
        assert other.status == 200
        site.work.clear()
        third = Client(app)
        await settled()
        free = Client(app, "/free/style.css")
        await settled()
        assert site.working == 2 and free.status is None  # at work beside the third
        site.work.set()
        reader.reads.set()
        sender.sends.set()
        await asyncio.gather(reader.task, sender.task, third.task, free.task)
        assert sender.status == 200

    in_a_loop(story)


def test_a_turn_is_given_back_when_an_answer_fails() -> None:
    async def story() -> None:
        async def fails(scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError("broken")

        app = Bounded(fails, Turns(1, 1, 0.05), too_busy, ())
        for _ in range(3):
            with pytest.raises(RuntimeError, match="broken"):
                await Client(app).task

    in_a_loop(story)


class Held:
    """Searches that go on until they are let go."""

    def __init__(self) -> None:
        self.working = self.most = 0
        self.begun, self.go = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def search(self, *_: object) -> dict[str, str]:
        with self._lock:
            self.working += 1
            self.most = max(self.most, self.working)
        self.begun.set()
        assert self.go.wait(30)
        with self._lock:
            self.working -= 1
        return {}


@contextmanager
def overrun(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, **told: object
) -> Iterator[tuple[TestClient, Held, ThreadPoolExecutor]]:
    """The whole site with a search under way that takes the one turn there is."""
    held = Held()
    monkeypatch.setattr(Searcher, "search", held.search)
    web = WebSettings(admin_tokens=f"amira:{hashed('x' * 40)}", admin_key="k" * 40)
    settings = serving.settings.model_copy(update={"at_work": 1, **told})
    app = create_app(serving, settings, web)
    with TestClient(app, follow_redirects=False) as client, ThreadPoolExecutor(8) as pool:
        try:
            first = pool.submit(client.get, "/api/v1/search?q=x")
            assert held.begun.wait(30)
            yield client, held, pool
            held.go.set()
            assert first.result().status_code == 200
        finally:
            held.go.set()


def test_the_settings_say_how_many_work_and_how_many_wait(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"most_at_once": 2, "longest_wait": 60.0}
    with overrun(serving, monkeypatch, **told) as (client, held, pool):
        more = [pool.submit(client.get, "/api/v1/search?q=x") for _ in range(3)]
        turned_away: set[int] = set()
        while len(turned_away) < 2:
            done, _ = wait([f for f in more if id(f) not in turned_away], 10, FIRST_COMPLETED)
            assert done, "nobody was turned away"
            turned_away |= {id(f) for f in done}
        held.go.set()
        assert sorted(f.result().status_code for f in more) == [200, 503, 503]
        assert held.most == 1


def test_the_settings_say_how_long_to_wait_and_all_are_told_to_come_back(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"citations": []}
    with overrun(serving, monkeypatch, longest_wait=0.05) as (client, _, pool):
        asked = {
            "get": pool.submit(client.get, "/api/v1/search?q=x"),
            "page": pool.submit(client.get, "/search?q=x"),
            "post": pool.submit(client.post, "/api/v1/verify", json=body),
        }
        replies = {name: future.result(10) for name, future in asked.items()}
        for reply in replies.values():
            assert reply.status_code == 503
            assert reply.headers["retry-after"] == "2"
        assert replies["post"].json()["error"]["code"] == "busy"
        assert "Too many people" in replies["page"].text
        # What an administrator has sent is not thrown away.
        assert client.post("/admin/sign-in", data={"token": "y"}).status_code not in (503, 404)
    with TestClient(create_app(serving, serving.settings)) as client:
        assert client.post("/api/v1/verify", json=body).json() == {"results": []}


def test_a_damaged_generation_does_not_take_the_last_good_one_away(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_index(tiny_settings).index_id
    another_plan(tiny_settings)
    second = current_id(tiny_settings.index)
    damaged = next((Path(tiny_settings.index) / GENERATIONS / second).rglob("statements.npy"))
    good = damaged.read_bytes()
    damaged.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    serving = Serving(SearchSettings(index=tiny_settings.index))
    assert serving.searcher().index_id == first
    assert serving.problem is not None
    assert "statements.npy" in serving.problem and f"{first} is served" in serving.problem
    opened: list[Any] = []
    real = serving_module.open_searcher
    monkeypatch.setattr(serving_module, "open_searcher", lambda *a: opened.append(a) or real(*a))
    assert serving.searcher().index_id == first
    assert not opened  # not checked again with every question
    damaged.write_bytes(good)
    monkeypatch.setattr(serving_module, "RETRY_SECONDS", 0.0)
    serving._bad = (second, 0.0)
    assert serving.searcher().index_id == second
    assert serving.problem is None


def test_an_index_without_a_good_generation_says_what_is_wrong(
    tiny_settings: IndexSettings,
) -> None:
    only = build_index(tiny_settings).index_id
    next((Path(tiny_settings.index) / GENERATIONS / only).rglob("vectors.npy")).unlink()
    with pytest.raises(IndexDamaged, match="lacks .*vectors.npy"):
        Serving(SearchSettings(index=tiny_settings.index)).searcher()


class Generation:
    """Stands for a Searcher, which is in a ring of references as its caches hold its methods."""

    def __init__(self, index_id: str) -> None:
        self.index_id = index_id
        self.ring = self


def test_what_is_open_is_not_gone_through_and_what_was_closed_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        serving_module, "open_searcher", lambda _, index_id: Generation(str(index_id))
    )
    serving = Serving(SearchSettings())
    try:
        opened = [weakref.ref(serving.searcher(str(number))) for number in range(6)]
        last = serving.searcher("5")
        assert not any(known is last for known in gc.get_objects())
        held = [generation() is not None for generation in opened]
        # Three are kept open; the one closed last goes when the next one is opened.
        assert held == [False, False, False, True, True, True]
    finally:
        gc.unfreeze()
