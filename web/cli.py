"""The command that opens the web site: `icsearch serve`."""

import errno
import os
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from corpus.errors import IndexError_, ServeError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from search_api.settings import SearchSettings

# What proxies say of an address is the app's own business: it believes only those it is told of.
SERVER: dict[str, Any] = {"log_level": "warning", "server_header": False, "proxy_headers": False}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes one that is free.",
)
@click.option("--index", help="Folder or URL of the index.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that answer; they share one memory map of the index.",
)
def serve(host: str, port: int, index: str | None, workers: int) -> None:
    """Open the web site and the HTTP API.

    Example:
        icsearch serve --port 8080
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from search_api.settings import SearchSettings

    settings = (SearchSettings(index=index) if index else SearchSettings()).in_a_server()
    listening = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"icsearch is at http://{shown}:{listening.getsockname()[1]} (Ctrl+C stops it)"
    # The server's own lines go where ours go.
    options = SERVER | ({"log_config": None} if settings.log == "json" else {})
    if workers == 1:
        config = uvicorn.Config(site(settings), **options)
        click.echo(address)
        uvicorn.Server(config).run(sockets=[listening])
        return
    # Each worker is a fresh process that opens the index for itself.
    config = uvicorn.Config(partial(site, settings), factory=True, workers=workers, **options)
    click.echo(address)
    with tempfile.TemporaryDirectory(prefix="icsearch-metrics-") as counted:
        if settings.metrics:
            # Where Prometheus's client adds up what the processes count.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", counted)
        Multiprocess(config, sockets=[listening]).run()


def site(settings: "SearchSettings") -> "FastAPI":
    """The whole site with its index open."""
    from search_api.operations import log_as_json
    from search_api.prepare import prepare_beside
    from search_api.serving import Serving

    if settings.log == "json":
        log_as_json()
    serving = Serving(settings)
    with ThreadPoolExecutor(1) as beside:
        opening = beside.submit(serving.searcher)
        from web.app import create_app

        try:
            opening.result()
        except IndexError_ as error:
            click.echo(error.message, err=True)
            click.echo("The site opens all the same and says so on every page.", err=True)
    app = create_app(serving, settings)

    def behind() -> None:
        app.state.site.warm()
        # What rules find in all documents may take minutes in a large index.
        prepare_beside(settings.index)

    # Nobody waits for either: a page that is asked for before is compiled then.
    threading.Thread(target=behind, daemon=True).start()
    return app


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token with which NAME can administer the web site.

    Example:
        icsearch token amira
    """
    from web.admin.session import NAME, hashed, new_token, tokens_of
    from web.settings import WebSettings

    if not NAME.fullmatch(name):
        raise ServeError(
            f"The name {name!r} may hold only a-z, 0-9 and hyphens, and 40 characters at most."
        )
    made, settings = new_token(), WebSettings()
    tokens = tokens_of(settings.admin_tokens) | {name: hashed(made)}
    told = " ".join(f"{who}:{hash_}" for who, hash_ in tokens.items())
    click.echo(f"Token of {name}, shown only now: {made}\n")
    click.echo("Start the web site with these settings, and keep the key secret:\n")
    click.echo(f'ICSEARCH_ADMIN_TOKENS="{told}"')
    if settings.admin_key is None:
        click.echo(f'ICSEARCH_ADMIN_KEY="{new_token()}"')
    click.echo("\nThen sign in at /admin. To take the token back, leave its part out.")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens where the server shall.

    Raises:
        ServeError: the port is in use or not ours to take, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and each answer waits for an ACK (40 ms).
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise ServeError(_why(host, port, error)) from error
    return made


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use; give another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs an administrator's rights; give one above 1023 with --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}."
