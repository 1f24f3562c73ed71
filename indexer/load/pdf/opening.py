"""A PDF opened, mended where it has to be, or the reason why it cannot be opened."""

import io
import logging

import pypdfium2
import pypdfium2.raw as pdfium

from corpus.errors import DocumentError


def opened(content: bytes, name: str) -> "tuple[pypdfium2.PdfDocument, bool]":
    """The document in a PDF's bytes, and whether pypdf had to mend it first.

    Raises:
        DocumentError: it is under a password, encrypted in a way unknown, damaged, or no PDF.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise DocumentError(f"{name} is protected by a password.") from error
        if error.err_code == pdfium.FPDF_ERR_SECURITY:
            raise DocumentError(f"{name} is encrypted in a way that cannot be read.") from error
    else:
        if len(document):
            return document, False
    mended = _mended(content)
    if mended is None:
        raise DocumentError(f"{name} is damaged and cannot be opened as a PDF.")
    return mended, True


def _mended(content: bytes) -> "pypdfium2.PdfDocument | None":
    """The pages that pypdf, which searches a damaged file in another way, can still find."""
    if b"/Page" not in content:
        return None
    import pypdf  # slow to import, and seldom needed

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    out = io.BytesIO()
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        writer = pypdf.PdfWriter()
        for page in reader.pages:
            writer.add_page(page)
        if not len(writer.pages):
            return None
        writer.write(out)
        return pypdfium2.PdfDocument(out.getvalue())
    # A second attempt on a damaged file: whatever it raises, the first finding stands.
    except Exception:
        return None
