import pytest

from lookbook.reporting.numbers import (
    chance,
    digits_of,
    in_three_digits,
    of_new_pictures,
    percent,
    plural,
    points,
    rounded,
    size,
)


@pytest.mark.parametrize(
    ("low", "high", "digits"),
    [(0.931, 0.941, 1), (0.976, 0.997, 1), (0.8, 0.97, 0), (0.9955, 0.9985, 2), (0.5, 0.5, 0)],
)
def test_a_percentage_has_the_digits_that_its_interval_bears(low, high, digits):
    assert digits_of(low, high) == digits


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.931, 0.941, "between 93 and 94 of 100"),
        (0.9757, 0.9972, "between 976 and 997 of 1,000"),  # 100 of 100 would be all
        (0.8014, 0.9742, "between 80 and 97 of 100"),
        (0.34, 1.0, "between 34 and 100 of 100"),
        (0.0, 0.02, "between 0 and 2 of 100"),
        (0.001, 0.02, "between 1 and 20 of 1,000"),
        (0.99961, 0.99985, "between 9,996 and 9,998 of 10,000"),
    ],
)
def test_an_interval_is_told_of_new_pictures(low, high, words):
    assert of_new_pictures(low, high) == words


def test_numbers_have_their_unit():
    assert percent(0.99164, 1) == "99.2\N{NO-BREAK SPACE}%"
    assert points(-0.025) == "\N{MINUS SIGN}2.5"
    assert points(0.039) == "+3.9"
    assert rounded(58_671_260) == "59\N{NO-BREAK SPACE}million"
    assert rounded(1e6) == "1\N{NO-BREAK SPACE}million"
    assert rounded(15_680) == "16\N{NO-BREAK SPACE}thousand"
    assert rounded(10) == "10"
    assert size(2_407_966) == "2.4\N{NO-BREAK SPACE}MB"
    assert size(12) == "12\N{NO-BREAK SPACE}bytes"
    assert in_three_digits(1426.6) == "1,427"
    assert in_three_digits(0.0548) == "0.0548"


def test_a_p_value_is_never_0():
    assert chance(0.0) == "p < 0.001"
    assert chance(0.0163) == "p = 0.016"


def test_a_count_has_its_noun():
    assert [plural(n, "class", "classes") for n in (1, 1200)] == ["1 class", "1,200 classes"]
    assert plural(0, "picture") == "0 pictures"
