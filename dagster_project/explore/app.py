"""The web application: an address in, a page or a table's CSV out.

What belongs here: routes, headers, errors in words, HTML. Not here: what is on a page (see `pages`), and listening (see
`server`). All of it is read only, and a page asks nothing of another machine: its styles and scripts are served here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dagster_project.errors import ReleaseError, UserError
from dagster_project.explore import content
from dagster_project.explore.choice import Choice, Unanswerable
from dagster_project.explore.pages import PAGES
from dagster_project.explore.reader import Reader, Releases

HERE = Path(__file__).parent
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
HEADERS = {
    # No script but this server's own files, none of another machine. Vega writes styles into the page.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
VEGA = "vega.js"
STATIC = {
    "explore.css": "text/css",
    "explore.js": "text/javascript",
    "charts.js": "text/javascript",
    VEGA: "text/javascript",
}


def application(releases: Releases, host: str = "127.0.0.1", names: Collection[str] = ()) -> Starlette:
    """The application over a published directory, answering to loopback, to `host` and to other `names` of it."""
    app = Starlette(
        routes=[
            *(Route(path, _page, methods=["GET"]) for path in PAGES),
            *(Route(f"{path.rstrip('/') or '/overview'}.csv", _csv, methods=["GET"]) for path in PAGES),
            Route("/current", _current, methods=["GET"]),
            Route("/lists/{name}.json", _suggestions, methods=["GET"]),
            Route("/static/{name}", _static, methods=["GET"]),
        ],
        middleware=[Middleware(Guard, host=host, names=names), Middleware(GZipMiddleware, minimum_size=2000)],
        exception_handlers={404: _no_such_page},
    )
    app.state.releases = releases
    return app


class Guard:
    """Answers to its own names only, and puts the headers on every answer.

    A page of another site could else reach this server under a name of its own (DNS rebinding), and read the release.
    """

    def __init__(self, app: ASGIApp, host: str, names: Collection[str]) -> None:
        self.app = app
        self.known = LOOPBACK | {host.casefold(), *(name.casefold() for name in names)}
        self.by_number = host in EVERYWHERE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it names this server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        given = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not self.knows(given):
            text = "This server does not answer to that name. Start it with --name to add one.\n"
            await PlainTextResponse(text, status_code=421)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def knows(self, given: str) -> bool:
        """Whether a Host header names this server; its port does not matter."""
        host = given.casefold()
        host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return host in self.known or (self.by_number and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _releases(request: Request) -> Releases:
    found: Releases = request.app.state.releases
    return found


def _page(request: Request) -> Response:
    path = request.url.path
    try:
        choice = Choice(path, request.query_params)
        with _releases(request).reading(choice.release) as reader:
            if path == "/find" and (there := _exactly(reader, choice)):
                return RedirectResponse(there, 303)
            return _rendered(reader, choice)
    except UserError as error:
        return _wrong(request, error)


def _rendered(reader: Reader, choice: Choice) -> Response:
    try:
        page = PAGES[choice.path].page(reader, choice)
    except duckdb.BinderException as error:
        raise _other_version(reader, error) from error
    html = (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            choice=choice,
            manifest=reader.manifest,
            newest=reader.newest,
            contents=[
                (entry.title, address, address == choice.path) for address, entry in PAGES.items() if entry.title
            ],
            csv=lambda table: _csv_address(choice, table, reader.release_id),
            shown=lambda table: _shown(choice, table),
        )
    )
    return HTMLResponse(html, headers={"cache-control": "no-store"})


def _other_version(reader: Reader, error: duckdb.Error) -> ReleaseError:
    return ReleaseError(
        f"release {reader.release_id}",
        found=f"a mart that lacks a column ({str(error).splitlines()[0]})",
        expected="the columns of this version of the program",
        remedy="Publish with this version, or look at the mart itself under Marts.",
    )


def _exactly(reader: Reader, choice: Choice) -> str | None:
    """The page of a country or good whose code, or whole name, was searched for."""
    words = choice.text("q")
    if words.upper() in reader.names.countries:
        return choice.link("/country", iso3=words.upper())
    if words in reader.names.goods:
        return choice.link("/good", hs6=words)
    alike = [each for each in reader.names.countries.values() if each.name.casefold() == words.casefold()]
    return choice.link("/country", iso3=alike[0].iso3) if len(alike) == 1 else None


def _csv_address(choice: Choice, table: content.Table, release_id: str) -> str:
    """A table as CSV: of the release that the page shows, whichever is the current one by then."""
    state = {**choice.given, "release": release_id, "table": table.name}
    return f"{choice.path.rstrip('/') or '/overview'}.csv?{urlencode(state)}"


def _shown(choice: Choice, table: content.Table) -> Mapping[str, Any]:
    """The rows of a table that the page shows, and the addresses of its other orders and of all its rows."""
    order, whole = choice.text(f"sort_{table.name}"), choice.text(f"all_{table.name}") == "1"
    most = content.MOST_SHOWN if whole else content.SHOWN
    headings = []
    for column in table.columns:
        falling = f"-{column.key}"
        first, then = (falling, column.key) if column.numeric else (column.key, falling)
        state = {"ascending": order == column.key, "descending": order == falling}
        address = choice.link(**{f"sort_{table.name}": then if order == first else first}) + f"#{table.name}"
        headings.append({"column": column, "link": address, **state})
    return {
        "rows": table.in_order(order)[:most],
        "headings": headings,
        "more": len(table.rows) - most,
        "all": choice.link(**{f"all_{table.name}": "1"}) + f"#{table.name}"
        if len(table.rows) > most and not whole
        else "",
        "fewer": choice.link(**{f"all_{table.name}": None}) + f"#{table.name}" if whole else "",
    }


def _csv(request: Request) -> Response:
    path = request.url.path.removesuffix(".csv")
    try:
        choice = Choice("/" if path == "/overview" else path, request.query_params)
        with _releases(request).reading(choice.release) as reader:
            table = PAGES[choice.path].page(reader, choice).table(choice.text("table"))
            if table is None:
                raise Unanswerable(
                    "choice table",
                    found=repr(choice.text("table")),
                    expected="the name of a table that the page has for these choices",
                    remedy="Take the address from the page.",
                )
            name = f"{path.strip('/')}-{table.name}-{reader.release_id}.csv"
            return Response(
                table.csv(choice.text(f"sort_{table.name}")),
                media_type="text/csv; charset=utf-8",
                headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
            )
    except UserError as error:
        return PlainTextResponse(f"{error}\n", status_code=_status(error))


def _current(request: Request) -> Response:
    """The id of the current release: an open page asks now and then whether it is still its own."""
    return JSONResponse({"release": _releases(request).current_id()}, headers={"cache-control": "no-store"})


def _suggestions(request: Request) -> Response:
    """Codes and names of all goods or chapters, for fields that suggest them; an address per release, kept for good."""
    try:
        with _releases(request).reading(request.query_params.get("release")) as reader:
            lists = {"goods": reader.names.goods, "chapters": reader.names.chapters}
            found = lists.get(request.path_params["name"])
    except UserError as error:
        return _wrong(request, error)
    if found is None:
        return PlainTextResponse("There is no such list.\n", status_code=404)
    kept = {"cache-control": "private, max-age=86400"} if "release" in request.query_params else {}
    return JSONResponse(list(found.items()), headers=kept)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return PlainTextResponse("There is no such file.\n", status_code=404)
    # Their addresses in the pages carry a hash of what is in them.
    kept = {"cache-control": "max-age=31536000, immutable"} if "v" in request.query_params else {}
    return Response(static_file(name), media_type=STATIC[name], headers=kept)


@cache
def static_file(name: str) -> str:
    """A style sheet or script. Vega comes from the package that carries it, which takes seconds once."""
    if name != VEGA:
        return (HERE / "static" / name).read_text(encoding="utf-8")
    import vl_convert

    return str(vl_convert.javascript_bundle())  # type: ignore[call-arg]  # the snippet is optional


@cache
def _versioned(name: str) -> str:
    """The address of a static file. Vega's holds the version of its package: reading it would delay the first page."""
    if name == VEGA:
        return f"/static/{VEGA}?v={version('vl-convert-python')}"
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _no_such_page(request: Request, error: Exception) -> Response:
    return _wrong(
        request,
        Unanswerable(
            f"address {request.url.path}",
            found="no page",
            expected="one of the pages above",
            remedy="Choose one of them.",
        ),
        404,
    )


def _status(error: UserError) -> int:
    return 400 if isinstance(error, Unanswerable) else 503


def _wrong(request: Request, error: UserError, status: int | None = None) -> Response:
    html = (
        _environment()
        .get_template("wrong.html")
        .render(
            error=error,
            contents=[(entry.title, address, False) for address, entry in PAGES.items() if entry.title],
            manifest=None,
            choice=None,
            newest=True,
        )
    )
    return HTMLResponse(html, status_code=status or _status(error), headers={"cache-control": "no-store"})


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["written"] = content.written
    made.filters["in_script"] = _in_script
    made.globals["static"] = _versioned
    made.tests["table"] = lambda item: isinstance(item, content.Table)
    made.tests["chart"] = lambda item: isinstance(item, content.Chart)
    made.tests["tiles"] = lambda item: isinstance(item, content.Tiles)
    return made


def _in_script(value: Any) -> Markup:
    """JSON that can stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
