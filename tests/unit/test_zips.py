"""Zips are opened in one place, which looks at names, sizes and kind before anything is read out of them."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.datasets.trade import comtrade_async
from dagster_project.errors import SourceError
from dagster_project.landing.sheets import read_sheets
from dagster_project.places import CHECKOUT
from dagster_project.sources import integrity
from dagster_project.sources.integrity import check_zip
from dagster_project.sources.zip_member import extract_table

READERS: dict[str, Callable[[Path], object]] = {
    "check": lambda path: check_zip(path, "x.zip"),
    "table": lambda path: extract_table(path, ".tsv", path.parent, "x.zip"),
    "batch": lambda path: comtrade_async._table(path, "a batch"),
    "workbook": lambda path: read_sheets(path, "x.xlsx", {"request", "status"}),
}


def zipped(path: Path, name: str = "table.tsv", content: bytes = b"a\tb\n", flags: int = 0) -> Path:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    text = bytearray(body.getvalue())
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        text[text.index(header) + at] |= flags
    path.write_bytes(text)
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["../../table.tsv", "/etc/table.tsv", "C:\\table.tsv", "..\\table.tsv"])
def test_a_member_that_leads_outside_is_refused_by_whoever_opens_a_zip(tmp_path: Path, reader: str, name: str) -> None:
    with pytest.raises(SourceError, match="points outside the zip"):
        READERS[reader](zipped(tmp_path / "x.zip", name))


@pytest.mark.parametrize("reader", READERS)
def test_a_zip_that_expands_too_far_is_refused_by_whoever_opens_it(
    tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "MAX_EXPANDED_BYTES", 1000)
    with pytest.raises(SourceError, match="expands to 2,000 bytes"):
        READERS[reader](zipped(tmp_path / "x.zip", content=b"x" * 2000))


@pytest.mark.parametrize("reader", READERS)
def test_an_encrypted_member_is_refused_by_whoever_opens_a_zip(tmp_path: Path, reader: str) -> None:
    with pytest.raises(SourceError, match="encrypted"):
        READERS[reader](zipped(tmp_path / "x.zip", flags=1))


@pytest.mark.parametrize("reader", READERS)
def test_a_cut_zip_is_refused_by_whoever_opens_it(tmp_path: Path, reader: str) -> None:
    path = zipped(tmp_path / "x.zip")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SourceError, match="broken or truncated zip"):
        READERS[reader](path)


def test_no_other_module_opens_a_zip_to_read_it() -> None:
    found = []
    for path in sorted((CHECKOUT / "dagster_project").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ZipFile"):
                writes = len(node.args) > 1 and ast.unparse(node.args[1]) == "'w'"
                found += [] if writes else [path.relative_to(CHECKOUT).as_posix()]
    assert found == ["dagster_project/sources/integrity.py"]
