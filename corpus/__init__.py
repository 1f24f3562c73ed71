"""What icsearch knows: its nouns, and the catalogue of systems, themes and documents."""

from corpus.catalogue import Catalogue, open_catalogue
from corpus.model import Cell, Document, Lineage, Page, Passage, Reading, Section, System, Theme

__all__ = [
    "Catalogue",
    "Cell",
    "Document",
    "Lineage",
    "Page",
    "Passage",
    "Reading",
    "Section",
    "System",
    "Theme",
    "open_catalogue",
]
