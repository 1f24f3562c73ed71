"""What a web page's own styles hide: read from attributes and from the sheets inside the page.

Linked sheets are not at hand, so a page may hide more than is known here. Text in the colour of its
ground is hidden only where the ground is known; elsewhere it stays, and is told of.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

Sight = Literal["seen", "doubtful", "unseen"]
Style = dict[str, str]

PROPERTIES = frozenset(
    """display visibility opacity font-size color background background-color position left top
    right bottom text-indent clip clip-path height max-height width max-width overflow overflow-x
    overflow-y transform""".split()
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,5000})\}")
DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;]+)")
LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|%|vw|vh|cm|mm|in)?")
PIXELS = {"pt": 4 / 3, "em": 16, "rem": 16, "vw": 13, "vh": 8, "cm": 38, "mm": 3.8, "in": 96}
FAR = -500.0
"""Pixels beyond the left or upper edge from which on nothing of a line is seen."""
SMALLEST = 1.0
UNSEEN_CLASS = re.compile(r"(?:^|[\s_-])(?:visually-?hidden|sr-only|screen-reader-text)(?:\s|$)")
REVEALED = re.compile(r"accordion|collaps|\btabs?\b|tab-?pane|tabpanel|expand|toggle|details", re.I)
NO_CLIP = re.compile(r"rect\(\s*(?:0|1px)\b|(?:inset\(\s*(?:50|100)%|circle\(\s*0)")
COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "snow": (255, 250, 250)}
WHITE = 250
MOST_RULES = 3_000
MOST_MATCHES = 300_000
MOST_ABOVE = 60


class Styles:
    """The styles of one page, asked for by its nodes."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        """Reads the sheets inside the page; must come before they are taken out of it."""
        self._linked = tree.css_first("link[rel~=stylesheet]") is not None
        self._known: dict[int, Style] = {}
        sheets = "\n".join(node.text() for node in tree.css("style"))
        matches = 0
        for count, (selector, style) in enumerate(_rules(sheets)):
            if count >= MOST_RULES or matches >= MOST_MATCHES:
                break
            try:
                nodes = tree.css(selector)
            except (SelectolaxError, ValueError, RuntimeError):
                continue
            matches += len(nodes)
            for node in nodes:
                self._known.setdefault(node.mem_id, {}).update(style)
        controlled = tree.css("[aria-controls],[data-target],[data-bs-target]")
        names = ("aria-controls", "data-target", "data-bs-target")
        told = [node.attributes.get(name) or "" for node in controlled for name in names]
        self._controlled = frozenset(t.lstrip("#") for each in told for t in each.split())

    def of(self, node: LexborNode) -> Style:
        """What is declared of a node, its own attribute last."""
        style = self._known.get(node.mem_id, {})
        own = node.attributes.get("style")
        return style | parsed(own) if own else style

    def sight(self, node: LexborNode) -> Sight:
        """Whether a reader can see the text of a node, as far as its own styles tell."""
        told = node.attributes
        style = self.of(node)
        if hidden(told, style):
            return "seen" if self._revealed(told) else "unseen"
        return self._lost_on_its_ground(node, style)

    def _revealed(self, told: "Mapping[str, str | None]") -> bool:
        """Whether it is shown at a click: the panel of a tab, what a button controls."""
        if told.get("role") == "tabpanel" or (told.get("hidden") or "") == "until-found":
            return True
        if told.get("id") and told["id"] in self._controlled:
            return True
        return "hidden" not in told and bool(REVEALED.search(told.get("class") or ""))

    def _lost_on_its_ground(self, node: LexborNode, style: Style) -> Sight:
        said = style.get("color") or (node.attributes.get("color") if node.tag == "font" else None)
        colour = _colour(said) if said else None
        if colour is None:
            return "seen"
        above: LexborNode | None = node
        dressed = False
        for _ in range(MOST_ABOVE):
            if above is None or not above.is_element_node:
                break
            around = self.of(above)
            named = around.get("background-color") or around.get("background")
            ground = named or above.attributes.get("bgcolor")
            if ground:
                behind = _colour(ground)
                return "unseen" if behind is not None and _alike(colour, behind) else "seen"
            dressed = dressed or bool(above.attributes.get("class") or above.attributes.get("id"))
            above = above.parent
        if not _alike(colour, COLOURS["white"]):
            return "seen"
        return "doubtful" if self._linked and dressed else "unseen"


def hidden(told: "Mapping[str, str | None]", style: Style) -> bool:
    """Whether attributes and styles of an element hide its text, colours aside."""
    return (
        "hidden" in told
        or bool(UNSEEN_CLASS.search(told.get("class") or ""))
        or any(check(style) for check in (_switched_off, _too_small, _far_off, _cut_away))
    )


def parsed(style: str | None) -> Style:
    """The declarations that matter here, by property."""
    found = DECLARATION.findall(COMMENT.sub(" ", style or "").lower())
    return {
        name: value.replace("!important", "").strip() for name, value in found if name in PROPERTIES
    }


def _rules(sheet: str) -> Iterator[tuple[str, Style]]:
    """(selector, declarations) of the rules that hold for a screen at any width."""
    flat = _without_at_rules(COMMENT.sub(" ", sheet))
    for selectors, declarations in RULE.findall(flat):
        style = parsed(declarations)
        for selector in selectors.split(",") if style else ():
            if selector.strip() and ":" not in selector:
                yield selector.strip(), style


def _without_at_rules(sheet: str) -> str:
    """The sheet without what holds only for some media: an at-sign up to its closing brace."""
    out = []
    at = 0
    while (start := sheet.find("@", at)) >= 0:
        out.append(sheet[at:start])
        depth, at = 0, len(sheet)
        for mark in re.finditer(r"[{};]", sheet[start:]):
            depth += {"{": 1, "}": -1, ";": 0}[mark[0]]
            if depth <= 0:
                at = start + mark.end()
                break
    return "".join((*out, sheet[at:]))


def _switched_off(style: Style) -> bool:
    opacity = _number(style.get("opacity"))
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or (opacity is not None and opacity < 0.05)
        or "scale(0" in style.get("transform", "")
        and not re.search(r"scale\(0?\.\d*[1-9]", style["transform"])
    )


def _too_small(style: Style) -> bool:
    size = _pixels(style.get("font-size"), of=16)
    return size is not None and size <= SMALLEST


def _far_off(style: Style) -> bool:
    indent = _pixels(style.get("text-indent"))
    if indent is not None and indent <= FAR:
        return True
    if style.get("position") not in ("absolute", "fixed", "relative"):
        return False
    edges = (_pixels(style.get(edge)) for edge in ("left", "top", "right", "bottom"))
    return any(edge is not None and edge <= FAR for edge in edges)


def _cut_away(style: Style) -> bool:
    if NO_CLIP.search(style.get("clip", "")) or NO_CLIP.search(style.get("clip-path", "")):
        return True
    flow = (style.get(name) for name in ("overflow", "overflow-x", "overflow-y"))
    if not any(value in ("hidden", "clip") for value in flow):
        return False
    sides = (_pixels(style.get(s)) for s in ("height", "max-height", "width", "max-width"))
    return any(side is not None and side <= SMALLEST for side in sides)


def _number(value: str | None) -> float | None:
    match = LENGTH.fullmatch(value or "")
    if match is None:
        return None
    return float(match[1]) / (100 if match[2] == "%" else 1)


def _pixels(value: str | None, of: float = 1000) -> float | None:
    """A length in pixels, roughly; a percentage is taken of `of`."""
    match = LENGTH.fullmatch(value or "")
    if match is None:
        return None
    scale = of / 100 if match[2] == "%" else PIXELS.get(match[2] or "", 1)
    return float(match[1]) * scale


Colour = tuple[int, ...]


def _colour(value: str) -> Colour | None:
    """Red, green and blue; an empty tuple for no colour at all; None if that cannot be told."""
    value = value.strip().lower()
    if value == "transparent":
        return ()
    if value in COLOURS:
        return COLOURS[value]
    if re.fullmatch(r"#?[0-9a-f]{3,8}", value):
        digits = value.lstrip("#")
        if len(digits) in (3, 4):
            digits = "".join(d * 2 for d in digits)
        if len(digits) == 8 and digits[6:] == "00":
            return ()
        return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4)) if len(digits) >= 6 else None
    if match := re.fullmatch(r"rgba?\(([\d.,%/\s]+)\)", value):
        parts = [float(p) for p in re.findall(r"\d+\.?\d*|\.\d+", match[1])]
        if len(parts) == 4 and parts[3] == 0:
            return ()
        return tuple(int(p) for p in parts[:3]) if len(parts) >= 3 else None
    return None


def _alike(text: Colour, ground: Colour) -> bool:
    if not text:
        return True  # transparent letters show on no ground
    ground = ground or COLOURS["white"]
    if min(*text, *ground) >= WHITE:
        return True
    return max(abs(a - b) for a, b in zip(text, ground, strict=True)) <= 4
