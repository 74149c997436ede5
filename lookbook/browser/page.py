"""The page that runs a model in a browser: one text, nothing fetched (page.html.jinja, scripts)."""

import base64
import gzip
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import jinja2
from markupsafe import Markup

from lookbook.browser.runtime import read_runtime
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import write_text
from lookbook.foundation.git import head_of
from lookbook.foundation.names import in_line, in_page
from lookbook.inference.card import Card, read_card
from lookbook.inference.classifier import percent
from lookbook.inference.single import with_batch_of_one

FOLDER = Path(__file__).parent
GENERATOR = "Lookbook page"  # by which a page is known again
BEGINNING = 2000  # bytes in which its name is looked for
HASH_DIGITS = 12  # of a hash, in tables, as `lookbook predict` writes them
FEW = 4  # classes that fit into a heading
# In the order in which one uses the other.
OF_PAGE = ("unpacking", "rounding", "answers", "table", "gathering", "drawing", "names", "page")
OF_WORKER = ("unpacking", "rounding", "answers", "files", "pictures", "ink", "worker")
SCALES = {
    "stretch": "stretched to a square",
    "crop": "the square in its middle",
    "pad": "all of it, with black around",
}
# What the scripts use of the card.
USED = (
    "class_names",
    "image_size",
    "channels",
    "resize",
    "least_probability",
    "most_strangeness",
    "kept",
)


def page_of(model: Path) -> str:
    """Return the page of an exported model: the whole text of an HTML file.

    Args:
        model: The `.tflite` file.

    Raises:
        LookbookError: If there is no such file, or it is no model that Lookbook exported.
    """
    card = read_card(model)
    runtime = read_runtime()
    packed = gzip.compress(with_batch_of_one(model.read_bytes()), 9, mtime=0)
    revision = head_of(model.absolute().parent)
    about = {
        "card": {name: asdict(card)[name] for name in USED},
        "stamp": _stamp(card, revision),
    }
    script, worker = (_joined(names) for names in (OF_PAGE, OF_WORKER))
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True,
        finalize=in_page,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    template = (FOLDER / "page.html.jinja").read_text(encoding="utf-8")
    page = environment.from_string(template).render(
        policy=_policy(script, style),
        generator=GENERATOR,
        heading=heading(card.class_names),
        introduction=introduction(card),
        file=model.name,
        size=f"{(len(packed) + len(runtime.script) + len(runtime.program)) / 1e6:.1f} MB",
        draws=draws(card),
        accuracy=accuracy(card),
        coverage=percent(card.coverage),
        kept=percent(card.kept),
        facts=facts(card, revision),
        licences=_licences(card),
        runtime=runtime,
        about_model=Markup(json.dumps(about).replace("<", "\\u003c")),
        style=Markup(style),
        script=Markup(script),
        worker=Markup(worker),
        runtime_script=_base64(runtime.script),
        model=_base64(packed),
        program=_base64(runtime.program),
    )
    return page + "\n"


def write_page(model: Path, path: Path, *, force: bool = False) -> None:
    """Write the page of an exported model.

    Args:
        model: The `.tflite` file.
        path: The HTML file.
        force: Whether a file that is no such page may be overwritten; a folder never is.

    Raises:
        LookbookError: As `page_of` does, or if there is something else at `path`.
    """
    if path.is_dir():
        raise LookbookError(
            f"Expected the name of a file. Received: {path}, a folder. Name a file in it with "
            "--output."
        )
    if not force and path.exists() and not _is_own(path):
        raise LookbookError(
            f"Expected nothing at {path}, or a page that `lookbook page` wrote. Received: another "
            "file of that name. Name another with --output, or overwrite it with --force."
        )
    write_text(path, page_of(model))


def _is_own(path: Path) -> bool:
    with path.open("rb") as file:
        return f'content="{GENERATOR}"'.encode() in file.read(BEGINNING)


def heading(class_names: list[str]) -> Markup:
    """Return what the page asks: `Cat or dog?`, or which of how many."""
    if len(class_names) > FEW:
        return Markup("Which of these {} is it?").format(len(class_names))
    first, *others = class_names
    return _listed([first[:1].upper() + first[1:], *others]) + "?"


def introduction(card: Card) -> Markup:
    """Return what the page is for, with the classes where its heading lacks them."""
    given = "a photo or a drawing" if draws(card) else "a photo"
    which = ": " + _listed(card.class_names) if len(card.class_names) > FEW else ""
    return Markup("Show it {}, and it says which{}.").format(given, which)


def _listed(names: list[str]) -> Markup:
    """Return names as the page shows them, `a, b or c`, each with a direction of its own."""
    *first, last = (Markup("<bdi>{}</bdi>").format(in_line(name)) for name in names)
    return Markup(" or ").join([Markup(", ").join(first), last])


def draws(card: Card) -> bool:
    """Return whether drawing is offered: a card cannot tell drawings, but photos have colours."""
    return card.channels == 1


def accuracy(card: Card) -> str:
    """Return how good a model is, with its interval, in words."""
    figure, low, high = (f"{100 * card.accuracy[name]:.1f}" for name in ("figure", "low", "high"))
    return (
        f"A classifier that was right on {figure} % of {card.accuracy['pictures']:,} test pictures "
        f"that it had not learnt from. Of very many more like those it would be right on {low} to "
        f"{high} % (the 95 % interval). That counts its likeliest class, sure or not."
    )


def facts(card: Card, revision: str) -> dict[str, str]:
    """Return what else there is to know of a model, by name."""
    colours = "grey" if card.channels == 1 else "in colour"
    size = f"{card.image_size} x {card.image_size} pixels"
    known = {
        "Model": f"{card.title} ({card.name}), weights of {card.weights}",
        "Sees": f"{size}, {colours}: a picture is {SCALES[card.resize]}",
        "Learnt from": f"{card.training_pictures:,} pictures of: {card.dataset}",
        "Licence of the data": card.licences.get("data", ""),
        "Base": card.licences.get("base", ""),
        "Model, SHA-256": card.model_sha256,
        "Training data, SHA-256": card.data_sha256,
        "Revision": revision,
        "Made with": ", ".join(f"{name} {number}" for name, number in card.versions.items()),
    }
    return {name: value for name, value in known.items() if value}


def _licences(card: Card) -> dict[str, str]:
    known = {
        "The pictures that the model learnt from": card.licences.get("data"),
        "The base that it stands on": card.licences.get("base"),
    }
    return {name: licence for name, licence in known.items() if licence}


def _stamp(card: Card, revision: str) -> dict[str, str]:
    """Return what each row of a table says of the model, as `lookbook predict` does."""
    known = {"model": card.model_sha256, "data": card.data_sha256, "revision": revision}
    return {name: text[:HASH_DIGITS] for name, text in known.items()}


def _joined(names: tuple[str, ...]) -> str:
    """Return scripts as one."""
    return "\n".join((FOLDER / f"scripts/{name}.js").read_text(encoding="utf-8") for name in names)


def _policy(script: str, style: str) -> str:
    """Return what the page may do: run its own script and worker, show its own pictures."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}' 'wasm-unsafe-eval'",
            "worker-src blob:",
            f"style-src '{_hash(style)}'",
            "img-src blob: data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    """Return what a page's policy calls a script or style of its own by."""
    return f"sha256-{_base64(hashlib.sha256(text.encode()).digest())}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
