"""Settings of indexing, from arguments or `ICSEARCH_…` environment variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.catalogue import SHIPPED
from indexer.embed import DEFAULT_MODEL

CHECKOUT = SHIPPED.parent


class IndexSettings(BaseSettings):
    """Where documents come from, where the index goes, and how it is made."""

    model_config = SettingsConfigDict(env_prefix="ICSEARCH_", extra="ignore", frozen=True)

    corpus: Path = Field(SHIPPED, description="folder with the catalogue and the documents")
    index: str = Field(str(CHECKOUT / ".index"), description="folder of the index")
    model: str = Field(DEFAULT_MODEL, description="a sentence-transformers model, name or folder")
    context_share: float = Field(
        0.5, ge=0, le=1, description="weight of the vector made with system, title and headings"
    )
    exact_up_to: int = Field(
        50_000, ge=0, description="so many passages are compared one by one, more through a graph"
    )
    graph_megabytes: int = Field(
        1_024, ge=0, description="a larger graph gives way to cells that are read as needed"
    )
    keep_generations: int = Field(3, ge=1, le=100, description="generations kept after a switch")
