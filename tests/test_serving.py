"""Serving: answers kept, a new generation picked up, several processes on one port."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.build import build_index
from indexer.settings import CHECKOUT, IndexSettings
from search_api import searcher as searching
from search_api import serving as serving_module
from search_api.model import Query
from search_api.searcher import Searcher, open_searcher
from search_api.serving import Serving
from search_api.settings import SearchSettings
from web.cli import serve


def test_an_answer_is_kept_for_the_same_question_only(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Searcher(searcher.store, searcher.settings)
    asked: list[str] = []
    found = searching.retrieve

    def counted(store: object, understood: object, *rest: object) -> object:
        asked.append("once")
        return found(store, understood, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(searching, "retrieve", counted)
    first = fresh.search(Query("net zero"))
    again = fresh.search(Query("net zero"))
    assert len(asked) == 1
    assert replace(first, took_ms=0.0) == replace(again, took_ms=0.0)
    fresh.search(Query("net zero", limit=3))
    assert len(asked) == 2
    answer = fresh.ask(Query("net zero"))
    before = len(asked)
    assert fresh.ask(Query("net zero")) == answer
    assert len(asked) == before


def test_as_many_answers_are_kept_as_the_setting_says(searcher: Searcher) -> None:
    fresh = Searcher(searcher.store, searcher.settings.model_copy(update={"answers_kept": 2}))
    for text in ("net zero", "housing", "dementia"):
        fresh.search(Query(text))
    assert fresh._searched.cache_info().currsize == 2


@pytest.mark.parametrize(("asked", "served"), [("0", 1), ("3", 3)])
def test_a_server_encodes_each_question_with_one_thread_unless_told(
    asked: str, served: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[SearchSettings] = []
    monkeypatch.setenv("ICSEARCH_THREADS", asked)
    monkeypatch.setattr("web.cli.site", made.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda _, sockets: sockets[0].close())
    done = CliRunner().invoke(serve, ["--port", "0"])
    assert done.exit_code == 0, done.output
    assert [settings.threads for settings in made] == [served]


def test_questions_are_answered_while_a_new_generation_opens(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = build_index(tiny_settings).index_id
    serving = Serving(SearchSettings(index=tiny_settings.index))
    assert serving.searcher().index_id == former
    newer = build_index(tiny_settings.model_copy(update={"context_share": 0.25})).index_id
    opening, go_on = threading.Event(), threading.Event()

    def slow(settings: SearchSettings, index_id: str) -> Searcher:
        opening.set()
        assert go_on.wait(30)
        return open_searcher(settings, index_id)

    monkeypatch.setattr(serving_module, "open_searcher", slow)
    first = threading.Thread(target=serving.searcher)
    first.start()
    assert opening.wait(30)
    assert serving.searcher().index_id == former
    go_on.set()
    first.join()
    assert serving.searcher().index_id == newer


def workers_of(process: int) -> int:
    """How many processes that answer a server has started."""
    command = ["ps", "-ww", "--ppid", str(process), "-o", "args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return sum("spawn_main" in line for line in lines.splitlines())


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_several_processes_answer_on_one_port(index_dir: Path) -> None:
    command = [sys.executable, "-m", "search_api.cli", "serve", "--port", "0", "--workers", "2"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--index", str(index_dir)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            told = re.search(r"http://\S+", server.stdout.readline())
            assert told
            for _ in range(4):
                with urllib.request.urlopen(f"{told[0]}/api/v1/health", timeout=60) as reply:
                    assert json.load(reply)["status"] == "ok"
            assert eventually(lambda: workers_of(server.pid) == 2)
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
