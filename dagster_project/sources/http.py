"""One HTTP client for every live source: budget, throttle, retry, circuit breaker, redirects, checked bodies, resume.

What belongs here: how a call is made and what its failure means. Not here: which calls a source makes, and what the
bodies hold. The caller may give another clock, sleep and source of random numbers, so that tests need not wait.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import tenacity
import urllib3

from dagster_project.errors import Deferred, SourceError, SourceUnreachable
from dagster_project.places import PRODUCT
from dagster_project.sources.integrity import check_fetched
from dagster_project.sources.ledger import Ledger, key_hash

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
TRIES = 5
LONGEST_SLEEP = 120.0  # a service that asks for a longer pause ends the run; a later run goes on from there
BREAKER_FAILURES, BREAKER_PAUSE = 5, 60.0
MAX_JSON_BYTES = 2 * 1024**3
MAX_REDIRECTS = 5
_BLOCK = 1 << 16
_BYTES_PER_LOG_LINE = 10_000_000

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_SECRET = re.compile(r"(?i)((?:subscription-key|api[_-]?key|x-api-key|authorization)\s*[=:]\s*)[^&\s,;\"']+")
_PAGE = re.compile(rb"(?i)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<(!doctype\s+)?html\b")
_SECONDS = re.compile(r"(?i)try again in ([\d.]+) second")
_CLOCK_TIME = re.compile(r"(?i)replenished in (?:(\d+)\.)?(\d+):(\d\d):(\d\d)")
_DAYS = re.compile(r"(?i)(?:replenished in|in) ([\d.]+) days?")


@dataclass(frozen=True)
class Service:
    """How one service is treated. `interval`: least seconds between two calls; `budget`: calls per UTC day."""

    name: str
    interval: float = 1.0
    budget: int | None = None
    key: str | None = field(default=None, repr=False)
    key_header: str = ""
    key_variable: str = ""
    home: str = ""  # an address of the scheme and host that the key belongs to; it is sent nowhere else
    tries: int | None = None  # where a service counts failed calls against a small allowance
    default_wait: float = 1.1  # after a 429 that names no time
    deadline: float = 600.0  # seconds for one JSON answer, from first to last byte
    file_deadline: float = 4 * 3600.0


@dataclass(frozen=True)
class Answer:
    """A whole body, and the headers that came with it. `address` is the URL without any key."""

    address: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    content: Any = None  # the body as JSON, where JSON was asked for


@dataclass(frozen=True)
class Span:
    """A part of a remote file: first byte, number of bytes, and the validator of the file that it must be of."""

    start: int
    length: int
    validator: str | None = None


class Transient(Exception):
    """A failure that another try may mend. `wait` is what the service asks for, in seconds."""

    def __init__(self, found: str, wait: float = 0.0, *, counts_for_breaker: bool = False) -> None:
        super().__init__(found)
        self.wait, self.counts_for_breaker = wait, counts_for_breaker


class RangeRefused(Exception):
    """The server answered a request for a part with the whole file, or the file is no longer the same."""


@dataclass(frozen=True)
class _Call:
    """A request: the service, the address, its name in messages, the statuses it accepts, and headers for each try."""

    service: Service
    url: str
    where: str
    accept: Sequence[int] = (200,)
    headers: Callable[[], Mapping[str, str]] = dict

    @property
    def place(self) -> str:
        """Where an error of this call happened, in a message."""
        return f"{self.where} ({redact(self.url, self.service)})"


@dataclass(frozen=True)
class _Partial:
    """A file as far as it has arrived, and the state file beside it, which keeps what its server said of it."""

    part: Path
    state_file: Path
    url: str
    span: Span | None

    @property
    def size(self) -> int:
        """The bytes that have arrived."""
        return self.part.stat().st_size if self.part.exists() else 0

    def state(self) -> dict[str, Any]:
        """What the server said; empty where nothing is known of this address."""
        try:
            state = json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return {}
        return state if state.get("url") == self.url else {}

    def discard(self) -> None:
        """Remove what has arrived."""
        self.part.unlink(missing_ok=True)
        self.state_file.unlink(missing_ok=True)

    def resume_headers(self) -> dict[str, str]:
        """The headers that ask for the rest. What cannot be known to belong to the same file is removed."""
        have, state = self.size, self.state()
        etag, modified = state.get("etag"), state.get("last_modified")
        if self.span and self.span.validator:
            etag, modified = self.span.validator, None
        strong = etag if etag and not etag.startswith("W/") else None
        if have and not (strong or modified):
            self.part.unlink()
            have = 0
        if self.span is None and not have:
            return {}
        first = (self.span.start if self.span else 0) + have
        headers = {"Range": f"bytes={first}-" + (str(self.span.start + self.span.length - 1) if self.span else "")}
        if (have or self.span) and (condition := strong or modified):
            headers["If-Range"] = condition
        return headers


class Http:
    """The client. One per run; what the next run must know is in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        timeout: tuple[float, float] = (10.0, 120.0),
        tries: int = TRIES,
        user_agent: str = PRODUCT,
    ) -> None:
        self.ledger, self.clock, self.sleep, self.rng = ledger, clock, sleep, rng
        self.timeout, self.tries, self.user_agent = timeout, tries, user_agent
        self._session = requests.Session()
        self._session.trust_env = True
        self._session.headers.clear()
        self._last_call: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._open_until: dict[str, float] = {}

    def get_json(
        self,
        service: Service,
        url: str,
        query: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        *,
        where: str,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (200,),
        check: Callable[[Any], None] | None = None,
    ) -> Answer:
        """A JSON answer whose body is whole and begins like JSON; `check` may raise Transient for its content.

        SourceError when there is no such answer, Deferred when the service asks for a longer pause.
        """

        def read(response: requests.Response, address: str) -> Answer:
            if response.status_code == 304:
                return Answer(address, 304, response.headers, b"")
            body = self._read_body(service, response)
            content = _json_of(response, body)
            if check is not None:
                check(content)
            return Answer(address, response.status_code, response.headers, body, content)

        sent = dict(headers or {})
        return self._send_until_answered(_Call(service, _with_query(url, query), where, accept, lambda: sent), read)

    def get_bytes(
        self,
        service: Service,
        url: str,
        *,
        where: str,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (200,),
        page: bool = False,
    ) -> Answer:
        """A small non-empty body of any kind but a web page, unless a `page` is wanted."""

        def read(response: requests.Response, address: str) -> Answer:
            if response.status_code == 304:
                return Answer(address, 304, response.headers, b"")
            if not page:
                _require_no_page(response)
            body = self._read_body(service, response)
            if not page and _PAGE.match(body):
                raise Transient("a web page under another name, where a file was expected")
            if not body:
                raise Transient("an empty answer with status 200")
            return Answer(address, response.status_code, response.headers, body)

        sent = dict(headers or {})
        return self._send_until_answered(_Call(service, url, where, accept, lambda: sent), read)

    def get_tail(self, service: Service, url: str, length: int, *, where: str) -> tuple[Answer, int] | None:
        """The last bytes of a file and the file's size; None where the server refuses parts of files."""

        def read(response: requests.Response, address: str) -> tuple[Answer, int] | None:
            if response.status_code != 206:
                response.close()
                return None
            first, total = _content_range(response)
            body = self._read_body(service, response)
            if total is None or first + len(body) != total:
                raise Transient(f"{len(body)} bytes for Content-Range {response.headers.get('Content-Range')}")
            return Answer(address, 206, response.headers, body), total

        headers = {"Range": f"bytes=-{length}", "Accept-Encoding": "identity"}
        return self._send_until_answered(_Call(service, url, where, (200, 206), lambda: headers), read)

    def download(
        self,
        service: Service,
        url: str,
        folder: Path,
        *,
        where: str,
        span: Span | None = None,
        version: str = "",
        name: str | None = None,
    ) -> Path:
        """A whole file (or the span of it) below `folder`, resumed where an earlier try of that version stopped.

        Checked by its length, by Content-MD5 where the server gives it, and as the container that its name promises
        (`name`, by default the address's last part). RangeRefused when the server does not give the span, or the file
        has changed since.
        """
        target = folder / _local_name(name or urlsplit(url).path, f"{url} {span} {version}")
        if target.exists():
            return target
        folder.mkdir(parents=True, exist_ok=True)
        partial = _Partial(folder / "part" / target.name, folder / "part" / f"{target.name}.state.json", url, span)
        partial.part.parent.mkdir(exist_ok=True)

        def headers() -> dict[str, str]:
            return {"Accept-Encoding": "identity", **partial.resume_headers()}

        call = _Call(service, url, where, (200, 206, 416), headers)
        self._send_until_answered(call, lambda response, address: self._receive(call, response, partial))
        if span is None:
            try:
                check_fetched(partial.part, call.place)
            except SourceError:
                partial.discard()
                raise
        _sync(partial.part)
        os.replace(partial.part, target)
        partial.state_file.unlink(missing_ok=True)
        return target

    def _receive(self, call: _Call, response: requests.Response, partial: _Partial) -> None:
        """Append the body of an answer to what has arrived; Transient unless the file (or the span) is whole then."""
        have, state, span = partial.size, partial.state(), partial.span
        if response.status_code == 416:
            if span is None and state.get("total") == have and have:
                return
            partial.discard()
            raise Transient("Range not satisfiable; the download starts again")
        _require_no_page(response)
        if response.status_code == 206:
            first, total = _content_range(response)
            if first != (span.start if span else 0) + have or (state and state["total"] not in (None, total)):
                partial.discard()
                raise Transient(f"another part than asked for ({response.headers.get('Content-Range')})")
            want = span.length if span else total
        elif span is not None:
            response.close()
            partial.discard()
            raise RangeRefused(call.url)
        else:
            have, first, total = 0, 0, _content_length(response)
            want = total
        record = {
            "url": call.url,
            "etag": response.headers.get("ETag"),
            "last_modified": response.headers.get("Last-Modified"),
            "total": total,
            "md5": response.headers.get("Content-MD5") if response.status_code == 200 else state.get("md5"),
        }
        size = have
        with partial.part.open("ab" if have else "wb") as file:
            partial.state_file.write_text(json.dumps(record))
            for block in self._blocks(response, call.service.file_deadline):
                before, size = size, size + file.write(block)
                if size // _BYTES_PER_LOG_LINE > before // _BYTES_PER_LOG_LINE:
                    _log.info("%s: %d of %s MB", call.where, size / 1e6, f"{want / 1e6:.0f}" if want else "?")
        if want is not None and size != want:
            if size > want:
                partial.discard()
            raise Transient(f"{size:,} of {want:,} bytes")
        if record["md5"] and _md5(partial.part) != record["md5"]:
            partial.discard()
            raise Transient("content that does not match its Content-MD5")

    def _send_until_answered(self, call: _Call, read: Callable[[requests.Response, str], _T]) -> _T:
        """Send with retries; `read` turns an accepted response into the result, or raises Transient."""
        tries = call.service.tries or self.tries
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(Transient),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt, call, read)
        except Transient as error:
            raise SourceUnreachable(
                call.place,
                found=redact(f"{error}, in {tries} {'try' if tries == 1 else 'tries'}", call.service),
                expected="a whole answer",
                remedy="The service or the network fails at the moment. Run again later: all that was fetched is kept.",
            ) from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Full jitter, never less than the service asks for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, Transient) else 0.0
        return max(asked, self.rng() * min(60.0, 2.0**state.attempt_number))

    def _attempt(self, call: _Call, read: Callable[[requests.Response, str], _T]) -> _T:
        host = urlsplit(call.url).netloc
        try:
            with self._send(call) as response:
                if response.status_code not in call.accept:
                    self._refuse(call, response)
                result = read(response, redact(response.url or call.url, call.service))
        except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
            self._failed(host, counts=False)
            raise Transient(_connection_failure(error, host)) from error
        except Transient as error:
            self._failed(host, counts=error.counts_for_breaker)
            if error.wait > LONGEST_SLEEP:
                self._defer(call, error.wait, str(error))
            raise
        self._failures[host] = 0
        return result

    def _failed(self, host: str, *, counts: bool) -> None:
        self._failures[host] = self._failures.get(host, 0) + 1 if counts else 0
        if self._failures[host] >= BREAKER_FAILURES:
            self._open_until[host] = self.clock() + BREAKER_PAUSE
            self._failures[host] = BREAKER_FAILURES - 1  # half-open: one more failure opens it again

    @contextmanager
    def _send(self, call: _Call) -> Iterator[requests.Response]:
        """One attempt. Redirects are followed here, because the key may go to its own scheme and host only."""
        service, url, headers = call.service, call.url, call.headers()
        first = urlsplit(url)[:2]
        for _ in range(MAX_REDIRECTS + 1):
            host = urlsplit(url).netloc
            own = urlsplit(url)[:2] == first
            self._admit(call, host, counted=own)
            sent = {"User-Agent": self.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip", **headers}
            if service.key and urlsplit(url)[:2] == urlsplit(service.home)[:2]:
                sent[service.key_header] = service.key
            response = self._session.get(url, headers=sent, stream=True, allow_redirects=False, timeout=self.timeout)
            location = response.headers.get("Location")
            if response.status_code not in (301, 302, 303, 307, 308) or not location:
                break
            response.close()
            url = urljoin(url, location)
        try:
            yield response
        finally:
            response.close()

    def _admit(self, call: _Call, host: str, *, counted: bool) -> None:
        """Wait until a call may be sent, and count it. Deferred when it may not be sent in this run."""
        service, hashed = call.service, key_hash(call.service.key)
        not_before = self.ledger.not_before(service.name, hashed)
        if not_before > self.clock():
            raise _deferred(call, not_before, "a call quota that is used up")
        pause = self._open_until.get(host, 0.0) - self.clock()
        if pause > 0:
            self.sleep(pause)
        pause = self._last_call.get(host, float("-inf")) + service.interval - self.clock()
        if pause > 0:
            self.sleep(min(pause, service.interval))
        now = self.clock()
        self._last_call[host] = now
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        if counted and not self.ledger.reserve(service.name, hashed, day, service.budget):
            midnight = (now // 86400 + 1) * 86400
            raise _deferred(call, midnight, f"today's budget of {service.budget} calls used up")

    def _refuse(self, call: _Call, response: requests.Response) -> None:
        """Raise the error that an answer with a status not accepted means."""
        status, text = response.status_code, self._start_of_body(response)
        wait = requested_wait(response.headers, text, self.clock())
        quota = status == 403 and re.search(r"(?i)quota|rate.?limit", text)
        if quota:
            self._defer(call, wait or 3600.0, message_of(text))
        if status in TRANSIENT_STATUS:
            floor = max(wait or 0.0, call.service.default_wait) if status == 429 else wait or 0.0
            raise Transient(f"HTTP {status} ({message_of(text)})", floor, counts_for_breaker=True)
        raise SourceError(
            call.place,
            found=redact(f"HTTP {status}: {message_of(text)}", call.service),
            expected="data",
            remedy=_remedy(status, call.service),
        )

    def _defer(self, call: _Call, wait: float, found: str) -> None:
        not_before = self.clock() + wait
        self.ledger.defer(call.service.name, key_hash(call.service.key), not_before)
        raise _deferred(call, not_before, redact(found, call.service))

    def _start_of_body(self, response: requests.Response) -> str:
        try:
            return next(response.iter_content(1 << 14), b"").decode("utf-8", "replace")
        except requests.RequestException:
            return ""

    def _read_body(self, service: Service, response: requests.Response) -> bytes:
        body = bytearray()
        for block in self._blocks(response, service.deadline):
            body += block
            if len(body) > MAX_JSON_BYTES:
                raise Transient(f"an answer of more than {MAX_JSON_BYTES:,} bytes")
        return bytes(body)

    def _blocks(self, response: requests.Response, deadline: float) -> Iterator[bytes]:
        """The body in blocks as they arrive; Transient when the whole takes longer than the deadline."""
        latest = self.clock() + deadline
        # `read1` gives what has arrived: while it waited for a full block, the deadline could pass unseen.
        while block := response.raw.read1(_BLOCK, decode_content=True):
            yield block
            if self.clock() > latest:
                raise Transient(f"an answer that is not complete after {deadline:.0f} s")


@contextmanager
def of_known_shape(where: str, expected: str) -> Iterator[None]:
    """Turn what Python raises for an answer of another shape into a SourceError; `expected` names what is needed."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(
            where,
            found=f"an answer of another shape ({type(error).__name__}: {error})",
            expected=expected,
            remedy="The service has changed its answers: nothing of this one was used. Look for a newer version of "
            "this program, or choose another source (docs/live-sources.md).",
        ) from error


def requested_wait(headers: Mapping[str, str], text: str, now: float) -> float | None:
    """How many seconds a service asks us to wait, from a header or the text; None where it does not say."""
    found: list[float] = []
    header = headers.get("Retry-After", "").strip()
    if header.isdigit():
        found.append(float(header))
    elif header:
        with suppress(TypeError, ValueError):
            found.append(max(0.0, parsedate_to_datetime(header).timestamp() - now))
    if match := _SECONDS.search(text):
        found.append(float(match[1]))
    if match := _CLOCK_TIME.search(text):
        days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
        found.append(days * 86400.0 + hours * 3600 + minutes * 60 + seconds)
    elif match := _DAYS.search(text):
        found.append(float(match[1]) * 86400)
    return max(found) if found else None


def message_of(text: str) -> str:
    """The message inside an error body of any of the services' shapes, or the beginning of the text."""
    try:
        content = json.loads(text)
    except ValueError:
        return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200] or "no text"
    found: list[str] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name.lower() in ("message", "errormessage", "error", "title", "detail", "code") and inner:
                    found.extend([inner] if isinstance(inner, str) else [])
                visit(inner)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)

    visit(content)
    return "; ".join(dict.fromkeys(found))[:300] or text[:200]


def redact(text: str, service: Service) -> str:
    """The text without any key."""
    if service.key:
        text = text.replace(service.key, "***")
    return _SECRET.sub(r"\1***", text)


def canonical(url: str, query: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> str:
    """Method, path and sorted query: the name of a request, without host and key."""
    pairs = sorted(query.items() if isinstance(query, Mapping) else query)
    return f"GET {urlsplit(url).path}?{urlencode(pairs)}"


def _with_query(url: str, query: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    pairs = list(query.items() if isinstance(query, Mapping) else query)
    return url + ("&" if "?" in url else "?") + urlencode(pairs, safe="*,[]") if pairs else url


def _json_of(response: requests.Response, body: bytes) -> Any:
    kind = response.headers.get("Content-Type", "")
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"{", b"["):
        shown = "an empty answer" if not body else f"{kind or 'text'} that begins with {body[:30]!r}"
        raise Transient(f"{shown} with status {response.status_code}, where JSON was expected")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except ValueError as error:
        raise Transient(f"JSON that breaks off or is damaged ({error})") from None


def _deferred(call: _Call, not_before: float, found: str) -> Deferred:
    when = datetime.fromtimestamp(not_before, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Deferred(
        call.where,
        found=found,
        expected=f"calls left at {call.service.name}",
        remedy=f"Run again after {when}: what was fetched so far is kept, and no finished call is repeated.",
        not_before=not_before,
    )


def _remedy(status: int, service: Service) -> str:
    if status in (401, 403) and service.key_variable:
        return f"Set {service.key_variable}, in the environment or .env, to a valid key of this service."
    if status in (401, 403):
        return "The service does not let this program in; ask its publisher, or place the file in the drop folder."
    if status == 404:
        return "Is the address in the settings still right? The publisher may have moved the file."
    return "The request is not what the service accepts: check the settings, and report it if they are right."


def _connection_failure(error: Exception, host: str) -> str:
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text or "Name or service not known" in text:
        return f"no address for the host {host} (name resolution failed)"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return f"no answer from {host} in time"
    if "IncompleteRead" in text or "Connection broken" in text:
        return f"an answer from {host} that broke off"
    return f"a broken connection to {host} ({type(error).__name__})"


def _local_name(path: str, identity: str) -> str:
    """A safe file name with the path's suffixes; what a server calls the file is never a path here."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "_", path.rsplit("/", 1)[-1])[-80:] or "file"
    return f"{hashlib.sha256(identity.encode()).hexdigest()[:12]}-{base}"


def _require_no_page(response: requests.Response) -> None:
    if "html" in response.headers.get("Content-Type", "").lower():
        raise Transient(f"a web page with status {response.status_code}, where a file was expected")


def _content_range(response: requests.Response) -> tuple[int, int | None]:
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None:
        raise Transient(f"status 206 with Content-Range {response.headers.get('Content-Range')!r}")
    return int(match[1]), None if match[3] == "*" else int(match[3])


def _content_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "md5").digest()).decode()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
