"""Products of the base revision: their codes, names, and classes in BEC Rev.4 and Rev.5.

What belongs here: the three kinds of BEC table, which of them is used, and BACI's lists of product names. Not here: the
product scope (a dbt matter), and conversions between revisions (see `conversion`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dagster_project.datasets.reference.reading import ReferenceFile, Row, require_six_digits, value_or_none
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_TWO_DIGITS, REVISION_OF_YEAR, UNSPECIFIED_GOODS, YEAR_OF_REVISION

PRODUCTS = pa.schema([(name, pa.string()) for name in ("hs_revision", "hs6", "hs6_name", "hs2", "bec4", "bec5")])

BEC_KINDS = ("correlations", "bec_workbook", "bec_table")  # the first that has the base revision is used
CORRELATION_SHEET = "HS SITC BEC"
# The columns of UNSD's correlation workbook are named after the edition's two digits.
CORRELATION_COLUMN = {revision: f"hs{year[2:]}" for year, revision in REVISION_OF_YEAR.items()}
WORKBOOK_SHEETS = {"H4": "HS12BEC5", "H5": "HS17BEC5"}

Categories = dict[str, dict[str, Any]]  # HS6 code -> hs6, hs6_name, bec4, bec5


def read_products(
    files: Mapping[str, Sequence[ReferenceFile]], base: str, categories: Categories, converted: Collection[str]
) -> list[dict[str, Any]]:
    """One row per code of the base revision: the codes that have a BEC category, and those in `converted`.

    `converted` are the codes that only conversion tables name. A name comes from the BEC table, else from BACI's lists.
    """
    rows = {code: {"hs6": code, "hs6_name": None, "bec4": None, "bec5": None} for code in converted} | categories
    named = {code for code, row in rows.items() if row["hs6_name"]}
    for file in files.get("baci_products", ()):
        if REVISION_OF_TWO_DIGITS.get(file.parameters["hs"]) != base:
            file.set_aside_csv("other_revision")
            continue
        names = _names(file, named, rows.keys())
        rows |= {code: {**rows[code], "hs6_name": name} for code, name in names.items()}
        named |= names.keys()
    return [{**rows[code], "hs_revision": base, "hs2": code[:2]} for code in sorted(rows)]


def _names(file: ReferenceFile, named: Collection[str], products: Collection[str]) -> dict[str, str]:
    """Names of products that have none yet. Of several rows for one code the last counts."""
    names: dict[str, str] = {}
    for row in file.csv_rows((("code",), ("description",))):
        code, name = row["code"], row["description"]
        if code in named:
            file.set_aside("already_named")
        elif code not in products:
            file.set_aside("no_product")
        elif code in names:
            file.set_aside("duplicate_equal" if names[code] == name else "duplicate_superseded")
            names[code] = name
        else:
            file.land()
            names[code] = name
    return names


def read_categories(files: Mapping[str, Sequence[ReferenceFile]], base: str) -> Categories:
    """The BEC categories of the base revision, from the first file that has it in the order of BEC_KINDS.

    SourceError when no file has them. Rows of the other files are counted and not looked at.
    """
    categories: Categories | None = None
    for kind in BEC_KINDS:
        for file in files.get(kind, ()):
            if categories is None:
                categories = _READERS[kind](file, base)
            else:
                _set_aside_superseded(file, base)
    if categories is None:
        year = YEAR_OF_REVISION[base]
        raise SourceError(
            f"reference data, BEC table of HS revision {base} (HS{year})",
            found=", ".join(file.address for kind in BEC_KINDS for file in files.get(kind, ()))
            or "no BEC table at all",
            expected=f"HS-SITC-BEC Correlations_2022.xlsx, a BEC workbook with that revision, or hs{year}_bec.csv",
            remedy="Place one in the drop folder's reference/ folder, or choose another CHOKEPOINT_HS_REVISION.",
        )
    return categories


def bec5_end_use(code: str) -> str | None:
    """End use (INT, CAP, CONS) of a BEC Rev.5 code: its third digit.

    Taken from UNSD's HS17BEC5 sheet, where code and end use stand side by side.
    """
    return {"1": "INT", "2": "CAP", "3": "CONS"}.get(code[2:3])


def _correlation_categories(file: ReferenceFile, base: str) -> Categories | None:
    """The first row of a code counts. None when no row has a code of the base revision."""
    column = CORRELATION_COLUMN[base]
    categories: Categories = {}
    for row in file.sheet_rows(CORRELATION_SHEET, (column, "bec4", "bec5")):
        code, bec4, bec5 = (_correlation_value(row[name]) for name in (column, "bec4", "bec5"))
        if code is None:
            file.set_aside("no_code")
            continue
        if code in categories:
            category = _category(code, None, bec4, bec5_end_use(bec5) if bec5 else None, file)
            file.set_aside("duplicate_equal" if category == categories[code] else "duplicate_superseded")
            continue
        categories[code] = _category(code, None, bec4, bec5_end_use(bec5) if bec5 else None, file)
        file.land()
    return categories or None


def _correlation_value(text: str) -> str | None:
    return None if text in ("", "NULL", UNSPECIFIED_GOODS) else text


def _workbook_categories(file: ReferenceFile, base: str) -> Categories | None:
    _set_aside_other_sheets(file, base)
    if base not in WORKBOOK_SHEETS:
        return None
    columns = ("hs6", "hs6desc", "bec4code", "bec5enduse")
    return _unique(file.sheet_rows(WORKBOOK_SHEETS[base], columns, WORKBOOK_SHEETS.values()), columns, file) or None


def _table_categories(file: ReferenceFile, base: str) -> Categories | None:
    if REVISION_OF_YEAR.get(file.parameters["hs_year"]) != base:
        file.set_aside_csv("other_revision")
        return None
    rows = file.csv_rows((("hs6",), ("bec4",), ("bec5_end_use",)), ("description",))
    return _unique(rows, ("hs6", "description", "bec4", "bec5_end_use"), file)


_READERS = {
    "correlations": _correlation_categories,
    "bec_workbook": _workbook_categories,
    "bec_table": _table_categories,
}


def _set_aside_superseded(file: ReferenceFile, base: str) -> None:
    """Count the rows of a file that a file before it makes unnecessary."""
    if file.kind == "correlations":
        file.set_aside_sheet(CORRELATION_SHEET, "superseded")
    elif file.kind == "bec_workbook":
        _set_aside_other_sheets(file, base)
        if base in WORKBOOK_SHEETS:
            file.set_aside_sheet(WORKBOOK_SHEETS[base], "superseded")
    else:
        of_base = REVISION_OF_YEAR.get(file.parameters["hs_year"]) == base
        file.set_aside_csv("superseded" if of_base else "other_revision")


def _set_aside_other_sheets(file: ReferenceFile, base: str) -> None:
    for revision, sheet in WORKBOOK_SHEETS.items():
        if revision != base:
            file.set_aside_sheet(sheet, "other_revision")


def _unique(rows: Sequence[Row], columns: tuple[str, str, str, str], file: ReferenceFile) -> Categories:
    """The categories, each code once; SourceError when a code stands in two of them: neither can be preferred.

    `columns` name the code, its description, its BEC Rev.4 code and its end use in BEC Rev.5.
    """
    categories: Categories = {}
    for row in rows:
        code, name, bec4, bec5 = (row.get(column) for column in columns)
        category = _category(code or "", name, bec4, bec5, file)
        first = categories.setdefault(category["hs6"], category)
        if (first["bec4"], first["bec5"]) != (category["bec4"], category["bec5"]):
            raise SourceError(
                f"{file.address}, HS code {category['hs6']}",
                found=f"BEC {first['bec4']}/{first['bec5']} and BEC {category['bec4']}/{category['bec5']}",
                expected="one category for each code",
                remedy="Fetch the publisher's file again, or take out the row that is wrong.",
            )
        if first is category:
            file.land()
        else:
            file.set_aside("duplicate_equal")
    return categories


def _category(code: str, name: str | None, bec4: str | None, bec5: str | None, file: ReferenceFile) -> dict[str, Any]:
    return {
        "hs6": require_six_digits(code, file),
        "hs6_name": value_or_none(name),
        "bec4": value_or_none(bec4),
        "bec5": value_or_none(bec5),
    }
