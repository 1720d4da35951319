"""UN Comtrade over the wire: what is available, and annual rows by preview (no key), by key, or as bulk files.

What belongs here: which calls a year takes, how an answer at the cap is split, and what an answer must look like. A
reporter's year is complete when every cell of it was answered below the cap; only then is it used. Not here: how a call
is made (see `sources.http`), batches (see `comtrade_async`), and what the rows mean (see `comtrade_rows`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dagster_project.archive.payload import Payload
from dagster_project.datasets.trade import comtrade_async
from dagster_project.datasets.trade.comtrade_files import FIELDS, FILE_KINDS
from dagster_project.errors import Deferred, SettingError, SourceError
from dagster_project.secret import Secret
from dagster_project.settings import Settings
from dagster_project.sources.files import Found
from dagster_project.sources.http import Service, Transient, canonical, of_known_shape
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, compressed, payload_of_kind
from dagster_project.sources.probe import Probe, Seen

KEY_VARIABLE = "COMTRADE_API_KEY"
KEY_HEADER = "Ocp-Apim-Subscription-Key"
SOURCE = "comtrade"
HOSTS = ("un.org",)
PREVIEW_CAP = 500
KEY_CAPS = (100_000, 250_000)  # of free and of other keys: exactly so many rows are a cut answer, whatever the setting
PREVIEW_BATCH = 2  # goods per first call: more would mostly be answered at the cap
MAX_PASSES = 3  # how often a year may be revised while it is being pulled
CHAPTERS = tuple(f"{chapter:02d}*" for chapter in range(1, 100) if chapter != 77)
REQUIRED = ("reportercode", "flowcode", "partnercode", "cmdcode", "primaryvalue")
_log = logging.getLogger(__name__)
# What a row may hold: the fields of the files, and the name of the data set, which only the API adds.
KNOWN = frozenset(field.lower() for field in FIELDS) | {"datasetcode"}


@dataclass(frozen=True)
class Cell:
    """One request: a reporter's year, for some flows, goods (`("AG6",)`: all) and partners (empty: all)."""

    year: int
    reporter: int
    flows: tuple[str, ...] = ("M", "X")
    goods: tuple[str, ...] = ("AG6",)
    partners: tuple[int, ...] = ()

    def query(self) -> dict[str, str]:
        """The parameters, with every breakdown pinned to its total."""
        query = {
            "reporterCode": str(self.reporter),
            "period": str(self.year),
            "cmdCode": ",".join(self.goods),
            "flowCode": ",".join(self.flows),
            "partner2Code": "0",
            "motCode": "0",
            "customsCode": "C00",
            "includeDesc": "false",
        }
        return {**query, "partnerCode": ",".join(map(str, self.partners))} if self.partners else query

    @property
    def name(self) -> str:
        """A file name as the drop folder would have it."""
        marks = [*self.flows, *(good.rstrip("*") for good in self.goods)]
        if self.partners:
            marks.append("partners" + hashlib.sha256(str(self.partners).encode()).hexdigest()[:8])
        return f"C_A_{self.year}_HS_{self.reporter}_{'-'.join(marks)}.json.gz"

    @property
    def shown(self) -> str:
        """The cell in a user's words."""
        partners = f", {len(self.partners)} partners" if self.partners else ""
        return f"reporter {self.reporter}, {self.year}, {'/'.join(self.flows)}, goods {','.join(self.goods)}{partners}"

    def split(self) -> list[Cell]:
        """Smaller cells that together are this one, by flow, good, partner and chapter; none at the end.

        A cell of all partners is split by `by_partner`, which needs their codes.
        """
        if len(self.flows) > 1:
            return [replace(self, flows=(flow,)) for flow in self.flows]
        if len(self.goods) > 1:
            return [replace(self, goods=(good,)) for good in self.goods]
        if len(self.partners) > 1:
            return self.by_partner(self.partners, 2)
        return self.by_chapter()

    def by_partner(self, partners: Sequence[int], pieces: int) -> list[Cell]:
        """The cell in so many pieces of about as many partners."""
        pieces = min(pieces, len(partners))
        return [replace(self, partners=tuple(partners[start::pieces])) for start in range(pieces)]

    def by_chapter(self) -> list[Cell]:
        """A cell of all goods by chapter of the Harmonized System; none for a chapter or a single good."""
        return [replace(self, goods=(chapter,)) for chapter in CHAPTERS] if self.goods == ("AG6",) else []


def trade(live: Live) -> Found:
    """The rows of every year asked for: keyed, from bulk files, or (without a key) the preview of some goods.

    What is already here in the version that Comtrade now offers is not asked for again. SourceError when a cell cannot
    be had whole; Deferred when the budget or quota is used up.
    """
    years = asked_years(live)
    key = live.settings.comtrade_api_key
    _require_premium_settings(live, key)
    puller = _Puller(live, key)
    payloads = [payload for year in years for payload in puller.year(year)]
    notes = [*puller.notes]
    if key is None:
        notes.append(
            f"comtrade without {KEY_VARIABLE}: only the goods {', '.join(live.settings.comtrade_preview_goods)} were "
            "asked for (CHOKEPOINT_COMTRADE_PREVIEW_GOODS); all others need a key"
        )
    if not payloads:
        raise SourceError(
            f"UN Comtrade, years {', '.join(map(str, years))}",
            found="no rows",
            expected="rows of at least one reporter",
            remedy="Ask for years that Comtrade has published (annual data come about two years late).",
        )
    return Found(payloads, notes)


def _require_premium_settings(live: Live, key: Secret | None) -> None:
    bulk, batches = live.settings.comtrade_bulk, live.settings.comtrade_async
    variable = "CHOKEPOINT_COMTRADE_BULK" if bulk else "CHOKEPOINT_COMTRADE_ASYNC"
    if bulk and batches:
        raise SettingError(
            f"setting {variable}",
            found="true, beside CHOKEPOINT_COMTRADE_ASYNC=true",
            expected="one of the two: bulk files hold whole years, so that nothing is left for batches",
            remedy="Set one of the two to false.",
        )
    if (bulk or batches) and key is None:
        raise SettingError(
            f"setting {variable}",
            found="true, without a key",
            expected=f"a premium key as {KEY_VARIABLE}, in the environment or .env",
            remedy=f"Set {KEY_VARIABLE}, or {variable}=false.",
        )


def asked_years(live: Live) -> tuple[int, ...]:
    """The years of the settings; SettingError for all years, which would take weeks of budget."""
    if live.settings.years is None:
        newest = live.now.year - 2
        raise SettingError(
            "setting CHOKEPOINT_YEARS",
            found="all, with CHOKEPOINT_TRADE_SOURCE=comtrade",
            expected="the years wanted: every one takes a few hundred calls",
            remedy=f"Set for example CHOKEPOINT_YEARS={newest}.",
        )
    return live.settings.years


def availability(live: Live, year: int) -> dict[int, str]:
    """Reporter -> version (checksum and release time) of what Comtrade offers of a year. One keyless call."""
    where = f"UN Comtrade, availability of {year}"
    answer = live.http.get_json(
        Service("comtrade-public", interval=1.1, hosts=HOSTS),
        f"{live.settings.comtrade_url}/public/v1/getDa/C/A/HS",
        {"period": str(year)},
        where=where,
        check=_whole_envelope,
    )
    versions: dict[int, list[str]] = {}
    with of_known_shape(where, "rows with reporterCode, datasetChecksum and lastReleased"):
        for row in answer.content["data"]:
            folded = {name.lower(): value for name, value in row.items()}
            version = f"{folded['datasetchecksum']} {folded['lastreleased']}"
            versions.setdefault(int(folded["reportercode"]), []).append(version)
    return {reporter: "; ".join(sorted(found)) for reporter, found in sorted(versions.items())}


def changed_years(live: Live) -> list[int]:
    """The years asked for of which Comtrade offers something else than was last pulled. One call per year."""
    puller = _Puller(live, live.settings.comtrade_api_key)
    return [year for year in asked_years(live) if puller.pending(year, availability(live, year))]


def probes(settings: Settings) -> list[Probe]:
    """What there is of a year, and the world's rows of some goods of one reporter: with the key, or by the preview."""
    keyed = settings.comtrade_api_key is not None
    return [
        Probe("UN Comtrade, availability", _see_availability),
        Probe("UN Comtrade" if keyed else "UN Comtrade, preview", _see_rows, key="comtrade_api_key"),
    ]


def _probed_year(live: Live) -> int:
    return max(live.settings.years) if live.settings.years else live.now.year - 2


def _see_availability(live: Live) -> Seen:
    year = _probed_year(live)
    offered = availability(live, year)
    released = max((version.split(" ", 1)[1][:10] for version in offered.values()), default="")
    return Seen(f"{year}: {len(offered)} reporters" + (f", {released}" if released else ""))


def _see_rows(live: Live) -> Seen:
    year, key = _probed_year(live), live.settings.comtrade_api_key
    _require_premium_settings(live, key)
    puller, reporters = _Puller(live, key), list(availability(live, year)) or [842]
    cell = Cell(year, reporters[0], goods=live.settings.comtrade_preview_goods, partners=(0,))
    rows, notes = puller.look(cell)
    return Seen("", notes if rows else [*notes, f"no rows of {cell.shown}: their fields were not judged"])


class _Puller:
    """Pulls reporter-years and keeps what they gave."""

    def __init__(self, live: Live, key: Secret | None) -> None:
        settings = live.settings
        self.live, self.notes = live, dict[str, None]()
        self._partners: tuple[int, ...] = ()
        if key is None:
            self.service = Service("comtrade-preview", interval=1.1, budget=settings.comtrade_daily_budget, hosts=HOSTS)
            goods = settings.comtrade_preview_goods
            batches = [goods[start : start + PREVIEW_BATCH] for start in range(0, len(goods), PREVIEW_BATCH)]
            self.first_goods, self.mode = batches, f"preview {','.join(goods)}"
            self.url, self.max_records = f"{settings.comtrade_url}/public/v1/preview/C/A/HS", PREVIEW_CAP
        else:
            self.service = Service(
                SOURCE,
                interval=60 / settings.comtrade_calls_per_minute,
                budget=settings.comtrade_daily_budget,
                key=key.reveal(),
                key_header=KEY_HEADER,
                key_variable=KEY_VARIABLE,
                home=settings.comtrade_url,
                hosts=HOSTS,
            )
            self.first_goods, self.mode = [("AG6",)], "bulk" if settings.comtrade_bulk else "get"
            self.url, self.max_records = f"{settings.comtrade_url}/data/v1/get/C/A/HS", settings.comtrade_row_cap

    def _scope(self, year: int, reporter: int) -> str:
        return f"{self.mode}/{year}/{reporter}"

    def pending(self, year: int, offered: Mapping[int, str]) -> list[int]:
        """The reporters whose offered version is not the one last pulled."""
        settled = self.live.ledger.settled(SOURCE)
        return [reporter for reporter in offered if settled.get(self._scope(year, reporter)) != offered[reporter]]

    def year(self, year: int) -> list[Payload]:
        """All payloads of a year, every reporter in the version offered now; pulled again where that changed since."""
        for _ in range(MAX_PASSES):
            offered = availability(self.live, year)
            waiting = self.pending(year, offered)
            for place, reporter in enumerate(waiting, len(offered) - len(waiting)):
                so_far = f"{place} of {len(offered)} reporters of {year} are here"
                _log.info("UN Comtrade: %s", so_far)
                with _with_progress(so_far):
                    self._pull(year, reporter, offered[reporter])
            payloads = self._collected(year, offered)
            if not waiting and payloads is not None:
                return payloads
        raise SourceError(
            f"UN Comtrade, {year}",
            found=f"data revised again while they were pulled, {MAX_PASSES} times",
            expected="a version that stays for the time of a run",
            remedy="Run again later: what did not change is kept.",
        )

    def _collected(self, year: int, offered: Mapping[int, str]) -> list[Payload] | None:
        """The payloads of every reporter; None when one of them was damaged since, so that it must be pulled again."""
        payloads: list[Payload] = []
        for reporter, version in offered.items():
            scope = self._scope(year, reporter)
            kept = self.live.kept(SOURCE, scope, version)
            if len(kept) < len(self.live.ledger.units(SOURCE, scope, version)):
                self.live.ledger.settle(SOURCE, scope, "damaged")
                return None
            found = [unit.entry_id for unit in kept.values() if unit.outcome == "data" and unit.entry_id]
            if not found:
                self.notes[f"comtrade {year}, reporter {reporter}: published, but no rows of the goods asked for"] = (
                    None
                )
            payloads += [self.live.payload(entry_id) for entry_id in found]
        return payloads

    def _pull(self, year: int, reporter: int, version: str) -> None:
        scope = self._scope(year, reporter)
        done = self.live.kept(SOURCE, scope, version)
        if self.mode == "bulk":
            self._pull_bulk(year, reporter, scope, version, done)
        else:
            for goods in self.first_goods:
                self._pull_cell(Cell(year, reporter, goods=goods), scope, version, done)
        self.live.ledger.settle(SOURCE, scope, version)

    def _pull_cell(self, cell: Cell, scope: str, version: str, done: Mapping[str, Unit]) -> int:
        """Ask for a cell, in parts where it is too large; the number of its rows."""
        request = canonical(self.url, cell.query())  # without the cap: an answer below one cap is whole under any other
        unit = done.get(request)
        if unit is None:
            unit = self._ask(cell, request)
            self.live.ledger.finish(SOURCE, scope, version, unit)
        if unit.outcome != "capped":
            return self._rows(unit)
        if self.live.settings.comtrade_async:
            return self._pull_batch(cell, scope, version, done)
        if len(cell.flows) == len(cell.goods) == 1 and not cell.partners:
            return self._pull_by_partner(cell, scope, version, done)
        return sum(self._pull_cell(part, scope, version, done) for part in self._split(cell))

    def _split(self, cell: Cell) -> list[Cell]:
        smaller = cell.split()
        if not smaller:
            raise SourceError(
                f"UN Comtrade, {cell.shown}",
                found=f"an answer still at the cap of {self.max_records:,} rows after the last split",
                expected="all rows of the cell",
                remedy="Nothing of this year was used. Set CHOKEPOINT_COMTRADE_ROW_CAP to your key's real limit, or "
                "use bulk files (CHOKEPOINT_COMTRADE_BULK=true) or BACI.",
            )
        return smaller

    def _pull_by_partner(self, cell: Cell, scope: str, version: str, done: Mapping[str, Unit]) -> int:
        """All partners of a cell in as many parts as its number of rows asks for; by chapter where rows are missing.

        Comtrade counts the cell once (`countOnly`): that saves answers at the cap, and shows whether the partners of
        its list are all there are.
        """
        count, partners = self._count(cell, scope, version, done), self._all_partners()
        pieces = max(2, -(-3 * count // (2 * self.max_records)))  # half as many again: partners differ in size
        rows = sum(self._pull_cell(part, scope, version, done) for part in cell.by_partner(partners, pieces))
        if rows == count:
            return rows
        note = f"{rows:,} rows of the listed partners, but {count:,} are counted; asked by chapter too"
        self.notes[f"comtrade {cell.shown}: {note}"] = None
        return sum(self._pull_cell(part, scope, version, done) for part in cell.by_chapter() or self._split(cell))

    def _count(self, cell: Cell, scope: str, version: str, done: Mapping[str, Unit]) -> int:
        """How many rows Comtrade says a cell has, without asking for them."""
        query = {**cell.query(), "countOnly": "true"}
        request = canonical(self.url, query)
        unit = done.get(request)
        if unit is None:
            where = f"UN Comtrade, number of rows of {cell.shown}"
            content = self.live.http.get_json(self.service, self.url, query, where=where, check=_counted).content
            _require_no_error(content, where)
            unit = Unit(request, f"counted {content['count']}", None)
            self.live.ledger.finish(SOURCE, scope, version, unit)
        return int(unit.outcome.removeprefix("counted "))

    def _rows(self, unit: Unit) -> int:
        return self.live.archive.entry(unit.entry_id).rows or 0 if unit.entry_id else 0

    def _pull_batch(self, cell: Cell, scope: str, version: str, done: Mapping[str, Unit]) -> int:
        """A cell as one batch, in smaller ones where that too is at its cap."""
        request = canonical(comtrade_async.address(self.live), cell.query())
        unit = done.get(request)
        if unit is None:
            where = f"UN Comtrade batch, {cell.shown}"
            named = f"{scope} {version}"
            path = comtrade_async.fetch(self.live, self.service, cell.query(), named, where=where)
            try:
                unit = self._judged_batch(cell, path, request, where)
            except SourceError:
                path.unlink()
                comtrade_async.forget(self.live, named, cell.query())
                raise
            self.live.ledger.finish(SOURCE, scope, version, unit)
        if unit.outcome != "capped":
            return self._rows(unit)
        return sum(self._pull_batch(part, scope, version, done) for part in self._split(cell))

    def _judged_batch(self, cell: Cell, path: Path, request: str, where: str) -> Unit:
        """Judge a batch's table as an answer is judged, and archive it unless it is at the cap."""
        rows = self._judge(comtrade_async.records(path, where), cell, where)
        if rows >= comtrade_async.CAP or not rows:
            path.unlink()
            return Unit(request, "capped" if rows else "empty", None)
        name = cell.name.replace(".json.gz", "".join(path.suffixes[-2:]))
        parameters = {"reporterCode": str(cell.reporter), "period": str(cell.year), "flowCode": ",".join(cell.flows)}
        address = f"{comtrade_async.address(self.live)}#{name}"
        payload = payload_of_kind(FILE_KINDS[0], name, address, path, **parameters)
        return Unit(request, "data", self.live.put(replace(payload, rows=rows)).id)

    def _ask(self, cell: Cell, request: str) -> Unit:
        """Send one request, judge the answer and archive it. An answer at the cap is not archived: it is not whole."""
        where = f"UN Comtrade, {cell.shown}"
        query = {**cell.query(), "maxRecords": str(self.max_records)}
        answer = self.live.http.get_json(self.service, self.url, query, where=where, check=_whole_envelope)
        _require_no_error(answer.content, where)
        rows = answer.content["data"]
        if len(rows) >= self.max_records or len(rows) in KEY_CAPS:
            return Unit(request, "capped", None)
        if not rows:
            return Unit(request, "empty", None)
        self._judge(rows, cell, where)
        parameters = {"reporterCode": str(cell.reporter), "period": str(cell.year), "flowCode": ",".join(cell.flows)}
        address = f"{answer.address}#{cell.name}"
        payload = payload_of_kind(FILE_KINDS[0], cell.name, address, compressed(answer.body), **parameters)
        return Unit(request, "data", self.live.put(replace(payload, rows=len(rows))).id)

    def look(self, cell: Cell) -> tuple[int, list[str]]:
        """Ask for a cell and judge the answer, without keeping it: the number of rows, and what was new about them."""
        where = f"UN Comtrade, {cell.shown}"
        query = {**cell.query(), "maxRecords": str(PREVIEW_CAP)}
        content = self.live.http.get_json(self.service, self.url, query, where=where, check=_whole_envelope).content
        _require_no_error(content, where)
        return self._judge(content["data"], cell, where), list(self.notes)

    def _judge(self, rows: Iterable[Mapping[str, Any]], cell: Cell, where: str) -> int:
        """Required fields, the right reporter, year and flow, and one value per flow; the number of rows."""
        with of_known_shape(where, "rows as Comtrade describes them: an object each, reporters as numbers"):
            return self._judge_rows(rows, cell, where)

    def _judge_rows(self, rows: Iterable[Mapping[str, Any]], cell: Cell, where: str) -> int:
        seen: dict[int, Any] = {}  # by hash: a batch has millions of rows
        number = 0
        for number, row in enumerate(rows, 1):
            folded = {name.lower(): value for name, value in row.items()}
            self._judge_fields(folded, where)
            flow, year = str(folded["flowcode"]), str(folded.get("refyear") or folded.get("period"))[:4]
            if int(folded["reportercode"]) != cell.reporter or year != str(cell.year) or flow not in cell.flows:
                raise SourceError(
                    f"{where}, row {number}",
                    found=f"reporter {folded['reportercode']}, year {year}, flow {flow}",
                    expected="rows of what was asked for",
                    remedy="Nothing of this answer was used. Run again; report it if it stays.",
                )
            pins = (str(folded.get("partner2code") or 0), str(folded.get("motcode") or 0), folded.get("customscode"))
            if pins not in (("0", "0", "C00"), ("0", "0", None)):
                continue
            key = (flow, folded["partnercode"], folded["cmdcode"], folded.get("classificationcode"))
            if seen.setdefault(hash(key), folded["primaryvalue"]) != folded["primaryvalue"]:
                raise SourceError(
                    f"{where}, row {number}",
                    found=f"partner {key[1]}, good {key[2]} a second time, with another value",
                    expected="one row per flow, partner and good when all breakdowns are pinned",
                    remedy="Nothing of this answer was used. Run again; report it if it stays.",
                )
        return number

    def _judge_fields(self, folded: Mapping[str, Any], where: str) -> None:
        missing = [name for name in REQUIRED if name not in folded]
        missing += [] if "refyear" in folded or "period" in folded else ["refYear or period"]
        if missing:
            raise SourceError(
                where,
                found=f"rows without {', '.join(missing)}; their fields are {', '.join(sorted(folded))}",
                expected=f"rows with {', '.join(REQUIRED)} and refYear or period",
                remedy="Comtrade has changed its records: nothing of this answer was used. Look for a newer version of "
                "this program.",
            )
        for name in folded.keys() - KNOWN:
            self.notes[f"comtrade: the field {name} is new; it is kept in the archive and not used"] = None

    def _all_partners(self) -> tuple[int, ...]:
        """Every partner code of Comtrade's own list, World included."""
        if not self._partners:
            where = "UN Comtrade, list of partners"
            answer = self.live.http.get_json(
                Service("comtrade-public", interval=1.1, hosts=HOSTS),
                f"{self.live.settings.comtrade_url}/files/v1/app/reference/partnerAreas.json",
                where=where,
            )
            with of_known_shape(where, "results with PartnerCode"):
                codes = {int(row.get("PartnerCode", row.get("id"))) for row in answer.content["results"]}
            self._partners = tuple(sorted(codes | {0}))
        return self._partners

    def _pull_bulk(self, year: int, reporter: int, scope: str, version: str, done: Mapping[str, Unit]) -> None:
        """The bulk file of a reporter's year, as reported; several when several revisions are listed."""
        base = self.live.settings.comtrade_url
        where = f"UN Comtrade bulk, reporter {reporter}, {year}"
        query = {"reporterCode": str(reporter), "period": str(year)}
        answer = self.live.http.get_json(
            self.service, f"{base}/bulk/v1/get/C/A/HS", query, where=where, check=_whole_envelope
        )
        _require_no_error(answer.content, where)
        for row in answer.content["data"]:
            if not row.get("isOriginalClassification", True):
                continue
            with of_known_shape(where, "files with fileUrl or partitionKey and rowKey, and classificationCode"):
                address = str(row.get("fileUrl", ""))
                if not address.startswith("http"):
                    address = f"{base}/bulk/v1/file/{row['partitionKey']}/{row['rowKey']}"
                name = f"C_A_{reporter}_{year}01_{row['classificationCode']}_O.txt.gz"
            request = canonical(address)
            if request in done:
                continue
            path = self.live.http.download(self.service, address, self.live.downloads, where=where, name=name)
            entry = self.live.put(payload_of_kind(FILE_KINDS[0], name, f"{address}#{name}", path))
            self.live.ledger.finish(SOURCE, scope, version, Unit(request, "data", entry.id))


@contextmanager
def _with_progress(so_far: str) -> Iterator[None]:
    """Add to the message of a Deferred how far the run has come."""
    try:
        yield
    except Deferred as wait:
        raise Deferred(
            wait.where,
            found=f"{wait.found} ({so_far})",
            expected=wait.expected,
            remedy=wait.remedy,
            not_before=wait.not_before,
        ) from wait


def _whole_envelope(content: Any) -> None:
    """Transient unless the answer has as many rows as it says."""
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise Transient("an answer without a list of data")
    count = content.get("count")
    if count not in (None, -1) and count != len(content["data"]):
        raise Transient(f"count {count}, but {len(content['data'])} rows")


def _counted(content: Any) -> None:
    """Transient unless the answer states a number of rows."""
    if not isinstance(content, dict) or not isinstance(content.get("count"), int):
        raise Transient("an answer without a count")


def _require_no_error(content: Mapping[str, Any], where: str) -> None:
    if content.get("error"):
        raise SourceError(
            where,
            found=f"an answer that reports the error {content['error']!r}",
            expected="an answer with data",
            remedy="Check CHOKEPOINT_YEARS; report it if the years are right.",
        )
