"""What Python raises for archives, and for arrays in them, that are damaged or made to do harm."""

import struct
import tarfile
import tokenize
import zipfile
import zlib

# Of what a member holds.
DAMAGED_CONTENT = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError)
# Of headers too, which may say anything.
DAMAGE = (
    *DAMAGED_CONTENT,
    NotImplementedError,  # of other compressions
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # of encrypted members, and of headers upon headers
    struct.error,
)
# Of arrays: other shapes than were written, or shapes that no memory holds. Their headers are
# Python, which NumPy parses, and takes apart where that fails.
DAMAGED_ARRAYS = (*DAMAGE, TypeError, MemoryError, SyntaxError, tokenize.TokenError)
