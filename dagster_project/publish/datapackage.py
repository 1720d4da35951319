"""`datapackage.json`: a release described in the form of Frictionless Data Package, which many tools read.

A table is one resource; one by year is a resource per year's file, and all of them name one schema file. Not here: the
manifest, from which everything is taken; bytes and sha256 of files stand only there, because the reference library
takes them for those of a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAME = "datapackage.json"
SCHEMAS = "schemas"
SYNTHETIC = "SYNTHETIC: code made the data, they say nothing about the real world. "
DESCRIPTION = (
    "Marts from public data on trade, tariff exclusions, patents and more. manifest.json says what each was made from "
    "and how every check came out."
)
_TYPES = {
    "INTEGER": "integer", "BIGINT": "integer", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date",
    "VARCHAR": "string",
}  # fmt: skip
# Of the publishers' words on terms, those that are a licence's identifier.
_IDENTIFIER = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._+]*-[0-9][-A-Za-z0-9._+]*")


def write_datapackage(folder: Path, manifest: Mapping[str, Any], rows: Mapping[str, int]) -> None:
    """Write the package and its schemas into a release under construction. `rows` are those of each Parquet file."""
    schemas = folder / SCHEMAS
    schemas.mkdir()
    for mart, facts in manifest["marts"].items():
        _write(schemas / f"{mart}.json", _schema(facts))
    _write(folder / NAME, package(manifest, rows))


def package(manifest: Mapping[str, Any], rows: Mapping[str, int]) -> dict[str, Any]:
    """The package as data."""
    return {
        "profile": "data-package",
        "name": f"chokepoint-{manifest['release_id'].lower()}",
        "id": manifest["release_id"],
        "title": "Chokepoint: vulnerability of supply by country and good",
        "description": (SYNTHETIC if manifest["synthetic"] else "") + DESCRIPTION,
        "version": manifest["code_version"],
        "created": manifest["created_at"],
        "synthetic": manifest["synthetic"],
        "citation": citation(manifest),
        "licenses": _licences(manifest),
        "sources": sources(manifest),
        "resources": list(_resources(manifest, rows)),
    }


def citation(manifest: Mapping[str, Any]) -> str:
    """How to cite the release, with the publishers whose data it is made of."""
    cited = dict.fromkeys(entry["citation"] for entry in manifest["archive_entries"])
    created = manifest["created_at"][:10]
    own = f"Chokepoint {manifest['code_version']}, release {manifest['release_id']} of {created}"
    return own + (" (synthetic sample)" if manifest["synthetic"] else "") + ". Made from: " + "; ".join(cited) + "."


def _licences(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """The terms of every publisher whose data are in it."""
    terms = dict.fromkeys(entry["licence"] for entry in manifest["archive_entries"])
    return [{"name": _licence_name(text), "title": text} for text in terms]


def _licence_name(text: str) -> str:
    found = _IDENTIFIER.search(text)
    return found[0] if found else "other"


def sources(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Publishers with their datasets; manifest.json names every payload."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in manifest["archive_entries"]:
        source = {
            "title": f"{entry['publisher']}: {entry['dataset']}",
            "citation": entry["citation"],
            "licence": entry["licence"],
            "synthetic": entry["synthetic"],
            "retrieved": entry["retrieved_at"],
        }
        if str(entry["address"]).startswith(("http://", "https://")):
            source["path"] = entry["address"]
        found.setdefault((source["title"], source["citation"]), source)
    return list(found.values())


def _resources(manifest: Mapping[str, Any], rows: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for mart, facts in manifest["marts"].items():
        for name in facts["files"]:
            year = name.split("/")[-2] if facts["partitioned"] else ""
            yield {
                "name": f"{mart}-{year}" if year else mart,
                "title": f"{mart}, {year}" if year else mart,
                "description": facts["description"],
                "profile": "data-resource",
                "path": name,
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "rows": rows[name],
                "schema": f"{SCHEMAS}/{mart}.json",
            }


def _schema(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fields": [
            {
                "name": name,
                "type": _type(column),
                "storage": column["type"],
                **({"description": column["description"]} if column["description"] else {}),
                **({"unit": column["unit"]} if column["unit"] else {}),
                **({"constraints": {"required": True}} if column["required"] else {}),
            }
            for name, column in facts["columns"].items()
        ],
        "primaryKey": facts["key"],
    }


def _type(column: Mapping[str, Any]) -> str:
    """The type in the words of a table schema.

    Whole numbers that may be missing are numbers: the reference library reads Parquet by way of floating point, and
    does not take a NaN for a whole number. `storage` says what they are.
    """
    type_ = _TYPES.get(column["type"], "array" if column["type"].endswith("[]") else "any")
    return "number" if type_ == "integer" and not column["required"] else type_


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
