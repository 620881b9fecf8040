"""A software bill of materials (CycloneDX 1.6, JSON) of what the service runs with, from deploy/requirements.txt alone:

    python deploy/sbom.py > deploy/sbom.cdx.json

The same lock gives the same bytes: no time, no random number. Needs nothing but Python's standard library.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("requirements.txt")
_PACKAGE = "sticky-calls-adapter"
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# Who asks for a package is told below it: "# via flask", or one a line below "# via".
_ASKED_BY = re.compile(r"^ +# (?:via | +)([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of the lock. `hashes`: SHA-256 of each of its files. `asked_by`: packages, ours among them."""

    name: str
    version: str
    hashes: tuple[str, ...]
    asked_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def locked(text: str) -> list[Locked]:
    """Every package of a lock that pip-compile wrote, in its order."""
    return [_package(block) for block in _blocks(text)]


def bill(text: str, version: str) -> dict[str, Any]:
    """The bill of materials of this lock, for this version of ours."""
    packages = locked(text)
    ours = f"pkg:pypi/{_PACKAGE}@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours + text)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": _PACKAGE,
                "version": version,
                "purl": ours,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [
            {"ref": ours, "dependsOn": _needs(_PACKAGE, packages)},
            *({"ref": each.purl, "dependsOn": _needs(each.name, packages)} for each in packages),
        ],
    }


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.splitlines():
        if _PINNED.match(line):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block


def _package(block: list[str]) -> Locked:
    pinned = _PINNED.match(block[0])
    assert pinned is not None, "a block begins with what is pinned"
    hashes = tuple(found for line in block for found in _HASH.findall(line))
    asked_by = tuple(_normal(found[1]) for line in block[1:] if (found := _ASKED_BY.match(line)))
    return Locked(_normal(pinned[1]), pinned[2], hashes, asked_by)


def _normal(name: str) -> str:
    """As PyPI compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(package: Locked) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "scope": "required",
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{package.name}/{package.version}/#files",
                "hashes": [{"alg": "SHA-256", "content": content} for content in package.hashes],
            }
        ],
    }


def _needs(name: str, packages: list[Locked]) -> list[str]:
    return [each.purl for each in packages if name in each.asked_by]


def main() -> None:
    """The bill on stdout."""
    source = (LOCK.parent.parent / "adapter" / "__init__.py").read_text("utf-8")
    version = _VERSION.search(source)
    assert version is not None, "adapter/__init__.py has a version"
    json.dump(bill(LOCK.read_text("utf-8"), version[1]), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
