"""Names that Comtrade's columns bear in other programs and in its former service, as the names of today.

Not here: what the columns mean (see `comtrade_rows`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from dagster_project.datasets.trade.comtrade_files import FIELDS
from dagster_project.landing.delimited import TextTable

KNOWN = frozenset(field.lower() for field in FIELDS)

FORMER_LAYOUT = "the layout of Comtrade's former service, which ended in 2023"
# Name in the former service's API or its downloads (letters and digits only) -> name of today. Codes, words of flows
# and US dollars are what they are today. A name earlier in the list counts first.
FORMER_NAMES: Mapping[str, str] = {
    "yr": "refyear", "year": "refyear", "rgcode": "flowcode", "tradeflowcode": "flowcode", "rgdesc": "flowcode",
    "tradeflow": "flowcode", "rtcode": "reportercode", "rttitle": "reporterdesc", "rt3iso": "reporteriso",
    "reporter": "reporterdesc", "ptcode": "partnercode", "pttitle": "partnerdesc", "pt3iso": "partneriso",
    "partner": "partnerdesc", "ptcode2": "partner2code", "2ndpartnercode": "partner2code",
    "pfcode": "classificationcode", "classification": "classificationcode", "commoditycode": "cmdcode",
    "cmddesce": "cmddesc", "commodity": "cmddesc", "cstcode": "customscode", "customsproccode": "customscode",
    "modeoftransportcode": "motcode", "tradevalue": "primaryvalue", "tradevalueus": "primaryvalue",
    "tradequantity": "qty", "qtcode": "qtyunitcode", "qtdesc": "qtyunitabbr", "qtyunit": "qtyunitabbr",
    "netweight": "netwgt", "netweightkg": "netwgt",
}  # fmt: skip
# Some of today's files head the net weight as the former service did; nothing else about them is of that time.
_OLDER_NAMES: Mapping[str, str] = {"netweight": "netwgt"}
# Any two of these tell the former service: no file of today has one of them.
_FORMER = frozenset({"yr", "rgcode", "rgdesc", "rtcode", "ptcode", "pfcode", "tradevalue", "tradevalueus", "tradeflow"})


def with_known_names(table: TextTable) -> TextTable:
    """The table with its columns under the names of today, whether they were written in one word, in snake_case (as
    the R package comtradr gives them), in words, or as the former service named them.
    """
    columns = dict(table.columns)
    older = FORMER_NAMES if is_former_layout(table) else _OLDER_NAMES
    for name in table.columns:
        bare = _bare(name)
        if bare != name and bare in KNOWN and bare not in columns:
            columns[bare] = columns.pop(name)
    for bare_older, today in older.items():
        named = next((name for name in columns if _bare(name) == bare_older), None)
        if named is not None and today not in columns:
            columns[today] = columns.pop(named)
    today_of = {written: name for name, written in columns.items()}
    repeated = frozenset(today_of[table.columns[name]] for name in table.repeated)
    return replace(table, columns=columns, repeated=repeated)


def is_former_layout(table: TextTable) -> bool:
    """Whether the columns are those of the service that ended in 2023."""
    return len(_FORMER & {_bare(name) for name in table.columns.values()}) >= 2


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
