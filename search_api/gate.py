"""Who is let in: hosts that we answer to, requests a minute from one address, bytes of a body.

All three are counted or compared here, before anything of a request is read. What a proxy says of
an address is believed only of proxies that the settings name.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINUTE = 60.0
MOST_ADDRESSES = 50_000
UNCOUNTED = ("/static/", "/api/v1/health")
OWN_LIMITS = ("/admin/",)
"""Paths that read their bodies themselves, bounded by settings of their own."""

Refuse = Callable[[Request, int, str, Mapping[str, str]], Response]
"""Told a status, a sentence and headers, makes an answer in the form that was asked for."""


class Rate:
    """A bucket of requests for each address, filled again at an even pace.

    Args:
        a_minute: how many requests in a minute, and at once after a rest.
    """

    def __init__(self, a_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        """Every address starts with a full bucket."""
        self._most = float(a_minute)
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Takes one request from an address's bucket: 0, or the seconds until there is one."""
        with self._lock:
            now = self._now()
            left, then = self._left.pop(address, (self._most, now))
            left = min(self._most, left + (now - then) * self._most / MINUTE)
            got = left >= 1.0
            self._left[address] = (left - got, now)
            while len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
        return 0.0 if got else (1.0 - left) * MINUTE / self._most


class Gate:
    """Turns away what asks too often, for another host, or sends too much."""

    def __init__(self, app: ASGIApp, refuse: Refuse, rate: int, hosts: str, most_body: int) -> None:
        """Wrap an app.

        Args:
            rate: requests a minute from one address; 0 for no limit.
            hosts: names that we answer to, with * for any part; empty for all.
            most_body: bytes that a body may have.
        """
        self._app = app
        self._refuse = refuse
        self._rate = Rate(rate) if rate else None
        self._hosts = [host.lower() for host in hosts.replace(",", " ").split()]
        self._most_body = most_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, or turn away."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer = self._misdirected(request) or self._too_often(request) or self._too_long(request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if request.url.path.startswith(OWN_LIMITS):
            await self._app(scope, receive, send)
            return
        await self._app(scope, self._counted(receive), send)

    def _misdirected(self, request: Request) -> Response | None:
        host = request.headers.get("host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if not self._hosts or any(fnmatchcase(name, known) for known in self._hosts):
            return None
        return self._refuse(request, 421, "This service does not answer to that name.", {})

    def _too_often(self, request: Request) -> Response | None:
        if self._rate is None or request.url.path.startswith(UNCOUNTED):
            return None
        wait = self._rate.wait(whose(request.client.host if request.client else ""))
        if not wait:
            return None
        seconds = {"Retry-After": str(int(wait) + 1)}
        message = "Too many requests came from your address; wait a little, then try again."
        return self._refuse(request, 429, message, seconds)

    def _too_long(self, request: Request) -> Response | None:
        told = request.headers.get("content-length", "")
        if request.url.path.startswith(OWN_LIMITS) or not told.isdecimal():
            return None
        if int(told) <= self._most_body:
            return None
        return self._refuse(request, 413, self._limit(), {"Connection": "close"})

    def _counted(self, receive: Receive) -> Receive:
        """The same messages, until more bytes have come than a body may have."""
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most_body:
                raise HTTPException(413, self._limit(), {"Connection": "close"})
            return message

        return counting

    def _limit(self) -> str:
        return f"What was sent has more than {self._most_body >> 20} MB, the most that is read."


def whose(address: str) -> str:
    """The address by which requests are counted: of IPv6 the network that one household has.

    >>> whose("192.0.2.7"), whose("2001:db8:1:2:3:4:5:6"), whose("testclient")
    ('192.0.2.7', '2001:db8:1:2::/64', 'testclient')
    """
    try:
        told = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(told, ipaddress.IPv4Address):
        return address
    if told.ipv4_mapped is not None:
        return str(told.ipv4_mapped)
    return str(ipaddress.ip_network((told, 64), strict=False))
