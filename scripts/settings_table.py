"""Write docs/settings.md from the settings classes: python scripts/settings_table.py."""

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from indexer.settings import CHECKOUT, DatabaseSettings, IndexSettings
from search_api.settings import SearchSettings
from web.settings import WebSettings

PAGE = CHECKOUT / "docs" / "settings.md"
CLASSES: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Making an index", IndexSettings),
    ("An index in PostgreSQL", DatabaseSettings),
    ("Searching and serving", SearchSettings),
    ("Pages", WebSettings),
)
TOP = """# Settings

Every setting is an environment variable; what the command line is given comes before it. The table
is made from the code by `python scripts/settings_table.py`, and a test compares it. A value that
cannot be used stops the start.
"""


def page() -> str:
    """The whole page."""
    parts = [TOP]
    for title, settings in CLASSES:
        parts.append(f"\n## {title}\n\n| variable | what it is | default |\n|---|---|---|\n")
        for name, field in settings.model_fields.items():
            what = field.description or ""
            default = shown(field.default)
            if SecretStr in (field.annotation, *get_args(field.annotation)):
                what += " (secret)"
            parts.append(f"| `ICSEARCH_{name.upper()}` | {what} | {default} |\n")
    return "".join(parts)


def shown(value: Any) -> str:
    """A default as it is written in a table; places in the checkout or home without the rest."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = str(value)
    if text.startswith(f"{CHECKOUT}/"):
        return f"`{text.removeprefix(f'{CHECKOUT}/')}` in the checkout"
    return f"`{text.replace(str(Path.home()), '~')}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
