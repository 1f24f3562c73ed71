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
# Spaces and joiners without width, marks of direction, fillers and soft hyphens: no word.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f"
    "\u3164\ufeff\uffa0]"
)
# Tag characters, selectors of variants and overrides of direction can hide or reorder what is seen.
TAGS = re.compile("[\U000e0000-\U000e007f]")
SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
HIDING = re.compile("|".join(kind.pattern for kind in (INVISIBLE, TAGS, SELECTORS, DIRECTION)))
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
BULLET = re.compile(r"^[•●○▪■□◦‣∙·➢➤✓✔\uf0b7\uf0a7\uf0d8\uf0fc\u2043]+\s*")


def normalise(text: str) -> str:
    """Text in NFC with ligatures parted, invisible characters gone and spaces single.

    Newlines stay. Quotation marks and dashes stay as the source has them.
    """
    # What hides goes first: it may stand between a letter and its accent.
    text = unicodedata.normalize("NFC", HIDING.sub("", text).translate(LIGATURES))
    text = CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(SPACES.sub(" ", line).strip() for line in text.split("\n")).strip("\n")


def one_line(text: str) -> str:
    """Normalised text with newlines as spaces."""
    return SPACES.sub(" ", normalise(text).replace("\n", " ")).strip()


def without_bullet(line: str) -> str:
    """The line without the bullet character it starts with."""
    return BULLET.sub("", line)
