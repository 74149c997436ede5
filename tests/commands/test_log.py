"""`lookbook log`: the versions of a set, from Git."""

from support import listed, run, write_photos


def cells(out):
    """The cells of each row of the Markdown table."""
    rows = [line.strip().strip("|").split("|") for line in out.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in [rows[0], *rows[2:]]]


def commit(folder, message):
    run("git", "add", "-A", cwd=folder)
    run("git", "commit", "-qm", message, cwd=folder)
    return run("git", "log", "-1", "--format=%h %as", cwd=folder).stdout.split()


def test_each_version_has_a_row_the_newest_first(repository, photos, add, lookbook):
    add(photos)
    first = commit(repository, "Pets of our street")
    write_photos(photos, {"cats": 2, "ants": 3}, first=100)
    add()
    second = commit(repository, "Ants, for once")
    (repository / "unrelated.txt").write_text("x")
    commit(repository, "Something else")
    lookbook("remove", "pets", "cats/3.png")
    third = commit(repository, "A cat less")
    code, out, err = lookbook("log", "pets")
    assert code == 0, err
    table = cells(out)
    assert table[0] == ["commit", "date", "photos", "classes", "list", "by", "what for"]
    rows = [[*row[:4], *row[5:]] for row in table[1:]]
    assert rows == [
        [*third, "24", "cats 11, dogs 10, ants 3", "Tester", "A cat less"],
        [*second, "25", "cats 12, dogs 10, ants 3", "Tester", "Ants, for once"],
        [*first, "20", "cats 10, dogs 10", "Tester", "Pets of our street"],
    ]
    assert len({row[4] for row in table[1:]}) == 3
    assert len(listed()) == 24


def test_a_set_that_was_taken_away_and_came_back(repository, photos, add, lookbook):
    add(photos)
    commit(repository, "Pets")
    card = (repository / "data/cards/pets.yaml").read_text()
    (repository / "data/cards/pets.yaml").unlink()
    commit(repository, "No pets")
    (repository / "data/cards/pets.yaml").write_text(card)
    commit(repository, "Pets again")
    _, out, _ = lookbook("log", "pets")
    assert [row[2] for row in cells(out)[1:]] == ["20", "0", "20"]


def test_a_bar_in_a_subject_is_no_new_cell(repository, photos, add, lookbook):
    add(photos)
    commit(repository, "cats | dogs")
    _, out, _ = lookbook("log", "pets")
    (row,) = cells(out.replace(r"\|", "/"))[1:]
    assert row[-1] == "cats / dogs"


def test_without_versions_there_is_a_sentence(repository, photos, add, lookbook):
    add(photos)
    code, _, err = lookbook("log", "pets")
    assert code == 2
    assert "Expected versions of data/cards/pets.yaml in Git. Received: none. Commit the set" in err


def test_without_git_there_is_a_sentence(project, photos, add, lookbook):
    add(photos)
    code, _, err = lookbook("log", "pets")
    assert code == 2
    assert "not a git repository" in err
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_set_has_a_sentence(project, lookbook):
    code, _, err = lookbook("log", "pets")
    assert code == 2
    assert "Expected a set of your own: there is none yet. Received: 'pets'." in err
