"""Listening: the explorer on a port of this machine, until it is interrupted. Not here: what it answers (see `app`)."""

from __future__ import annotations

import socket
from collections.abc import Collection

import uvicorn

from dagster_project.errors import SettingError
from dagster_project.explore.app import LOOPBACK, VEGA, application, static_file
from dagster_project.explore.choice import Choice
from dagster_project.explore.pages import PAGES
from dagster_project.explore.reader import Releases
from dagster_project.settings import Settings

HOST, PORT = "127.0.0.1", 3210


def serve(settings: Settings, host: str = HOST, port: int = PORT, names: Collection[str] = ()) -> None:
    """Answer until interrupted. SettingError for a port or host that cannot be had, ReleaseError without a release."""
    releases = Releases(settings.published_dir, settings.resources)
    listening = _bound(host, port)
    with releases.reading() as reader:  # what is wrong with it is said here
        first, synthetic = reader.release_id, reader.manifest["synthetic"]
        # What takes seconds the first time is done before anybody waits for a page.
        PAGES["/"].page(reader, Choice("/", {}))
        static_file(VEGA)
    shown = f"[{host}]" if ":" in host else host
    what = "SYNTHETIC sample" if synthetic else "release"
    print(f"The {what} {first}, and whichever is published after it: http://{shown}:{listening.getsockname()[1]}/")
    if host not in LOOPBACK:
        print("Other machines can reach it: it has no password. It only reads, and only published releases.")
    print("Ctrl-C ends it.", flush=True)
    app = application(releases, host, names)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        releases.close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens at the port, 0 for any that is free."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(64)
    except (OSError, OverflowError) as error:
        raise SettingError(
            f"host {host}, port {port}",
            found=f"a port that cannot be opened ({error})",
            expected="an address of this machine, and a free port from 1024 to 65535",
            remedy="Stop the program that uses it, or choose another: --port 3211, make explore EXPLORE_PORT=3211.",
        ) from error
    return made
