"""Bring LiteRT's web runtime from npm, checked, into lookbook/browser/runtime (`make runtime`).

In: a version, or the newest; npm and the network. Out: the WebAssembly module and the script that
runs it, compressed, the same bytes for the same version; and runtime.json, which names the version
and has the SHA-256 of each file. Of the four builds it takes the one that every browser runs, which
needs neither SharedArrayBuffer nor relaxed SIMD.

    python -m lookbook.browser.bring            the newest version
    python -m lookbook.browser.bring 2.5.3      this one
"""

import base64
import gzip
import hashlib
import json
import logging
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from lookbook.browser.runtime import ABOUT, PROGRAM, SCRIPT
from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import replacing, write_json

PACKAGE = "@litertjs/core"
LICENCE = "Apache-2.0"  # whose text lies beside the files; the package has none
CORE = "package/dist/index.js"
GLUE = "package/wasm/litert_wasm_compat_internal.js"
MODULE = "package/wasm/litert_wasm_compat_internal.wasm"
IMPORT = 'import { createWasmLib } from "@litertjs/wasm-utils";\n'
# What that package does where the glue is there already.
WITHOUT_IMPORT = (
    "const createWasmLib = async (Runtime) => new Runtime(await ModuleFactory(self.Module));\n"
)
# It looks for a GPU, whose figures would differ between machines, and complains if there is none.
AROUND = (
    "const LiteRT = ((navigator, console) => {\n",
    "})({}, { log() {}, warn() {}, error() {} });\n",
)

logger = logging.getLogger("bring")


def bring(version: str) -> dict:
    """Replace the runtime's files by those of a version; return what runtime.json says of them.

    Raises:
        LookbookError: If npm is not there or has no such version, if what arrives is not what the
            registry's hash says, or if the package is not made as it was.
    """
    published = json.loads(_npm("view", f"{PACKAGE}@{version}", "--json"))
    if isinstance(published, list) or published["license"] != LICENCE:
        raise _unlike("one version under the Apache License 2.0", f"{version}: {published}")
    with tempfile.TemporaryDirectory() as folder:
        _npm("pack", f"{PACKAGE}@{published['version']}", "--pack-destination", folder)
        (package,) = Path(folder).glob("*.tgz")
        check(package.read_bytes(), published["dist"]["integrity"])
        with tarfile.open(package) as archive:
            core, glue, module = (_member(archive, name) for name in (CORE, GLUE, MODULE))
    contents = {SCRIPT: as_script(glue.decode(), core.decode()).encode(), PROGRAM: module}
    about = {
        "package": PACKAGE,
        "version": published["version"],
        "integrity": published["dist"]["integrity"],
        "licence": LICENCE,
        "files": {path.name: _written(path, content) for path, content in contents.items()},
    }
    write_json(ABOUT, about)
    return about


def check(package: bytes, integrity: str) -> None:
    """Raise a LookbookError unless a package's SHA-512 is the registry's, `sha512-<base64>`."""
    received = f"sha512-{base64.b64encode(hashlib.sha512(package).digest()).decode()}"
    if received != integrity:
        raise _unlike(f"a package of hash {integrity}", received)


def as_script(glue: str, core: str) -> str:
    """Return a script that defines `LiteRT` in a worker, with what the module `core` exports.

    Args:
        glue: The script that defines `ModuleFactory`.
        core: A JavaScript module with one import, of `createWasmLib`, and one export, at its end.

    Raises:
        LookbookError: If it is not such a module.
    """
    body, found, rest = core.partition(IMPORT)
    rest, exports, names = rest.rpartition("\nexport {")
    names, end, _ = names.partition("};")
    plain = all(re.fullmatch(r"\s*\w+\s*", name) for name in names.split(","))
    others = re.search(r"^(import|export)\b", body + rest, re.MULTILINE)
    if not (found and exports and end and plain) or others:
        raise _unlike(f"{CORE} with one import and one list of exports", "another form of it")
    inside = f"{body}{WITHOUT_IMPORT}{rest}\nreturn {{{names}}};\n"
    return f"{glue}\n{AROUND[0]}{inside}{AROUND[1]}"


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise _unlike(f"{name} in the package", "no such file")
    return file.read()


def _written(path: Path, content: bytes) -> dict:
    """Write content compressed; return what runtime.json says of the file."""
    packed = gzip.compress(content, 9, mtime=0)
    with replacing(path) as partial:
        partial.write_bytes(packed)
    hashes = {"sha256": packed, "content_sha256": content}
    return {key: hashlib.sha256(of).hexdigest() for key, of in hashes.items()}


def _npm(*words: str) -> str:
    try:
        done = subprocess.run(["npm", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise LookbookError(
            "Expected npm, which brings the runtime. Received: it is not installed. Install Node."
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.split("\n")[:2]) or "no words"
        raise LookbookError(
            f"Expected `npm {' '.join(words)}` to succeed. Received: {said}. Check the version and "
            "the network."
        )
    return done.stdout


def _unlike(expected: str, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {expected}. Received: {received}. Nothing was changed; bring another version, "
        "or change lookbook/browser/bring.py."
    )


@explains_errors
def main() -> None:
    """Bring the version that the command line names, or the newest."""
    about = bring(sys.argv[1] if len(sys.argv) > 1 else "latest")
    sizes = " and ".join(
        f"{path.name}, {path.stat().st_size:,} bytes" for path in (SCRIPT, PROGRAM)
    )
    logger.info("%s %s: %s", PACKAGE, about["version"], sizes)


if __name__ == "__main__":
    main()
