"""The colours of our own style sheet: text and meaning must be told apart by every eye.

The accessibility checker of the browser stories sees text on plain grounds. It does not see the
shapes in the heat map, so what they need is worked out here from the style sheet itself.
"""

import re
from pathlib import Path

import pytest

import web

CSS = (Path(web.__file__).parent / "static" / "app.css").read_text(encoding="utf-8")
COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", CSS))
TEXT = 4.5
SHAPE = 3.0
STATUSES = ("commits", "says", "mentions", "doubt", "silent", "unreadable")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rule(selector: str, name: str) -> str:
    """The colour that a rule gives, variables looked up."""
    found = re.search(rf"^{re.escape(selector)} \{{[^}}]*?\b{name}: ([^;]+);", CSS, re.MULTILINE)
    assert found, f"{selector} {name}"
    value = found[1]
    variable = re.fullmatch(r"var\(--([a-z-]+)\)", value)
    return COLOURS[variable[1]] if variable else value


def test_the_formula_is_the_published_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("status", STATUSES)
def test_words_in_the_heat_map_can_be_read(status: str) -> None:
    ground, ink = COLOURS[f"heat-{status}"], COLOURS[f"heat-{status}-ink"]
    assert contrast(ground, ink) >= TEXT
    assert rule(f".app-heat--{status}", "background") == ground
    assert rule(f".app-heat--{status}", "color") == ink


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("ink", "paper"),
        ("ink", "hit"),
        ("ink", "cited"),
        ("ink", "found"),
        ("ink", "ground"),
        ("ink", "brand-soft"),
        ("quiet", "paper"),
        ("quiet", "ground"),
        ("quiet", "brand-soft"),
        ("link", "paper"),
        ("link", "ground"),
        ("link", "brand-soft"),
        ("brand-ink", "brand"),
    ],
)
def test_text_can_be_read_on_every_ground(ink: str, ground: str) -> None:
    assert contrast(COLOURS[ink], COLOURS[ground]) >= TEXT


def test_steps_of_the_ladder_stand_out_where_they_count() -> None:
    assert contrast(COLOURS["meter-on"], COLOURS["paper"]) >= SHAPE
    assert contrast(COLOURS["meter-on"], COLOURS["meter-off"]) >= SHAPE
    for status in ("commits", "says"):
        on = rule(f".app-heat--{status} .app-meter__step--on", "fill")
        off = rule(f".app-heat--{status} .app-meter__step:not(.app-meter__step--on)", "fill")
        assert contrast(on, COLOURS[f"heat-{status}"]) >= SHAPE
        assert contrast(on, off) >= SHAPE
    # Where there is nothing but a mention the steps stand on the palest ground.
    assert contrast(COLOURS["meter-on"], COLOURS["heat-mentions"]) >= SHAPE


def test_the_scale_runs_from_dark_to_light() -> None:
    scale = [luminance(COLOURS[f"heat-{s}"]) for s in ("commits", "says", "mentions", "silent")]
    assert scale == sorted(scale)
    assert all(b - a > 0.1 for a, b in zip(scale, scale[1:], strict=False))


def test_what_is_marked_stands_out_by_more_than_colour() -> None:
    assert contrast(COLOURS["cited-edge"], COLOURS["paper"]) >= SHAPE
    assert re.search(r"\.app-mark--cite \{[^}]*border-bottom", CSS)
    assert re.search(r"\.app-mark:focus[^{]*\{[^}]*outline", CSS)
