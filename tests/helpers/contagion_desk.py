"""Small files of market returns, the way from them to the landing, and what lies there. Not here: expectations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.store import Archive
from dagster_project.datasets.contagion.dataset import CONTAGION
from dagster_project.datasets.contagion.files import FILE_KINDS
from dagster_project.datasets.contagion.landing import land
from dagster_project.datasets.contagion.sample import contagion_files
from dagster_project.landing.loads import Landed, Load
from dagster_project.settings import load_settings
from dagster_project.sources.files import find_files

START = datetime(2026, 1, 1, tzinfo=UTC)
HEADERS = {
    "events": "event_id,event_date,after_close,label",
    "securities": "security_id,industry,market_id,kind",
    "roles": "event_id,security_id,role",
    "returns": "date,security_id,return",
}
SOUND: Mapping[str, Sequence[str]] = {
    "events": ("E1,2019-05-16,false,made up",),
    "securities": ("MKT,,MKT,index", "S1,industry 1,MKT,stock", "P1,industry 1,MKT,stock"),
    "roles": ("E1,S1,supplier",),
    "returns": ("2019-05-15,MKT,0.01", "2019-05-16,MKT,-0.01", "2019-05-16,S1,-0.04", "2019-05-16,P1,0.002"),
}


class Desk:
    """A drop folder and the landing that is made of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.drop, self.landing = root, root / "drop", root / "landing"
        self.archive, self.now = Archive(root / "archive"), START

    def write(self, content: str | bytes, name: str) -> None:
        """Put a file into the drop folder."""
        path = self.drop / "contagion" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_files(self, **rows: Iterable[str]) -> None:
        """Put the four files into the drop folder; of those not named, the sound ones."""
        for name, sound in SOUND.items():
            self.write("\n".join([HEADERS[name], *rows.get(name, sound)]) + "\n", f"{name}.csv")

    def write_sample(self) -> None:
        """Put the sample's files into the drop folder."""
        for path, body, _ in contagion_files():
            self.write(body, path.removeprefix("contagion/"))

    def land(self) -> Landed:
        """Take in and land what lies in the drop folder now."""
        found = find_files(self.drop, FILE_KINDS)
        entries = [self.archive.put(payload, retrieved_at=self.now) for payload in found.payloads]
        self.now += timedelta(days=1)
        return land(Load(self.archive, entries, self.landing, load_settings({}, dotenv=None)))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Ask the landing's tables, by their names."""
        with duckdb.connect() as connection:
            for table in CONTAGION.tables:
                connection.execute(f"create view {table.name} as from read_parquet('{table.files(self.landing)}')")
            found = connection.execute(query)
            names = [column[0] for column in found.description]
            return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    def counted(self, table: str) -> Mapping[str, int]:
        """Rule -> rows of one of the four files."""
        counts = self.rows(f"select rule, n from contagion_rule_counts where source like '%/{table}'")
        return {each["rule"]: each["n"] for each in counts if each["n"]}

    def reasons(self) -> list[tuple[str, int]]:
        """(reason, line) of everything in quarantine, sorted."""
        found = self.rows("select reason, source_row from quarantine_contagion")
        return sorted((each["reason"], each["source_row"]) for each in found)
