"""Reference data: classifications, country lists and HS conversion tables. Which files they are, and on what terms.

Not here: their columns (see `areas`, `classification`, `conversion`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.archive.payload import Payload, Provenance
from dagster_project.sources.cepii import BACI, RELEASE
from dagster_project.sources.files import FileKind

_COUNTRY_LISTS = ("reporters", "partner_areas", "baci_countries")

UNSD = Provenance(
    source="unsd",
    publisher="United Nations Statistics Division",
    citation="United Nations Statistics Division, HS-SITC-BEC correlation and conversion tables, "
    "https://unstats.un.org/unsd/classifications/Econ",
    licence="United Nations terms of use",
)
COMTRADE_LISTS = Provenance(
    source="comtrade",
    publisher="United Nations Statistics Division, UN Comtrade",
    citation="UN Comtrade reference tables, https://comtradeapi.un.org/files/v1/app/reference/ListofReferences.json",
    licence="UN Comtrade terms of use: internal use; redistribution needs permission",
)
GROWTH_LAB = Provenance(
    source="growth_lab",
    publisher="Harvard Growth Lab",
    citation="Lukaszuk, P. and Torun, D. (2022). Harmonizing the Harmonized System; weights by Harvard Growth Lab, "
    "https://github.com/harvard-growth-lab/comtrade-conversion-weights",
    licence="Apache-2.0",
)


def _kind(kind: str, pattern: str, looked_for: str, provenance: Provenance) -> FileKind:
    return FileKind(kind, "reference", rf"(.*/)?{pattern}", looked_for, "reference", provenance)


_BACI_ZIP = rf"(.*/)?BACI_HS\d\d_{RELEASE}\.zip"
COUNTRY_CODES = FileKind(
    "baci_countries",
    "baci",
    rf"(.*/)?country_codes_{RELEASE}\.csv",
    "country_codes_V<release>.csv",
    "reference",
    BACI,
    _BACI_ZIP,
)
PRODUCT_NAMES = FileKind(
    "baci_products",
    "baci",
    rf"(.*/)?product_codes_HS(?P<hs>\d\d)_{RELEASE}\.csv",
    "product_codes_HS<nn>_V<release>.csv",
    "reference",
    BACI,
    _BACI_ZIP,
)
FILE_KINDS = (
    _kind("reporters", r"Reporters\.json", "Reporters.json", COMTRADE_LISTS),
    _kind("partner_areas", r"partnerAreas\.json", "partnerAreas.json", COMTRADE_LISTS),
    _kind(
        "correlations",
        r"HS-SITC-BEC.*\.(?P<format>xlsx|csv)",
        "HS-SITC-BEC Correlations_2022.xlsx (or a .csv of its sheet)",
        UNSD,
    ),
    _kind("bec_workbook", r"HS2012-17-BEC5.*\.xlsx", "HS2012-17-BEC5 -- 08 Nov 2018.xlsx", UNSD),
    _kind(
        "bec_table", r"hs(?P<hs_year>\d{4})_bec\.csv", "hs<year>_bec.csv with the columns hs6, bec4, bec5_end_use", UNSD
    ),
    _kind(
        "conversion_workbook",
        r"HS ?(?P<from_year>\d{4}) to HS ?(?P<to_year>\d{4}).*\.(?P<format>xlsx|csv)",
        "HS <year> to HS <year> ConversionAndCorrelationTables.xlsx (or a .csv of its first sheet)",
        UNSD,
    ),
    _kind(
        "conversion_weights",
        r"conversion_weights_(?P<from_revision>H\d)_to_(?P<to_revision>H\d)\.csv",
        "conversion_weights_<revision>_to_<revision>.csv",
        GROWTH_LAB,
    ),
    COUNTRY_CODES,
    PRODUCT_NAMES,
)


def lists_in_use(payloads: Sequence[Payload]) -> tuple[list[Payload], list[str]]:
    """The payloads to use, and the names of the others, with the reason.

    Code lists inside BACI's zip are used where no other such list is there.
    """

    def subject(payload: Payload) -> tuple[str, str]:
        kind = payload.parameters["kind"]
        return ("countries" if kind in _COUNTRY_LISTS else kind, payload.parameters.get("hs", ""))

    beside = {subject(payload) for payload in payloads if "!" not in payload.part}
    others = [payload for payload in payloads if "!" in payload.part and subject(payload) in beside]
    # Of several zips, each with the same lists, the newest release's are used.
    inside = [payload for payload in payloads if "!" in payload.part and payload not in others]
    newest: dict[tuple[str, str], Payload] = {}
    for payload in inside:
        known = newest.setdefault(subject(payload), payload)
        if payload.parameters["release"].lower() > known.parameters["release"].lower():
            newest[subject(payload)] = payload
    older = [payload for payload in inside if payload not in newest.values()]
    unused = [
        *(f"{payload.address} (such a list lies beside the zip)" for payload in others),
        *(f"{payload.address} (a newer release is there)" for payload in older),
    ]
    return [payload for payload in payloads if payload not in others and payload not in older], unused
