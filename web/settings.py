"""Settings of the web site, from arguments or `ICSEARCH_…` environment variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.catalogue import SHIPPED
from indexer.settings import CHECKOUT


class WebSettings(BaseSettings):
    """What the pages say of themselves and where they find what is not in the index."""

    model_config = SettingsConfigDict(env_prefix="ICSEARCH_", extra="ignore", frozen=True)

    service_name: str = Field("icsearch", min_length=1, max_length=60, description="shown on top")
    corpus: Path = Field(SHIPPED, description="folder of the original files, for download")
    report: Path = Field(
        CHECKOUT / "eval" / "report.json", description="what `icsearch eval report` wrote"
    )
    feedback: str | None = Field(None, description="address of a page or mailbox for feedback")
