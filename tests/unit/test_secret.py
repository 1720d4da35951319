"""Secrets: seen nowhere, written nowhere; and PostgreSQL addresses taken apart without showing their password."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle

import pytest

from dagster_project.postgres_address import connection_parameters
from dagster_project.secret import Secret

WORD = "s3cret-w0rd"


@dataclasses.dataclass(frozen=True)
class Holder:
    """Something that has a secret."""

    key: Secret


def test_only_reveal_gives_the_text() -> None:
    assert Secret(WORD).reveal() == WORD


def test_it_is_seen_nowhere() -> None:
    secret = Secret(WORD)
    record = logging.LogRecord("x", logging.INFO, "x", 1, "key %s", (secret,), None)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", f"{secret!r}", "%s" % secret, repr([secret])]  # noqa: UP031
    shown += [repr(Holder(secret)), record.getMessage(), str(dataclasses.asdict(Holder(secret)))]
    assert all("***" in text and WORD not in text for text in shown)


def test_it_is_written_nowhere() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(Holder(Secret(WORD)), protocol)
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(WORD)})
    with pytest.raises(TypeError):
        vars(Secret(WORD))
    assert WORD not in json.dumps({"key": Secret(WORD)}, default=str)


def test_it_is_equal_by_its_text_and_can_be_copied() -> None:
    secret = Secret(WORD)
    assert secret == Secret(WORD) != Secret("other") and secret != WORD and len({secret, Secret(WORD)}) == 1
    assert copy.deepcopy(Holder(secret)) == copy.copy(Holder(secret)) == Holder(secret)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("postgresql://host/db", {"host": "host", "dbname": "db"}),
        ("postgres://me@host:5432/db", {"host": "host", "port": "5432", "dbname": "db", "user": "me"}),
        ("postgresql://me:word@host", {"host": "host", "user": "me", "password": "word"}),
        ("postgresql://me:p@ss@host/db", {"host": "host", "dbname": "db", "user": "me", "password": "p@ss"}),
        ("postgresql://me:p%40ss@host/db", {"host": "host", "dbname": "db", "user": "me", "password": "p@ss"}),
        ("postgresql://me:50%off@host/db", {"host": "host", "dbname": "db", "user": "me", "password": "50%off"}),
        ("postgresql://me:a/b?c#d:e@host/db", {"host": "host", "dbname": "db", "user": "me", "password": "a/b?c#d:e"}),
        ("postgresql://me:12@34@host/db", {"host": "host", "dbname": "db", "user": "me", "password": "12@34"}),
        (
            "postgresql://me:p@ss@one:1,two:2/db?sslmode=require&application_name=a@b",
            {
                "host": "one,two", "port": "1,2", "dbname": "db", "user": "me", "password": "p@ss",
                "sslmode": "require", "application_name": "a@b",
            },
        ),
        ("postgresql://host:1/db?password=p@ss", {"host": "host", "port": "1", "dbname": "db", "password": "p@ss"}),
        ("postgresql://me@[::1]:5433/db", {"host": "::1", "port": "5433", "dbname": "db", "user": "me"}),
        ("postgresql:///db?host=/run/postgresql", {"dbname": "db", "host": "/run/postgresql"}),
        ("postgresql://%2Frun%2Fpostgresql/db", {"host": "/run/postgresql", "dbname": "db"}),
        ("postgresql://", {}),
    ],
)  # fmt: skip
def test_addresses_are_taken_apart(address: str, found: dict[str, str]) -> None:
    assert connection_parameters(address) == found


@pytest.mark.parametrize(
    "address", ["mysql://me:s3cret@host/db", "host", "postgresql://me:s3cret@host:port/db", "postgresql://a b/db"]
)
def test_what_is_no_address_is_refused_without_its_text(address: str) -> None:
    with pytest.raises(ValueError, match="no address") as caught:
        connection_parameters(address)
    assert "s3cret" not in str(caught.value)
