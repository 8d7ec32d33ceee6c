"""Pages and cards from templates, in one environment that escapes text in HTML.

A page is a single file that loads nothing: it contains its styles, scripts, pictures and sound.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from symbotunes.render.piano_roll.roll import Line

if TYPE_CHECKING:  # jinja2 is imported when the first page is written
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = "templates"  # next to this module


@cache
def environment() -> "Environment":
    """The environment of all templates: HTML is escaped, an undefined variable is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader(__package__, FOLDER),
        autoescape=select_autoescape(disabled_extensions=("md",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["asset"] = asset
    environment.filters["data_uri"] = data_uri
    environment.filters["as_json"] = as_json
    environment.filters["cell"] = cell
    return environment


def render(name: str, /, **values: object) -> str:
    """The text of a template with its variables.

    Args:
        name: of the template, such as ``sweep.html``.
        values: its variables; text among them is escaped.

    Raises:
        jinja2.UndefinedError: if the template uses a variable that it was not given.
    """
    return environment().get_template(name).render(values)


def asset(name: str) -> "Markup":
    """A style sheet or script of the package, inserted into a page without escaping."""
    from importlib.resources import files

    from markupsafe import Markup

    return Markup(files(__package__).joinpath(FOLDER, name).read_text(encoding="utf-8"))


def data_uri(content: bytes, media_type: str) -> str:
    """The content as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def as_json(lines: Sequence[Line]) -> str:
    """The time axes of a piano roll, for the script of the listening page."""
    return json.dumps([asdict(line) for line in lines])


def cell(text: str) -> str:
    """Text escaped for a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
