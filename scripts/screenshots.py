"""Pictures of every page at 1280 and 375 pixels for docs/screenshots, to look at before a release.

    icsearch serve &
    python scripts/screenshots.py http://127.0.0.1:8000 [TOKEN]

With a token the pages of the administration are taken, too. Needs Chromium and Playwright.
"""

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = "sefton-plan-2023-25.43882-44323"
BESIDE = "sefton-plan-2023-25.44895-45269"
THEMES = "&".join(f"theme={t}" for t in ("dementia", "housing", "cancer", "workforce"))
PAGES = {
    "home": "/",
    "ask": "/ask?q=what+do+other+ICSs+say+about+dementia&home=lancashire-south-cumbria",
    "ask-not-found": "/ask?q=what+does+Devon+say+about+dementia",
    "search": "/search?q=dementia",
    "compare-choose": "/compare",
    "compare": f"/compare?{THEMES}&home=sefton",
    "priorities": "/priorities?home=sefton",
    "commitments": "/commitments",
    "documents": "/documents",
    "document": f"/documents/sefton-plan-2023-25?page=79&cite={TARGET}&cite={BESIDE}#{TARGET}",
    "systems": "/systems",
    "quality": "/quality",
    "about": "/about",
    "accessibility": "/accessibility",
    "not-found": "/nowhere",
    "admin-sign-in": "/admin",
}
ADMIN = {
    "admin-documents": "/admin",
    "admin-add": "/admin/add",
    "admin-remove": "/admin/documents/hwe-integrated-care-strategy/remove",
    "admin-rebuild": "/admin/rebuild",
    "admin-jobs": "/admin/jobs",
    "admin-log": "/admin/log",
}
WINDOWS = ((1280, 900), (375, 812))
TALLEST = 1600
COLOURS = 64
INTO = Path(__file__).resolve().parent.parent / "docs" / "screenshots"


def main() -> None:
    """Takes every picture."""
    origin, *token = sys.argv[1:]
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for width, height in WINDOWS:
            window: Any = {"width": width, "height": height}
            page = browser.new_context(viewport=window, locale="en-GB").new_page()
            for name, path in PAGES.items():
                page.goto(origin + path)
                take(page, name, width, height)
            if not token:
                continue
            page.goto(f"{origin}/admin")
            page.fill("#token", token[0])
            page.keyboard.press("Enter")
            page.wait_for_selector(".app-desk")
            for name, path in ADMIN.items():
                page.goto(origin + path)
                take(page, name, width, height)
            page.goto(f"{origin}/admin/add")
            page.get_by_role("button", name="Add this document").click()
            page.wait_for_selector(".nhsuk-error-summary")
            take(page, "admin-add-wrong", width, height)
            page.goto(f"{origin}/admin/jobs")
            added = page.locator(".app-list__title", has_text="Add ")
            if added.count():
                added.first.click()
                page.wait_for_selector("#job")
                take(page, "admin-job", width, height)


def take(page: Any, name: str, width: int, height: int) -> None:
    """One picture: of the whole page as far down as anybody looks; of a document, its window."""
    page.wait_for_timeout(300)
    path = INTO / f"{name}-{width}.png"
    tall = min(TALLEST, page.evaluate("() => document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": width, "height": max(height, tall)}
    whole = {} if name == "document" else {"full_page": True, "clip": clip}
    taken = Image.open(io.BytesIO(page.screenshot(**whole)))
    # A quarter of the bytes, and as good to look at.
    taken.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
