"""spec.json as somebody may have edited it."""

import json

import pytest

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.schema import Choice
from lookbook.splits.spec import Scaling, Spec, read_spec, write_spec

SPEC = Spec(
    ["cat", "dog"],
    (8, 8, 3),
    Scaling("unit", [1 / 255] * 3, [0.0] * 3),
    one_hot=False,
    counts={"train": 3, "validation": 2, "test": 1},
    dropped={"no picture": 1},
    flips=True,
    choices={"image_size": Choice(8, "said"), "base": Choice("photos", "said")},
    dataset="pets",
)


def test_what_is_written_is_read_again(tmp_path):
    write_spec(tmp_path, SPEC)
    assert read_spec(tmp_path) == SPEC


@pytest.mark.parametrize(
    ("name", "value", "received"),
    [
        ("class_names", 7, "class_names: Input should be a valid array"),
        ("class_names", [7], "class_names.0: Input should be a valid string"),
        ("image_shape", [8, 8], "image_shape.2: Field required"),
        ("image_shape", ["a", 8, 3], "image_shape.0: Input should be a valid integer"),
        ("image_shape", [-8, 8, 3], "other counts or another shape"),
        ("scaling", [], "scaling: "),
        ("scaling", {"name": "unit"}, "scaling.scale: Field required"),
        ("counts", {"train": 1}, "other counts or another shape"),
        ("counts", {"train": -1, "validation": 1, "test": 1}, "other counts or another shape"),
        ("counts", {"train": "x", "validation": 1, "test": 1}, "counts.train: "),
        ("choices", {"base": "photos"}, "choices.base: "),
        ("one_hot", "perhaps", "one_hot: "),
    ],
)
def test_another_type_has_a_sentence(tmp_path, name, value, received):
    write_spec(tmp_path, SPEC)
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    with pytest.raises(LookbookError) as error:
        read_spec(tmp_path)
    assert f"Expected the description of the splits in {path}. Received: {received}" in str(
        error.value
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 5000, '{"a": 1}', "\udc00"])
def test_what_is_no_description_has_a_sentence(tmp_path, text):
    (tmp_path / "spec.json").write_text(text, errors="replace")
    with pytest.raises(LookbookError, match="Run `dvc repro preprocess`"):
        read_spec(tmp_path)
