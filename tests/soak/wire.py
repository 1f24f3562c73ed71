"""Relays a connection to PostgreSQL and lets one of its messages go wrong.

What counts is what a client sends that has the server do something: a simple query, the binding of
a prepared one, a block of COPY and its end. So it works for whatever code does the writing.
"""

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal

Fault = Literal["full", "timeout", "dropped", "unheard"]
FAULTS: dict[Fault, str] = {
    "full": "the server refuses it: no space left",
    "timeout": "the server refuses it: it took too long",
    "dropped": "the connection is lost before the server hears it",
    "unheard": "the server does it, and the connection is lost before it says so",
}
CODES = {
    "full": ("53100", "could not extend file: No space left on device"),
    "timeout": ("57014", "canceling statement due to statement timeout"),
}
COUNTED = b"QBdc"
COPIED = b"dc"
ANSWERED = b"ZG"  # ready for the next query, or for the rows of a COPY
ONWARDS = "?sslmode=disable&gssencmode=disable"


class Wire:
    """A port that leads to a server's."""

    def __init__(self, port: int) -> None:
        """Listen; messages go to the server at `port` of this machine."""
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self._count = threading.Lock()
        self._at: int | None = None
        self._fault: Fault = "full"
        self._open: list[socket.socket] = []
        self.said: list[str] = []
        """The messages that counted, each by its letter and what it begins with."""
        self.hit = False
        threading.Thread(target=self._welcome, daemon=True).start()

    def url(self, database: str) -> str:
        """The address of a database by way of this port."""
        port = self._door.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/{database}{ONWARDS}"

    def arm(self, at: int | None, fault: Fault = "full") -> None:
        """Let the `at`-th message that counts go wrong, from 0; None lets all of them be."""
        with self._count:
            self._at, self._fault, self.said, self.hit = at, fault, [], False

    def close(self) -> None:
        """Listen no more, and end what is open."""
        for end in (self._door, *self._open):
            _end(end)

    def _welcome(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for end in (client, server):
                    # Messages are passed on one by one: none shall wait for an acknowledgement.
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                relay = _Relay(self, client, server)
                threading.Thread(target=relay.forth, daemon=True).start()
                threading.Thread(target=relay.back, daemon=True).start()

    def wrong(self, kind: bytes, body: bytes) -> Fault | None:
        """Counts a message; how it goes wrong, if it is the one."""
        if kind not in COUNTED:
            return None
        with self._count:
            number = len(self.said)
            self.said.append(f"{kind.decode()} {body[:40]!r}")
            if number != self._at:
                return None
            self.hit = True
            return self._fault


class _Relay:
    """One connection."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self._deaf = False

    def forth(self) -> None:
        """What the client says, until it ends."""
        try:
            reader = self._client.makefile("rb")
            size = reader.read(4)
            self._server.sendall(size + reader.read(struct.unpack("!I", size)[0] - 4))
            while kind := reader.read(1):
                body = reader.read(struct.unpack("!I", reader.read(4))[0] - 4)
                fault = self._wire.wrong(kind, body)
                if fault == "dropped":
                    break
                if fault == "unheard":
                    self._deaf = True
                    if kind == b"d":  # no answer is due
                        self._server.sendall(_message(kind, body))
                        break
                elif fault is not None:
                    state, text = CODES[fault]
                    if kind in COPIED:
                        kind, body = b"f", text.encode() + b"\0"
                    else:
                        while kind not in b"QS":  # the rest of what is asked with it
                            kind = reader.read(1)
                            reader.read(struct.unpack("!I", reader.read(4))[0] - 4)
                        kind, body = b"Q", _raising(state, text)
                self._server.sendall(_message(kind, body))
        except (OSError, struct.error, ValueError):
            pass
        finally:
            self._end()

    def back(self) -> None:
        """What the server says, until it ends or nobody shall hear it."""
        try:
            reader = self._server.makefile("rb")
            while kind := reader.read(1):
                body = reader.read(struct.unpack("!I", reader.read(4))[0] - 4)
                if self._deaf:
                    if kind in ANSWERED:
                        break
                else:
                    self._client.sendall(_message(kind, body))
        except (OSError, struct.error, ValueError):
            pass
        finally:
            self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            _end(end)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _raising(state: str, text: str) -> bytes:
    """A query that fails so, and a transaction around it with it."""
    raised = f"RAISE SQLSTATE '{state}' USING MESSAGE = '{text}'"
    return f"DO $$ BEGIN {raised}; END $$".encode() + b"\0"
