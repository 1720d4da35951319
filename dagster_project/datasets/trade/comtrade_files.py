"""UN Comtrade: annual bilateral goods trade as reported. Which files are Comtrade rows, and on what terms.

Not here: the meaning of columns and rows (see `comtrade_rows` and `landing`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Provenance
from dagster_project.sources.files import FileKind

COMTRADE = Provenance(
    source="comtrade",
    publisher="United Nations Statistics Division, UN Comtrade",
    citation="United Nations Statistics Division, UN Comtrade Database, https://comtradeplus.un.org",
    licence="UN Comtrade terms of use: internal use; redistribution needs permission",
)

# The record of the API, in its order.
# fmt: off
FIELDS = (
    "typeCode", "freqCode", "refPeriodId", "refYear", "refMonth", "period", "reporterCode", "reporterISO",
    "reporterDesc", "flowCode", "flowDesc", "partnerCode", "partnerISO", "partnerDesc", "partner2Code",
    "partner2ISO", "partner2Desc", "classificationCode", "classificationSearchCode", "isOriginalClassification",
    "cmdCode", "cmdDesc", "aggrLevel", "isLeaf", "customsCode", "customsDesc", "mosCode", "motCode", "motDesc",
    "qtyUnitCode", "qtyUnitAbbr", "qty", "isQtyEstimated", "altQtyUnitCode", "altQtyUnitAbbr", "altQty",
    "isAltQtyEstimated", "netWgt", "isNetWgtEstimated", "grossWgt", "isGrossWgtEstimated", "cifvalue",
    "fobvalue", "primaryValue", "legacyEstimationFlag", "isReported", "isAggregate",
)
# fmt: on

FILE_KINDS = (
    FileKind(
        kind="comtrade_rows",
        folder="comtrade",
        pattern=r"(.*/)?([^/]+\.(?P<format>csv|json|txt|tsv)(\.gz)?|COMTRADE-FINAL(CLASSIC)?-[^/]+\.gz)",
        looked_for="Comtrade API rows as .csv, .csv.gz, .json, .json.gz, or bulk files .txt.gz, COMTRADE-FINAL-….gz",
        dataset="trade",
        provenance=COMTRADE,
    ),
)
