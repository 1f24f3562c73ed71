"""Settings of searching and serving, from arguments or `ICSEARCH_…` environment variables."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.settings import CHECKOUT


class SearchSettings(BaseSettings):
    """How passages are found and when a subject counts as found.

    The weights were set on the questions of `eval/labels` and on three public collections, not on
    the fresh questions.
    """

    model_config = SettingsConfigDict(env_prefix="ICSEARCH_", extra="ignore", frozen=True)

    index: str = Field(str(CHECKOUT / ".index"), description="folder or URL of the index")
    candidates: int = Field(100, ge=10, le=5_000, description="candidates from each retriever")
    lexical_share: float = Field(0.3, ge=0, le=1, description="weight of BM25 in the first order")
    expansion_weight: float = Field(0.5, ge=0, le=1, description="weight of acronyms spelled out")
    alike_weight: float = Field(0.4, ge=0, le=1, description="weight of other words for a word")
    reranker: str = Field("", description="a cross-encoder, name or folder; none by default")
    reranked: int = Field(30, ge=2, le=200, description="passages that the reranker reads")
    answers_kept: int = Field(
        256, ge=0, le=100_000, description="answers kept to questions asked again, of each kind"
    )
    threads: int = Field(
        0,
        ge=0,
        le=1_024,
        description="threads that encode a question; 0: one in a server, else all cores",
    )
    mask_contacts: bool = Field(False, description="leave contact details of people out of answers")
    most_at_once: int = Field(
        64, ge=1, le=10_000, description="requests at work or waiting; others get 503 at once"
    )
    at_work: int = Field(
        0, ge=0, le=1_000, description="requests at work at once; 0: as many as cores, two at least"
    )
    longest_wait: float = Field(
        1.0, gt=0, le=60, description="seconds that a request waits for its turn before a 503"
    )
    rate_limit: int = Field(
        0, ge=0, le=1_000_000, description="requests a minute from one address; 0: no limit"
    )
    trusted_proxies: str = Field(
        "", description="addresses or networks of proxies whose word on an address is believed"
    )
    allowed_hosts: str = Field("", description="names that are answered to, * for any part; all")
    most_body_mb: int = Field(16, ge=1, le=1_000, description="largest body read, in megabytes")
    metrics: bool = Field(False, description="whether `/metrics` tells Prometheus of requests")
    log: Literal["text", "json"] = Field(
        "text", description="`json`: a line for each request and error; `text`: warnings alone"
    )
    log_queries: bool = Field(
        False, description="whether lines for requests hold what was asked, which is private"
    )

    def in_a_server(self) -> "SearchSettings":
        """The same for a server, where one thread encodes each question unless told otherwise.

        Many who ask get a third more out of the cores so than where each question takes all.
        """
        return self.model_copy(update={"threads": self.threads or 1})
