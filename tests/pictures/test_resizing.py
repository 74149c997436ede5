import sys

import cv2
import numpy as np
import pytest

from lookbook.pictures import decoding, resizing
from lookbook.pictures.batch import process
from lookbook.pictures.decoding import Form
from lookbook.pictures.resizing import resized, use_opencv, with_numpy


@pytest.fixture
def without_opencv(monkeypatch):
    monkeypatch.setattr(resizing, "_opencv", None)
    monkeypatch.setitem(sys.modules, "cv2", None)


@pytest.mark.parametrize("seed", range(10))
def test_numpy_and_opencv_give_the_same_pixels(seed):
    rng = np.random.default_rng(seed)
    for channels in [(), (1,), (3,)] * 10:
        height, width, *size = map(int, rng.integers(1, 200, 4))
        pixels = rng.integers(0, 256, (height, width, *channels), dtype=np.uint8)
        expected = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR_EXACT)
        received = with_numpy(pixels, tuple(size))
        assert received.shape == (size[1], size[0], *channels)
        np.testing.assert_array_equal(received.reshape(expected.shape), expected)


def test_the_brightest_and_the_darkest_stay():
    for value in (0, 255):
        assert (with_numpy(np.full((7, 9, 3), value, np.uint8), (13, 5)) == value).all()


def test_opencv_is_used_where_it_is_wanted_and_installed(monkeypatch):
    pixels = np.zeros((4, 4), np.uint8)
    monkeypatch.setattr(resizing, "_opencv", None)
    monkeypatch.setattr(cv2, "resize", lambda pixels, size, interpolation: "opencv's")
    assert resized(pixels, (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert use_opencv()
    assert resized(pixels, (2, 2)) == "opencv's"


def test_without_opencv_pictures_are_the_same(without_opencv):
    assert not use_opencv()
    entries = np.random.default_rng(0).integers(0, 256, (3, 31, 45, 3), dtype=np.uint8)
    form = Form(20, 3, "pad")
    received = [decoding.given(entry, form)[0] for entry in entries]
    resizing._opencv = cv2  # put back by the fixture
    np.testing.assert_array_equal(received, process(entries, form).pixels)


def test_a_phones_photo_without_pi_heif_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    decoding.formats.cache_clear()
    try:
        done = process([b"\0\0\0\x20ftypheic\0\0\0\0", b"\0\0\0\x20ftypqt  "], Form(8, 3, "crop"))
    finally:
        monkeypatch.undo()
        decoding.formats.cache_clear()
    assert [reason for _, reason in done.faults] == ["HEIC, which needs pi-heif", "not a picture"]
