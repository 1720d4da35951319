"""Addresses: what of them is shown, archived, noted and logged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.archive.payload import Payload, Provenance
from dagster_project.archive.store import Archive
from dagster_project.errors import SettingError, SourceError
from dagster_project.redaction import noted, without_secrets
from dagster_project.settings import load_settings
from dagster_project.sources.ledger import Ledger, Unit, Validators

SECRETS = {
    "https://me:s3cret@host/list.csv": "https://***@host/list.csv",
    "https://me:s3@cret@host/list.csv?a=1": "https://***@host/list.csv?a=1",
    "https://s3cret@host/list.csv": "https://***@host/list.csv",
    "https://host/list.csv?token=s3cret": "https://host/list.csv?token=***",
    "https://host/list.csv?a=1&API_KEY=s3cret&b=2": "https://host/list.csv?a=1&API_KEY=***&b=2",
    "https://host/list.csv?X-Amz-Signature=s3cret&X-Amz-Date=20260101": (
        "https://host/list.csv?X-Amz-Signature=***&X-Amz-Date=20260101"
    ),
    "https://host/list.csv?sv=2024&sig=s3cret%3D": "https://host/list.csv?sv=2024&sig=***",
    "https://host/list.csv?x=s3cretA1b2C3d4E5f6G7h8I9": "https://host/list.csv?x=***",
    "https://host/list.csv#access_token=s3cret": "https://host/list.csv#access_token=***",
    "https://host/list.csv?access%5Ftoken=s3cret": "https://host/list.csv?access%5Ftoken=***",
    "(https://host/a?token=s3cret), (https://host/b?x=s3cretA1b2C3d4E5f6G7h8I9).": (
        "(https://host/a?token=***), (https://host/b?x=***)."
    ),
    "two: https://host/a?key=s3cret and https://me:s3cret@host/b.": "two: https://host/a?key=*** and https://***@host/b.",
}
HARMLESS = (
    "https://host/a@b/list.csv?page=2&year=2018",
    "https://comtradeapi.un.org/data/v1/get/C/A/HS?reporterCode=40&cmdCode=AG6&partner2Code=0&customsCode=C00#C_A.json",
    "https://dataverse/api/access/datafile/123?format=original",
    "https://www.federalregister.gov/api?conditions[agencies][]=trade-representative-office-of-united-states",
    "https://sdmx/data/OECD.STI.PIE,DSD_PATENTS@DF_PATENTS_WIPO,1.0/9P50_1?dimensionAtObservation=AllDimensions",
    "https://api.regulations.gov/v4/documents?filter%5BdocketId%5D=USTR-2018-0025&sort=-lastModifiedDate",
    "drop:ustr/List-1.csv", "write to me@host.org",
)  # fmt: skip


@pytest.mark.parametrize("address", SECRETS)
def test_secrets_of_addresses_are_not_shown(address: str) -> None:
    assert without_secrets(address) == SECRETS[address]
    assert without_secrets(SECRETS[address]) == SECRETS[address]


@pytest.mark.parametrize("address", HARMLESS)
def test_what_is_no_secret_stays(address: str) -> None:
    assert without_secrets(address) == noted(address) == address


def test_addresses_that_differ_in_a_secret_are_told_apart_without_it() -> None:
    first, second = noted("https://host/a?token=one"), noted("https://host/a?token=two")
    assert first != second and "one" not in first


def payload(address: str) -> Payload:
    return Payload(Provenance("s", "p", "c", "l"), "tariffs", "x", address, b"a", {"asked": address})


@pytest.mark.parametrize("address", [address for address in SECRETS if address.startswith("https")])
def test_no_secret_is_archived_noted_or_in_a_message(tmp_path: Path, address: str) -> None:
    archive, ledger = Archive(tmp_path / "archive"), Ledger(tmp_path / "calls.sqlite")
    entry = archive.put(payload(address), retrieved_at=datetime(2026, 1, 1, tzinfo=UTC))
    ledger.remember(address, Validators("tag", None, entry.id))
    assert ledger.validators(address) == Validators("tag", None, entry.id)
    ledger.finish("s", "scope", "1", Unit(noted(address), "data", entry.id))
    error = SourceError(f"file ({address})", found=address, expected=address, remedy=address)
    texts = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    texts += [json.dumps(entry.to_json()), str(error), error.found, error.where, repr(error)]
    assert not [text for text in texts if "cret" in text]


def test_a_secret_that_an_older_version_archived_goes_no_further(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    entry = archive.put(payload("https://host/a?page=1"), retrieved_at=datetime(2026, 1, 1, tzinfo=UTC))
    path = tmp_path / f"manifest/{entry.id}.json"
    path.write_text(path.read_text().replace("page=1", "token=s3cret"))
    assert archive.entry(entry.id).address == "https://host/a?token=***"


def test_addresses_of_the_settings_are_secrets_and_cannot_be_printed() -> None:
    settings = load_settings(
        {"CHOKEPOINT_USTR_ADDRESSES": "https://h/a.csv?t=s3cret, https://u:s3cret@h/b"}, dotenv=None
    )
    assert "s3cret" not in repr(settings) and "s3cret" not in str(settings.public())
    assert [address.reveal() for address in settings.ustr_addresses] == [
        "https://h/a.csv?t=s3cret",
        "https://u:s3cret@h/b",
    ]


@pytest.mark.parametrize("name", ["BACI_URL", "COMTRADE_URL", "OECD_URL", "USPTO_URL"])
def test_a_password_in_the_address_of_a_service_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(SettingError, match=r"\.netrc") as error:
        load_settings({f"CHOKEPOINT_{name}": "https://me:s3cret@host/api"}, dotenv=None)
    assert "cret" not in str(error.value)


@pytest.mark.parametrize("address", ["htps://host/a?token=s3cret", "https://me:pa/s3cret@host/a", "https://h:s3cret/a"])
def test_what_is_no_address_is_refused_without_its_secret(address: str) -> None:
    with pytest.raises(SettingError, match="CHOKEPOINT_USTR_ADDRESSES") as error:
        load_settings({"CHOKEPOINT_USTR_ADDRESSES": address}, dotenv=None)
    assert "cret" not in str(error.value)
