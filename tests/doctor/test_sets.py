"""Cards that do not fit the data."""

from pathlib import Path

import pytest
from small_clone import LIST

from lookbook.foundation.errors import LookbookError


def test_a_card_that_was_edited_after_the_download(found):
    path = Path("data/cards/digits.yaml")
    path.write_text(path.read_text().replace("sha256: ", "sha256: 0", 1))
    assert found() == [("card", str(path), False)]
    assert found(repair=True) == [("card", str(path), False)]  # which one is right, a user knows


def test_a_card_that_describes_another_list(found):
    path = Path("data/cards/pets.yaml")
    content = path.read_text()
    known = content[content.index("sha256: ") + 8 :][:64]
    path.write_text(content.replace(known, "0" * 64))
    assert found() == [("card", str(path), False)]
    path.write_text("title: pets\n")
    assert found() == [("card", str(path), False)]


def test_a_dvc_file_that_is_none_has_a_sentence(found):
    Path("data/own/pets.dvc").write_text("outs:\n- path: pets\n")
    with pytest.raises(LookbookError, match="Run `git checkout data/own/pets.dvc`"):
        found()


def test_a_set_that_was_not_pulled(found):
    for path in Path(LIST).parent.iterdir():
        path.unlink()
    Path(LIST).parent.rmdir()
    assert found() == []
