"""A Superset of the test's own: metadata in a directory of the test, a port on loopback, its commands and its API."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from dagster_project.places import CHECKOUT

COMMAND = CHECKOUT / ".venv-bi" / "bin" / "superset"
USER = "admin"


@dataclass(frozen=True)
class Superset:
    """A metadata database in `home`, and what is needed to run commands on it."""

    home: Path
    password: str

    @classmethod
    def installed(cls, home: Path) -> Superset:
        """Migrated, with its roles and one administrator."""
        (home / "superset_config.py").write_text(
            f'SECRET_KEY = "{secrets.token_urlsafe(42)}"\n'
            f'SQLALCHEMY_DATABASE_URI = "sqlite:///{home / "superset.db"}"\n'
            "TALISMAN_ENABLED = False\n"
        )
        superset = cls(home, secrets.token_urlsafe(12))
        superset.run("db", "upgrade")
        superset.run("init")
        superset.run("fab", "create-admin", "--username", USER, "--password", superset.password,
                     "--firstname", "Test", "--lastname", "Test", "--email", "admin@example.org")  # fmt: skip
        return superset

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which `superset` is this one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLASK"))}
        return {
            **kept,
            "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}",
            "SUPERSET_CONFIG_PATH": str(self.home / "superset_config.py"),
            "SUPERSET_HOME": str(self.home),
            "FLASK_APP": "superset",
        }

    def run(self, *arguments: str) -> str:
        """A command of Superset's; AssertionError with its output when it fails."""
        done = subprocess.run(
            [COMMAND, *arguments], env=self.environment, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"superset {arguments[0]}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    @contextmanager
    def serving(self) -> Iterator[Api]:
        """Its web server, until the block ends."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with (self.home / "server.log").open("w") as log:
            server = subprocess.Popen(
                [COMMAND, "run", "--host", "127.0.0.1", "--port", str(port), "--with-threads"],
                env=self.environment, cwd=self.home, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                api = Api(f"http://127.0.0.1:{port}", self.password)
                self._wait(server, api)
                yield api
            finally:
                server.terminate()
                server.wait(30)

    def _wait(self, server: subprocess.Popen[bytes], api: Api) -> None:
        for _ in range(240):
            assert server.poll() is None, (self.home / "server.log").read_text()[-4000:]
            try:
                requests.get(f"{api.address}/health", timeout=5)
                return api.login()
            except requests.ConnectionError:
                time.sleep(0.5)
        raise AssertionError("Superset did not answer within two minutes")


class Api:
    """Superset's REST API, as its administrator."""

    def __init__(self, address: str, password: str) -> None:
        self.address, self.password = address, password
        self._session = requests.Session()

    def login(self) -> None:
        """Ask for the token that every other call carries."""
        credentials = {"username": USER, "password": self.password, "provider": "db"}
        token = self.call("POST", "security/login", json=credentials)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.headers["X-CSRFToken"] = self.call("GET", "security/csrf_token/")["result"]
        self._session.headers["Referer"] = self.address

    def answer(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to a call, whatever it says."""
        return self._session.request(method, f"{self.address}/api/v1/{path}", timeout=60, **options)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The content of an answer; AssertionError with it unless it says 200."""
        response = self.answer(method, path, **options)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text[:2000]}"
        return response.json()

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every chart, dataset, database or dashboard."""
        listed: list[dict[str, Any]] = self.call("GET", f"{kind}/?q=(page_size:100)")["result"]
        return listed
