"""What a picture costs to decode, by its header."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image
from support import flat, picture

from lookbook.inference import Fault
from lookbook.pictures.decoding import Form, _cut
from lookbook.serving.limits import Limits
from lookbook.serving.weighing import _reduction, decoded_bytes


def encoded(mode, kind, size=(100, 80), **options):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "weight"),
    [
        (encoded("RGB", "PNG"), 8),
        (encoded("RGBA", "PNG"), 16),
        (encoded("P", "PNG", transparency=0), 16),
        (encoded("RGB", "WEBP"), 17),
        (encoded("RGBA", "WEBP"), 25),
        (encoded("RGB", "AVIF"), 12),
        (encoded("RGB", "JPEG"), 8 / 2**2),
        (encoded("CMYK", "JPEG"), 8 / 2**2),
        (encoded("L", "JPEG"), 8 / 2**2),
        (encoded("RGB", "JPEG", progressive=True), 8),
    ],
)
def test_weights_by_format_and_mode(content, weight):
    assert decoded_bytes(content, 20, Limits()) == 100 * 80 * weight


def two_scans():
    """A baseline JPEG whose scan says that it is of one colour of three."""
    content = bytearray(encoded("RGB", "JPEG"))
    content[content.index(b"\xff\xda") + 4] = 1
    return bytes(content)


def test_a_jpeg_of_several_scans_is_held_as_a_whole():
    assert decoded_bytes(two_scans(), 20, Limits()) == 100 * 80 * 8


def test_filling_between_markers_and_thumbnails_do_not_matter():
    content = encoded("RGB", "JPEG")
    filled = content.replace(b"\xff\xdb", b"\xff\xff\xff\xdb")
    assert decoded_bytes(filled, 20, Limits()) == 100 * 80 * 2
    exif = b"\xff\xe1" + (2 + len(content)).to_bytes(2, "big") + content
    assert decoded_bytes(content[:2] + exif + content[2:], 20, Limits()) == 100 * 80 * 2


def test_several_pictures_in_a_jpeg_are_weighed_as_the_first():
    content = encoded("RGB", "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    assert decoded_bytes(content, 20, Limits()) == 100 * 80 * 2


def test_bounds():
    content = encoded("RGB", "PNG")
    assert decoded_bytes(content, 20, Limits(pixels=8000, decoded_bytes=64_000)) == 64_000
    for limits in (Limits(pixels=7999), Limits(decoded_bytes=63_999)):
        assert decoded_bytes(content, 20, limits) == Fault("too many pixels: 100 x 80")


def test_what_pillow_itself_refuses():
    header = bytearray(encoded("1", "PNG"))
    header[16:24] = (30_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    assert decoded_bytes(bytes(header), 20, Limits()) == Fault("too many pixels")


def test_many_scans_are_refused():
    content = encoded("RGB", "JPEG", progressive=True)
    count = content.count(b"\xff\xda")
    assert count > 5
    assert decoded_bytes(content, 20, Limits(scans=count)) == 100 * 80 * 8
    assert decoded_bytes(content, 20, Limits(scans=count - 1)) == Fault("too many scans")


@pytest.mark.parametrize("content", [b"", b"text", flat(0)[:20], b"\xff\xd8\xff"])
def test_what_has_no_header_weighs_nothing(content):
    assert decoded_bytes(content, 20, Limits()) == 0


def test_every_beginning_of_a_jpeg_weighs_something_or_nothing():
    content = picture(0, kind="JPEG")
    for length in range(len(content)):
        assert not isinstance(decoded_bytes(content[:length], 20, Limits()), Fault)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_no_jpeg_is_decoded_larger_than_it_is_weighed(resize):
    form = Form(28, 1, resize)
    for width, height in np.random.default_rng(0).integers(1, 2000, (500, 2)).tolist():
        assert _reduction(min(width, height), 28) <= _cut((width, height), form).coarse
