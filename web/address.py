"""Addresses of our own pages: a path and its parameters, changed without string surgery."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_origin
from urllib.parse import quote, urlencode

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from corpus.errors import QueryError
from search_api.app import PREFIX, explain
from search_api.params import FilterParams

P = TypeVar("P", bound=FilterParams)


@dataclass(frozen=True, slots=True)
class Address:
    """A path with parameters in order; as text, what goes into a link."""

    path: str
    pairs: tuple[tuple[str, str], ...] = ()
    fragment: str = ""

    def set(self, name: str, *values: str | None) -> "Address":
        """With a parameter of just these values; with none, without it."""
        pairs = tuple((name, value) for value in values if value)
        return Address(self.path, self.drop(name).pairs + pairs, self.fragment)

    def drop(self, *names: str) -> "Address":
        """Without some parameters."""
        kept = tuple(pair for pair in self.pairs if pair[0] not in names)
        return Address(self.path, kept, self.fragment)

    def toggle(self, name: str, value: str) -> "Address":
        """With a value added, or taken away if it is there."""
        pair = (name, value)
        if pair in self.pairs:
            return Address(self.path, tuple(p for p in self.pairs if p != pair), self.fragment)
        return Address(self.path, (*self.pairs, pair), self.fragment)

    def at(self, path: str) -> "Address":
        """The same parameters at another path."""
        return Address(path, self.pairs)

    def to(self, fragment: str) -> "Address":
        """The same page, at one place of it."""
        return Address(self.path, self.pairs, fragment)

    def twin(self) -> "Address":
        """The same question put to the JSON API."""
        return self.at(PREFIX + self.path)

    def __str__(self) -> str:
        """The root-relative address."""
        query = f"?{urlencode(self.pairs, quote_via=quote)}" if self.pairs else ""
        return self.path + query + (f"#{quote(self.fragment)}" if self.fragment else "")


def asked(path: str, query: QueryParams, model: type[FilterParams]) -> Address:
    """What was asked of a page: the parameters that its API twin knows and that are not empty."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    pairs = [(n, v.strip()) for n, v in query.multi_items() if n in known and v.strip()]
    return Address(path, tuple(dict.fromkeys(pairs)))


def read(address: Address, model: type[P]) -> P:
    """The parameters of an address, checked as the API checks them.

    Raises:
        QueryError: one of them is not usable; its field is named.
    """
    raw: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        values = _values(address.pairs, key)
        if values:
            raw[key] = values if get_origin(field.annotation) is list else values[-1]
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _told(error) from None


def _values(pairs: Iterable[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in pairs if key == name]


def _told(error: ValidationError) -> QueryError:
    first = error.errors()[0]
    field = str(first["loc"][0])
    if first["type"] == "missing":
        if field == "theme":
            return QueryError("Choose a theme, or type one of your own.", field=field)
        return QueryError("Type a question or some words to search for.", field=field)
    if field == "theme":
        return QueryError("Choose 1 to 50 themes.", field=field)
    sentence, _ = explain(RequestValidationError(error.errors()))
    return QueryError(sentence, field=field)
