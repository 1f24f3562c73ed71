"""The Jinja environment: our templates over the NHS.UK macros, everything escaped."""

from dataclasses import is_dataclass
from typing import Any

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, UndefinedError
from jinja2.utils import missing

from search_api.dates import british_date
from search_api.headline import plural
from search_api.naming import listed
from web.format import capital, page_reference, period


class StrictForPages(ChainableUndefined):
    """Undefined as the NHS.UK macros need it, but a field that a page lacks is a mistake."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[Exception] = UndefinedError,
    ) -> None:
        """Refuse at once where a template names a field that a dataclass does not have."""
        if is_dataclass(obj):
            raise UndefinedError(f"{type(obj).__name__} has no field {name!r}")
        super().__init__(hint, obj, name, exc)  # type: ignore[arg-type]


def environment() -> Environment:
    """A new environment with our filters."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader("web", "templates"), PackageLoader("nhsuk_frontend_jinja")]
        ),
        autoescape=True,
        undefined=StrictForPages,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "british_date": british_date,
        "capital": capital,
        "listed": listed,
        "number": lambda value: f"{value:,}",
        "page_reference": page_reference,
        "period": period,
    }
    made.globals["plural"] = plural
    return made
