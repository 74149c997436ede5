"""Make one HTML file that looks at photos in a browser, without a network.

    lookbook page                          writes page.html: open it, or give it to anybody
    lookbook page --output cats.html
    lookbook page --model models/export/train_cnn.tflite

The page holds the model and what runs it. It takes photos that are dropped, pasted, chosen or taken
with a phone, and drawings where the model sees grey; it answers as `lookbook predict` does, and
saves many answers as CSV. It runs anywhere, and needs nothing of the pipeline but jinja2 (the extra
`page`); the model is the one of models/export that validation data picked, or --model. A page that
is there is replaced; another file only with --force.
"""

import argparse
from pathlib import Path

from lookbook.foundation.errors import LookbookError

ANYWHERE = True  # it need not be called in a clone


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model", type=Path, metavar="FILE", help="an exported one: .tflite")
    parser.add_argument("--output", type=Path, default=Path("page.html"), metavar="FILE")
    parser.add_argument("--force", action="store_true", help="overwrite a file of another kind")


def run(arguments: argparse.Namespace) -> None:
    """Write the page; say how large it is."""
    from lookbook.predicting.answering import picked_model

    try:
        from lookbook.browser.page import write_page
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe"):
            raise
        raise LookbookError(
            f"Expected jinja2, which lays out the page. Received: no {error.name}. Install it with "
            "`pip install 'lookbook[page]'`."
        ) from None

    model, path = arguments.model or picked_model(), arguments.output
    write_page(model, path, force=arguments.force)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, with {model}; open it in a browser")
