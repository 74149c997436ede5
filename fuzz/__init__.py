"""Fuzzing: bytes that nobody has thought of, for everything that reads other people's.

One file a reader: `SEEDS`, some bytes that are right and some that nearly are, made by code; and
`read(content, folder)`, which gives them to the reader in an empty folder. A result or a
`LookbookError` is right; all else is found, as is what takes over 20 seconds or 4 GB.

    make fuzz MINUTES=10                     every reader, 10 minutes each
    make fuzz MINUTES=10 READER=archives     one

What is found lies in fuzz/found; make the smallest such bytes a test, and mend the cause.
"""

from pathlib import Path
from types import ModuleType

from lookbook.foundation.errors import LookbookError

READERS = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
)


def attempt(reader: ModuleType, content: bytes, folder: Path) -> bool:
    """Return whether a reader takes these bytes; False if it refuses them in a sentence."""
    try:
        reader.read(content, folder)
    except LookbookError as error:
        assert str(error).startswith("Expected "), error
        return False
    return True
