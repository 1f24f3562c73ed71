"""A PDF opened, or the reason why it cannot be."""

import pypdfium2
import pypdfium2.raw as pdfium

from corpus.errors import DocumentError


def opened(content: bytes, name: str) -> "pypdfium2.PdfDocument":
    """The document in a PDF's bytes.

    Raises:
        DocumentError: it is under a password, encrypted in a way unknown, or no PDF at all.
    """
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise DocumentError(f"{name} is protected by a password.") from error
        if error.err_code == pdfium.FPDF_ERR_SECURITY:
            raise DocumentError(f"{name} is encrypted in a way that cannot be read.") from error
        raise DocumentError(f"{name} is damaged and cannot be opened as a PDF.") from error
