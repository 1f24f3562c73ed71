"""Who is answered now, who waits and who is turned away when more is asked than can be answered.

Answering is work for the processor: more at once than there are cores makes everybody wait, and a
long queue only makes the last in it wait for an answer that they no longer want. So a few are at
work, some wait for a short time, and the others are told at once to come back.
"""

import asyncio
import os
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Busy = Callable[[Request], Response]

BUSY = "Too many requests are being answered; try again shortly."
RETRY_SECONDS = "2"


class Turns:
    """A bounded number at work and a bounded number waiting, each for a bounded time."""

    def __init__(self, at_work: int, most: int, longest_wait: float) -> None:
        """Turns for `at_work` requests, or as many as cores, at least two, if 0.

        Args:
            most: at work and waiting together.
            longest_wait: seconds.
        """
        self._most = most
        self._longest_wait = longest_wait
        self._here = 0
        self._free = asyncio.Semaphore(at_work or max(2, os.cpu_count() or 1))

    def enter(self) -> bool:
        """Whether there is room at all; it is given back with `leave`."""
        entered = self._here < self._most
        self._here += entered
        return entered

    def leave(self) -> None:
        """Give the room back."""
        self._here -= 1

    async def take(self) -> bool:
        """Whether it came to be this one's turn in time; it is given back with `give_back`."""
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._free.acquire()
        except TimeoutError:
            return False
        return True

    def give_back(self) -> None:
        """Let the next one work."""
        self._free.release()


class Bounded:
    """Lets requests work in turn, and has `busy` answer those that are turned away.

    A turn begins once the request has arrived in full and ends when the answer begins to be sent:
    whoever sends or reads slowly holds up nobody.
    """

    def __init__(
        self,
        app: ASGIApp,
        turns: Turns,
        busy: Busy,
        free: tuple[str, ...],
        kept: tuple[str, ...] = (),
    ) -> None:
        """Wrap an app.

        Args:
            free: paths that begin with one of these are let through: they cost nothing.
            kept: a body that was sent to one of these is never thrown away for want of a turn.
        """
        self._app = app
        self._turns = turns
        self._busy = busy
        self._free = free
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, or turn away."""
        if scope["type"] != "http" or scope["path"].startswith(self._free):
            await self._app(scope, receive, send)
        elif not self._turns.enter():
            await self._busy(Request(scope))(scope, receive, send)
        else:
            try:
                await self._in_turn(scope, receive, send)
            finally:
                self._turns.leave()

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        turn = told = False
        whole = scope["method"] in ("GET", "HEAD")

        async def received() -> Message:
            """The next part of a body; after the last one this waits for its turn.

            Raises:
                HTTPException: 503, it did not come in time. What must not be thrown away is
                    answered all the same.
            """
            nonlocal turn, whole
            message = await receive()
            if not whole and not message.get("more_body"):
                whole = True
                turn = not told and await self._turns.take()
                if not (turn or told or scope["path"].startswith(self._kept)):
                    raise HTTPException(503, BUSY, {"Retry-After": RETRY_SECONDS})
            return message

        async def sent(message: Message) -> None:
            nonlocal turn, told
            told = True
            if turn:
                turn = False
                self._turns.give_back()
            await send(message)

        if whole:
            if not await self._turns.take():
                await self._busy(Request(scope))(scope, receive, send)
                return
            turn = True
        try:
            await self._app(scope, received, sent)
        finally:
            if turn:
                self._turns.give_back()
