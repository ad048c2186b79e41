"""The package's bill of materials: every library in it, in CycloneDX's JSON, for whoever watches for known faults."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from email.message import Message
from typing import Any

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from deb.lock import environment
from deb.target import Target

SPEC_VERSION = "1.6"
PROGRAM = "intercom"


def sbom(version: str, declared: Iterable[str], libraries: Iterable[Message], target: Target, when: int) -> str:
    """Return the bill of one package.

    :param declared: the program's own requirements.
    :param libraries: the metadata of what is in the package.
    :param when: when it was made, in s since 1970.
    """
    metadata = {canonicalize_name(str(library["Name"])): library for library in libraries}
    refs = {name: f"pkg:pypi/{name}@{library['Version']}" for name, library in metadata.items()}
    needs = {refs[name]: library.get_all("Requires-Dist", []) for name, library in metadata.items()}
    judged_by = environment(target)

    def needed(texts: Iterable[str]) -> list[str]:
        wanted = [Requirement(text) for text in texts]
        names = {canonicalize_name(one.name) for one in wanted if one.marker is None or one.marker.evaluate(judged_by)}
        return sorted(refs[name] for name in names if name in refs)

    bill = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(when, datetime.UTC).isoformat(),
            "component": {"type": "application", "bom-ref": PROGRAM, "name": PROGRAM, "version": version},
        },
        "components": [_component(refs[name], library) for name, library in metadata.items()],
        "dependencies": [
            {"ref": ref, "dependsOn": needed(texts)} for ref, texts in {PROGRAM: declared, **needs}.items()
        ],
    }
    return json.dumps(bill, indent=1, ensure_ascii=False) + "\n"


def licence_of(library: Message) -> str:
    """Return a library's licence in a few words, as it says it itself."""
    said = library.get("License-Expression") or library.get("License") or ""
    classified = [text for text in library.get_all("Classifier", []) if text.startswith("License")]
    if said and "\n" not in said and len(said) < 60:
        return str(said)
    return classified[0].rpartition(" :: ")[2] if classified else "see its own files"


def _component(ref: str, library: Message) -> dict[str, Any]:
    expression = library.get("License-Expression")
    licence = {"expression": expression} if expression else {"license": {"name": licence_of(library)}}
    return {
        "type": "library",
        "bom-ref": ref,
        "name": str(library["Name"]),
        "version": str(library["Version"]),
        "purl": ref,
        "licenses": [licence],
    }
