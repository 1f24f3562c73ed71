"""How much one file may cost. Bounds for the child process that reads it, and for its loader."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost before its reading is given up.

    Args:
        seconds: by the clock, from the start of the child process.
        cpu_seconds: of the child alone; a program it starts (Tesseract) is counted apart.
        memory_mb: of the child's address space, and of what it holds of it.
        file_mb: the largest file that is opened at all.
        unpacked_mb: what the parts of a zipped format may come to when unpacked.
        output_mb: the largest result that is taken back.
        pages: the most pages, slides or, in formats without pages, blocks by the hundred.
        ocr_page_seconds: by the clock, for the optical reading of one page.
        ocr_seconds: for all such pages of a file; those beyond it are counted unreadable.
    """

    seconds: float = 300.0
    cpu_seconds: int = 240
    memory_mb: int = 1024
    file_mb: int = 300
    unpacked_mb: int = 300
    output_mb: int = 64
    pages: int = 2000
    ocr_page_seconds: float = 30.0
    ocr_seconds: float = 200.0


DEFAULT = Limits()
