"""Settings of indexing, from arguments or `ICSEARCH_…` environment variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.catalogue import SHIPPED
from indexer.embed import DEFAULT_MODEL

CHECKOUT = SHIPPED.parent
CACHE = Path("~/.cache/icsearch/models").expanduser()


class IndexSettings(BaseSettings):
    """Where documents come from, where the index goes, and how it is made."""

    model_config = SettingsConfigDict(env_prefix="ICSEARCH_", extra="ignore", frozen=True)

    corpus: Path = Field(SHIPPED, description="folder with the catalogue and the documents")
    index: str = Field(str(CHECKOUT / ".index"), description="folder or URL of the index")
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
    scheduler: str | None = Field(
        None, description="`tcp://` address of a Dask scheduler whose workers embed"
    )
    keep_generations: int = Field(3, ge=1, le=100, description="generations kept after a switch")


class DatabaseSettings(BaseSettings):
    """How an index in PostgreSQL is reached. The embedded store needs none of this."""

    model_config = SettingsConfigDict(env_prefix="ICSEARCH_", extra="ignore", frozen=True)

    replica: str | None = Field(
        None, description="`postgresql://` address of a copy of the database, for reading"
    )
    models: Path = Field(
        CACHE, description="folder where a model that the database holds is kept for this machine"
    )
    database_connections: int = Field(
        8, ge=1, le=1_000, description="connections that a process opens at most"
    )
    database_timeout: float = Field(
        10, gt=0, le=600, description="seconds to wait for a connection, and for an answer"
    )
    postings_up_to: int = Field(
        500_000,
        ge=0,
        description="passages whose words are all weighed; above, pg_textsearch picks candidates",
    )
