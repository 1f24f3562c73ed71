"""The API for people: a plain page, since the usual viewers load scripts from elsewhere."""

from html import escape

PATHS = (
    ("GET", "/health", "whether an index is loaded, and which"),
    ("GET", "/systems", "the systems, with counts"),
    ("GET", "/documents", "the documents, with counts"),
    ("GET", "/documents/{id}", "one document"),
    ("GET", "/documents/{id}/text", "its canonical text and pages"),
    ("GET", "/search?q=", "passages for a question, best first"),
    ("GET", "/ask?q=&home=", "a cited answer by system"),
    ("GET", "/compare?theme=&theme=", "themes by systems"),
    ("GET", "/commitments?theme=&due_before=", "the register of commitments"),
    ("POST", "/verify", "whether citations still stand"),
)


def page(prefix: str) -> str:
    """The page as HTML."""
    rows = "".join(
        f"<tr><td>{verb}</td><td><code>{escape(prefix + path)}</code></td>"
        f"<td>{escape(what)}</td></tr>"
        for verb, path, what in PATHS
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>icsearch API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<h1>icsearch API</h1><p>Everything is JSON. Filters on search, ask, compare and "
        "commitments: <code>home, system, exclude_system, document, kind, from, to, "
        "include_superseded, index_id</code>. Every parameter, with its limits, is in "
        f'<a href="{prefix}/openapi.json">the OpenAPI description</a>.</p>'
        f"<table><tr><th>Method<th>Path<th>Returns</tr>{rows}</table></html>"
    )
