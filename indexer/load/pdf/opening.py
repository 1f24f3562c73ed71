"""A PDF opened, or the reason why it cannot be.

A second attempt by pypdf was tried on 166 files cut short or garbled on purpose that PDFium gives
up on: it found pages in one of them. PDFium's own repair of a lost table of places is enough.
"""

import pypdfium2
import pypdfium2.raw as pdfium

from corpus.errors import DocumentError


def opened(content: bytes, name: str) -> "pypdfium2.PdfDocument":
    """The document in a PDF's bytes.

    Raises:
        DocumentError: it is under a password, encrypted in a way unknown, damaged, or has no pages.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise DocumentError(f"{name} is protected by a password.") from error
        if error.err_code == pdfium.FPDF_ERR_SECURITY:
            raise DocumentError(f"{name} is encrypted in a way that cannot be read.") from error
        raise DocumentError(f"{name} is damaged and cannot be opened as a PDF.") from error
    if not len(document):
        raise DocumentError(f"{name} has no pages that can be found.")
    return document
