"""A browser and a site for it: what the tests that tell stories share.

Debian's Chromium runs them through Playwright. Each story ends with two checks that no story may
fail: no request left the origin, and nothing was complained of in the console.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from search_api.serving import Serving
from web.app import create_app
from web.cli import listen
from web.settings import WebSettings

try:
    from playwright import sync_api as playwright
except ImportError:  # the stories are skipped
    playwright = None  # type: ignore[assignment]

CHROMIUM = shutil.which("chromium")
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(playwright is None, reason="Playwright is not installed"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
ZOOMED = {"width": 320, "height": 256}


class Server:
    """The site on a free port of this machine, for as long as the stories last."""

    def __init__(self, serving: Serving, web: WebSettings | None = None) -> None:
        self._socket = listen("127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        app = create_app(serving, serving.settings, web)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


class Reader:
    """Somebody at a browser, and what the browser complains of."""

    def __init__(self, context: Any, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        context.on("request", self._request)
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.elsewhere.append(request.url)

    def _console(self, message: Any) -> None:
        # A page that answers 404 or 422 is reported by the browser itself.
        if message.type in ("error", "warning") and "the server responded" not in message.text:
            self.complaints.append(message.text)

    def opens(self, path: str) -> None:
        """Goes to an address of the site."""
        self.page.goto(self.origin + path)

    def sees(self, text: str, within: str = "main") -> None:
        """Waits for words to be shown."""
        playwright.expect(self.page.locator(within).first).to_contain_text(text)

    def title(self) -> str:
        """The title of the page."""
        return str(self.page.title())

    def focused(self) -> str:
        """What has the focus: its id, or its text."""
        return str(
            self.page.evaluate(
                "() => document.activeElement.id || document.activeElement.textContent.trim()"
            )
        )

    def tabs_to(self, text: str, most: int = 60) -> None:
        """Presses Tab until something with a text has the focus."""
        # On a busy machine nothing has it yet after the first Tab; the body holds every text.
        focused = (
            "() => { const it = document.activeElement;"
            " return it === document.body ? '' : `${it.id} ${it.innerText}`; }"
        )
        for _ in range(most):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(focused)
            if text in found:
                return
        raise AssertionError(f"Tab does not reach {text!r}")

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(
            self.page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def judge(self) -> tuple[list[str], list[str]]:
        """What axe finds wrong, and what it could not decide."""
        if not self.page.evaluate("() => 'axe' in window"):
            # Through the browser's own door: the page's policy lets no other script in.
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES
        )

        def lines(kind: str) -> list[str]:
            return [
                f"{rule['id']}: {node['target']} {node['html'][:120]}"
                for rule in found[kind]
                for node in rule["nodes"]
            ]

        return lines("violations"), lines("incomplete")


Opens = Callable[..., Reader]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(serving: Serving) -> Iterator[Server]:
    """The site over the shipped corpus."""
    with Server(serving) as server:
        yield server


@pytest.fixture()
def reader(chromium: Any, site: Server) -> Iterator[Opens]:
    """Makes readers, and after the story checks what no story may fail."""
    made: list[Reader] = []

    def make(scripts: bool = True, window: Any = DESK, origin: str = "", **more: Any) -> Reader:
        context = chromium.new_context(
            java_script_enabled=scripts, viewport=window, locale="en-GB", **more
        )
        made.append(Reader(context, origin or site.origin))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
        assert one.elsewhere == []
        assert one.complaints == []
