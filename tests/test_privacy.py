"""What is asked is written nowhere."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from fastapi.testclient import TestClient

from search_api.serving import Serving
from web.app import create_app

MARK = "zebrafinch"


def test_the_page_about_the_service_says_what_is_kept(serving: Serving) -> None:
    def about(**told: object) -> str:
        settings = serving.settings.model_copy(update=told)
        held = Serving(settings)
        with TestClient(create_app(held, settings)) as client:
            return client.get("/about").text

    assert "writes questions nowhere" in about()
    assert "Contact details of people are left out" not in about()
    assert "Contact details of people are left out" in about(mask_contacts=True)


def test_a_question_leaves_no_trace_in_output_or_files(index_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "search_api.cli", "serve", "--port", "0"]
    command += ["--index", str(index_dir)]
    server = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        told = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", told)):
            line = server.stdout.readline()
            assert line, told
            told += line
        for path in ("/ask", "/search", "/api/v1/ask", "/api/v1/search", "/nowhere"):
            httpx.get(f"{found[0]}{path}", params={"q": f"{MARK} dementia"}, timeout=60)
    finally:
        server.send_signal(signal.SIGINT)
        rest, _ = server.communicate(timeout=30)
    assert MARK not in told + rest
    files = [p for folder in (index_dir, tmp_path) for p in folder.rglob("*") if p.is_file()]
    assert files
    assert not any(MARK.encode() in p.read_bytes() for p in files if p.stat().st_size < 50 << 20)
