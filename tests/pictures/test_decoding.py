import base64
import hashlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lookbook.pictures.batch import Fault, process
from lookbook.pictures.decoding import Form
from lookbook.pictures.likeness import GRID
from lookbook.pictures.resizing import sharing_threads

RNG = np.random.default_rng(0)


def scene(width=64, height=48, mode="RGB"):
    """A smooth picture: brighter to the right, redder to the bottom."""
    x, y = np.meshgrid(np.linspace(0, 200, width), np.linspace(0, 200, height))
    return Image.fromarray(np.uint8(np.stack([x / 2 + y / 2, x, x / 3 + 20], -1))).convert(mode)


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def pixels(content, *, size=32, channels=3, resize="stretch", needs_jfif=False):
    done = process([content], Form(size, channels, resize, needs_jfif))
    assert not done.faults, done.faults
    return np.asarray(done.pixels[0]).reshape(size, size, channels)


def fault(content, **options):
    done = process([content], Form(32, 3, "stretch", **options))
    assert not done.kept
    assert not done.pixels
    return done.faults[0][1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_every_format_shows_the_same_scene(kind):
    expected = pixels(np.asarray(scene()))
    received = pixels(encoded(scene(), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert np.abs(received.astype(int) - expected).mean() < (9 if kind == "GIF" else 2)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"),
        ("L", "PNG"),
        ("1", "PNG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("RGBA", "WEBP"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_is_brought_to_the_channels(mode, kind, channels):
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(scene(mode="L")).astype(np.uint16) * 257)
    else:
        picture = scene(mode=mode)
    received = pixels(encoded(picture, kind), channels=channels)
    grey = np.asarray(scene(mode="L").resize((32, 32))).astype(int)
    tolerance = 40 if mode == "1" else 6
    seen = (
        received.squeeze() if channels == 1 else np.asarray(Image.fromarray(received).convert("L"))
    )
    assert np.abs(seen - grey).mean() < tolerance


def test_transparency_is_seen_on_white():
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert pixels(encoded(clear, "PNG")).min() == 255
    palette = clear.convert("P")
    assert pixels(encoded(palette, "PNG", transparency=palette.getpixel((0, 0)))).min() == 255


def test_the_first_frame_of_a_gif_counts():
    frames = [Image.new("L", (20, 20), value) for value in (10, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixels(content).max() == 10


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_honoured(orientation, kind):
    turned = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = scene() if turned is None else scene().transpose(turned)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, kind, exif=exif)
    done = process([content], Form(32, 3, "stretch"))
    assert done.sizes.tolist() == [[64, 48]]
    expected = pixels(np.asarray(scene()))
    assert np.abs(done.pixels[0].astype(int) - expected).mean() < 3


def test_stretch_crop_and_pad_do_what_they_say():
    wide = np.zeros((50, 100, 3), np.uint8)
    wide[:, 25:75] = 200  # the middle square is bright
    picture = encoded(Image.fromarray(wide), "PNG")
    stretched, cropped, padded = (
        pixels(picture, size=40, resize=rule) for rule in ("stretch", "crop", "pad")
    )
    assert stretched[:, 12:28].min() > 190
    assert stretched[:, :8].max() == 0
    assert cropped.min() == 200
    assert padded[:9].max() == padded[31:].max() == 0
    assert padded[11:29, 12:28].min() > 190
    assert padded[11:29, :8].max() == 0


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5), (32, 32), (500, 333)])
def test_every_shape_comes_out_in_its_form(shape, resize):
    noise = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    for content in (encoded(Image.fromarray(noise), "JPEG"), noise):
        assert pixels(content, resize=resize).shape == (32, 32, 3)


def test_a_large_photo_decoded_small_looks_the_same():
    large = scene(1600, 1200)
    received = pixels(encoded(large, "JPEG", quality=95)).astype(int)
    expected = np.asarray(large.resize((32, 32), Image.Resampling.BOX)).astype(int)
    assert np.abs(received - expected).max() < 12


def test_an_id_is_the_hash_of_the_file_or_of_the_pixels():
    content, table = encoded(scene(), "PNG"), np.asarray(scene())
    done = process([content, table], Form(32, 3, "stretch"))
    hashes = [hashlib.sha256(data).hexdigest()[:16] for data in (content, table.tobytes())]
    assert done.ids == hashes
    assert process([content], Form(16, 1, "pad")).ids == hashes[:1]


def png_of(width, height):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


JPEG = encoded(scene(), "JPEG")
NOISE = encoded(Image.fromarray(RNG.integers(0, 256, (90, 90, 3), dtype=np.uint8)), "JPEG")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0" * 5000, "not a picture"),
        (b"<html>404</html>", "not a picture"),
        (encoded(scene(), "TIFF"), "not a picture"),
        (NOISE[: len(NOISE) // 2], "truncated or damaged"),
        (NOISE[:-500], "truncated or damaged"),
        (encoded(scene(), "PNG")[:200], "truncated or damaged"),
        (encoded(scene(), "GIF")[:900], "truncated or damaged"),
        (encoded(scene(), "BMP")[:900], "truncated or damaged"),
        (encoded(scene(), "WEBP")[:100], "truncated or damaged"),
        (png_of(50_000, 50_000), "too many pixels"),
        (png_of(0, 10), "not a picture"),
        (Fault("damaged in the archive"), "damaged in the archive"),
    ],
)
def test_each_unreadable_picture_has_a_reason(content, reason):
    assert fault(content) == reason


def test_random_damage_never_escapes():
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP"):
        whole = np.frombuffer(encoded(scene(), kind), np.uint8)
        batch = []
        for _ in range(40):
            damaged = whole.copy()
            damaged[RNG.integers(0, len(whole), 5)] = RNG.integers(0, 256, 5)
            batch.append(damaged.tobytes())
        done = process(batch, Form(32, 3, "stretch"))
        assert len(done.kept) + len(done.faults) == 40


def test_a_jpeg_without_the_marker_is_left_out_where_the_card_says_so():
    without = JPEG.replace(b"JFIF", b"JFXX")
    assert fault(without, needs_jfif=True) == "no JFIF marker"
    assert pixels(JPEG, needs_jfif=True).shape == (32, 32, 3)
    assert fault(b"x" * 600 + b"JFIF", needs_jfif=True) == "no JFIF marker"


def test_readable_pictures_keep_their_places():
    done = process([b"", JPEG, b"", JPEG], Form(32, 3, "stretch"))
    assert done.kept == [1, 3]
    assert done.faults == [(0, "empty"), (2, "empty")]
    assert len(done.pixels) == len(done.ids) == len(done.sizes) == len(done.grids) == 2
    assert done.grids.shape == (2, GRID, GRID)


# As phones write them: 40x24 pixels, left red, right blue, to be turned clockwise (EXIF).
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAA"
    "AAAAAAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAADsAAgAAAAACJgABAAAAAAAAACQAAAA4aWlu"
    "ZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAB"
    "BmlwcnAAAADlaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAA"
    "ABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAKAAAAAEAAAAYAAAAAf///+gA"
    "AAAC////2AAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQABBoECAwWEhgAAABpp"
    "cmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAZ21kYXQAAAA3KAGvGSGgEEjvXaW//2+Y/0vF/hPG13TBELt2y67sIcEI"
    "vk3+994I+IC13Wz3qqxzPxZApQCF+gAAAAZFeGlmAABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA=="
)


def test_photos_of_phones_are_read_and_turned():
    with sharing_threads():
        read = process([HEIC], Form(16, 3, "stretch"))
    assert not read.faults
    assert read.sizes.tolist() == [[24, 40]]
    above, below = read.pixels[0][2, 8].astype(int), read.pixels[0][13, 8].astype(int)
    assert abs(above - (200, 40, 40)).max() < 12
    assert abs(below - (40, 40, 200)).max() < 12


def test_avif_is_read():
    file = io.BytesIO()
    Image.new("RGB", (40, 24), (200, 40, 40)).save(file, "AVIF")
    read = process([file.getvalue()], Form(16, 3, "stretch"))
    assert not read.faults
    assert read.sizes.tolist() == [[40, 24]]
    assert abs(read.pixels[0].astype(int) - (200, 40, 40)).max() < 12


def test_what_is_set_up_for_threads_is_put_back():
    before = cv2.getNumThreads(), Image.core.get_blocks_max()
    with sharing_threads():
        assert cv2.getNumThreads() == 1
    assert (cv2.getNumThreads(), Image.core.get_blocks_max()) == before


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(640, 480), (487, 1003), (900, 131)])
def test_a_jpeg_is_the_same_picture_as_decoded_in_full(monkeypatch, size, resize):
    noise = np.random.default_rng(3).integers(0, 256, (size[1] // 12, size[0] // 12, 1), np.uint8)
    noise = Image.fromarray(noise[..., 0]).convert("RGB")
    content = encoded(noise.resize(size, Image.Resampling.BICUBIC), "JPEG")
    coarse = pixels(content, resize=resize).astype(int)
    monkeypatch.setattr(JpegImageFile, "draft", lambda *_: None)
    full = pixels(content, resize=resize).astype(int)
    assert np.abs(coarse - full).mean() < 1
    assert np.abs(coarse - full).max() < 16


def test_a_camera_photo_is_not_decoded_in_full(monkeypatch):
    content, asked, draft = encoded(scene(640, 480), "JPEG"), [], JpegImageFile.draft

    def spy(picture, mode, size):
        asked.append(draft(picture, mode, size) and picture.size)

    monkeypatch.setattr(JpegImageFile, "draft", spy)
    for size in (160, 120, 60, 30):
        pixels(content, size=size)
    # At least twice the new size, whatever is decoded.
    assert asked == [(640, 480), (320, 240), (160, 120), (80, 60)]
