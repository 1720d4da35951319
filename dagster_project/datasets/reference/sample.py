"""The sample's code lists, classification and conversion tables as the files in which their publishers deliver them.

Not here: the lists themselves (see `sample.areas` and `sample.codes`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from dagster_project.hs import TAIWAN
from dagster_project.sample import areas, codes
from dagster_project.sample.files import SampleFile

Listed = areas.Area | areas.Economy


def reference_files() -> Iterator[SampleFile]:
    """Every reference file."""
    reporters = _reporters()
    yield "reference/Reporters.json", _reference_json(reporters, _reporter_entry), len(reporters)
    partners = _partners()
    # Some of the publisher's reference files begin with a byte order mark.
    body = b"\xef\xbb\xbf" + _reference_json(partners, _partner_entry)
    yield "reference/partnerAreas.json", body, len(partners)
    goods = codes.products()
    yield "reference/hs2017_bec.csv", _bec_table(), len(goods)
    for name, header, table in (
        ("conversion_weights_H4_to_H5.csv", ("H4", "H5"), codes.weights_h4_h5()),
        ("conversion_weights_H3_to_H4.csv", ("H3", "H4"), codes.weights_h3_h4()),
    ):
        yield f"reference/{name}", _weights_table(header, table), len(table)
    body = _csv(("code", "description"), ((product.hs6, _sentence(product.name)) for product in goods))
    yield "baci/product_codes_HS17_V201901.csv", body, len(goods)


def _reporters() -> list[Listed]:
    return _sorted([*areas.economies(), *areas.GROUPS, *areas.EXPIRED])


def _partners() -> list[Listed]:
    return _sorted([*areas.economies(), areas.WORLD, *areas.UNSPECIFIED, *areas.EXPIRED, *areas.PARTNER_ONLY])


def _sorted(listed: Sequence[Listed]) -> list[Listed]:
    return sorted(listed, key=lambda area: (area.name, area.code))


def _reference_json(listed: Iterable[Listed], entry: object) -> bytes:
    assert callable(entry)
    results = {"results": [entry(area) for area in listed]}
    return json.dumps(results, ensure_ascii=False, indent=2).encode()


def _reporter_entry(area: Listed) -> dict[str, object]:
    # The publisher flags Taiwan's number as a group here and only here.
    is_group = area.code == TAIWAN or _is_group(area)
    return _entry(area, prefix="reporter", note="reporterNote", is_group=is_group)


def _partner_entry(area: Listed) -> dict[str, object]:
    return _entry(area, prefix="Partner", note="partnerNote", is_group=_is_group(area))


def _is_group(area: Listed) -> bool:
    return isinstance(area, areas.Area) and area.is_group


def _entry(area: Listed, *, prefix: str, note: str, is_group: bool) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": area.code,
        "text": area.name,
        f"{prefix}Code": area.code,
        f"{prefix}Desc": area.name,
        note: area.name.replace(", nes", ", not elsewhere specified"),
    }
    if area.iso2:
        entry[f"{prefix}CodeIsoAlpha2"] = area.iso2
    entry[f"{prefix}CodeIsoAlpha3"] = area.iso3
    effective = area.effective if isinstance(area, areas.Area) else "1900"
    entry["entryEffectiveDate"] = f"{effective}-01-01T00:00:00"
    if isinstance(area, areas.Area) and area.expired:
        entry["entryExpiredDate"] = f"{area.expired}-12-31T00:00:00"
    entry["isGroup"] = is_group
    return entry


def _bec_table() -> bytes:
    header = ("hs6", "bec4", "bec4_int", "bec4_cons", "bec4_cap", "bec5_end_use", "description")
    return _csv(
        header,
        (
            (
                product.hs6,
                product.bec4,
                *_end_use_shares(product.bec5),
                product.bec5,
                _sentence(product.name),
            )
            for product in codes.products()
        ),
    )


def _end_use_shares(bec5: str) -> tuple[str, ...]:
    """Shares of intermediate, consumption and capital use: even between the end uses that BEC Rev. 5 names."""
    uses = bec5.split("/")
    return tuple(f"{1 / len(uses):g}" if use in uses else "0" for use in ("INT", "CONS", "CAP"))


def _weights_table(header: tuple[str, str], table: Sequence[codes.Weight]) -> bytes:
    """As published: rows without a group have lost their leading zero, in both columns."""

    def code(text: str, group: int | None) -> str:
        return text if group is not None else str(int(text))

    return _csv(
        (*header, "weight", "group_id"),
        (
            (code(row.source, row.group), code(row.target, row.group), repr(row.weight), row.group or "")
            for row in table
        ),
    )


def _sentence(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
