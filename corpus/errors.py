"""Every error that a user is told about, as one tree.

* IcsearchError
  x CatalogueError        a catalogue file or a corpus folder is wrong
  x DocumentError         one document cannot be read
  x ModelError            the embedding model is missing, changed or unusable
  x ClusterError          the machines that shall embed do not
  x IndexError_           anything about the index on disk
    + IndexMissing        there is none at that place
    + IndexDamaged        a file of it is not what was written
    + IndexBusy           another process is writing to it
    + IndexGone           that generation is no longer kept
    + IndexWriteError     it could not be written (disk full, read-only)
    + IndexUnreachable    the database that holds it does not answer
  x QueryError            the question or a filter is not usable
    + UnknownId           a system, document or generation that is not in the index
  x VerifyError           a file given to `verify` holds no citations that can be read
  x ServeError            the server cannot start
  x AdminError            an administrative act cannot be done or written down

The three edges (command line, HTTP API, web pages) catch `IcsearchError` and show its sentence.
Anything else is a bug and shows as one.
"""

from typing import ClassVar


class IcsearchError(Exception):
    """A problem with input or state, told to the user in one sentence."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """An error with its sentence, and the parameter it is about, if any."""
        super().__init__(message)
        self.message = message
        self.field = field


class CatalogueError(IcsearchError):
    """A catalogue file or a corpus folder is wrong."""

    code = "catalogue"


class DocumentError(IcsearchError):
    """One document cannot be read."""

    code = "document"


class ModelError(IcsearchError):
    """The embedding model is missing, changed or unusable."""

    code = "model"


class ClusterError(IcsearchError):
    """The machines that shall embed do not."""

    code = "cluster"


class IndexError_(IcsearchError):
    """Something is wrong with the index on disk."""

    code = "index"
    http_status = 503


class IndexMissing(IndexError_):
    """There is no index at that place."""

    code = "index_missing"


class IndexDamaged(IndexError_):
    """A file of the index is not what was written."""

    code = "index_damaged"


class IndexBusy(IndexError_):
    """Another process is writing to the index."""

    code = "index_busy"


class IndexWriteError(IndexError_):
    """The index could not be written."""

    code = "index_write"


class IndexUnreachable(IndexError_):
    """The database that holds the index does not answer."""

    code = "index_unreachable"


class IndexGone(IndexError_):
    """The generation that was asked for is no longer kept."""

    code = "index_gone"
    http_status = 410


class QueryError(IcsearchError):
    """The question or a filter is not usable."""

    code = "invalid"
    http_status = 422


class UnknownId(QueryError):
    """A system, document or passage that is not in the index."""

    code = "not_found"
    http_status = 404


class VerifyError(IcsearchError):
    """A file given to `verify` holds no citations that can be read."""

    code = "verify"
    http_status = 422


class ServeError(IcsearchError):
    """The server cannot start."""

    code = "serve"


class AdminError(IcsearchError):
    """An administrative act cannot be done or written down."""

    code = "admin"
    http_status = 503
