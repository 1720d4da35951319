"""Section 301 over the wire: files at configured addresses, Federal Register notices, regulations.gov, the HTS export.

What belongs here: which calls each service takes, paging, and which notices are wanted. Not here: what the documents
say (see `documents` and `rows`). Of the HTS export only the headings of chapter 99 are landed: whether a good is on a
list is never read from its footnotes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from dagster_project.archive.payload import Payload
from dagster_project.datasets.tariffs.files import FILE_KINDS
from dagster_project.datasets.tariffs.values import LIST_OF_DOCKET
from dagster_project.errors import SourceError
from dagster_project.settings import Settings
from dagster_project.sources.files import FileKind, Found
from dagster_project.sources.http import Service, Transient, of_known_shape
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, compressed, kind_of_name, payload_of_kind
from dagster_project.sources.probe import Probe, Seen, probe_of_file

REGULATIONS_KEY = "REGULATIONS_API_KEY"
FILES = Service("ustr", interval=1.0, hosts=("ustr.gov",))
REGISTER = Service("federal_register", interval=1.0, hosts=("federalregister.gov", "govinfo.gov"))
SCHEDULE = Service("usitc", interval=0.35, hosts=("usitc.gov",))
FIRST_NOTICE = date(2018, 6, 1)
OVERLAP = timedelta(days=7)  # notices are sometimes listed a few days after their date
# The dockets of lists 1 and 2; the others never were on regulations.gov.
DOCKETS = tuple(docket for docket, list_id in LIST_OF_DOCKET.items() if list_id in ("1", "2"))
PAGE_SIZE, LAST_PAGE = 250, 20
_FIELDS = ("document_number", "title", "publication_date", "docket_ids", "full_text_xml_url")
_EASTERN = ZoneInfo("America/New_York")


def tariffs(live: Live) -> Found:
    """All that the services give, with a note for what is not asked for. SourceError when they give nothing at all."""
    notes: list[str] = []
    payloads = [_file(live, address.reveal()) for address in live.settings.ustr_addresses]
    payloads += notices(live)
    if live.settings.regulations_api_key:
        payloads += [payload for docket in DOCKETS for payload in requests_of_docket(live, docket)]
    else:
        notes.append(f"regulations.gov was not asked for the requests of lists 1 and 2: {REGULATIONS_KEY} is not set")
    edition, schedule_notes = schedule(live)
    payloads += edition
    notes += schedule_notes
    if not payloads:
        raise SourceError(
            "Section 301 sources",
            found="no file and no notice",
            expected="files at CHOKEPOINT_USTR_ADDRESSES, or notices of product exclusions",
            remedy="Set CHOKEPOINT_USTR_ADDRESSES, or place the files in the drop folder "
            "(CHOKEPOINT_TARIFF_SOURCE=files).",
        )
    return Found(payloads, notes)


def changed(live: Live) -> bool:
    """Whether the Federal Register lists a notice, or the HTS has a release, that is not here yet. Two calls if not."""
    done = live.kept(REGISTER.name, "notices", "1")
    if any(record["document_number"] not in done for record in _listed(live)):
        return True
    current = _current_release(live)
    return current is not None and "export" not in live.kept(SCHEDULE.name, "schedule", current)


def probes(settings: Settings) -> list[Probe]:
    """The beginning of every configured file, the newest notice, five documents of a docket, the list of releases."""
    return [
        *(_probe_of(address.reveal()) for address in settings.ustr_addresses),
        Probe("Federal Register", _see_notices),
        Probe("regulations.gov", _see_docket, key="regulations_api_key", needs_key=True),
        Probe("USITC, releases of the HTS", _see_releases),
    ]


def _probe_of(address: str) -> Probe:
    name = _name_of(address)
    title = f"Section 301 file {name}"

    def ask(live: Live) -> Seen:
        kind_of_name(FILE_KINDS, name, where=title)
        return probe_of_file(FILES, address, name, title).ask(live)

    return Probe(title, ask)


def _see_notices(live: Live) -> Seen:
    where = "Federal Register, newest notice of product exclusions"
    query = _search(FIRST_NOTICE, order="newest", per_page="1")
    answer = live.http.get_json(REGISTER, f"{live.settings.federal_register_url}/documents.json", query, where=where)
    return Seen(max((record["publication_date"] for record in _records(answer.content, where)), default="no notice"))


def _see_docket(live: Live) -> Seen:
    return Seen(_version(live, DOCKETS[0]).partition(" ")[2][:10])


def _see_releases(live: Live) -> Seen:
    current = _current_release(live)
    return Seen(current or "", [] if current else ["no release is marked as the current one"])


def _file(live: Live, address: str) -> Payload:
    name = _name_of(address)
    where = f"Section 301 file {name}"
    return live.conditional(FILES, address, kind_of_name(FILE_KINDS, name, where=where), name, where=where)


def _name_of(address: str) -> str:
    return unquote(urlsplit(address).path.rsplit("/", 1)[-1])


def notices(live: Live) -> list[Payload]:
    """Every notice of product exclusions found so far; new ones are fetched, known ones are not asked for again."""
    done = live.kept(REGISTER.name, "notices", "1")
    newest = FIRST_NOTICE
    for record in _listed(live):
        number, published = record["document_number"], date.fromisoformat(record["publication_date"])
        newest = max(newest, published)
        address = record.get("full_text_xml_url")
        if number in done or not address:
            continue
        where = f"Federal Register notice {number}"
        answer = live.http.get_bytes(REGISTER, address, where=where)
        if answer.body.lstrip()[:1] != b"<":
            raise SourceError(
                f"{where} ({address})",
                found=f"text that begins with {answer.body[:20]!r}",
                expected="XML",
                remedy="Run again later.",
            )
        name = f"federal_register_{published}_{number}.xml"
        entry = live.put(payload_of_kind(_of_kind("register_notice"), name, address, answer.body))
        live.ledger.finish(REGISTER.name, "notices", "1", Unit(number, "data", entry.id))
    live.ledger.settle(REGISTER.name, "seen until", str(max(newest, _seen_until(live))))
    units = live.ledger.units(REGISTER.name, "notices", "1")
    return [live.payload(unit.entry_id) for unit in units.values() if unit.entry_id]


def _seen_until(live: Live) -> date:
    seen = live.ledger.settled(REGISTER.name, ["seen until"]).get("seen until")
    return date.fromisoformat(seen) if seen else FIRST_NOTICE


def _listed(live: Live) -> Iterator[dict[str, Any]]:
    """The notices since the last look, a week of overlap included, page after page by the service's own links."""
    since = max(FIRST_NOTICE, _seen_until(live) - OVERLAP)
    query = _search(since, order="oldest", per_page="100")
    where = f"Federal Register, notices of product exclusions since {since}"
    answer = live.http.get_json(REGISTER, f"{live.settings.federal_register_url}/documents.json", query, where=where)
    while True:
        yield from _records(answer.content, where)
        following = answer.content.get("next_page_url")
        if not following:
            return
        answer = live.http.get_json(REGISTER, following, where=where)


def _search(since: date, *, order: str, per_page: str) -> list[tuple[str, str]]:
    return [
        ("conditions[agencies][]", "trade-representative-office-of-united-states"),
        ("conditions[type][]", "NOTICE"),
        ("conditions[term]", '"Product Exclusions"'),
        ("conditions[publication_date][gte]", since.isoformat()),
        ("order", order),
        ("per_page", per_page),
        *(("fields[]", field) for field in _FIELDS),
    ]


def _records(content: Any, where: str) -> list[dict[str, Any]]:
    """The notices of an answer. SourceError when it has another shape."""
    with of_known_shape(where, "results with document_number and publication_date"):
        records = list(() if content.get("count") == 0 else content["results"])  # no hits: the key is not there
        if not all(record["document_number"] and date.fromisoformat(record["publication_date"]) for record in records):
            raise ValueError("a notice without number")
        return records


def _docket_service(live: Live) -> Service:
    key = live.settings.regulations_api_key
    return Service(
        "regulations_gov",
        interval=3.6,
        key=key.reveal() if key else None,
        key_header="X-Api-Key",
        key_variable=REGULATIONS_KEY,
        home=live.settings.regulations_url,
        hosts=("regulations.gov", "data.gov"),
    )


def _version(live: Live, docket: str) -> str:
    """The number of a docket's documents and when one was last modified. One call."""
    where = f"regulations.gov, docket {docket}"
    newest = live.http.get_json(
        _docket_service(live),
        f"{live.settings.regulations_url}/documents",
        {"filter[docketId]": docket, "sort": "-lastModifiedDate", "page[size]": "5", "page[number]": "1"},
        where=where,
        check=_whole_page,
    ).content
    with of_known_shape(where, "meta with totalElements, documents with lastModifiedDate"):
        return f"{newest['meta']['totalElements']} {max((_modified(row) for row in newest['data']), default='')}"


def requests_of_docket(live: Live, docket: str) -> list[Payload]:
    """The documents of a docket, page by page.

    The service gives 20 pages at most. The query is then repeated for documents modified since the last one seen. A
    docket that has not changed since the last look costs one call.
    """
    service, version = _docket_service(live), _version(live, docket)
    url, where = f"{live.settings.regulations_url}/documents", f"regulations.gov, docket {docket}"
    since: str | None = None
    while True:
        last: str | None = None
        for page in range(1, LAST_PAGE + 1):
            query = {
                "filter[docketId]": docket,
                "sort": "lastModifiedDate,documentId",
                "page[size]": str(PAGE_SIZE),
                "page[number]": str(page),
                **({"filter[lastModifiedDate][ge]": since} if since else {}),
            }
            request = json.dumps(query, sort_keys=True)
            done = live.kept(service.name, docket, version).get(request)
            if done is None:
                answer = live.http.get_json(service, url, query, where=f"{where}, page {page}", check=_whole_page)
                marks = f"{since or 'start'}-{page}".replace(" ", "T").replace(":", "")
                name = f"regulations_{docket}_{marks}.json"
                entry = live.put(payload_of_kind(_of_kind("regulations_page"), name, answer.address, answer.body))
                live.ledger.finish(service.name, docket, version, Unit(request, "data", entry.id))
                content = answer.content
            else:
                content = json.loads(live.archive.open_path(live.archive.entry(done.entry_id or "")).read_bytes())
            with of_known_shape(f"{where}, page {page}", "documents with lastModifiedDate"):
                last = _modified(content["data"][-1]) if content["data"] else last
            if not content["meta"].get("hasNextPage"):
                units = live.ledger.units(service.name, docket, version).values()
                return [live.payload(unit.entry_id) for unit in units if unit.entry_id]
        following = _eastern(last) if last else None
        if following is None or following == since:
            break
        since = following
    raise SourceError(
        where,
        found=f"more than {LAST_PAGE} pages of documents modified at one moment",
        expected="windows of at most 5,000 documents",
        remedy="Use the status tables of lists 1 and 2 instead (CHOKEPOINT_USTR_ADDRESSES or the drop folder).",
    )


def _current_release(live: Live) -> str | None:
    where = "USITC, releases of the HTS"
    releases = live.http.get_json(SCHEDULE, f"{live.settings.hts_url}/reststop/releaseList", where=where).content
    with of_known_shape(where, "a list of releases with name and status"):
        return next((str(row["name"]) for row in releases if row.get("status") == "current"), None)


def schedule(live: Live) -> tuple[list[Payload], list[str]]:
    """The tariff schedule in its current release, fetched when that is a new one; and notes for the user.

    The service's two address forms are both tried.
    """
    current = _current_release(live)
    if current is None:
        return [], ["the HTS names no current release: its headings of chapter 99 were not looked at"]
    done = live.kept(SCHEDULE.name, "schedule", current).get("export")
    if done is not None and done.entry_id:
        return [live.payload(done.entry_id)], []
    forms = (("0101", "9999", "false"), ("0101.21.00", "9999.00.00", "true"))
    for first, last, styles in forms:
        query = {"from": first, "to": last, "format": "JSON", "styles": styles}
        try:
            answer = live.http.get_json(
                SCHEDULE, f"{live.settings.hts_url}/reststop/exportList", query, where=f"USITC, HTS {current}"
            )
        except SourceError as error:
            if "HTTP 400" not in error.found or first == forms[-1][0]:
                raise
            continue
        name = f"hts_{current}.json.gz"
        payload = payload_of_kind(_of_kind("hts_export"), name, f"{answer.address}#{name}", compressed(answer.body))
        entry = live.put(payload)
        live.ledger.finish(SCHEDULE.name, "schedule", current, Unit("export", "data", entry.id))
        return [live.payload(entry.id)], []
    raise AssertionError("the last form returns or raises")


def _whole_page(content: Any) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("data"), list) or "meta" not in content:
        raise Transient("an answer without data and meta")


def _modified(row: dict[str, Any]) -> str:
    return str(row["attributes"]["lastModifiedDate"])


def _eastern(utc: str) -> str:
    """A time of the answers (UTC) as the filter wants it (US Eastern)."""
    moment = datetime.fromisoformat(utc.replace("Z", "+00:00")).replace(tzinfo=UTC)
    return moment.astimezone(_EASTERN).strftime("%Y-%m-%d %H:%M:%S")


def _of_kind(kind: str) -> FileKind:
    return next(each for each in FILE_KINDS if each.kind == kind)
