"""Files made to break readers: each ends in time with words, a finding, or one sentence of refusal.

All are made here. They are read as the product reads, in a child process with limits.
"""

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from corpus.errors import DocumentError
from corpus.model import Document, Reading
from eval import making
from indexer import isolate
from indexer.isolate import page_image, read_isolated
from indexer.load.limits import DEFAULT, Limits

LIMITS = Limits(seconds=20, cpu_seconds=10, memory_mb=400, unpacked_mb=60, pages=100)
TEXT = making.paragraphs(3)


def read(path: Path, limits: Limits = LIMITS) -> Reading:
    document = Document(id="made", system="s", title="Made", file=path.name, sha256="")
    return read_isolated(path, [document], limits)[0]


def test_what_a_file_may_cost_is_not_loosened_unnoticed() -> None:
    assert DEFAULT == Limits(
        seconds=300,
        cpu_seconds=240,
        memory_mb=1024,
        file_mb=300,
        unpacked_mb=300,
        output_mb=64,
        pages=2000,
        ocr_page_seconds=30,
        ocr_seconds=200,
    )


# Broken PDFs.


@cache
def good() -> bytes:
    return making.pdf_single_column(TEXT).content


def no_table_of_places() -> bytes:
    return good()[: good().rindex(b"xref\n")]


def wrong_table_of_places() -> bytes:
    return re.sub(rb"startxref\n\d+", b"startxref\n99999999", good())


def page_tree_loop() -> bytes:
    return making.pdf_raw(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2/Parent 2 0 R>>",
        ]
    )


def deep_page_tree() -> bytes:
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (n + 3, n + 1) for n in range(5000)
    ]
    return making.pdf_raw([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page>>"])


def huge_page_count() -> bytes:
    return making.pdf_raw(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 2000000>>"]
    )


def many_pages() -> bytes:
    pages = making.Pages()
    for _ in range(LIMITS.pages + 1):
        pages.next()
    return pages.done()


def decompression_bomb() -> bytes:
    packer = zlib.compressobj(9)
    block = b"q Q " * 262144
    data = b"".join(packer.compress(block) for _ in range(450)) + packer.flush()
    head = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(data)
    return making.pdf_page(head + data + b"\nendstream")


def form_in_itself() -> bytes:
    form = making.pdf_stream(
        b"/X1 Do BT /F1 12 Tf 60 700 Td (inside) Tj ET",
        b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>"
        b"/XObject<</X1 6 0 R>>>>",
    )
    return making.pdf_page(
        making.pdf_stream(b"BT /F1 12 Tf 60 750 Td (outside) Tj ET /X1 Do"),
        form,
        resources=b"/Font<</F1 5 0 R>>/XObject<</X1 6 0 R>>",
    )


def forms_that_multiply() -> bytes:
    forms = [
        making.pdf_stream(
            b"/X Do " * 12,
            b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>>>"
            % (7 + depth),
        )
        for depth in range(9)
    ]
    last = making.pdf_stream(
        b"BT /F1 12 Tf 60 700 Td (boom) Tj ET",
        b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>",
    )
    return making.pdf_page(
        making.pdf_stream(b"/X Do"), *forms, last, resources=b"/XObject<</X 6 0 R>>"
    )


def a_million_letters() -> bytes:
    line = b"(" + b"words upon words " * 60 + b") Tj 0 -1 Td "
    return making.pdf_page(making.pdf_stream(b"BT /F1 1 Tf 1 840 Td " + line * 300 + b"ET"))


def absurd_page_size() -> bytes:
    content = making.pdf_page(making.pdf_stream(b"BT /F1 12 Tf 60 700 Td (far out) Tj ET"))
    return content.replace(b"[0 0 595 842]", b"[0 0 9e9 9e9]")


def no_page_size() -> bytes:
    content = making.pdf_page(making.pdf_stream(b"BT /F1 12 Tf 60 700 Td (no room) Tj ET"))
    return content.replace(b"[0 0 595 842]", b"[0 0 0 0]    ")


def wrong_stream_length() -> bytes:
    content = making.pdf_page(making.pdf_stream(b"BT /F1 12 Tf 60 700 Td (still here) Tj ET"))
    return re.sub(rb"/Length \d+", b"/Length 7", content, count=1)


def shapes_without_letters() -> bytes:
    """A font that never says which letters its shapes are."""
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/Odd/Encoding/Identity-H/DescendantFonts[<</Type/Font"
        b"/Subtype/CIDFontType2/BaseFont/Odd/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        b"/Supplement 0>>/FontDescriptor<</Type/FontDescriptor/FontName/Odd/Flags 4>>>>]>>"
    )
    words = b"BT /F2 12 Tf 60 700 Td <0102030405060708> Tj ET"
    return making.pdf_page(making.pdf_stream(words), font, resources=b"/Font<</F2 6 0 R>>")


def outline_loop() -> bytes:
    return making.pdf_raw(
        [
            b"<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            (
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
                b"/Resources<</Font<</F1 7 0 R>>>>>>"
            ),
            making.pdf_stream(b"BT /F1 12 Tf 60 700 Td (round and round) Tj ET"),
            b"<</First 6 0 R/Last 6 0 R>>",
            b"<</Title(again)/Next 6 0 R/First 6 0 R/Parent 5 0 R/Dest[3 0 R/Fit]>>",
            making.FONT_OBJECT,
        ]
    )


def a_chart_of_lines() -> bytes:
    lines = b"".join(
        b"%d %d m %d %d l S " % (i % 500, i % 800, i % 499 + 9, i % 800) for i in range(90000)
    )
    return making.pdf_page(making.pdf_stream(lines + b"BT /F1 12 Tf 60 700 Td (a chart) Tj ET"))


def giant_image() -> bytes:
    image = making.pdf_stream(
        b"\0" * 1000,
        b"/Type/XObject/Subtype/Image/Width 90000/Height 90000/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8",
    )
    return making.pdf_page(
        making.pdf_stream(b"595 0 0 842 0 0 cm /I Do"), image, resources=b"/XObject<</I 6 0 R>>"
    )


# Broken archives.

PLAIN_DOCX = "word/document.xml"


def docx_of(body: bytes) -> bytes:
    """A Word document with this body."""
    xml = (
        b'<?xml version="1.0"?>%s<w:document xmlns:w="http://schemas.openxmlformats.org/'
        b'wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'
    )
    head, _, rest = body.partition(b"<!--body-->")
    parts = (head, rest) if rest else (b"", body)
    return making.with_part(making.docx_plain([("", "x")]).content, PLAIN_DOCX, xml % parts)


def docx_bomb() -> bytes:
    return docx_of(b"<w:p><w:r><w:t>" + b" " * (80 << 20) + b"</w:t></w:r></w:p>")


def docx_bomb_that_lies() -> bytes:
    return making.with_lie_about_size(docx_bomb(), PLAIN_DOCX, 1000)


def docx_entities() -> bytes:
    lines = b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
    kind = b'<!DOCTYPE d [<!ENTITY e0 "boom ">' + lines + b"]>"
    return docx_of(kind + b"<!--body--><w:p><w:r><w:t>&e9;</w:t></w:r></w:p>")


def docx_many_cells() -> bytes:
    row = b"<w:tr>" + b"<w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>" * 100 + b"</w:tr>"
    return docx_of(b"<w:tbl>" + row * 200 + b"</w:tbl>")


def docx_nested_tables() -> bytes:
    depth = 150
    return docx_of(b"<w:tbl><w:tr><w:tc>" * depth + b"<w:p/>" + b"</w:tc></w:tr></w:tbl>" * depth)


def docx_nested_deeply() -> bytes:
    return docx_of(b"<w:ins>" * 100000 + b"</w:ins>" * 100000)


def docx_wide_spans() -> bytes:
    cell = (
        b'<w:tc><w:tcPr><w:gridSpan w:val="99999999"/></w:tcPr>'
        b"<w:p><w:r><w:t>wide</w:t></w:r></w:p></w:tc>"
    )
    return docx_of(b"<w:tbl><w:tr>" + cell * 2 + b"</w:tr><w:tr>" + cell * 2 + b"</w:tr></w:tbl>")


def docx_without_a_document() -> bytes:
    return making.archive({"word/other.xml": b"<x/>", "[Content_Types].xml": b"<Types/>"})


def under_a_password() -> bytes:
    data = bytearray(making.docx_plain([("", "x")]).content)
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def pptx_many_shapes() -> bytes:
    plain = making.pptx_slides([("Title", ["a", "b"])]).content
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        slide = archive.read("ppt/slides/slide1.xml")
    shape = slide[slide.index(b"<p:sp>") : slide.index(b"</p:sp>") + len(b"</p:sp>")]
    return making.with_part(
        plain,
        "ppt/slides/slide1.xml",
        slide.replace(b"</p:spTree>", shape * 12000 + b"</p:spTree>"),
    )


def pptx_many_cells() -> bytes:
    plain = making.pptx_shapes().content
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        slide = archive.read("ppt/slides/slide1.xml")
    cell = slide[slide.index(b"<a:tc>") : slide.index(b"</a:tc>") + len(b"</a:tc>")]
    return making.with_part(
        plain, "ppt/slides/slide1.xml", slide.replace(b"</a:tr>", cell * 12000 + b"</a:tr>", 1)
    )


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    # name: (its bytes, what is said of it: words read, a finding, or the reason it is refused)
    "empty.pdf": (lambda: b"", "is empty"),
    "blank.txt": (lambda: b" \n\t\n", "is empty"),
    "words.pdf": (lambda: b"This is no PDF, only words under its name.", "This is no PDF"),
    "garbage.pdf": (lambda: bytes(range(256)) * 40, "is not text"),
    "head-only.pdf": (lambda: b"%PDF-1.7\n", "is damaged"),
    "cut-short.pdf": (lambda: good()[:900], "is damaged|no pages|nothing to read"),
    "cut-late.pdf": (lambda: good()[: len(good()) * 3 // 4], f"{TEXT[0][:30]}|is damaged"),
    "no-table.pdf": (no_table_of_places, TEXT[0][:30]),
    "wrong-table.pdf": (wrong_table_of_places, TEXT[0][:30]),
    "locked.pdf": (lambda: making.pdf_encrypted("secret"), "is protected by a password"),
    "open-lock.pdf": (lambda: making.pdf_encrypted("free to read", ""), "free to read"),
    "page-loop.pdf": (page_tree_loop, "damaged|no pages"),
    "deep-pages.pdf": (deep_page_tree, "damaged|no pages"),
    "page-count.pdf": (huge_page_count, "2000000 pages; up to 100|no pages|damaged"),
    "many-pages.pdf": (many_pages, "has 101 pages; up to 100 are read"),
    "bomb.pdf": (decompression_bomb, "memory|processor time|nothing to read"),
    "form-loop.pdf": (form_in_itself, "outside"),
    "form-bomb.pdf": (forms_that_multiply, "seconds|memory|boom|nothing to read"),
    "letters.pdf": (a_million_letters, "words upon words"),
    "vast.pdf": (absurd_page_size, "far out|damaged"),
    "flat.pdf": (no_page_size, "no room|damaged"),
    "length.pdf": (wrong_stream_length, "still here|nothing to read"),
    "shapes.pdf": (shapes_without_letters, "fonts that do not say|nothing to read|picture"),
    "outline-loop.pdf": (outline_loop, "round and round"),
    "chart.pdf": (a_chart_of_lines, "a chart"),
    "no-words.pdf": (lambda: making.pdf_scan(TEXT).content, "picture"),
    "giant-image.pdf": (giant_image, "picture|memory"),
    "bomb.docx": (docx_bomb, "unpacks to 80 MB; up to 60 MB"),
    "liar.docx": (docx_bomb_that_lies, "damaged"),
    "entities.docx": (docx_entities, "damaged|no text"),
    "cells.docx": (docx_many_cells, "holds more than 10000"),
    "tables.docx": (docx_nested_tables, "nested too deeply|damaged|no text"),
    "deep.docx": (docx_nested_deeply, "nested too deeply|damaged"),
    "wide.docx": (docx_wide_spans, "wide"),
    "hollow.docx": (docx_without_a_document, "damaged"),
    "locked.docx": (under_a_password, "is protected by a password"),
    "cut.docx": (lambda: making.docx_plain([("", "x")]).content[:-200], "is damaged"),
    "old.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Office file"),
    "shapes.pptx": (pptx_many_shapes, "holds more than 10000"),
    "cells.pptx": (pptx_many_cells, "holds more than 10000"),
    "cut.pptx": (lambda: making.pptx_slides([("x", ["y"])]).content[:-200], "is damaged"),
    "other.zip": (lambda: making.archive({"a.txt": b"words"}), "no document that can be read"),
    "deep.html": (lambda: b"<html><main>" + b"<div>" * 20000 + b"deep words", "deep words|deeply"),
    "unclosed.html": (lambda: b"<html><main><p>" + b"<b><i>open " * 20000, "open open|deeply"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_ends_in_words_a_finding_or_a_reason(name: str, tmp_path: Path) -> None:
    make, said = FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    began = time.monotonic()
    try:
        found = read(path)
    except DocumentError as error:
        outcome = error.message
        assert name in outcome
        assert outcome.endswith(".")
        assert "\n" not in outcome
        assert "Traceback" not in outcome
    else:
        outcome = f"{found.text[:200]} {' '.join(found.warnings)}"
        assert found.text or found.warnings
    assert re.search(said, outcome), outcome
    assert time.monotonic() - began < LIMITS.seconds + 5


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 20


# The limits themselves.


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_time_by_the_clock_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "slow.pdf", good())
    with pytest.raises(DocumentError, match=r"^slow\.pdf takes more than 0\.01 seconds to read\.$"):
        read(path, Limits(seconds=0.01))


def test_processor_time_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "busy.pdf", making.pdf_single_column(making.paragraphs(2000)).content)
    with pytest.raises(DocumentError, match=r"^busy\.pdf takes more than 1 seconds of processor"):
        read(path, Limits(cpu_seconds=1))


def test_memory_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "big.pdf", good())
    with pytest.raises(
        DocumentError, match=r"^big\.pdf (needs more than 24 MB|stopped its reader)"
    ):
        read(path, Limits(memory_mb=24))


def in_a_child(script: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", f"import os, resource; from indexer import isolate; {script}"]
    return subprocess.run(command, cwd=isolate.ROOT, capture_output=True, text=True, timeout=20)


def test_the_system_bounds_a_child() -> None:
    kinds = ["RLIMIT_CORE", "RLIMIT_CPU", *["RLIMIT_AS"] * (sys.platform == "linux")]
    told = in_a_child(
        "most = resource.getrlimit(resource.RLIMIT_CORE)[1];"
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most));"
        "isolate._bound(isolate.Limits(cpu_seconds=7, memory_mb=900), os.getppid());"
        f"print([resource.getrlimit(getattr(resource, kind))[0] for kind in {kinds}])"
    )
    assert told.stdout.strip() == str([0, 7, 900 << 20][: len(kinds)])


def test_what_a_child_holds_is_limited_where_the_system_does_not_bound_it() -> None:
    assert in_a_child("isolate._watch(1, os.getppid())").returncode == isolate.TOO_MUCH_MEMORY


def test_output_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "long.txt", ("A line of words that goes on.\n\n" * 60000).encode())
    with pytest.raises(DocumentError, match=r"^long\.txt holds more than 1 MB of text\.$"):
        read(path, Limits(output_mb=1))


def test_file_size_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "fat.txt", b"words " * 400000)
    with pytest.raises(DocumentError, match=r"^fat\.txt is 2 MB; files of up to 1 MB are read\.$"):
        read(path, Limits(file_mb=1))


def test_a_crash_is_told_by_its_signal_and_the_parent_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    _instead(monkeypatch, crash)
    with pytest.raises(DocumentError, match=r"^odd\.pdf crashed its reader \(SIGSEGV\)\.$"):
        read(write(tmp_path / "odd.pdf", good()))


def test_an_error_of_the_reader_itself_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, [sys.executable, "-c", "raise ValueError('a bug')"])
    with pytest.raises(DocumentError, match=r"^odd\.pdf stopped its reader: ValueError: a bug\.$"):
        read(write(tmp_path / "odd.pdf", good()))


def test_what_a_child_started_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"
    script = (
        "import subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    _instead(monkeypatch, [sys.executable, "-c", script])
    with pytest.raises(DocumentError, match="takes more than"):
        read(write(tmp_path / "odd.pdf", good()), Limits(seconds=2))
    assert _gone(int(note.read_text()))


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A killed orphan may wait for a parent that never asks after it.
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def _instead(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    real = subprocess.Popen

    def popen(_: list[str], **told: object) -> "subprocess.Popen[bytes]":
        return real(command, **told)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_many_are_read_at_once(tmp_path: Path) -> None:
    paths = []
    for n in range(8):
        made = making.pdf_single_column(making.paragraphs(2, seed=n))
        paths.append(write(tmp_path / f"{n}.pdf", made.content))
    bad = write(tmp_path / "bad.pdf", b"%PDF-1.7\n")
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(read, path) for path in (*paths, bad)]
    for n, future in enumerate(futures[:-1]):
        first = making.paragraphs(2, seed=n)[0]
        assert first in future.result().text.replace("\n", " ")
    with pytest.raises(DocumentError, match=r"^bad\.pdf is damaged"):
        futures[-1].result()


def test_a_reading_comes_back_whole(tmp_path: Path) -> None:
    from indexer.assemble import assemble
    from indexer.load import load

    path = write(tmp_path / "plan.pdf", making.pdf_table(making.table_rows(30)).content)
    document = Document(id="made", system="s", title="Made", file=path.name, sha256="")
    assert read(path) == assemble(load(path), [document])[0]


# Page images.


def test_a_page_image_is_a_png_of_the_page(tmp_path: Path) -> None:
    from PIL import Image

    path = write(tmp_path / "plan.pdf", making.pdf_table(making.table_rows(30)).content)
    image = Image.open(io.BytesIO(page_image(path, 2)))
    assert image.format == "PNG"
    assert max(image.size) == pytest.approx(1400, abs=2)
    assert image.size[0] > image.size[1]
    assert image.convert("L").getextrema() == (0, 255)


def test_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "plan.pdf", good())
    with pytest.raises(DocumentError, match=r"^plan\.pdf has 1 pages and no page 7\.$"):
        page_image(path, 7)


def test_a_page_image_of_a_bomb_is_refused_too(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.pdf", forms_that_multiply())
    try:
        assert page_image(path, 1, LIMITS).startswith(b"\x89PNG")
    except DocumentError as error:
        assert error.message.startswith("bomb.pdf ")


@pytest.mark.parametrize("number", isolate.STARVED)
def test_a_starved_reader_is_told_from_a_crashed_one(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, [sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(number)})"])
    with pytest.raises(
        DocumentError, match=rf"{number.name}\): it is damaged or needs more than 400"
    ):
        read(write(tmp_path / "odd.pdf", good()))
