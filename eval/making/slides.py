"""PowerPoint presentations."""

import io
from collections.abc import Sequence

import pptx
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from eval.making.words import Made


def pptx_slides(slides: Sequence[tuple[str, Sequence[str]]], notes: str = "") -> Made:
    """(title, bullets) for each slide; the first has notes if any are given."""
    presentation = pptx.Presentation()
    truth: list[tuple[int, str]] = []
    for number, (title, bullets) in enumerate(slides, 1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = "\n".join(bullets)
        if notes and number == 1:
            slide.notes_slide.notes_text_frame.text = notes
        truth.extend((number, text) for text in (title, *bullets))
    return Made(_saved_slides(presentation), tuple(truth))


def pptx_shapes() -> Made:
    """A slide with boxes drawn out of order, a group, a table and a chart."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "How we work"
    for text, left, top in (("bottom", 1, 5), ("right", 6, 2), ("left", 1, 2)):
        box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.6))
        box.text_frame.text = text
    group = slide.shapes.add_group_shape()
    inner = group.shapes.add_textbox(Inches(3.5), Inches(2), Inches(2), Inches(0.6))
    inner.text_frame.text = "grouped"
    frame = slide.shapes.add_table(3, 2, Inches(1), Inches(3), Inches(6), Inches(1.2))
    for row, texts in zip(
        frame.table.rows, (("Aim", "Date"), ("A", "2026"), ("B", "")), strict=True
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    frame.table.cell(2, 0).merge(frame.table.cell(2, 1))
    data = CategoryChartData()
    data.categories = ["one"]
    data.add_series("Admissions", (5,))
    chart = slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(6), Inches(3), Inches(1), data
    )
    chart.chart.has_title = True
    chart.chart.chart_title.text_frame.text = "Admissions fall"
    return Made(
        _saved_slides(presentation),
        tuple((1, t) for t in ("How we work", "left", "grouped", "right", "bottom")),
        ("Aim", "Date"),
        (("A", "2026"), ("B", "")),
    )


def pptx_picture() -> bytes:
    """A slide that is nothing but a picture, and a hidden one with words."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    slide.shapes.add_picture(out, 0, 0, presentation.slide_width, presentation.slide_height)
    hidden = presentation.slides.add_slide(presentation.slide_layouts[5])
    hidden.shapes.title.text = "Not for the audience"
    hidden._element.set("show", "0")
    return _saved_slides(presentation)


def _saved_slides(presentation: "pptx.presentation.Presentation") -> bytes:
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()
