"""str -> str: characters that vary without meaning made one, words left alone."""

import re
import unicodedata

LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "ﬅ": "st",
        "ﬆ": "st",
    }
)
SPACES = re.compile(r"[^\S\n]+")
# Zero-width space, joiners, word joiner, byte order mark and soft hyphen: no width, no word.
INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
# Tag characters, direction overrides and isolates can hide or reorder what a reader sees.
HIDING = re.compile("[\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
BULLET = re.compile(r"^[•●○▪■□◦‣∙·➢➤✓✔\uf0b7\uf0a7\uf0d8\uf0fc\u2043]+\s*")


def normalise(text: str) -> str:
    """Text in NFC with ligatures parted, invisible characters gone and spaces single.

    Newlines stay. Quotation marks and dashes stay as the source has them.
    """
    text = unicodedata.normalize("NFC", text).translate(LIGATURES)
    text = HIDING.sub("", INVISIBLE.sub("", text))
    text = CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(SPACES.sub(" ", line).strip() for line in text.split("\n")).strip("\n")


def one_line(text: str) -> str:
    """Normalised text with newlines as spaces."""
    return SPACES.sub(" ", normalise(text).replace("\n", " ")).strip()


def without_bullet(line: str) -> str:
    """The line without the bullet character it starts with."""
    return BULLET.sub("", line)
