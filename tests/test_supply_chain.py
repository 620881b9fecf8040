"""What the service runs with: locked as pyproject.toml asks for it, whole, and told as a bill of materials."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
LOCK = (DEPLOY / "requirements.txt").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = canonicalize_name(PROJECT["name"])
# What Linux, CPython and every Python from 3.11 on need.
ENVIRONMENTS = [{"python_version": version, "python_full_version": f"{version}.0"} for version in ("3.11", "3.12")]


def the_bill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", DEPLOY / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


sbom = the_bill()
LOCKED = {package.name: package for package in sbom.locked(LOCK)}


def asked_for() -> list[Requirement]:
    return [Requirement(text) for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"])]


def unmet(wanted: Requirement, locked: dict[str, str]) -> bool:
    version = locked.get(canonicalize_name(wanted.name))
    return version is None or not wanted.specifier.contains(version, prereleases=True)


def versions() -> dict[str, str]:
    return {name: package.version for name, package in LOCKED.items()}


@pytest.mark.parametrize("wanted", asked_for(), ids=str)
def test_the_lock_has_what_the_project_asks_for(wanted: Requirement) -> None:
    assert not unmet(wanted, versions())


def test_a_lock_that_is_behind_is_found() -> None:
    """The positive control."""
    assert unmet(Requirement("flask>=99"), versions())
    assert unmet(Requirement("not-there"), versions())


@pytest.mark.parametrize("name", LOCKED)
def test_everything_is_hashed_and_asked_for_by_something(name: str) -> None:
    package = LOCKED[name]
    assert package.hashes
    assert package.asked_by
    assert {*package.asked_by} <= {*LOCKED, OURS}


@pytest.mark.parametrize("name", LOCKED)
def test_what_a_locked_package_needs_is_locked_too(name: str) -> None:
    """By what the installed one says of itself."""
    try:
        needs = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        pytest.skip("not installed here")
    extras = {extra for wanted in asked_for() if canonicalize_name(wanted.name) == name for extra in wanted.extras}
    for need in needs:
        scopes = [{**environment, "extra": extra} for environment in ENVIRONMENTS for extra in {"", *extras}]
        if need.marker is None or any(need.marker.evaluate(scope) for scope in scopes):
            assert canonicalize_name(need.name) in LOCKED, f"{name} needs {need}"


def test_nothing_comes_from_anywhere_but_the_registry() -> None:
    assert "://" not in LOCK
    assert "file:" not in LOCK


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    made = subprocess.run([sys.executable, DEPLOY / "sbom.py"], capture_output=True, text=True, check=True).stdout
    assert made == (DEPLOY / "sbom.cdx.json").read_text("utf-8"), "run: python deploy/sbom.py > deploy/sbom.cdx.json"


def test_the_bill_names_everything_once_and_what_needs_it() -> None:
    bill = json.loads((DEPLOY / "sbom.cdx.json").read_text("utf-8"))
    assert [part["purl"] for part in bill["components"]] == [package.purl for package in LOCKED.values()]
    needed = {ref for each in bill["dependencies"] for ref in each["dependsOn"]}
    assert needed == {part["bom-ref"] for part in bill["components"]}
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])


def test_another_lock_gives_another_bill() -> None:
    """The positive control."""
    flask = next(package for package in LOCKED.values() if package.name == "flask")
    changed = LOCK.replace(f"flask=={flask.version}", "flask==99.0")
    assert sbom.bill(changed, "1") != sbom.bill(LOCK, "1")
    assert sbom.bill(LOCK, "1") == sbom.bill(LOCK, "1")
