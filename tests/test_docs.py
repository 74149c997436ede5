"""README, CONTRIBUTING and docs against what exists: every command, path, parameter and link."""

import argparse
import copy
import functools
import importlib
import importlib.util
import itertools
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml
from dvc.cli.parser import get_main_parser
from PIL import Image
from support import ROOT, run

from lookbook.__main__ import names
from lookbook.datasets.cards import known_cards
from lookbook.datasets.packs import LIST, NOTES
from lookbook.foundation.params import Params

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/own/README.md"])
MOST_LINES, PICTURES, MOST_BYTES = 150, 2, 200_000

# What stands for a name of the reader's own.
EXAMPLES = {"NAME", "pets"}
# Words with a slash or a dot that name nothing in the repository.
FOREIGN = {"upstream/main", "~/photos/cats", "~/photos/dogs", "~/.kaggle/access_token"}
FOREIGN |= {"~/.kaggle/kaggle.json", ".gitlab-ci.yml", "keras.applications"}
FOREIGN |= {".dvc/tmp/aside"}  # made by a repair
FOREIGN |= {"cats/1.jpg", "cats/holiday-*", "answers.csv", "card.json", "export/train_cnn.tflite"}
OF_DVC = "account_name"  # an option of its remotes
# Files of a set of the reader's own, by name or whole path.
OF_A_SET = {LIST, NOTES}
SHELL = {
    "cat",
    "curl",
    "dask",
    "docker",
    "export",
    "find",
    "git",
    "gto",
    "pip",
    "source",
}  # programs that are not ours to check


def of_git(*words):
    return run("git", *words, cwd=ROOT).stdout.split("\0")[:-1]


TRACKED = of_git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
FOLDERS = {parent.as_posix() for path in TRACKED for parent in Path(path).parents}
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
OUTPUTS = {
    path if isinstance(path, str) else next(iter(path))
    for stage in PIPELINE.values()
    for path in [*stage["outs"], *stage["metrics"]]
}
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split() if "*" not in line}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MARKERS = {text.partition(":")[0] for text in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]}


def relative(page):
    return page.relative_to(ROOT).as_posix()


pages = pytest.mark.parametrize("page", PAGES, ids=relative)


def blocks_of(page):
    """The fenced blocks of a page, as (language, content)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def prose_of(page):
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def spans_of(page):
    """The code spans of a page, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(page))]


def commands_of(page):
    """The commands in the page's blocks of shell, as lists of words."""
    found = []
    for language, content in blocks_of(page):
        if language == "sh":
            for line in content.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                parts = itertools.groupby(words, lambda word: word in ("&&", "|"))
                found += [list(part) for is_joint, part in parts if not is_joint]
    return found


class ComplaintError(Exception):
    pass


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise ComplaintError(message)


def children(parser):
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return actions[0].choices if actions else {}


def options(parser):
    return {option for action in parser._actions for option in action.option_strings}


@functools.cache
def dvc_parser():
    return get_main_parser()


@functools.cache
def lookbook_parser(name):
    parser = Parser(prog=name)
    importlib.import_module(f"lookbook.commands.{name}").configure(parser)
    return parser


def module_exists(name):
    """Whether there is such a module, of ours or of a package, which is not imported."""
    top, *rest = name.split(".")
    if (ROOT / top).is_dir():
        path = ROOT.joinpath(top, *rest)
        return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file() or (
            (path / "__main__.py").is_file()
        )  # fmt: skip
    return not rest and importlib.util.find_spec(top) is not None


def fault_of_command(words, *, whole):
    """What is wrong with a command of ours, of DVC, make or Python; None if nothing is.

    Args:
        words: The command.
        whole: Whether its arguments must be complete, as in a block, or may be left out.
    """
    program, *rest = words
    if program == "lookbook":
        if not rest or rest[0] in ("--help", "COMMAND"):
            return None
        if rest[0] not in names():
            return f"no command {rest[0]}"
        return fault_of_arguments(lookbook_parser(rest[0]), rest[1:], whole=whole)
    if program == "dvc":
        return fault_of_arguments(dvc_parser(), rest, whole=whole)
    if program == "make":
        targets = {word for word in rest if not re.fullmatch(r"[A-Z]+=\S+", word)}
        return None if targets <= TARGETS else f"no target {rest}"
    if program in ("python", "python3") and rest[0] == "-m":
        if not module_exists(rest[1]):
            return f"no module {rest[1]}"
        marked = rest[3] if rest[1:3] == ["pytest", "-m"] else None
        return None if marked in {None, *MARKERS} else f"no marker {marked}"
    return None if program in SHELL else f"an unknown program, {program}"


def fault_of_arguments(parser, words, *, whole):
    if whole:
        try:
            parser.parse_args(words)
        except ComplaintError as complaint:
            return str(complaint)
        except Exception as error:  # DVC's own
            return repr(error)
        return None
    for word in words:
        if word.startswith("--") and word not in options(parser):
            return f"no option {word}"
        if children(parser) and not word.startswith("-"):
            if word not in children(parser):
                return f"no command {word}"
            parser = children(parser)[word]
    return None


@pages
def test_every_command_exists_with_its_options(page):
    faults = [(words, fault_of_command(words, whole=True)) for words in commands_of(page)]
    ours = ("lookbook ", "dvc ", "make ", "python -m ")
    for span in spans_of(page):
        if span.startswith(ours):
            faults.append((span, fault_of_command(shlex.split(span), whole=False)))
    assert [fault for fault in faults if fault[1]] == []


@pages
def test_an_option_that_stands_alone_is_one_of_a_command(page):
    known = set().union(*(options(lookbook_parser(name)) for name in names()))
    alone = [span for span in spans_of(page) if re.fullmatch(r"--?[a-z-]+", span)]
    assert set(alone) <= known | {"-S"}


def test_every_command_of_lookbook_is_explained_on_a_page():
    said = "\n".join(page.read_text() for page in ROOT.glob("docs/*.md"))
    assert [name for name in names() if not re.search(rf"lookbook {name}\b", said)] == []


def path_exists(path):
    """Whether a path is in Git, is made by the pipeline, or stands for one of the reader's own."""
    path = path.rstrip("/")
    if path in FOLDERS or path in TRACKED:
        return True
    made = OUTPUTS | IGNORED
    if any(path == out or path.startswith(f"{out}/") for out in made):
        return True
    if any(out.startswith(f"{path}/") for out in made):
        return True
    parts = Path(path).parts
    if parts[-1] in OF_A_SET and parts[:-1] in ((), ("data", "own", "pets")):
        return True
    if EXAMPLES & {part for name in parts for part in re.split(r"[._]|test_", name)}:
        return Path(path).parent.as_posix() in FOLDERS
    return "/" not in path and path in {Path(tracked).name for tracked in TRACKED}


SUFFIXES = "csv html ini jinja json keras lock md npy npz parquet png py sh svg toml txt yaml yml"


def paths_of(page):
    """What looks like a path in the page's code: with a slash, or with a suffix of a file."""
    code = [*spans_of(page), *itertools.chain(*commands_of(page))]
    for word in itertools.chain(*(text.split() for text in code)):
        word = word.partition(":")[0].strip("'\"(),")
        if (
            re.match(r"(https?|azure|az|gs|s3|sftp|ssh)$|[~/<]", word)
            or word in FOREIGN
            or "=" in word
        ):
            continue
        suffixed = re.fullmatch(rf"[\w.-]+\.({SUFFIXES.replace(' ', '|')})", word)
        if suffixed or re.fullmatch(r"\.?[\w.-]+(/[\w.*-]*)+", word):
            yield word


@pages
def test_every_path_exists(page):
    # Names of files in the shards' folders, which are numbered.
    paths = {path for path in paths_of(page) if not re.fullmatch(r"\w+-0{5}\.\w+", path)}
    assert sorted(path for path in paths if not path_exists(path)) == []


def settings_of(page):
    """Parameters with a value: `section.key=value`, `section.key: value`, after -S or alone."""
    name = r"(dataset|[a-z_]+(?:\.[a-z_]+)+)"
    for text in [*spans_of(page), *itertools.chain(*commands_of(page))]:
        yield from re.findall(rf"^{name}: (\S+)$", text)
        yield from re.findall(rf"(?:^|\s){name}=(\S+)", text)


def with_setting(name, value):
    changed = copy.deepcopy(PARAMS)
    *sections, key = name.split(".")
    section = changed
    for part in sections:
        section = section[part]
    assert key in section, f"{name} is no parameter"
    section[key] = yaml.safe_load(value)
    return changed


@pages
def test_every_setting_is_one_that_params_yaml_takes(page):
    for name, values in settings_of(page):
        for value in [values] if "[" in values else values.split(","):
            changed = with_setting(name, value)
            Params.model_validate(changed)
            assert changed["dataset"] in {*known_cards(ROOT / "data/cards"), *EXAMPLES}


@pages
def test_every_parameter_exists(page):
    dotted = [span for span in spans_of(page) if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", span)]
    for name in set(dotted) - FOREIGN:
        if not path_exists(name) and not module_exists(name):
            with_setting(name, "0")


@pages
def test_every_metric_exists(page):
    for text in [*spans_of(page), *itertools.chain(*commands_of(page))]:
        for path, key in re.findall(r"(metrics/\w+\.json):([\w.]+)", text):
            figures = json.loads((ROOT / path).read_text())
            for part in key.split("."):
                assert part in figures, f"{path} has no {key}"
                figures = figures[part]


@functools.cache
def words_of_the_code():
    files = [path for path in TRACKED if Path(path).suffix in {".py", ".yaml", ".yml"}]
    code = [path for path in files if Path(path).name != Path(__file__).name]
    words = set(re.findall(r"\w+", "\n".join((ROOT / path).read_text() for path in code)))
    return words | {Path(path).stem for path in TRACKED}


@pages
def test_every_name_is_one_of_the_code(page):
    said = {word for span in [*spans_of(page), *itertools.chain(*commands_of(page))]
            for word in re.split(r"[\s.:=,/<>]+", span)}  # fmt: skip
    underscored = {word for word in said if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)}
    capitals = {word for word in said if re.fullmatch(r"[A-Z]{3,}(_[A-Z]+)*", word)}
    assert underscored | capitals <= words_of_the_code() | {"COMMIT", OF_DVC}


def anchors_of(page):
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page):
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(page))


@pages
def test_every_link_leads_somewhere(page):
    for link in links_of(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert path_exists(target.relative_to(ROOT).as_posix()), f"no file for {link}"
        assert not anchor or anchor in anchors_of(target), f"no heading for {link}"


def pages_linked(page):
    return {(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)}


def test_the_readme_is_short_and_leads_to_every_page():
    readme = ROOT / "README.md"
    assert len(readme.read_text().splitlines()) <= MOST_LINES
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme.read_text())
    assert len(pictures) == PICTURES
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < MOST_BYTES
    linked = pages_linked(readme)
    for page in sorted(linked & set(ROOT.glob("docs/*.md"))):  # and by way of those
        linked |= pages_linked(page)
    assert set(ROOT.glob("docs/*.md")) | {ROOT / "CONTRIBUTING.md"} <= linked


@pages
def test_every_test_that_a_page_names_exists(page):
    for span in spans_of(page):
        for path, name in re.findall(r"^(tests/[\w/]+\.py)::(\w+)$", span):
            assert f"\ndef {name}(" in (ROOT / path).read_text(), span


def test_each_fault_of_the_list_has_a_test():
    rows = re.findall(r"^\| ([ABCF]\d+) \|.*$", (ROOT / "docs/reliability.md").read_text(), re.M)
    counts = {"A": 12, "B": 24, "C": 11, "F": 13}
    assert rows == [
        f"{kind}{number}" for kind, count in counts.items() for number in range(1, count + 1)
    ]
    for line in (ROOT / "docs/reliability.md").read_text().splitlines():
        assert not re.match(r"\| [ABCF]\d+ \|", line) or "::test_" in line


def test_each_promise_of_security_has_a_test():
    lines = (ROOT / "SECURITY.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and "---" not in line]
    promises = [line for line in rows if not line.startswith("| who")]
    assert len(promises) >= 20
    assert [line for line in promises if "::test_" not in line] == []


@pages
def test_a_page_begins_with_its_question_and_names_the_language_of_its_blocks(page):
    if page.parent == ROOT / "docs":
        assert re.match(r"# .+\?\n\n", page.read_text())
    assert {language for language, _ in blocks_of(page)} <= {"sh", "text", "yaml"}
    assert page.read_text().count("```") == 2 * len(blocks_of(page))


def test_nothing_is_said_twice():
    said = Counter()
    for page in PAGES:
        text = re.sub(r"^\|.*$", "", prose_of(page), flags=re.MULTILINE)
        sentences = re.split(r"(?<=[.:;?])\s+", " ".join(text.split()))
        said.update({sentence for sentence in sentences if len(sentence) > 45})
    assert [sentence for sentence, count in said.items() if count > 1] == []


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A function that draws the README's pictures of a run in a folder, with a browser or none."""
    for folder in ("docs", "metrics", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "docs/pictures.py", tmp_path / "docs")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "metrics/ladder.svg").write_text("<svg/>")
    (tmp_path / "metrics/report.html").write_text("<body>page</body>")
    page = Image.new("RGB", (60, 40), "white")
    page.paste("black", (10, 10, 30, 20))
    page.save(tmp_path / "page.png")

    def draw(browser):
        program = tmp_path / "bin/chromium"  # before any that this machine has
        program.write_text(f"#!/bin/sh\nfor word; do case $word in {browser} esac; done\n")
        program.chmod(0o755)
        return run(sys.executable, "docs/pictures.py", cwd=tmp_path, check=False)

    draw.folder = tmp_path
    return draw


def test_pictures_are_cut_to_what_is_drawn_and_framed(pictures):
    page = pictures.folder / "page.png"
    done = pictures(f"--screenshot=*) cp {page} ${{word#--screenshot=}};;")
    assert done.returncode == 0, done.stderr
    for name in ("ladder", "report"):
        with Image.open(pictures.folder / f"docs/{name}.png") as picture:
            assert picture.size == (20 + 2 * 24, 10 + 2 * 24)


def test_what_keeps_pictures_from_being_drawn_is_told_in_a_sentence(pictures):
    done = pictures("--headless) echo no display >&2;;")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Expected ")
    assert done.stderr.endswith("to draw a page. Received: no display\n")
    (pictures.folder / "metrics/report.html").unlink()
    done = pictures("--headless) ;;")
    assert done.stderr.startswith("error: Expected metrics/report.html. Received: no such file.")
