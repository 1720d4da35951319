"""The manifest of a release: its form, its own checksum, reading and writing it.

Not here: the facts that go into it (see `release`), nor checking files against it (see `read`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_project.errors import ReleaseError

NAME = "manifest.json"
FORMAT = 1


def checksum(manifest: Mapping[str, Any]) -> str:
    """sha256 of the manifest's content without its own checksum; independent of spacing and of key order."""
    content = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json` with its checksum into a release that is being built."""
    plain = json.loads(json.dumps(manifest))
    text = json.dumps({**plain, "manifest_sha256": checksum(plain)}, indent=1, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the release in `folder`; ReleaseError when missing, unreadable, altered or of another form."""
    path = folder / NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = None if isinstance(manifest, dict) else "no JSON object"
    except FileNotFoundError:
        found = "no such file"
    except (OSError, ValueError) as error:
        found = f"unreadable content ({error})"
    if found is None and manifest.get("format") != FORMAT:
        found = f"format {manifest.get('format')!r}"
    if found is None and manifest.get("manifest_sha256") != checksum(manifest):
        found = "a content that is not the one its checksum names"
    if found is not None:
        raise ReleaseError(
            f"release {folder.name}, file {NAME}",
            found=found,
            expected=f"the manifest as it was published (format {FORMAT})",
            remedy="Open another release, or publish again: the damaged release is then replaced as the current one.",
        )
    return manifest
