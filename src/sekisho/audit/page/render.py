"""The status as HTML: one page, a style sheet beside it, no scripts; everything is escaped by the engine."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import sekisho
from sekisho.audit.page.model import SHOWN, Status

if TYPE_CHECKING:
    from datetime import datetime

    import jinja2

COLUMNS: Final = ("deny", "warn", "observe", "waived", "failed")


def render(status: Status) -> str:
    """The page."""
    return _template().render(status=status, columns=COLUMNS, shown=SHOWN.value, version=sekisho.__version__)


@lru_cache(maxsize=1)
def style() -> bytes:
    """The style sheet."""
    return resources.files(__package__).joinpath("style.css").read_bytes()


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    import jinja2

    text = resources.files(__package__).joinpath("status.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = _moment
    return environment.from_string(text)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
