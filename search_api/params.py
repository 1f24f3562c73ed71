"""The parameters that commands, API and pages share, checked at the edge."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from search_api.model import (
    MOST_CHARACTERS,
    MOST_RESULTS,
    MOST_THEMES,
    SEEN,
    Filters,
    Order,
    Query,
)

# Said of the words here, checked where they are understood, which has better sentences.
Words = Annotated[
    str,
    WithJsonSchema({"type": "string", "maxLength": MOST_CHARACTERS, "pattern": SEEN.pattern}),
]
Month = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"}
    ),
]
Year = Annotated[int, Field(ge=1900, le=2200)]


class FilterParams(BaseModel):
    """What to search in."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    home: str | None = Field(None, description="the asker's own system, left out by “other”")
    system: list[str] = Field([], description="only these systems")
    exclude_system: list[str] = Field([], description="all but these systems")
    document: list[str] = Field([], description="only these documents")
    kind: list[str] = Field([], description="only documents of these kinds")
    from_: Year | None = Field(None, alias="from", description="period ends in or after this year")
    to: Year | None = Field(None, description="period starts in or before this year")
    include_superseded: bool = Field(False, description="search superseded documents too")
    index_id: str | None = Field(
        None, description="the generation to ask; the current one if unset"
    )

    def filters(self) -> Filters:
        """The filters as the Searcher takes them."""
        return Filters(
            system=tuple(self.system),
            exclude_system=tuple(self.exclude_system),
            document=tuple(self.document),
            kind=tuple(self.kind),
            from_year=self.from_,
            to_year=self.to,
            include_superseded=self.include_superseded,
        )


class AskParams(FilterParams):
    """A question with filters."""

    q: Words = Field(description="the question, 1 to 1,000 characters")

    def query(self) -> Query:
        """The question as the Searcher takes it."""
        return Query(text=self.q, home=self.home, filters=self.filters())


class SearchParams(AskParams):
    """A search with filters."""

    limit: int = Field(10, ge=1, le=MOST_RESULTS, description="how many passages")

    def query(self) -> Query:
        """The search as the Searcher takes it."""
        return Query(text=self.q, home=self.home, filters=self.filters(), limit=self.limit)


class CompareParams(FilterParams):
    """Themes to compare, with filters."""

    theme: list[Words] = Field(
        min_length=1, max_length=MOST_THEMES, description="catalogue themes or free text"
    )


class CommitmentParams(FilterParams):
    """Which commitments to list."""

    theme: Words | None = Field(None, description="a catalogue theme or free text")
    due_before: Month | None = Field(None, description="due before this month, YYYY-MM")
    limit: int = Field(50, ge=1, le=MOST_RESULTS)
    offset: int = Field(0, ge=0)
    sort: Order = Field("due", description="soonest due first, by owner, or by document")


class VerifyBody(BaseModel):
    """Citations to check, as they were given out."""

    citations: list[dict[str, object]] = Field(max_length=5_000)
