"""Sign-in by OpenID Connect against a real provider, started here on loopback."""

import socket
import time
import warnings
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from corpus.errors import ServeError
from search_api.serving import Serving
from web.app import create_app
from web.settings import WebSettings
from web.signin import COOKIE, within

# The provider uses what its own libraries would rather not have used.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
HOME = "http://testserver"
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oidc_provider_mock import User, run_server_in_thread

    amira = User(sub="amira", claims={"email": "amira@nhs.example", "email_verified": True})
    stranger = User(sub="stranger", claims={"email": "s@evil.test", "email_verified": True})
    with run_server_in_thread(user_claims=[amira, stranger], require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def told(provider: str, **more: object) -> WebSettings:
    return WebSettings.model_validate(
        {
            "oidc_issuer": provider,
            "oidc_client_id": "icsearch",
            "oidc_client_secret": "a secret",
            "oidc_key": KEY,
            "public_url": HOME,
        }
        | more
    )


def site(serving: Serving, settings: WebSettings) -> TestClient:
    app = create_app(serving, serving.settings, settings)
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture()
def visitor(serving: Serving, provider: str) -> Iterator[TestClient]:
    with site(serving, told(provider)) as client:
        yield client


def at_the_provider(address: str, sub: str) -> str:
    """Where the provider sends somebody back who signs in there as `sub`."""
    reply = httpx.post(address, data={"sub": sub}, follow_redirects=False)
    assert reply.status_code in (302, 303), reply.text
    return reply.headers["location"]


def sign_in(client: TestClient, sub: str = "amira", to: str = "/ask?q=dementia") -> httpx.Response:
    start = client.get("/sign-in/start", params={"next": to})
    assert start.status_code == 302
    back = at_the_provider(start.headers["location"], sub)
    assert back.startswith(f"{HOME}/sign-in/done?")
    return client.get(back.removeprefix(HOME))


@pytest.mark.parametrize("address", ["/", "/ask?q=x", "/documents", "/quality", "/nowhere"])
def test_a_stranger_gets_the_page_to_sign_in_and_nothing_else(
    visitor: TestClient, address: str
) -> None:
    reply = visitor.get(address)
    assert reply.status_code == 401
    assert "/sign-in/start?next=" in reply.text
    assert "Sefton" not in reply.text


def test_the_api_says_401_in_its_own_shape(visitor: TestClient) -> None:
    for reply in (visitor.get("/api/v1/ask?q=x"), visitor.post("/api/v1/verify", json={})):
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "sign_in"
    assert visitor.get("/api/v1/openapi.json").status_code == 401
    assert visitor.get("/api/v1/health").status_code == 200
    assert visitor.get("/static/app.css").status_code == 200


def test_signing_in_leads_back_to_what_was_asked_for(visitor: TestClient) -> None:
    start = visitor.get("/sign-in/start", params={"next": "/ask?q=dementia"})
    asked = parse_qs(urlsplit(start.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"] and asked["nonce"]
    reply = sign_in(visitor)
    assert (reply.status_code, reply.headers["location"]) == (303, "/ask?q=dementia")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=28800;" in cookie
    assert "amira@nhs.example" not in str(visitor.cookies)
    page = visitor.get("/ask?q=dementia")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "private"
    assert visitor.get("/api/v1/ask?q=dementia").json()["status"] == "answered"


def test_signing_out_ends_it(visitor: TestClient) -> None:
    sign_in(visitor)
    assert 'action="/sign-out"' in visitor.get("/").text
    assert 'action="/sign-out"' not in visitor.post("/sign-out").text
    assert visitor.get("/").status_code == 401


def test_a_cookie_that_we_did_not_sign_is_none(visitor: TestClient) -> None:
    sign_in(visitor)
    good = visitor.cookies[COOKIE]
    visitor.cookies.clear()
    visitor.cookies.set(COOKIE, good[:-4] + "AAAA")
    assert visitor.get("/").status_code == 401


def test_it_ends_after_a_working_day(visitor: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    import web.signin

    sign_in(visitor)
    real = web.signin.time.time()
    for seconds, status in ((7 * 3600, 200), (8 * 3600 + 1, 401)):
        monkeypatch.setattr(web.signin.time, "time", lambda later=seconds: real + later)
        assert visitor.get("/").status_code == status
    # The session says so too, should a cookie ever be renewed.
    assert not web.signin.signed_in({"who": "amira", "until": int(real) + 8 * 3600})


def test_what_comes_back_must_belong_to_what_was_sent(
    visitor: TestClient, serving: Serving
) -> None:
    start = visitor.get("/sign-in/start")
    back = at_the_provider(start.headers["location"], "amira").removeprefix(HOME)
    forged = visitor.get(back.replace("state=", "state=x"))
    assert forged.status_code == 403
    visitor.cookies.clear()
    assert visitor.get(back).status_code == 403  # in another browser
    assert visitor.get("/").status_code == 401
    assert visitor.get("/sign-in/done?error=access_denied").status_code == 403


def test_only_domains_that_are_set_may_enter(serving: Serving, provider: str) -> None:
    with site(serving, told(provider, oidc_domains="nhs.example")) as client:
        refused = sign_in(client, "stranger")
        assert refused.status_code == 403
        assert client.get("/").status_code == 401
        assert sign_in(client, "amira").status_code == 303
        assert client.get("/").status_code == 200


def test_a_provider_that_is_away_is_told_in_a_sentence(serving: Serving) -> None:
    with site(serving, told("http://localhost:9")) as client:
        reply = client.get("/sign-in/start")
        assert reply.status_code == 503
        assert "cannot be reached" in reply.text
        assert "Traceback" not in reply.text


def test_a_provider_that_never_answers_is_not_waited_for(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.signin.PROVIDER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with site(serving, told(address)) as client:
            began = time.monotonic()
            reply = client.get("/sign-in/start")
            assert time.monotonic() - began < 4  # the client's own limit would be 5
    assert reply.status_code == 503
    assert "cannot be reached" in reply.text


@pytest.mark.parametrize("address", ["//evil.test", "https://evil.test", "/\\evil.test", "evil"])
def test_nobody_is_sent_elsewhere(address: str, visitor: TestClient) -> None:
    assert within(address) == "/"
    assert sign_in(visitor, to=address).headers["location"] == "/"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({"oidc_client_id": ""}, "ICSEARCH_OIDC_CLIENT_ID"),
        ({"oidc_key": "short"}, "ICSEARCH_OIDC_KEY"),
        ({"public_url": None}, "ICSEARCH_PUBLIC_URL"),
    ],
)
def test_a_setting_that_is_missing_is_named(
    serving: Serving, missing: dict[str, object], said: str
) -> None:
    with pytest.raises(ServeError, match=said):
        create_app(serving, serving.settings, told("http://localhost:9", **missing))


def test_over_https_the_cookie_stays_there(serving: Serving, provider: str) -> None:
    with site(serving, told(provider, public_url="https://search.example")) as client:
        reply = client.get("/sign-in/start")
    assert "secure" in reply.headers["set-cookie"].lower()


def test_off_unless_set(client: TestClient) -> None:
    assert 'action="/sign-out"' not in client.get("/").text
    assert client.get("/sign-in/start").status_code == 404
