"""The lock files: every package of every extra, by the hashes of its files."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import ROOT

FILES = ("all", "serve", "cuda")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def locked(name):
    """Return each requirement of a lock file with its hashes, by the package's name."""
    found = {}
    for line in (ROOT / f"locks/{name}.txt").read_text().replace("\\\n", " ").splitlines():
        text, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(text)
        found[canonicalize_name(requirement.name)] = requirement, hashes
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_with_a_hash(name):
    for requirement, hashes in locked(name).values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("name", FILES)
def test_no_address_of_an_index_is_written_down(name):
    assert not re.search(r"://|file:|index|find-links", (ROOT / f"locks/{name}.txt").read_text())


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_package_of_an_extra_is_locked_within_its_bounds(extra):
    known = locked("cuda" if extra == "cuda" else "all")
    for wanted in map(Requirement, EXTRAS[extra]):
        if wanted.name != "lookbook":
            (pin,) = known[canonicalize_name(wanted.name)][0].specifier
            assert wanted.specifier.contains(pin.version), wanted


@pytest.mark.parametrize("name", FILES[1:])
def test_the_others_have_what_the_tests_have(name):
    everything = locked("all")
    for package, (requirement, hashes) in locked(name).items():
        if name == "cuda" and package.startswith("nvidia-"):
            continue
        assert everything[package][0].specifier == requirement.specifier
        assert everything[package][1] == hashes


def test_what_is_installed_is_what_the_lock_says():
    others = {}
    for name, (requirement, _) in locked("all").items():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "none"
        if str(requirement.specifier) != f"=={installed}":
            others[name] = installed
    assert others == {}
