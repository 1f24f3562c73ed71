"""A pack's documents, proposed from its own agenda: "Sefton Plan (Pages 3 - 130)"."""

import re
from dataclasses import dataclass

from corpus.model import Reading

ITEM = re.compile(r"([^\n()]{4,200}?)\s*\(Pages?\s+(\d{1,4})\s*(?:[-–]|to)\s*(\d{1,4})\)")
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """One item of an agenda, with the pages of the pack that it fills."""

    title: str
    first_page: int
    last_page: int

    @property
    def pages(self) -> str:
        """The pages as the catalogue writes them."""
        return f"{self.first_page}-{self.last_page}"


def propose(reading: Reading) -> list[Proposal]:
    """The documents of a pack, in order; none if it is not one.

    Only items whose pages the file has and which do not overlap are proposed, two at least.
    """
    have = {page.number for page in reading.pages}
    # Where numbers come from stamps, how many pages follow the last one is not known.
    open_end = any(page.inferred for page in reading.pages)
    out: list[Proposal] = []
    for match in ITEM.finditer(reading.text):
        first, last = int(match[2]), int(match[3])
        after = out[-1].last_page if out else 0
        if after < first <= last and first in have and (last in have or open_end):
            out.append(Proposal(match[1].strip(" ,.;:–-"), first, last))
    return out if len(out) >= FEWEST else []
