"""How content becomes a page: one file, with style, script and pictures inside."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lookbook.foundation.files import METRIC_DIGITS
from lookbook.foundation.names import in_page, in_terminal
from lookbook.ladder.rungs import RUNGS, rung
from lookbook.reporting import numbers
from lookbook.reporting.words import WORDS, word

TEMPLATES = Path(__file__).with_name("templates")


def rendered(name: str, content: dict[str, Any], pictures: str) -> str:
    """Return a page: its template, style and script, and a policy that allows those alone.

    Args:
        name: Of the template.
        content: What the templates show.
        pictures: Rules of style that have them.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        finalize=in_page,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "code": with_code,
        "difference": numbers.difference,
        "percent": numbers.percent,
    }
    environment.globals |= {
        "metric_digits": METRIC_DIGITS,
        "of_new_pictures": numbers.of_new_pictures,
        "plural": numbers.plural,
        "rung": rung,
        "word": word,
        "words": WORDS,
    }
    style, script = ((TEMPLATES / file).read_text("utf-8") for file in ("page.css", "page.js"))
    style += "".join(f".of-{rung.name} {{ --own: {rung.colour}; }}\n" for rung in RUNGS)
    style += pictures
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    parts = {"style": Markup(style), "script": Markup(script), "policy": policy}
    return environment.get_template(name).render(content | parts) + "\n"


def with_code(sentence: str) -> Markup:
    """Return a sentence as a part of the page, what stands between grave accents as code."""
    parts = Markup.escape(in_terminal(sentence)).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def _hash(text: str) -> str:
    """Return what the page's policy calls a script or style of its own by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
