"""A lock that somebody else wrote: what it may decide, and what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project import cli
from dagster_project.archive.lock import Lock, load_lock
from dagster_project.display import Display
from dagster_project.errors import SettingError, SourceError
from dagster_project.settings import Settings, load_settings


def lock_file(tmp_path: Path, **recorded: Any) -> Path:
    """A lock of the sample with those settings."""
    path = tmp_path / "inputs.lock.json"
    shaping = load_settings({}, dotenv=None).shaping()
    path.write_text(json.dumps({"version": 1, "settings": {**shaping, "years": [2017], **recorded}, "datasets": {}}))
    return path


@pytest.fixture
def rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that a rebuild would compute under."""
    found: list[Settings] = []

    def note(settings: Settings, years: list[int], lock: Lock, display: Display) -> None:
        found.append(settings)

    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(cli, "_execute", note)
    monkeypatch.setattr(cli, "_report", lambda *_: 1)
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("postgres_url", "postgresql://them@elsewhere/db"), ("comtrade_url", "https://elsewhere"),
        ("data_dir", "/elsewhere"), ("drop_dir", "/elsewhere"), ("reference_list", "/elsewhere"), ("threads", 99),
        ("comtrade_api_key", "x"), ("retain_releases", 0), ("no_such_setting", 1),
    ],
)  # fmt: skip
def test_only_settings_that_shape_numbers_are_taken_from_a_lock(
    tmp_path: Path, rebuilt: list[Settings], capsys: pytest.CaptureFixture[str], name: str, value: Any
) -> None:
    assert cli.main(["rebuild", str(lock_file(tmp_path, **{name: value}))]) == 1
    said = capsys.readouterr().err
    assert not rebuilt and name in said and "elsewhere" not in said.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trade_source", "elsewhere"), ("hs_revision", ["H5"]), ("keep_reimports", "maybe"), ("keep_reimports", None),
        ("mirror_cif_fob_factor", 99), ("years", [20.5]), ("years", "2017; drop"), ("years", [1900]), ("years", {}),
        ("product_scope", {"a": 1}), ("mirror_cif_fob_factor", "nan"), ("centrality_years", "all"),
    ],
)  # fmt: skip
def test_what_is_taken_from_a_lock_is_read_as_the_setting_is(
    tmp_path: Path, rebuilt: list[Settings], capsys: pytest.CaptureFixture[str], name: str, value: Any
) -> None:
    assert cli.main(["rebuild", str(lock_file(tmp_path, **{name: value}))]) == 1
    said = capsys.readouterr().err
    assert not rebuilt and f"CHOKEPOINT_{name.upper()}" in said and "inputs.lock.json" in said


def test_a_lock_as_the_program_writes_it_is_taken(tmp_path: Path, rebuilt: list[Settings]) -> None:
    changes: dict[str, Any] = {"keep_reimports": True, "mirror_cif_fob_factor": 0.95, "hs_revision": "H4"}
    cli.main(["rebuild", str(lock_file(tmp_path, **changes, years=[2017, 2018]))])
    (settings,) = rebuilt
    assert {name: getattr(settings, name) for name in changes} == changes and settings.years == (2017, 2018)
    assert settings.data_dir == tmp_path / "data/rebuild"


def test_years_may_be_none_and_settings_that_came_later_may_be_absent(tmp_path: Path, rebuilt: list[Settings]) -> None:
    path = tmp_path / "inputs.lock.json"
    path.write_text(json.dumps({"settings": {"trade_source": "files", "years": []}, "datasets": {}}))
    cli.main(["rebuild", str(path)])
    (settings,) = rebuilt
    assert settings.trade_source == "files" and settings.years == () and settings.hs_revision == "H5"


@pytest.mark.parametrize(("part", "value"), [("id", "../../x"), ("id", "a/b"), ("sha256", "../x"), ("sha256", 5)])
def test_entries_of_a_lock_name_no_path(tmp_path: Path, part: str, value: Any) -> None:
    entry = {
        "id": "a" * 20, "source": "s", "dataset": "d", "part": "p", "address": "a", "parameters": {}, "bytes": 1,
        "retrieved_at": "2026", "sha256": "0" * 64, "rows": None, "publisher": "p", "citation": "c", "licence": "l",
        "synthetic": True,
    }  # fmt: skip
    path = tmp_path / "inputs.lock.json"
    path.write_text(json.dumps({"settings": {}, "datasets": {"trade": [entry]}}))
    load_lock(path)
    path.write_text(json.dumps({"settings": {}, "datasets": {"trade": [{**entry, part: value}]}}))
    with pytest.raises(SourceError, match="unreadable content"):
        load_lock(path)


def test_the_error_is_one_of_settings(tmp_path: Path) -> None:
    here = load_settings({}, dotenv=None)
    with pytest.raises(SettingError, match="postgres_url"):
        here.as_locked({"postgres_url": "x"}, "a lock")
