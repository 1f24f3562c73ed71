"""Who is answered, who waits and who is turned away; and what damage leaves served."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import IndexDamaged
from indexer.build import build_index
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, current_id
from search_api import serving as serving_module
from search_api.app import too_busy
from search_api.serving import Serving
from search_api.settings import SearchSettings
from search_api.turns import Bounded, Turns
from tests.test_crash import another_plan

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}


def in_a_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story in a thread of its own: the browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(story())).result()


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


def test_a_damaged_generation_does_not_take_the_last_good_one_away(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_index(tiny_settings).index_id
    another_plan(tiny_settings)
    second = current_id(tiny_settings.index)
    damaged = Path(tiny_settings.index) / GENERATIONS / second / "statements.npy"
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
    (Path(tiny_settings.index) / GENERATIONS / only / "vectors.npy").unlink()
    with pytest.raises(IndexDamaged, match="lacks .*vectors.npy"):
        Serving(SearchSettings(index=tiny_settings.index)).searcher()
