"""Comtrade's batches (premium keys): submitted once, waited for, and fetched as one table of up to 2.5 million rows.

What belongs here: the steps of a batch and what is remembered between runs. Not here: which cells become batches, and
what their rows must look like (see `comtrade_api`).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from dagster_project.errors import Deferred, SourceError, SourceUnreachable
from dagster_project.sources.http import Service, Transient, canonical
from dagster_project.sources.integrity import open_zip
from dagster_project.sources.live import Live
from dagster_project.sources.zip_member import extract_table

CAP = 2_500_000
SUBMITTED = "comtrade-batches"  # in the ledger: scope and request -> the batch's id
FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 15.0, 120.0, 900.0  # seconds; what is not ready then is fetched by the next run
_TABLES = (".txt", ".csv", ".tsv")


def address(live: Live) -> str:
    """Where batches are submitted."""
    return f"{live.settings.comtrade_url}/async/v1/get/C/A/HS"


def fetch(live: Live, service: Service, query: Mapping[str, str], scope: str, *, where: str) -> Path:
    """The table of a batch, submitted unless an earlier run did; .txt is tab-separated, .csv by commas, .gz gzipped.

    Deferred when it is not ready within a quarter of an hour; SourceError when it failed or is no such table.
    """
    known = _name(live, scope, query)
    batch = live.ledger.settled(SUBMITTED, [known]).get(known) or _submit(live, service, query, known, where)
    try:
        uri = _finished(live, service, batch, where)
        name = f"batch-{re.sub('[^A-Za-z0-9-]+', '', batch)}.zip"
        archive = live.http.download(service, uri, live.downloads, where=where, version=batch, name=name)
        return _table(archive, where)
    except SourceUnreachable:
        raise
    except SourceError:
        forget(live, scope, query)
        raise


def forget(live: Live, scope: str, query: Mapping[str, str]) -> None:
    """Let the next run submit a batch anew, because this one cannot be used."""
    live.ledger.settle(SUBMITTED, _name(live, scope, query), "")


def _name(live: Live, scope: str, query: Mapping[str, str]) -> str:
    return f"{scope} {canonical(address(live), query)}"


def records(path: Path, where: str) -> Iterator[dict[str, Any]]:
    """The rows of a batch's table, one at a time: column -> text."""
    delimiter = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        for number, row in enumerate(csv.DictReader(text, delimiter=delimiter), 2):
            if None in row or None in row.values():
                raise SourceError(
                    f"{where}, line {number}",
                    found="another number of fields than the header has",
                    expected="a whole table",
                    remedy="Nothing of this batch was used. Run again: it is submitted anew.",
                )
            yield row


def _submit(live: Live, service: Service, query: Mapping[str, str], known: str, where: str) -> str:
    def check(content: Any) -> None:
        if not isinstance(content, dict) or not content.get("requestId"):
            raise Transient("an answer without requestId")

    answer = live.http.get_json(service, address(live), query, where=where, accept=(200, 202), check=check)
    batch = str(answer.content["requestId"])
    live.ledger.settle(SUBMITTED, known, batch)
    return batch


def _finished(live: Live, service: Service, batch: str, where: str) -> str:
    """The address of the batch's file; it cannot be made from the batch's id."""

    def check(content: Any) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("data"), list):
            raise Transient("an answer without a list of batches")

    url, pause, until = f"{live.settings.comtrade_url}/async/v1/getDA/", FIRST_PAUSE, live.http.clock() + PATIENCE
    while True:
        answer = live.http.get_json(service, url, {"batchId": batch}, where=where, check=check)
        row: dict[str, Any] = next(iter(answer.content["data"]), {})
        status = str(row.get("status", "Submitted"))
        if status == "Completed" and row.get("uri"):
            return urljoin(live.settings.comtrade_url, str(row["uri"]))
        if status not in ("Submitted", "Running"):
            raise SourceError(
                where,
                found=f"a batch that ended as {status} (batch {batch})",
                expected="Completed, with the address of its file",
                remedy="Run again: it is submitted anew. If it stays so, set CHOKEPOINT_COMTRADE_ASYNC=false.",
            )
        if live.http.clock() + pause > until:
            raise Deferred(
                where,
                found=f"a batch that is still {status} after {PATIENCE / 60:.0f} minutes (batch {batch})",
                expected="Completed",
                remedy="Run again later: the batch goes on meanwhile, and is not submitted again.",
                not_before=live.http.clock() + PATIENCE,
            )
        live.http.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _table(archive: Path, where: str) -> Path:
    """The zip's one table under a name that tells its delimiter; the zip is removed."""
    with open_zip(archive, where) as directory:
        names = [name.lower() for name in directory.namelist()]
    suffix = next((each for each in _TABLES if any(name.endswith(each) for name in names)), _TABLES[0])
    path, gzipped = extract_table(archive, suffix, archive.parent, where)
    with gzip.open(path) if gzipped else path.open("rb") as file:
        header = file.readline(1 << 16)
    kind = ".txt" if b"\t" in header else ".csv"
    table = path.replace(archive.with_name(f"{archive.stem}{kind}{'.gz' if gzipped else ''}"))
    archive.unlink()
    return table
