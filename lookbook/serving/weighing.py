"""What a picture's file costs to decode, told from its header, before anything is decoded.

Pillow would decode whatever fits twice into its own limit of 89 million pixels: up to 4 GB.
"""

import io

from PIL import Image

from lookbook.pictures.decoding import Fault, formats
from lookbook.serving.limits import Limits

# Bytes a pixel that decoding and preparing take at their peak, measured with pictures of 8
# megapixels of each kind and mode: the picture, what it is composed with where it is transparent,
# and what some decoders keep beside it.
OPAQUE, TRANSPARENT = 8, 16
DECODERS = {"WEBP": 9, "AVIF": 4, "HEIF": 4}

FRAMES = range(0xC0, 0xD0)  # JPEG's markers: a frame begins,
SEQUENTIAL = (0xC0, 0xC1)  # of the kinds that can be decoded as they are read,
TABLES = (0xC4, 0xC8, 0xCC)  # but these are none
SCAN = 0xDA


def decoded_bytes(content: bytes, image_size: int, limits: Limits) -> int | Fault:
    """Return how many bytes a picture takes while it is decoded, or why these are too many.

    0 if the header cannot be read: whoever decodes it will say why.

    Args:
        content: Of its file.
        image_size: Height and width that it is brought to.
        limits: How many there may be.
    """
    try:
        picture = Image.open(io.BytesIO(content), formats=formats())
    except Image.DecompressionBombError:
        return Fault("too many pixels")
    except Exception:  # Pillow raises whatever comes to it on a damaged header
        return 0
    width, height = picture.size
    pixels, is_jpeg = width * height, picture.format in ("JPEG", "MPO")
    weight = TRANSPARENT if picture.has_transparency_data else OPAQUE
    taken = pixels * (weight + DECODERS.get(picture.format or "", 0))
    if is_jpeg and _is_one_scan(content):
        # Its decoder makes it smaller as it reads.
        taken //= _reduction(min(width, height), image_size) ** 2
    elif is_jpeg and content.count(bytes([0xFF, SCAN])) > limits.scans:
        return Fault("too many scans")
    if pixels > limits.pixels or taken > limits.decoded_bytes:
        return Fault(f"too many pixels: {width:,} x {height:,}")
    return taken


def _reduction(side: int, image_size: int) -> int:
    """Return by how much a JPEG's sides are divided while it is decoded, or less.

    Args:
        side: The shorter one.
        image_size: That it is brought to: at least twice that is left.
    """
    fitting = side // image_size
    return next(scale for scale in (8, 4, 2, 1) if scale == 1 or fitting >= 2 * scale)


def _is_one_scan(content: bytes) -> bool:
    """Whether a JPEG stores all its colours in one scan, so that a few rows are held at a time."""
    at, components = 2, 0
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == SCAN:
            return content[at + 4] == components
        if marker in SEQUENTIAL:
            components = content[at + 9]
        elif marker in FRAMES and marker not in TABLES:
            return False
        is_filling = marker == 0xFF
        at += 1 if is_filling else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False
