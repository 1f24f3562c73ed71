"""What forms send: small ones whole, an upload as it arrives, written to a file as far as it may.

Sizes are of bytes that arrived, never of what a header claims. What is too large is read to its
end and thrown away, because a browser listens to the answer only then.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_FIELD_BYTES = 64_000
MOST_FIELDS = 40
UPLOAD_SECONDS = 900
MOST_THROWN_AWAY = 8
"""An upload is read up to so many times what is allowed, then cut off."""
MALFORMED = "What your browser sent could not be understood. Go back and try again."


@dataclass(slots=True)
class Sent:
    """Fields of a form, and of the file with them its name and how many bytes arrived."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    size: int = 0
    too_large: bool = False


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form without a file.

    Raises:
        HTTPException: 413 where they are longer than any form of ours, 400 where they are none.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FIELD_BYTES:
            raise HTTPException(413, "What was sent is too long for this form.")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, MALFORMED) from None


async def receive(request: Request, into: Path, most: int) -> Sent:
    """The fields of a form with a file; the file's bytes are in `into`, if there are not too many.

    Raises:
        HTTPException: 400 where it is no such form, 408 where it takes too long.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise HTTPException(400, MALFORMED)
    with into.open("wb") as file:
        parts = _Parts(file, most)
        parser = MultipartParser(boundary, callbacks=parts.callbacks())  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                async for chunk in request.stream():
                    parser.write(chunk)
            parser.finalize()
        except (MultipartParseError, ClientDisconnect):
            raise HTTPException(400, MALFORMED) from None
        except TimeoutError:
            raise HTTPException(408, "The upload took too long. Try again.") from None
    if not parts.ended:
        raise HTTPException(400, MALFORMED)
    return parts.sent


class _Parts:
    """Takes the parts of a form as the parser comes to them."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.sent = Sent()
        self.ended = False
        self._file = file
        self._most = most
        self._headers: dict[bytes, bytes] = {}
        self._header = bytearray()
        self._value = bytearray()
        self._name = ""
        self._is_file = False
        self._text = bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_ended,
            "on_headers_finished": self._headers_ended,
            "on_end": self._all_ended,
        }

    def _begin(self) -> None:
        self._headers, self._text = {}, bytearray()

    def _header_ended(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_ended(self) -> None:
        told = self._headers.get(b"content-disposition", b"")
        kind, options = parse_options_header(told)
        if kind != b"form-data" or b"name" not in options or len(self.sent.fields) >= MOST_FIELDS:
            raise MultipartParseError("a part without a name, or too many of them")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if self._is_file:
            self.sent.file_name = options[b"filename"].decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text += data[start:end]
            if len(self._text) > MOST_FIELD_BYTES:
                raise MultipartParseError("a field that is too long")
            return
        self.sent.size += end - start
        if self.sent.size > self._most:
            self.sent.too_large = True
            if self.sent.size > self._most * MOST_THROWN_AWAY:
                raise HTTPException(413, "The file is far too large.")
        else:
            self._file.write(data[start:end])

    def _end(self) -> None:
        if not self._is_file:
            self.sent.fields[self._name] = self._text.decode("utf-8", "replace")

    def _all_ended(self) -> None:
        self.ended = True
