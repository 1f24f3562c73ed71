"""What the API says of itself: the schema that FastAPI makes, with the errors it really gives."""

from typing import Any

from fastapi import FastAPI

ERRORS = {
    "401": "Sign-in is asked of everybody, and nobody is signed in.",
    "404": "There is no such path, document or system.",
    "410": "The generation asked for is no longer kept.",
    "413": "The body is longer than may be sent.",
    "421": "The service does not answer to that host name.",
    "422": "A parameter is missing, unknown or not usable.",
    "429": "Too many requests from this address; Retry-After says when to come back.",
    "503": "No index is loaded, or too many requests are being answered.",
}
ERROR: dict[str, Any] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "field"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string", "description": "one sentence"},
                "field": {"type": ["string", "null"], "description": "the parameter it is about"},
            },
        }
    },
}
MADE_UP = ("HTTPValidationError", "ValidationError")


def mend_schema(app: FastAPI) -> None:
    """Has an app describe itself as it is: its errors, and `from` by its name in JSON."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        schema = build()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas["Error"] = ERROR
        for name in MADE_UP:
            schemas.pop(name, None)
        expansion = schemas.get("Expansion")
        if expansion and "from_" in expansion["properties"]:
            expansion["properties"]["from"] = expansion["properties"].pop("from_")
            expansion["required"] = ["from" if r == "from_" else r for r in expansion["required"]]
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].update(_errors())
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _errors() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {code: {"description": text, "content": content} for code, text in ERRORS.items()}
