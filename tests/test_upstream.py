"""A team with data sets of its own takes over an update of Lookbook, as docs/sharing.md says."""

import shutil

from support import copy_project, read_card, run, write_card

from lookbook.datasets.cards import known_cards, load_card


def test_a_teams_cards_meet_no_file_of_an_update(tmp_path, monkeypatch):
    upstream, team = tmp_path / "upstream", tmp_path / "team"
    copy_project(upstream)
    run("git", "init", "-q", "-b", "main", cwd=upstream)
    run("git", "add", "-A", cwd=upstream)
    run("git", "commit", "-qm", "one version", cwd=upstream)
    run("git", "clone", "-q", str(upstream), str(team), cwd=tmp_path)

    monkeypatch.chdir(team)
    write_card("pets", read_card("tf_flowers") | {"title": "Our pets"})
    shutil.copy("data/own/README.md", "data/own/pets.csv")
    run("git", "add", "-A", cwd=team)
    run("git", "commit", "-qm", "our pets", cwd=team)

    monkeypatch.chdir(upstream)
    write_card("birds", read_card("tf_flowers") | {"title": "A new set"})
    write_card("digits", read_card("digits") | {"licence": "CC BY 4.0, by whom it was given"})
    (upstream / "lookbook/splits/spec.py").open("a").write("# a later version\n")
    run("git", "add", "-A", cwd=upstream)
    run("git", "commit", "-qm", "the next version", cwd=upstream)

    monkeypatch.chdir(team)
    run("git", "remote", "add", "upstream", str(upstream), cwd=team)
    run("git", "fetch", "-q", "upstream", cwd=team)
    run("git", "merge", "-q", "--no-edit", "upstream/main", cwd=team)
    assert {"birds", "pets"} <= set(known_cards())
    assert load_card("digits").licence == "CC BY 4.0, by whom it was given"
    assert load_card("pets").title == "Our pets"
