"""YAML that is hostile, or only careless: a value or one line, in no time and no memory."""

import time

import pytest
import yaml

from lookbook.foundation import bounded_yaml
from lookbook.foundation.bounded_yaml import MAX_CHARACTERS, load
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.schema import read_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


def test_the_projects_own_files_read_as_pyyaml_reads_them(project):
    for path in [*project.glob("*.yaml"), *project.glob("data/cards/*.yaml")]:
        text = path.read_text()
        assert load(text) == yaml.safe_load(text), path


def test_aliases_and_merged_names_are_understood():
    assert load("a: &x {b: 1}\nc: {<<: *x, b: 2}\nd: *x") == {
        "a": {"b": 1}, "c": {"b": 2}, "d": {"b": 1},
    }  # fmt: skip


def test_a_date_is_text():
    assert load("[2026-02-01, 2026-13-45, 2026-01-01 10:00:00]") == [
        "2026-02-01", "2026-13-45", "2026-01-01 10:00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "found more than 100,000 values"),
        ("a: &a [*a]", "found a value that holds itself"),
        ("a: " + "[" * 5000, "found more than 30 levels"),
        ("a: " + "[" * 5000 + "]" * 5000, "found more than 30 levels"),
        ("- " * 5000, "found more than 30 levels"),
        ("a: " + "9" * 5000, "found a number of more than 40 digits"),
        ("a: 0." + "9" * 5000, "found a number of more than 40 digits"),
        ("a: 0x" + "f" * 5000, "found a number of more than 40 digits"),
        ("a: !!int abc", "invalid literal for int"),
        ("a: !!int ''", "a value that is not of its type"),
        ("a: !!float abc", "could not convert string to float"),
        ("a: !!bool abc", "a value that is not of its type"),
        ("a: !!timestamp abc", "a value that is not of its type"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: 1\nb: 2\na: 3", "found a twice"),
        ("a: {b: 1, b: 1}", "found b twice"),
        ("? [1]\n: 2", "unhashable"),
        ("a: \x00", "special characters are not allowed"),
        ("a: [", "expected the node content"),
        ("a: *nobody", "undefined alias"),
        ("#" * MAX_CHARACTERS + "##", "1,048,578 characters, over 1,048,576"),
    ],
    ids=lambda text: text[:20],
)
def test_what_passes_a_bound_or_is_no_yaml_has_a_reason(tmp_path, text, reason):
    start = time.monotonic()
    with pytest.raises(ValueError, match=reason):
        load(text)
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(LookbookError, match=f"card.yaml to be YAML. Received: .*{reason}"):
        read_yaml(path)
    assert time.monotonic() - start < 20  # what would never end has ended


def test_other_encodings_have_a_sentence(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_bytes(b"a: \xff")
    with pytest.raises(LookbookError, match=r"card.yaml to be YAML. Received: 'utf-8' codec"):
        read_yaml(path)


def test_as_many_values_as_a_large_card_has_are_read(monkeypatch):
    names = [f"class {number}" for number in range(9000)]
    assert load(yaml.safe_dump({"classes": names})) == {"classes": names}
    monkeypatch.setattr(bounded_yaml, "MAX_NODES", 9000)
    with pytest.raises(ValueError, match="found more than 9,000 values"):
        load(yaml.safe_dump({"classes": names}))
