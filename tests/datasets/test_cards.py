from typing import get_args

import pytest
from support import read_card, write_card

from lookbook.datasets.cards import Card, card_path, known_cards, load_card
from lookbook.foundation.errors import LookbookError
from lookbook.readers import READ
from lookbook.sources import KINDS


def kinds_of(half):
    """The kinds of a half of a card, as messages list them."""
    sections = get_args(Card.model_fields[half].annotation)
    kinds = [get_args(section.model_fields["kind"].annotation)[0] for section in sections]
    return ", ".join(map(repr, kinds))


@pytest.mark.parametrize(("half", "known"), [("source", KINDS), ("reader", READ)])
def test_each_kind_of_a_card_has_somebody_who_understands_it(half, known):
    assert sorted(kinds_of(half).split(", ")) == sorted(map(repr, known))


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("digits", 10),
        ("mnist", 10),
        ("fashion_mnist", 10),
        ("sign_language_mnist", 24),
        ("cats_vs_dogs", 2),
        ("tf_flowers", 5),
    ],
)
def test_the_projects_cards_are_complete(project, name, classes):
    card = load_card(name)
    assert len(card.classes) == classes
    assert card.licence
    if card.reader.kind == "csv":
        assert len(card.reader.labels) == classes


def test_published_sets_have_several_origins(project):
    for name in ("mnist", "fashion_mnist"):
        assert len(load_card(name).source.origins) >= 2


def test_an_unknown_data_set_lists_the_known_ones(set_params, run_main):
    from stages import download

    set_params(dataset="flowers")
    code, err = run_main(download.main)
    assert code == 2
    assert f"to be one of {', '.join(known_cards())}. Received" in err
    assert "Received: 'flowers'. Did you mean tf_flowers?" in err


@pytest.mark.parametrize(
    "name", ["../../params", "a/b", "", "1st", "x" * 65, "digits.yaml", "Features", "weights"]
)
def test_a_name_is_checked_before_a_path_is_made_of_it(project, name):
    with pytest.raises(LookbookError, match="to be up to 64 letters"):
        card_path(name)
    with pytest.raises(LookbookError, match="Expected dataset to be one of "):
        load_card(name)


@pytest.mark.parametrize("name", ["../../../params", "a/b", "/etc/x"])
def test_a_data_set_that_leads_elsewhere_is_refused_before_anything_is_written(
    set_params, run_main, project, name
):
    from stages import download

    set_params(dataset=name)
    before = sorted(project.parent.rglob("*"))
    code, err = run_main(download.main)
    assert code == 2
    assert f"Received: {name!r}" in err
    assert sorted(project.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("package", "stages"),
        ("package", "os.path"),
        ("folder", "../../etc"),
        ("folder", "/etc"),
        ("folder", "datasets/../.."),
        ("folder", "datasets/data/"),
        ("folder", "."),
    ],
)
def test_a_bundled_card_names_one_of_a_few_packages_and_stays_in_it(project, key, value):
    card = read_card("digits")
    card["source"][key] = value
    write_card("digits", card)
    with pytest.raises(LookbookError, match=f"Expected source.bundled.{key} to ") as error:
        load_card("digits")
    assert f"Received: {value!r}. Change it in data/cards/digits.yaml" in str(error.value)


def test_a_card_cannot_choose_a_base_outside_of_its_folder(project):
    card = read_card("digits")
    card["choices"] = {
        "image_size": {"value": 28, "reason": "said"},
        "base": {"value": "../../models/other", "reason": "said"},
        "class_weights": {"value": "none", "reason": "said"},
    }
    write_card("digits", card)
    with pytest.raises(
        LookbookError, match=r"Expected choices to be image_size .*, base \(a name\)"
    ):
        load_card("digits")


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("files", 0, "sha256"), None, "Expected files.0 to be a file with its size as"),
        (("files", 0, "sha256"), "12", "Expected files.0.sha256 to match pattern"),
        (("files", 0, "name"), "../x", "Expected files.0.name to match pattern"),
        (("classes",), ["a", "a"], "Expected classes to be a list of different names"),
        (("classes",), ["a", ""], "each of 1 to 100 printable characters"),
        (("classes",), ["a", "b\x1b[2J"], "each of 1 to 100 printable characters"),
        (("classes",), ["a", "\u202eb"], "each of 1 to 100 printable characters"),
        (("classes",), ["a", "b" * 101], "each of 1 to 100 printable characters"),
        (
            ("source", "kind"),
            "ftp",
            f"Expected source.kind to be {kinds_of('source')}. Received: ftp",
        ),
        (
            ("reader", "kind"),
            "parquet",
            f"Expected reader.kind to be {kinds_of('reader')}. Received: parq",
        ),
    ],
)
def test_each_mistake_in_a_card_has_a_sentence(project, path, value, sentence):
    card = read_card("mnist")
    *parents, key = path
    entry = card
    for parent in parents:
        entry = entry[parent]
    if value is None:
        del entry[key]
    else:
        entry[key] = value
    write_card("mnist", card)
    with pytest.raises(LookbookError) as error:
        load_card("mnist")
    assert sentence in str(error.value)
    assert "data/cards/mnist.yaml" in str(error.value)
    load_card("digits")  # the other cards are as good as before
