"""What those who run the service need: request ids, logs, metrics, whether it lives and is ready.

`/live` says that the process answers, `/ready` that it can answer questions, `/metrics` (if turned
on) what it did, for Prometheus. They are answered before any queue, limit or sign-in. What people
ask is private: neither metrics nor, unless turned on, logs hold it.
"""

import json
import logging
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus.errors import IcsearchError
from indexer.store import current_id
from search_api.metrics import Metrics
from search_api.serving import Serving
from search_api.settings import SearchSettings

REQUEST_ID = "X-Request-ID"
USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LOG = logging.getLogger("icsearch.requests")


class Operations:
    """Gives each request an id, logs and counts it, and answers the three paths itself."""

    def __init__(self, app: ASGIApp, serving: Serving, settings: SearchSettings) -> None:
        """Wrap an app."""
        self._app = app
        self._serving = serving
        self._metrics = Metrics(serving) if settings.metrics else None
        self._log = settings.log == "json"
        self._queries = settings.log_queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if USABLE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, started = 500, time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        own = await self._own(scope["path"])
        failure: BaseException | None = None
        try:
            await (own or self._app)(scope, receive, sent)
        except BaseException as error:
            failure = error
            raise
        finally:
            if own is None:
                seconds = time.perf_counter() - started
                self._tell(scope, status, seconds, failure)

    async def _own(self, path: str) -> Response | None:
        if path == "/live":
            return JSONResponse({"status": "ok"})
        if path == "/ready":
            return await run_in_threadpool(self._ready)
        if path == "/metrics" and self._metrics is not None:
            return await run_in_threadpool(self._metrics.answer)
        return None

    def _ready(self) -> Response:
        """Whether an index is open and what holds it answers."""
        try:
            current_id(self._serving.settings.index)
            served = self._serving.searcher().index_id
        except IcsearchError as error:
            return JSONResponse({"status": "not ready", "reason": error.message}, 503)
        return JSONResponse({"status": "ready", "index_id": served})

    def _tell(
        self, scope: Scope, status: int, seconds: float, failure: BaseException | None
    ) -> None:
        route = getattr(scope.get("route"), "path", None) or "none"
        if self._metrics is not None:
            self._metrics.count(scope["method"], route, status, seconds)
        if not self._log:
            return
        fields: dict[str, Any] = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"],
            "route": route,
            "path": scope["path"],
            "status": status,
            "ms": round(1000 * seconds, 1),
        }
        if self._queries:
            fields["query"] = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        level = logging.ERROR if failure is not None else logging.INFO
        LOG.log(level, "request", extra={"fields": fields}, exc_info=failure)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """A record: its time in UTC, level, what happened, and the fields that came along."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": when,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """Write everything that is logged in this process to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOG.setLevel(logging.INFO)
