"""Answer about pictures over HTTP, with an exported model.

    lookbook serve                           the model that validation data picked, on port 8000
    curl -F picture=@photo.jpg http://127.0.0.1:8000/predict

It listens at 127.0.0.1 alone, unless --host says otherwise: docs/serve.md says how to put it behind
a proxy, which others can reach. /docs lists what can be asked for, /metrics counts. Ctrl-C or
SIGTERM ends it when the requests that are here are answered. It runs anywhere, and needs the extra
`serve`.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.names import in_line

if TYPE_CHECKING:
    from lookbook.inference.card import Card

ANYWHERE = True  # it need not be called in a clone
PORTS = range(2**16)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model", type=Path, metavar="FILE", help="an exported one: .tflite")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at: %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one; %(default)s")
    parser.add_argument("--workers", type=int, default=1, help="processes: %(default)s")


def run(arguments: argparse.Namespace) -> None:
    """Serve until a signal says to end."""
    check_arguments(arguments)
    try:
        from lookbook.serving.running import serve
    except ModuleNotFoundError as error:
        if (error.name or "lookbook").startswith("lookbook"):
            raise
        raise LookbookError(
            f"Expected what `lookbook serve` needs to be installed. Received: no {error.name}. Run "
            "`pip install 'lookbook[serve]'`, or `pip install '.[serve]'` in a clone."
        ) from error
    from lookbook.predicting.answering import picked_model

    serve(
        arguments.model or picked_model(),
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        listens=announce,
    )


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raise a LookbookError if a number is none that can be."""
    if arguments.port not in PORTS:
        raise LookbookError(
            f"Expected a port from 0 to {PORTS[-1]}. Received: {arguments.port}. Choose another."
        )
    if arguments.workers < 1:
        raise LookbookError(
            f"Expected at least 1 worker. Received: {arguments.workers}. Give none for one."
        )


def announce(address: str, card: "Card") -> None:
    """Print where the server listens, and what answers there."""
    title = in_line(f"{card.title} ({card.name})")
    print(f"{title} answers at {address}; Ctrl-C ends it", flush=True)
