"""Harvard Dataverse as the contract server plays it: a data set's list of files, and files behind a redirect.

What it says: `data[].dataFile` with the id, names and MD5 of the file as uploaded; a table that was read in comes as
tab-separated text unless its original is asked for; the bytes come from a storage host (303).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dagster_project.datasets.politics.sample import politics_files

DOI = "doi:10.7910/DVN/LEJUQZ"
PREFIX = "/dataverse"
Reply = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json;charset=UTF-8"}


@dataclass
class Deposit:
    """One file of the data set. `read_in`: Dataverse has made a table of its own of it."""

    file_id: int
    name: str
    body: bytes
    published: str = "2024-06-20"
    read_in: bool = True
    restricted: bool = False
    md5: str = ""

    def record(self) -> dict[str, Any]:
        """Its entry in the list of files."""
        table = self.name.rsplit(".", 1)[0] + ".tab"
        md5 = self.md5 or hashlib.md5(self.body).hexdigest()
        file: dict[str, Any] = {
            "id": self.file_id,
            "persistentId": "",
            "filename": table if self.read_in else self.name,
            "contentType": "text/tab-separated-values" if self.read_in else "text/csv",
            "filesize": len(self.tab_separated()) if self.read_in else len(self.body),
            "md5": md5,
            "checksum": {"type": "MD5", "value": md5},
            "creationDate": self.published,
            "publicationDate": self.published,
        }
        if self.read_in:
            file |= {
                "originalFileFormat": "text/csv",
                "originalFileName": self.name,
                "originalFileSize": len(self.body),
            }
        return {"label": file["filename"], "restricted": self.restricted, "version": 1, "dataFile": file}

    def tab_separated(self) -> bytes:
        """Dataverse's own form of the table: tabs, names without quotation marks, nothing where R writes NA."""
        rows = list(csv.reader(io.StringIO(self.body.decode(), newline="")))
        lines = ["\t".join(name or "V1" for name in rows[0])]
        for row in rows[1:]:
            lines.append("\t".join("" if cell == "NA" else _cell(cell) for cell in row))
        return ("\n".join(lines) + "\n").encode()


def _cell(text: str) -> str:
    return text if re.fullmatch(r"-?[0-9.]+", text) else f'"{text}"'


def deposits() -> list[Deposit]:
    """The data set as it stands at first: the table, one of agreement scores, and the authors' note."""
    ((_, table, _),) = politics_files()
    return [
        Deposit(10295877, "AgreementScoresAll_Jun2024.csv", b"agree,year\n1,1946\n"),
        Deposit(10295878, "IdealpointestimatesAll_Jun2024.csv", table),
        Deposit(6358426, "Readme.pdf", b"%PDF-1.4\n", "2022-06-20", read_in=False),
    ]


def respond(contract: Any, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    """The answer to a request below /dataverse; files are at the storage host."""
    path, world = match["path"], contract.world
    if path == "api/datasets/:persistentId/versions/:latest/files":
        if query.get("persistentid") != DOI:
            return _error(404, f"Dataset with Persistent ID {query.get('persistentid')} not found.")
        records = [deposit.record() for deposit in world.deposits]
        return 200, dict(JSON), json.dumps({"status": "OK", "totalCount": len(records), "data": records}).encode()
    if asked := re.fullmatch(r"api/access/datafile/(\d+)", path):
        deposit = _deposit(world, int(asked[1]))
        if deposit is None:
            return _error(404, f"Object not found: {asked[1]}")
        if deposit.restricted:
            return _error(403, "You do not have permission to download this file.")
        original = query.get("format") == "original"
        if original and not deposit.read_in:
            return _error(404, "datafile access error: requested optional service could not be performed")
        form = "original" if original and not world.ignores_format else "tab" if deposit.read_in else "original"
        address = f"{contract.storage_url}{PREFIX}/storage/{deposit.file_id}-{form}?X-Amz-Signature={quote('a/b=')}"
        return 303, {"Location": address}, b""
    return _error(404, "Not found")


def stored(world: Any, name: str, query: dict[str, str]) -> bytes | None:
    """The bytes at the storage host, for an address that is signed."""
    file_id, _, form = name.partition("-")
    deposit = _deposit(world, int(file_id))
    if deposit is None or not query.get("x-amz-signature"):
        return None
    return deposit.body if form == "original" else deposit.tab_separated()


def _deposit(world: Any, file_id: int) -> Deposit | None:
    return next((deposit for deposit in world.deposits if deposit.file_id == file_id), None)


def _error(code: int, message: str) -> Reply:
    return code, dict(JSON), json.dumps({"status": "ERROR", "message": message}).encode()
