"""Faults by script: which request they strike, how often, and what then happens on the wire."""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

Action = Callable[[BaseHTTPRequestHandler, Callable[[], tuple[int, dict[str, str], bytes]]], None]


@dataclass
class Fault:
    """Strikes the requests whose path and query match `pattern`: `times` of them, after letting `after` pass."""

    pattern: str
    action: Action
    times: int = 1
    after: int = 0

    def strikes(self, target: str) -> bool:
        """Whether this request is struck; counts."""
        if self.times <= 0 or not re.search(self.pattern, target, re.IGNORECASE):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


def send(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """A plain answer."""
    chunked = headers.get("Transfer-Encoding") == "chunked"
    handler.send_response(status)
    for name, value in {**({} if chunked else {"Content-Length": str(len(body))}), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(_chunks(body) + b"0\r\n\r\n" if chunked else body)


def _chunks(body: bytes) -> bytes:
    """The body in the framing of chunked answers, without the end."""
    parts = [body[start : start + 8000] for start in range(0, len(body), 8000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def _without_framing(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Transfer-Encoding"}


def status(code: int, message: str | None = None, **headers: str) -> Action:
    """An error of the gateway: JSON with statusCode and message."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def act(handler: BaseHTTPRequestHandler, answer: object) -> None:
        body = json.dumps({"statusCode": code, "message": message or "Some failure"}).encode()
        send(handler, code, {"Content-Type": "application/json", **named}, body)

    return act


def body_of(code: int, text: str, kind: str = "application/json", **headers: str) -> Action:
    """An answer with that very body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, answer: send(handler, code, {"Content-Type": kind, **named}, text.encode())


HTML = body_of(200, "<html><body>Service is being updated</body></html>", "text/html")
EMPTY = body_of(200, "")


def cut_off(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
    """The headers promise everything, half of it comes, the connection ends."""
    code, headers, body = answer()
    handler.send_response(code)
    for name, value in {**_without_framing(headers), "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def cut_off_chunks(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
    """Nothing promises a length; half of the gzipped body comes in whole chunks, then the connection ends."""
    code, headers, body = answer()
    body = gzip.compress(body, 1)
    handler.send_response(code)
    for name, value in {**headers, "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(_chunks(body[: len(body) // 2]))
    handler.close_connection = True


def ended_early(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
    """The chunks end as they should, and yet the body in them is cut: a proxy gave up and closed in good order."""
    code, headers, body = answer()
    send(handler, code, {**headers, "Transfer-Encoding": "chunked"}, body[: len(body) // 2])


def wrong_length(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
    """Content-Length is too small: what arrives looks whole and is not."""
    code, headers, body = answer()
    handler.send_response(code)
    for name, value in {**_without_framing(headers), "Content-Length": str(max(len(body) - 7, 1))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True


def drip(seconds: float) -> Action:
    """A byte now and then."""

    def act(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
        code, headers, body = answer()
        handler.send_response(code)
        handler.send_header("Content-Type", headers.get("Content-Type", "application/json"))
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        latest = time.monotonic() + seconds
        try:
            for byte in body:
                handler.wfile.write(bytes([byte]) * 1)
                handler.wfile.flush()
                if time.monotonic() > latest:
                    break
                time.sleep(0.05)
        except OSError:
            pass
        handler.close_connection = True

    return act


def in_pieces(pieces: int, pause: float) -> Action:
    """The right answer, but slowly: so many pieces with a pause of so many seconds after each."""

    def act(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
        code, headers, body = answer()
        step = -(-len(body) // pieces) or 1
        send(handler, code, {**_without_framing(headers), "Content-Length": str(len(body))}, b"")
        for start in range(0, len(body), step):
            handler.wfile.write(body[start : start + step])
            handler.wfile.flush()
            time.sleep(pause)

    return act


def reset(handler: BaseHTTPRequestHandler, answer: object) -> None:
    """The connection is reset before any answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def then(change: Callable[[], None]) -> Action:
    """The right answer, after something changed at the service."""

    def act(handler: BaseHTTPRequestHandler, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
        code, headers, body = answer()
        change()
        send(handler, code, headers, body)

    return act


def redirect(address: str) -> Action:
    """302 to another address."""
    return lambda handler, answer: send(handler, 302, {"Location": address}, b"")
