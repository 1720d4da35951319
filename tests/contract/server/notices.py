"""The services about tariffs: Federal Register, regulations.gov and the Harmonized Tariff Schedule, as played here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Reply = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


@dataclass
class Notice:
    """A Federal Register document."""

    number: str
    published: str
    xml: str

    @property
    def file_name(self) -> str:
        """Its name in a drop folder."""
        return f"federal_register_{self.published}_{self.number}.xml"


def exclusion_notice(number: str, published: str, billion: int, until: str, items: list[tuple[str, str]]) -> Notice:
    """A notice of product exclusions in the Register's own markup."""
    annex = "".join(
        f"<ROW><ENT I='01'>({place}) {product} (described in statistical reporting number {code})</ENT></ROW>"
        for place, (code, product) in enumerate(items, 1)
    )
    xml = (
        "<NOTICE><PREAMB><AGENCY>OFFICE OF THE UNITED STATES TRADE REPRESENTATIVE</AGENCY>"
        "<SUBJECT>Notice of Product Exclusions: China's Acts, Policies, and Practices</SUBJECT><SUM><HD>SUMMARY:</HD>"
        f"<P>In 2018 the U.S. Trade Representative imposed duties on goods of China with an annual trade value of "
        f"${billion} billion.</P></SUM><DATES><P>The product exclusions announced in this notice will apply as of the "
        f"September 24, 2018 effective date of the ${billion} billion action, and extend until {until}.</P></DATES>"
        f"</PREAMB><SUPLINF><P>Annex</P><GPOTABLE>{annex}</GPOTABLE>"
        f"<FRDOC>[FR Doc. {number} Filed; 8:45 am]</FRDOC></SUPLINF></NOTICE>"
    )
    return Notice(number, published, xml)


def sample_notices() -> list[Notice]:
    """Three notices of the synthetic world; one is a correction without codes."""
    return [
        exclusion_notice(
            "2019-16886", "2019-08-07", 200, "August 7, 2020", [("8413.91.9010", "Parts"), ("8501.10.4020", "Motors")]
        ),
        exclusion_notice("2020-02684", "2020-02-11", 200, "August 7, 2020", [("4015.19.1010", "Gloves")]),
        Notice("2020-03377", "2020-02-20", "<NOTICE><PREAMB><SUBJECT>Correction</SUBJECT></PREAMB></NOTICE>"),
    ]


def respond(contract: Any, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    """Route the three services."""
    path = match[0]
    if path.startswith("/fr/"):
        return _register(contract, path, query)
    if path.startswith("/regs/"):
        return _regulations(contract, query, headers)
    return _schedule(contract, path, query, headers)


def _json(content: Any, code: int = 200) -> Reply:
    return code, dict(JSON), json.dumps(content).encode()


def _register(contract: Any, path: str, query: dict[str, str]) -> Reply:
    notices = contract.world.notices
    if found := re.fullmatch(r"/fr/xml/(.+)\.xml", path):
        notice = next((each for each in notices if each.number == found[1]), None)
        return (200, {"Content-Type": "text/xml"}, notice.xml.encode()) if notice else _json({"status": 404}, 404)
    unknown = [name for name in query if name.startswith("conditions[") and "foo" in name]
    if unknown:
        return _json({"errors": {"foo": "is not a valid field"}}, 400)
    since = query.get("conditions[publication_date][gte]", "")
    hits = sorted((each for each in notices if each.published >= since), key=lambda each: each.published)
    hits = hits[::-1] if query.get("order") == "newest" else hits
    if not hits:
        return _json({"count": 0, "description": "Documents matching nothing"})
    size = min(contract.world.register_page, int(query.get("per_page", "20")))
    page = int(query.get("page", "1"))
    pages = -(-len(hits) // size)
    content: dict[str, Any] = {
        "count": len(hits),
        "description": "Documents",
        "total_pages": pages,
        "results": [
            {
                "document_number": each.number,
                "title": "Notice of Product Exclusions",
                "publication_date": each.published,
                "docket_ids": ["USTR-2019-0005"],
                "full_text_xml_url": f"{contract.url}/fr/xml/{each.number}.xml",
            }
            for each in hits[(page - 1) * size : page * size]
        ],
    }
    if page < pages:
        condition = f"conditions%5Bpublication_date%5D%5Bgte%5D={since}&" if since else ""
        content["next_page_url"] = f"{contract.url}/fr/documents.json?{condition}page={page + 1}"
    return _json(content)


def _regulations(contract: Any, query: dict[str, str], headers: dict[str, str]) -> Reply:
    if "x-api-key" not in headers:
        return _json({"error": {"code": "API_KEY_MISSING", "message": "No api_key was supplied."}}, 403)
    if headers["x-api-key"] not in contract.world.keys:
        return _json({"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}}, 403)
    size, page = int(query.get("page[size]", "25")), int(query.get("page[number]", "1"))
    if not (5 <= size <= 250 and 1 <= page <= 20):
        return _json(
            {"errors": [{"status": "400", "title": "Bad request", "detail": "page[size] or page[number]"}]}, 400
        )
    documents = [
        each for each in contract.world.documents if each["attributes"]["docketId"] == query["filter[docketid]"]
    ]
    since = query.get("filter[lastmodifieddate][ge]")
    if since:
        documents = [each for each in documents if _eastern(each["attributes"]["lastModifiedDate"]) >= since]
    documents.sort(key=lambda each: each["attributes"]["lastModifiedDate"], reverse=query["sort"].startswith("-"))
    served = min(size, contract.world.documents_page)
    shown = documents[(page - 1) * served : page * served]
    meta = {
        "hasNextPage": page * served < len(documents),
        "numberOfElements": len(shown),
        "pageNumber": page,
        "totalElements": len(documents),
    }
    return _json({"data": shown, "meta": meta})


def _eastern(utc: str) -> str:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    moment = datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone(UTC)
    return moment.astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M:%S")


def document(number: int, docket: str = "USTR-2018-0025", title: str | None = None) -> dict[str, Any]:
    """A document of a docket; its title says what was decided."""
    stage = ("Granted", "Denied", "Partially Approved", "Request Withdrawn")[number % 4]
    return {
        "id": f"{docket}-{number:05d}",
        "type": "documents",
        "attributes": {
            "docketId": docket,
            "documentType": "Other",
            "lastModifiedDate": f"2020-01-{1 + number // 1440 % 28:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
            "postedDate": "2018-07-18T04:00:00Z",
            "title": title
            or f"Exclusion {stage} - Example Corp {number % 7} - Pumps - HTSUS 84139190{10 + number % 80}",
            "withdrawn": False,
        },
    }


def _schedule(contract: Any, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
    if not headers.get("user-agent") or "libcurl" in headers["user-agent"]:
        return 403, {"Content-Type": "text/html"}, b"<html>Access denied</html>"
    if path.endswith("/releaseList"):
        return _json(
            [{"name": "2026HTSRev19", "status": "archived"}, {"name": contract.world.schedule, "status": "current"}]
        )
    if contract.world.dotted_schedule and "." not in query.get("from", ""):
        return _json({"message": "bad range"}, 400)
    return 200, dict(JSON), contract.world.static[f"/static/ustr/hts_{contract.world.schedule}.json"].body
