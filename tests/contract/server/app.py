"""The contract server itself: routes, key checks and Range, on two loopback ports (the second plays a storage host).

What belongs here: what the services answer by their own documentation. Not here: what can go wrong (see `faults`).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.contract.server import dataverse, notices
from tests.contract.server.faults import Fault, send
from tests.contract.server.world import Batch, Resource, World, batch_zip, make_world, oecd_table, records_of

Reply = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json; charset=utf-8"}
# Comtrade's data: no length, no validator.
CHUNKED = {**JSON, "Transfer-Encoding": "chunked", "Vary": "Accept-Encoding"}
VALUES = ("cifvalue", "fobvalue", "primaryValue")
MISSING_KEY = (
    "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an "
    "API."
)
INVALID_KEY = (
    "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived, and the status of the answer (0: none was sent)."""

    target: str
    headers: dict[str, str]
    port: int


@dataclass
class Contract:
    """The running server: where it is, what it serves, what it was asked, and what is to go wrong."""

    world: World
    url: str = ""
    storage_url: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def targets(self, pattern: str = "") -> list[str]:
        """The requests so far, those that match."""
        return [seen.target for seen in self.seen if re.search(pattern, seen.target, re.IGNORECASE)]

    def count(self, pattern: str) -> int:
        """How many requests matched."""
        return len(self.targets(pattern))

    def fail(self, pattern: str, action: Any, times: int = 1, after: int = 0) -> None:
        """Let requests go wrong."""
        self.faults.append(Fault(pattern, action, times, after))


@contextmanager
def contract_server(world: World | None = None) -> Iterator[Contract]:
    """Run the server for the time of the block."""
    contract = Contract(world or make_world())
    servers = [_Server(("127.0.0.1", 0), _handler(contract)) for _ in range(2)]
    contract.url, contract.storage_url = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield contract
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed mid-way is no error of the server."""


def _handler(contract: Contract) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            port = self.server.server_address[1]
            with contract.lock:
                contract.seen.append(Seen(self.path, dict(self.headers.items()), int(port)))
                struck = next((fault for fault in contract.faults if fault.strikes(self.path)), None)

            def answer() -> Reply:
                return respond(contract, self.path, {k.lower(): v for k, v in self.headers.items()})

            if struck is not None:
                struck.action(self, answer)
                return
            code, headers, body = answer()
            if "gzip" in self.headers.get("Accept-Encoding", "") and headers.get("Content-Type", "").startswith(
                "application/json"
            ):
                body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
            send(self, code, headers, b"" if code == 304 else body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


def respond(contract: Contract, target: str, headers: dict[str, str]) -> Reply:
    """The answer to a request, as the service would give it."""
    parts = urlsplit(target)
    path, pairs = unquote(parts.path), parse_qsl(parts.query, keep_blank_values=True)
    query = {name.lower(): value for name, value in pairs}
    world = contract.world
    if len(contract.url) + len(target) > 4096 and path.lower().startswith(("/data/", "/public/")):
        return 200, {"Content-Type": "text/html"}, b"Request URL Too Long"
    routes: list[tuple[str, Callable[..., Reply]]] = [
        (r"/(?P<tier>public/v1/preview|data/v1/get)/(?P<t>\w)/(?P<f>\w)/(?P<cl>\w+)", _comtrade_rows),
        (r"/(public|data)/v1/getda/(?P<t>\w)/(?P<f>\w)/(?P<cl>\w+)", _availability),
        (r"/files/v1/app/reference/(?P<name>.+)", _reference),
        (r"/async/v1/get/(?P<t>\w)/(?P<f>\w)/(?P<cl>\w+)", _batch_submit),
        (r"/async/v1/getda/", _batch_status),
        (r"/files/v1/async-downloads/(?P<name>batchid-.+\.zip)", _batch_file),
        (r"/bulk/v1/get/(?P<t>\w)/(?P<f>\w)/(?P<cl>\w+)", _bulk_list),
        (r"/bulk/v1/file/(?P<reporter>\d+)/(?P<row>\w+)", _bulk_file),
        (r"/api/v1/datasets/products/pvgpatdis", _odp_metadata),
        (r"/api/v1/datasets/products/files/pvgpatdis/(?P<name>.+)", _odp_file),
        (r"/storage/(?P<name>.+)", _odp_storage),
        (r"/oecd/data/(?P<flow>[^/]+)/(?P<key>[^/]+)", _oecd),
        (r"/dataverse/storage/(?P<name>.+)", _dataverse_storage),
        (r"/dataverse/(?P<path>.+)", dataverse.respond),
        (r"/fr/.*|/regs/.*|/reststop/.*", notices.respond),
    ]
    for pattern, reply in routes:
        if match := re.fullmatch(pattern, path, re.IGNORECASE):
            return reply(contract, match, query, headers)
    if path in world.static:
        return _static(world.static[path], headers)
    return _error(404, "Resource not found")


def _error(code: int, message: str, **headers: str) -> Reply:
    return code, {**JSON, **headers}, json.dumps({"statusCode": code, "message": message}).encode()


def _envelope(rows: list[Any], count: int | None = None) -> Reply:
    content = {"elapsedTime": "0.21 secs", "count": len(rows) if count is None else count, "data": rows, "error": ""}
    return 200, dict(CHUNKED), json.dumps(content, separators=(",", ":")).encode()


def _key_error(world: World, query: dict[str, str], headers: dict[str, str]) -> Reply | None:
    key = headers.get("ocp-apim-subscription-key") or query.get("subscription-key")
    if key is None:
        return _error(401, MISSING_KEY)
    return None if key in world.keys else _error(401, INVALID_KEY)


def _comtrade_rows(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    world, preview = contract.world, "preview" in match["tier"].lower()
    if not preview and (refused := _key_error(world, query, headers)):
        return refused
    if match["cl"].upper() != "HS":
        return _error(404, "Resource not found")
    periods = [period for period in query.get("period", "").split(",") if period]
    if preview and len(periods) > 1:
        return _invalid("period")
    if not all(re.fullmatch(r"-?\d+(,-?\d+)*", query.get(name, "0")) for name in ("partnercode", "reportercode")):
        return _invalid("partnerCode")
    rows = [record for period in periods for record in _matching(world, int(period), query)]
    if query.get("countonly", "").lower() == "true":
        return _envelope([], len(rows))
    cap = 500 if preview else min(int(query.get("maxrecords", world.row_cap)), world.row_cap)
    return _envelope(rows[:cap])


def _invalid(name: str) -> Reply:
    content = {
        "elapsedTime": "0 secs",
        "count": -1,
        "data": [],
        "error": "Invalid parameter value",
        "errorObject": [{"MemberNames": [name], "ErrorMessage": f"The field {name} is invalid"}],
    }
    return 400, dict(JSON), json.dumps(content).encode()


def _matching(world: World, year: int, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    def asked(name: str) -> set[str] | None:
        return set(query[name].split(",")) if query.get(name) else None

    reporters = asked("reportercode")
    wanted = [code for code in world.reporters(year) if reporters is None or str(code) in reporters]
    filters = {
        field_name: asked(field_name.lower())
        for field_name in ("flowCode", "partnerCode", "partner2Code", "motCode", "customsCode")
    }
    goods = asked("cmdcode")
    for reporter in wanted:
        for row, record in records_of(year, reporter):
            if any(values is not None and str(record[name]) not in values for name, values in filters.items()):
                continue
            if goods is None or any(_is_good(row.code, good) for good in goods):
                kept = {name: value for name, value in record.items() if name not in world.dropped_fields}
                factor = world.factors.get((year, reporter), 1.0)
                values = {name: kept[name] * factor for name in VALUES if factor != 1 and isinstance(kept[name], float)}
                yield {**kept, **values, **world.extra_fields}


def _is_good(code: str, good: str) -> bool:
    if good.upper().startswith("AG"):
        return code.isdigit() and len(code) == int(good[2:])
    return code.startswith(good[:-1]) if good.endswith("*") else code == good


def _availability(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    world = contract.world
    years = [int(period) for period in query["period"].split(",")] if query.get("period") else list(world.years)
    rows = []
    for year in years:
        for reporter in world.reporters(year) if year in world.years else []:
            checksum, released = world.version(year, reporter)
            rows.append(
                {
                    "datasetCode": 20_000_000_000_000_000 + reporter * 10_000 + year,
                    "typeCode": "C",
                    "freqCode": "A",
                    "period": year,
                    "reporterCode": reporter,
                    "classificationCode": "H5",
                    "classificationSearchCode": "HS",
                    "isOriginalClassification": True,
                    "totalRecords": len(records_of(year, reporter)),
                    "datasetChecksum": checksum,
                    "firstReleased": "2022-03-29T22:50:18.8066667",
                    "lastReleased": released,
                }
            )
    return _envelope(rows)


def _reference(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    resource = contract.world.reference.get(match["name"].lower())
    return _static(resource, headers) if resource else _error(404, "Resource not found")


def _bulk_list(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _key_error(contract.world, query, headers):
        return refused
    reporter, year = int(query["reportercode"]), int(query["period"])
    rows = []
    if reporter in contract.world.reporters(year):
        name = hashlib.sha256(f"{reporter} {year}".encode()).hexdigest()
        bare = reporter % 2 == 0
        address = f"{contract.url}/bulk/v1/file/{reporter}/{name}"
        contract.world.static[f"/bulk/{name}"] = Resource(_bulk_body(reporter, year), "application/TSV")
        rows.append(
            {
                "fileUrl": name if bare else address,
                "fileSize": "183.34 KB",
                "isOriginalClassification": True,
                "reporterCode": reporter,
                "classificationCode": "H5",
                "period": year,
                "publicationDate": "2003-04-29T11:24:10Z",
                "partitionKey": str(reporter),
                "rowKey": name,
                "timestamp": "2024-03-10T04:54:11.8900761+00:00",
            }
        )
    return _envelope(rows)


def _bulk_body(reporter: int, year: int) -> bytes:
    from dagster_project.datasets.trade import sample as rendering
    from tests.contract.server.world import rows_of

    body = rendering._csv(
        rows_of(year)[reporter],
        rendering.BULK_FIELDS,
        lambda name: rendering.BULK_SPELLING.get(name, name),
        delimiter="\t",
    )
    return gzip.compress(body, mtime=0)


def _bulk_file(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _key_error(contract.world, query, headers):
        return refused
    code, given, body = _static(contract.world.static[f"/bulk/{match['row']}"], headers)
    name = f"C/A/{match['reporter']}/C_A_{match['reporter']}.txt.gz"
    return code, {**given, "Content-Disposition": f'attachment; filename="{name}"; size={len(body)}'}, body


def _batch_submit(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _key_error(contract.world, query, headers):
        return refused
    batches = contract.world.batches
    batch = f"1167874f-bad1-4a8c-94e3-{len(batches):012d}"
    batches[batch] = Batch(query, f"batchid-{hashlib.md5(batch.encode()).hexdigest()}.zip")
    message = "Your request is accepted.You will be notified through your email when the data is ready for download"
    return 202, dict(JSON), json.dumps({"requestId": batch, "message": message}).encode()


def _batch_status(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _key_error(contract.world, query, headers):
        return refused
    world = contract.world
    batch = world.batches.get(query.get("batchid", ""))
    if batch is None:
        return _envelope([])
    status = world.batch_states[min(batch.asked, len(world.batch_states) - 1)]
    batch.asked += 1
    uri = f"{contract.url}/files/v1/async-downloads/{batch.file}" if status == "Completed" else None
    return _envelope([{"batchId": query["batchid"], "status": status, "uri": uri}])


def _batch_file(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    world = contract.world
    batch = next((each for each in world.batches.values() if each.file == match["name"]), None)
    if batch is None:
        return _error(404, "Resource not found")
    rows = [row for period in batch.query["period"].split(",") for row in _matching(world, int(period), batch.query)]
    return _static(Resource(batch_zip(rows[: world.batch_cap], world.batch_delimiter), "application/zip"), headers)


def _odp_key_error(contract: Contract, headers: dict[str, str]) -> Reply | None:
    key = headers.get("x-api-key")
    if key is None:
        return 401, dict(JSON), b'{"message":"Unauthorized"}'
    return None if key in contract.world.keys else (403, dict(JSON), b'{"message":"Missing Authentication Token"}')


def _odp_files(contract: Contract) -> dict[str, bytes]:
    prefix = "/static/patents/g_"
    return {
        path.rsplit("/", 1)[1]: resource.body
        for path, resource in contract.world.static.items()
        if path.startswith(prefix)
    }


def _odp_metadata(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _odp_key_error(contract, headers):
        return refused
    base = f"{contract.url}/api/v1/datasets/products/files/PVGPATDIS"
    files = [
        {
            "fileName": name,
            "fileSize": len(body),
            "fileTypeText": "Data",
            "fileDownloadURI": f"{base}/{name}",
            "fileReleaseDate": "2026-03-31",
            "fileLastModifiedDateTime": contract.world.odp_released.get(name, "2026-03-31 01:02:03"),
        }
        for name, body in _odp_files(contract).items()
    ]
    product = {
        "productIdentifier": "PVGPATDIS",
        "lastModifiedDateTime": "2026-03-31 01:02:03",
        "productFileTotalQuantity": len(files),
        "productFileBag": {"count": len(files), "fileDataBag": files},
    }
    return 200, dict(JSON), json.dumps({"count": 1, "bulkDataProductBag": [product]}).encode()


def _odp_file(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if refused := _odp_key_error(contract, headers):
        return refused
    if match["name"] not in _odp_files(contract):
        return 404, dict(JSON), b'{"code":404,"message":"Not Found","requestIdentifier":"1"}'
    return 302, {"Location": f"{contract.storage_url}/storage/{match['name']}"}, b""


def _odp_storage(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    if "x-api-key" in headers:
        return _error(400, "credentials were sent to a storage host")
    return _static(contract.world.static[f"/static/patents/{match['name']}"], headers)


def _oecd(contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    """SDMX: a web application firewall before it, labelled CSV only where asked for, 404 for a key without data."""
    if not headers.get("user-agent") or headers["user-agent"].startswith("Python-urllib"):
        return 403, {"Content-Type": "text/html"}, b"<html>Request blocked</html>"
    dimensions = match["key"].split(".")
    if len(dimensions) != 11 or query.get("format") != "csvfilewithlabels":
        return 200, {"Content-Type": "application/vnd.sdmx.genericdata+xml"}, b"<message:GenericData/>"
    body = oecd_table(dimensions, int(query.get("startperiod", "0")))
    return (
        _static(Resource(body, "text/csv"), headers)
        if body
        else (404, {"Content-Type": "text/plain"}, b"NoRecordsFound")
    )


def _dataverse_storage(
    contract: Contract, match: re.Match[str], query: dict[str, str], headers: dict[str, str]
) -> Reply:
    body = dataverse.stored(contract.world, match["name"], query)
    return _error(403, "Request has expired") if body is None else _static(Resource(body, "text/csv"), headers)


def _static(resource: Resource, headers: dict[str, str]) -> Reply:
    """A file with validators, conditional requests and ranges (RFC 9110)."""
    body = resource.body
    given = {"Content-Type": resource.kind}
    if resource.validators:
        given |= {
            "ETag": resource.etag,
            "Last-Modified": "Tue, 05 May 2026 05:05:05 GMT",
            "Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode(),
        }
    if resource.validators and headers.get("if-none-match") == resource.etag:
        return 304, given, b""
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
    if not (asked and resource.ranges):
        return 200, given, body
    condition = headers.get("if-range")
    if condition is not None and condition not in (resource.etag, given.get("Last-Modified")):
        return 200, given, body
    first, last = asked[1], asked[2]
    start = int(first) if first else max(len(body) - int(last), 0)
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start >= len(body):
        return 416, {**given, "Content-Range": f"bytes */{len(body)}"}, b""
    given.pop("Content-MD5", None)
    return 206, {**given, "Content-Range": f"bytes {start}-{end}/{len(body)}"}, body[start : end + 1]
