"""LiteRT's web runtime, as it lies beside: compressed, with what there is to know of it.

`make runtime` brings another version of it, see `lookbook.browser.bring`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("runtime")
ABOUT, LICENCE = FOLDER / "runtime.json", FOLDER / "LICENSE.txt"
SCRIPT, PROGRAM = FOLDER / "litert.js.gz", FOLDER / "litert.wasm.gz"


@dataclass(frozen=True)
class Runtime:
    """What runs a model in a browser.

    Attributes:
        package: Its name in npm.
        version: Of the package.
        licence: Its name.
        licence_text: The whole of it.
        script: gzip of a JavaScript text that defines `LiteRT` in a worker.
        program: gzip of the WebAssembly module that it runs.
    """

    package: str
    version: str
    licence: str
    licence_text: str
    script: bytes
    program: bytes


def read_runtime() -> Runtime:
    """Return the runtime that this version of Lookbook comes with."""
    about = json.loads(ABOUT.read_text(encoding="utf-8"))
    return Runtime(
        package=about["package"],
        version=about["version"],
        licence=about["licence"],
        licence_text=LICENCE.read_text(encoding="utf-8"),
        script=SCRIPT.read_bytes(),
        program=PROGRAM.read_bytes(),
    )
