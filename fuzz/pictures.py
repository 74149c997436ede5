"""Pictures of each format: the first byte says the form that they are brought to."""

import itertools
from pathlib import Path

import numpy as np

from fuzz._cards import picture
from lookbook.foundation.errors import LookbookError
from lookbook.pictures.decoding import Form, UnreadableError, decoded
from lookbook.serving.limits import Limits
from lookbook.serving.weighing import decoded_bytes

FORMS = [
    Form(8, channels, resize)
    for channels, resize in itertools.product((1, 3), ("stretch", "crop", "pad"))
]
SEEDS = [
    bytes([number]) + file
    for number, file in enumerate(
        [
            picture("PNG"),
            picture("PNG", "RGBA"),
            picture("PNG", "P", transparency=3),
            picture("PNG", "L"),
            picture("JPEG"),
            picture("JPEG", "CMYK", progressive=True),
            picture("GIF", "P"),
            picture("BMP"),
            picture("BMP", "1"),
            picture("WEBP"),
            picture("WEBP", "RGBA", lossless=True),
            picture("AVIF"),
        ]
    )
]


def read(content: bytes, folder: Path) -> None:
    """Weigh a picture as the server does, and decode it."""
    form = FORMS[(content or b"\0")[0] % len(FORMS)]
    decoded_bytes(content[1:], form.image_size, Limits())
    try:
        pixels, (width, height) = decoded(content[1:], form)
    except UnreadableError as error:
        raise LookbookError(f"Expected a picture. Received: {error}.") from None
    assert pixels.reshape(form.shape).dtype == np.uint8
    assert width > 0
    assert height > 0
