"""Who may administer: tokens kept as hashes, sessions in a signed cookie, attempts counted.

A token has 256 random bits, so a plain SHA-256 of it tells nobody the token: a slow hash is for
words that people choose. Nothing here is kept in memory but the count of attempts, so several
processes can serve the same sessions.
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import AdminError, ServeError

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
SESSION_SECONDS = 8 * 3600
FORM_SECONDS = 3600
"""For how long the form to sign in can be sent."""
SHORTEST_KEY = 32
MOST_ATTEMPTS = 5
ATTEMPT_SECONDS = 900
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, until when (seconds since 1970). Before signing in, `who` is empty."""

    who: str
    until: int
    id: str


def new_token() -> str:
    """A token to sign in with: 256 random bits."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What the configuration keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def tokens_of(text: str) -> dict[str, str]:
    """Names and hashes of the setting ICSEARCH_ADMIN_TOKENS: "amira:9f2c… tom:1b77…".

    Raises:
        ServeError: it is not written that way.
    """
    found: dict[str, str] = {}
    for part in text.replace(",", " ").split():
        name, _, digest = part.partition(":")
        if not NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest) or name in found:
            raise ServeError(
                "ICSEARCH_ADMIN_TOKENS must hold name:hash pairs, each name once, as "
                "`icsearch token` prints them."
            )
        found[name] = digest
    return found


class Sessions:
    """Makes and reads the cookies of those who are signed in."""

    def __init__(self, tokens: Mapping[str, str], key: str, ended: Path) -> None:
        """Sign cookies with a key.

        Args:
            tokens: the hash of each token by its name.
            ended: folder in which sessions that were signed out are named.

        Raises:
            ServeError: the key is too short to keep anybody out.
        """
        if len(key) < SHORTEST_KEY:
            raise ServeError(
                f"ICSEARCH_ADMIN_KEY must have {SHORTEST_KEY} characters or more; "
                "`icsearch token` prints one."
            )
        self._tokens = tokens
        self._key = key.encode()
        self._ended = ended

    def name_of(self, token: str) -> str | None:
        """Whose token it is, or None; how long that takes does not depend on the token."""
        given, found = hashed(token), None
        for name, digest in self._tokens.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found

    def issue(self, who: str = "") -> str:
        """The cookie of a new session; before anybody signed in, of a form to do so."""
        until = int(time.time()) + (SESSION_SECONDS if who else FORM_SECONDS)
        session = Session(who, until, secrets.token_hex(16))
        return f"{who}.{until}.{session.id}.{self._sign('session', session)}"

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie, if we made it, it is not over, and its token still stands."""
        parts = (cookie or "").split(".")
        if len(parts) != 4 or not parts[1].isascii() or not parts[1].isdigit():
            return None
        session = Session(parts[0], int(parts[1][:12]), parts[2])
        if not hmac.compare_digest(parts[3].encode(), self._sign("session", session).encode()):
            return None
        if session.until < time.time() or (session.who and session.who not in self._tokens):
            return None
        return None if (self._ended / session.id).exists() else session

    def form_token(self, session: Session) -> str:
        """What a form of a session must send along, so that no other site can send it."""
        return self._sign("form", session)

    def own_form(self, session: Session, given: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())

    def end(self, session: Session) -> None:
        """Sign out: the cookie is worth nothing from now on, wherever a copy of it is.

        Raises:
            AdminError: that cannot be written down.
        """
        try:
            self._ended.mkdir(parents=True, exist_ok=True, mode=0o700)
            for old in self._ended.iterdir():
                if old.stat().st_mtime < time.time() - SESSION_SECONDS:
                    old.unlink(missing_ok=True)
            (self._ended / session.id).touch()
        except OSError as error:
            raise AdminError(
                f"You are still signed in: {self._ended} cannot be written "
                f"({error.strerror or error})."
            ) from error

    def _sign(self, purpose: str, session: Session) -> str:
        # The token's hash is part of it: a new token under the same name ends old sessions.
        told = (purpose, session.who, str(session.until), session.id)
        words = "\n".join((*told, self._tokens.get(session.who, "")))
        return hmac.new(self._key, words.encode(), hashlib.sha256).hexdigest()


class Attempts:
    """Counts attempts to sign in that failed, by the address that they came from."""

    def __init__(self) -> None:
        """Nobody has tried yet."""
        self._failed: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """For how many seconds an address must wait before it may try again."""
        with self._lock:
            recent = self._recent(address)
        if len(recent) < MOST_ATTEMPTS:
            return 0
        return max(1, int(recent[0] + ATTEMPT_SECONDS - time.monotonic()) + 1)

    def failed(self, address: str) -> None:
        """Count a failure."""
        with self._lock:
            self._failed[address] = [*self._recent(address), time.monotonic()][-MOST_ATTEMPTS:]
            self._failed.move_to_end(address)
            while len(self._failed) > MOST_ADDRESSES:
                self._failed.popitem(last=False)

    def forget(self, address: str) -> None:
        """Start again from none, after signing in."""
        with self._lock:
            self._failed.pop(address, None)

    def _recent(self, address: str) -> list[float]:
        since = time.monotonic() - ATTEMPT_SECONDS
        return [at for at in self._failed.get(address, ()) if at > since]
