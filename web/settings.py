"""Settings of the web site, from arguments or `ICSEARCH_…` environment variables."""

from pathlib import Path

from pydantic import Field, SecretStr
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
    admin_tokens: str = Field(
        "", description="name:hash of each token that may administer; none: no administration"
    )
    admin_key: SecretStr | None = Field(None, description="signs the cookies of administrators")
    admin_folder: Path = Field(
        CHECKOUT / ".admin", description="where administration keeps jobs and its log"
    )
    admin_log: Path | None = Field(
        None, description="file of administrative acts; default: log.jsonl in the folder"
    )
    admin_upload_mb: int = Field(
        100, ge=1, le=2_000, description="largest document that may be uploaded, in megabytes"
    )
    public_url: str | None = Field(
        None, pattern=r"^https?://[^/?#\s]+/?$", description="address of this service, for sign-in"
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^?#\s]+$",
        description="OpenID Connect provider with which everybody signs in; none: open to all",
    )
    oidc_client_id: str = Field("", description="our id at the provider")
    oidc_client_secret: SecretStr | None = Field(None, description="our secret at the provider")
    oidc_key: SecretStr | None = Field(None, description="signs the cookies of those signed in")
    oidc_domains: str = Field("", description="domains of mail addresses that may enter; all")
