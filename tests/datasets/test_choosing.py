import numpy as np
import pytest

from lookbook.datasets.choosing import choose

EVEN = {"cat": 10, "dog": 12}


def chosen(shorter, channels=3, counts=EVEN, *, is_table=False):
    return choose(shorter, channels, counts, is_table=is_table)


@pytest.mark.parametrize(
    ("shorter", "side"),
    [
        ([128] * 60, 128),
        ([190, 170, 200], 160),
        ([20, 8000, 300], 160),
        ([20, 21, 8000], 28),
        ([3000] * 5, 160),
        ([20] * 4, 28),
        ([50], 48),
        ([], 28),
    ],
)
def test_photos_get_the_largest_side_that_half_of_them_have(shorter, side):
    choice = chosen(shorter)["image_size"]
    assert choice.value == side
    assert choice.reason


@pytest.mark.parametrize(("side", "expected"), [(8, 28), (28, 28), (45, 45), (256, 256)])
def test_tables_keep_their_size_from_28_pixels_on(side, expected):
    assert chosen([side], 1, is_table=True)["image_size"].value == expected


@pytest.mark.parametrize(
    ("side", "channels", "base"),
    [
        (28, 1, "fashion_mnist_cnn"),
        (47, 1, "fashion_mnist_cnn"),
        (48, 1, "photos"),
        (28, 3, "photos"),
        (160, 3, "photos"),
    ],
)
def test_small_grey_pictures_get_the_base_of_drawings(side, channels, base):
    choice = chosen(np.array([side]), channels)["base"]
    assert choice.value == base
    assert ("grey" in choice.reason) == (channels == 1)


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        ({"cat": 10, "dog": 29}, "none"),
        ({"cat": 10, "dog": 30}, "balanced"),
        ({"cat": 0, "dog": 30}, "balanced"),
    ],
)
def test_classes_are_balanced_where_one_has_three_times_another(counts, value):
    choice = chosen([64], counts=counts)["class_weights"]
    assert choice.value == value
    assert "dog" in choice.reason
    assert "cat" in choice.reason
