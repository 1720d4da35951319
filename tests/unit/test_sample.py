"""The embedded sample: the same bytes everywhere, every trap of the real data in it, and a truth that fits its rows."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from dagster_project.archive.payload import Payload
from dagster_project.datasets import samples as sample
from dagster_project.datasets.registry import DATASETS
from dagster_project.datasets.trade import sample as rendering
from dagster_project.sample import areas, codes, reporting
from dagster_project.sample.reporting import MORE_THAN_TRIPLED, NEW_GOODS, TRIPLED, UNIT_CHANGE, YEARS
from dagster_project.sample.truth import truth
from dagster_project.sources.files import find_files

# Changes with every change of the sample's reference and trade files, never with the machine, Python or NumPy version.
SHA256 = "4f45435b903d1c38ee3be1268c40d49255879f152821dc14b1c5ed2caf793a40"

Row = dict[str, str]


@pytest.fixture(scope="module")
def payloads() -> list[Payload]:
    return list(sample.payloads())


@pytest.fixture(scope="module")
def bodies(payloads: list[Payload]) -> dict[str, bytes]:
    """Path below the drop folder -> content, unpacked."""
    return {path_of(payload): unpacked(payload) for payload in payloads}


@pytest.fixture(scope="module")
def tables(bodies: dict[str, bytes]) -> dict[str, list[Row]]:
    """Path of every trade file -> its rows as text, by the API's field names where the file has the field."""
    return {path: read_rows(path, body) for path, body in bodies.items() if path.startswith("comtrade/")}


@pytest.fixture(scope="module")
def rows(tables: dict[str, list[Row]]) -> list[Row]:
    """The rows of all trade files."""
    return [row for table in tables.values() for row in table]


def path_of(payload: Payload) -> str:
    return payload.address.removeprefix("synthetic://sample/")


def unpacked(payload: Payload) -> bytes:
    assert isinstance(payload.body, bytes)
    return gzip.decompress(payload.body) if payload.address.endswith(".gz") else payload.body


def read_rows(path: str, body: bytes) -> list[Row]:
    spelling = {field.lower(): field for field in rendering.API_FIELDS}
    if ".json" in path:
        records = json.loads(body)["data"]
        return [{key: "" if value is None else str(value) for key, value in record.items()} for record in records]
    reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter="\t" if ".txt" in path else ",")
    return [{spelling.get(name.lower(), name): value for name, value in row.items()} for row in reader]


def test_same_bytes_on_every_machine(payloads: list[Payload]) -> None:
    digest = hashlib.sha256()
    for payload in payloads:
        if payload.dataset in ("reference", "trade"):
            assert isinstance(payload.body, bytes)
            digest.update(payload.address.encode() + payload.body)
    assert digest.hexdigest() == SHA256


def test_it_is_small_and_says_synthetic(payloads: list[Payload]) -> None:
    assert all(payload.provenance.synthetic and "synthetic" in payload.provenance.publisher for payload in payloads)
    assert all(payload.address.startswith("synthetic://") for payload in payloads)
    assert sum(payload.rows or 0 for payload in payloads if payload.dataset == "trade") < 150_000
    assert len(areas.economies()) == 42
    assert len({product.hs6[:2] for product in codes.products()}) >= 25


def test_drop_folder_holds_the_same_bytes_under_the_same_names(tmp_path: Path, payloads: list[Payload]) -> None:
    sample.write_drop_folder(tmp_path)
    found = find_files(tmp_path, [kind for each in DATASETS for kind in each.kinds])
    assert not found.ignored
    by_address = {payload.address.removeprefix("drop:"): payload for payload in found.payloads}
    assert by_address.keys() == {path_of(payload) for payload in payloads}
    for payload in payloads:
        from_file = by_address[path_of(payload)]
        assert isinstance(from_file.body, Path) and from_file.body.read_bytes() == payload.body
        assert (from_file.dataset, from_file.part, from_file.parameters) == (
            payload.dataset,
            payload.part,
            payload.parameters,
        )


def test_stored_gzip_is_gzip_at_every_size() -> None:
    for size in (0, 1, 65535, 65536, 200_000):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert gzip.decompress(rendering.stored_gzip(body)) == body


def test_json_is_the_api_envelope_with_all_fields(bodies: dict[str, bytes]) -> None:
    plain = json.loads(bodies["comtrade/C_A_2017_HS_152.json"])
    described = json.loads(bodies["comtrade/C_A_2017_HS_757.json.gz"])
    for envelope in (plain, described):
        assert envelope["count"] == len(envelope["data"]) and envelope["error"] == ""
        assert set(envelope["data"][0]) == set(rendering.API_FIELDS) and len(rendering.API_FIELDS) == 47
        assert isinstance(envelope["data"][0]["cmdCode"], str) and isinstance(envelope["data"][0]["motCode"], int)
    assert plain["data"][0]["reporterISO"] is None and described["data"][0]["reporterISO"] == "CHE"


def test_rows_stated_are_rows_held(payloads: list[Payload], tables: dict[str, list[Row]]) -> None:
    for payload in payloads:
        if payload.dataset == "trade":
            assert payload.rows == len(tables[path_of(payload)])


# --- the traps of the real data, as a reader of the files meets them


def test_world_rows_and_breakdown_rows_would_count_trade_twice(rows: list[Row]) -> None:
    assert any(row["partnerCode"] == "0" and row["cmdCode"].isdigit() for row in rows)
    broken_down = Counter(
        field
        for row in rows
        for field, total in (("partner2Code", "0"), ("motCode", "0"), ("customsCode", "C00"))
        if row[field] != total
    )
    assert min(broken_down[field] for field in ("partner2Code", "motCode", "customsCode")) > 100


def test_flows_that_are_parts_of_others(rows: list[Row]) -> None:
    assert {"M", "X", "RM", "RX", "DX"} == {row["flowCode"] for row in rows}
    assert sum(row["reporterCode"] == row["partnerCode"] for row in rows) > 100


def test_areas_that_are_no_country_and_one_that_is(rows: list[Row]) -> None:
    partners = {int(row["partnerCode"]) for row in rows}
    assert {0, 568, 837, 838, 839, 879, 899} <= partners
    assert {row["reporterCode"] for row in rows} >= {"97", "975", "490"}
    assert any(row["reporterISO"] == "R4 " for row in rows if "reporterISO" in row)


def test_revisions(rows: list[Row]) -> None:
    assert {"H3", "H4", "H5", "HS"} == {row["classificationCode"] for row in rows}
    of_philippines = {
        row["classificationCode"] for row in rows if (row["reporterCode"], row["refYear"]) == ("608", "2018")
    }
    assert of_philippines == {"H4", "H5"}


def test_codes_need_care(rows: list[Row]) -> None:
    code_lengths = Counter(len(row["cmdCode"]) for row in rows if row["cmdCode"] != "TOTAL")
    assert code_lengths[2] > 100 and code_lengths[4] > 100 and code_lengths[5] == 3
    assert any(row["cmdCode"].startswith("0") and len(row["cmdCode"]) == 6 for row in rows)
    assert any(row["cmdCode"] == "TOTAL" for row in rows) and any(row["cmdCode"] == "999999" for row in rows)


def test_values_and_quantities_need_care(rows: list[Row]) -> None:
    australia = [row for row in rows if row["reporterCode"] == "36" and row["flowCode"] == "M"]
    canada = [row for row in rows if row["reporterCode"] == "124" and row["flowCode"] == "M"]
    assert all(
        float(row["cifvalue"]) > float(row["fobvalue"]) > 0 for row in australia if row["primaryValue"] != "0.01"
    )
    assert {row["cifvalue"] for row in canada} == {"", "0.0"} and all(float(row["primaryValue"]) > 0 for row in canada)
    unknown = {row["qty"] for row in rows if row["qtyUnitCode"] == "-1"}
    assert unknown == {"", "0.0"}
    assert {row["mosCode"] for row in rows if "mosCode" in row} == {"0", "0 "}
    bad = Counter(row["primaryValue"] for row in rows if not row["primaryValue"].replace(".", "").isdigit())
    assert bad == {"-1250.0": 3, "n/a": 3, "NaN": 3, "": 3}
    assert {"777"} <= {row["partnerCode"] for row in rows} and {"778"} <= {row["reporterCode"] for row in rows}


def test_weights_and_estimates_need_care(rows: list[Row]) -> None:
    weighed = [row for row in rows if row.get("netWgt") or row.get("netWeight")]
    estimated = [row for row in weighed if row["isNetWgtEstimated"].lower() == "true"]
    assert 0.1 < len(estimated) / len(weighed) < 0.4
    assert any("netWgt" not in row and "netWeight" not in row and row["qtyUnitCode"] == "8" for row in rows)
    kept = [row for row in rows if row.get("isQtyEstimated", "").lower() == "true" and row["altQtyUnitCode"] == "5"]
    assert kept and all(float(row["qty"]) == 2 * float(row["altQty"]) for row in kept)
    reporter, code = map(str, UNIT_CHANGE)
    units: dict[str, set[str]] = {row["refYear"]: set() for row in rows}
    for row in rows:
        if (row["reporterCode"], row["cmdCode"], row["flowCode"]) == (reporter, code, "M"):
            units[row["refYear"]] |= {row["qtyUnitCode"]} - {"-1"}
    assert units == {"2017": {"5"}, "2018": {"8"}, "2019": {"8"}}


def test_two_prices_lie_at_the_limit_of_a_link_and_beyond_it(rows: list[Row]) -> None:
    def price(cell: tuple[int, int, str], year: str) -> float:
        importer, exporter, code = cell
        key = (str(importer), str(exporter), code, year, "M")
        [row] = [
            row for row in rows
            if (row["reporterCode"], row["partnerCode"], row["cmdCode"], row["refYear"], row["flowCode"]) == key
        ]  # fmt: skip
        return float(row["primaryValue"]) / float(row.get("netWgt") or row["netWeight"])

    assert math.log(price(TRIPLED, "2018") / price(TRIPLED, "2017")) == math.log(3)
    assert math.log(price(MORE_THAN_TRIPLED, "2018") / price(MORE_THAN_TRIPLED, "2017")) > math.log(3)


def test_a_good_is_new_in_the_data(rows: list[Row]) -> None:
    [(code, first)] = NEW_GOODS.items()
    assert min(YEARS) < first
    assert {int(row["refYear"]) for row in rows if row["cmdCode"] == code} == {year for year in YEARS if year >= first}


def test_a_later_row_has_lost_its_quantity(tables: dict[str, list[Row]]) -> None:
    later = [row for year in YEARS for row in tables[f"comtrade/corrections_{year}.csv"]]
    assert any(not float(row["netWgt"] or 0) and row["qtyUnitCode"] == "-1" for row in later)


def test_which_countries_do_not_report(rows: list[Row]) -> None:
    reporters = {(row["reporterCode"], row["refYear"], row["flowCode"]) for row in rows}
    codes_seen = {reporter for reporter, _, _ in reporters}
    assert not codes_seen & {"50", "180", "604", "682"}
    assert ("818", "2017", "M") in reporters and not any(reporter[:2] == ("818", "2018") for reporter in reporters)
    assert ("566", "2019", "X") in reporters and ("566", "2019", "M") not in reporters
    assert {row["partnerCode"] for row in rows if (row["reporterCode"], row["refYear"]) == ("31", "2019")} == {"0"}


def test_repeated_and_corrected_rows_across_files(bodies: dict[str, bytes], tables: dict[str, list[Row]]) -> None:
    path = "comtrade/corrections_2018.csv"
    key = ("reporterCode", "flowCode", "partnerCode", "cmdCode")
    first: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for other, table in tables.items():
        if other != path:
            for row in table:
                if (row["refYear"], row["partner2Code"], row["motCode"], row["customsCode"]) == (
                    "2018",
                    "0",
                    "0",
                    "C00",
                ):
                    first[tuple(row[name] for name in key)].append(row)
    equal, changed, stated = 0, 0, 0
    for row in tables[path]:
        (earlier,) = first[tuple(row[name] for name in key)]
        equal += float(earlier["primaryValue"]) == float(row["primaryValue"])
        changed += float(earlier["primaryValue"]) != float(row["primaryValue"])
        stated += (earlier["classificationCode"], row["classificationCode"]) == ("HS", "H5")
    assert equal > 20 and changed > 5 and stated > 0
    assert any(len(copies) == 2 for copies in first.values())
    assert bodies[path].startswith(b"\xef\xbb\xbfTYPECODE,")


def test_file_spellings(bodies: dict[str, bytes]) -> None:
    assert b"\tCIFValue\tFOBValue\t" in bodies["comtrade/C_A_392_201701_H5_O.txt.gz"].splitlines()[0]
    assert b",netWeight," in bodies["comtrade/C_A_2018_HS_full.csv.gz"].splitlines()[0]
    assert b",netWgt," in bodies["comtrade/C_A_2019_HS_full.csv.gz"].splitlines()[0]


# --- reference files


def test_reference_lists(bodies: dict[str, bytes]) -> None:
    assert bodies["reference/partnerAreas.json"].startswith(b"\xef\xbb\xbf")
    reporters = {entry["id"]: entry for entry in json.loads(bodies["reference/Reporters.json"])["results"]}
    partners = {
        entry["id"]: entry for entry in json.loads(bodies["reference/partnerAreas.json"].decode("utf-8-sig"))["results"]
    }
    assert reporters[97]["isGroup"] and reporters[975]["reporterCodeIsoAlpha3"] == "R4 " and 97 not in partners
    assert reporters[490]["isGroup"] and not partners[490]["isGroup"] and partners[490]["PartnerCodeIsoAlpha3"] == "S19"
    assert {code for code in partners if partners[code]["PartnerCodeIsoAlpha3"] == "USA"} == {840, 841, 842}
    assert all(reporters[code]["entryExpiredDate"] < "2017" for code in (58, 280, 356, 841))
    assert "entryExpiredDate" not in reporters[842] and partners[0]["PartnerCodeIsoAlpha3"] == "W00"


def test_bec_table(bodies: dict[str, bytes]) -> None:
    table = list(csv.DictReader(io.StringIO(bodies["reference/hs2017_bec.csv"].decode())))
    assert len({row["hs6"] for row in table}) == len(table) > 400
    by_code = {row["hs6"]: row for row in table}
    assert (
        by_code["854231"]["bec4"] == "42" and by_code["870380"]["bec4"] == "51" and by_code["090111"]["bec4"] == "111"
    )
    for row in table:
        assert math.isclose(sum(float(row[name]) for name in ("bec4_int", "bec4_cons", "bec4_cap")), 1.0, abs_tol=1e-5)
    assert "854143" not in by_code  # HS 2022


@pytest.mark.parametrize(("source", "target"), [("H4", "H5"), ("H3", "H4")])
def test_conversion_weights(bodies: dict[str, bytes], source: str, target: str) -> None:
    text = bodies[f"reference/conversion_weights_{source}_to_{target}.csv"].decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert list(table[0]) == [source, target, "weight", "group_id"]
    sums: dict[str, float] = defaultdict(float)
    for row in table:
        sums[row[source].zfill(6)] += float(row["weight"])
    assert all(abs(total - 1) < 1e-12 for total in sums.values())
    assert any(float(row["weight"]) == 0 for row in table)
    lost = [row for row in table if len(row[source]) == 5]
    assert lost and all(row["group_id"] == "" and float(row["weight"]) == 1 for row in lost)
    assert any(row[source] != row[target] for row in table if row["group_id"] == "")
    assert any(0 < float(row["weight"]) < 1e-12 for row in table) == (source == "H4")


def test_every_code_of_an_old_revision_leads_to_known_goods() -> None:
    known = {product.hs6 for product in codes.products()}
    for revision, table in (("H4", codes.weights_h4_h5()), ("H3", codes.weights_h3_h4())):
        for source in {row.source for row in table} - {codes.UNSPECIFIED_GOODS}:
            targets = codes.to_base(revision, source)
            assert {hs6 for hs6, _ in targets} <= known
            assert math.isclose(sum(weight for _, weight in targets), 1.0, abs_tol=1e-12)
    assert dict(codes.to_base("H3", "850780"))["850760"] == 0.8
    assert codes.from_base("H3", "850760") == "850780" and codes.from_base("H4", "870380") == "870390"


# --- the ground truth


def test_truth_counts_every_row(payloads: list[Payload]) -> None:
    total = sum(payload.rows or 0 for payload in payloads if payload.dataset == "trade")
    assert sum(truth().fates.values()) == total
    assert {year for year, _ in truth().fates} == set(YEARS)


def test_mirrors_and_unallocated() -> None:
    known = truth()
    mirrored = {(importer, year) for (year, _, importer, _), (_, is_mirror) in known.flows.items() if is_mirror}
    never = {(code, year) for year in YEARS for code in reporting.NEVER_REPORT}
    assert mirrored == never | reporting.SILENT_YEARS | reporting.EXPORTS_ONLY | reporting.WORLD_ROWS_ONLY
    assert any(partner == 31 for year, _, flow, partner, _ in known.landed if (year, flow) == (2019, "X"))
    importer, good = reporting.UNALLOCATED_ONLY
    assert (2018, importer, good) in known.unallocated
    assert not any((importer, good) == (key[2], key[3]) for key in known.flows)


def test_partners_add_up_to_world_rows_but_for_known_cells() -> None:
    known = truth()
    sums: dict[tuple[int, int, str, str], float] = defaultdict(float)
    for parts in (known.landed, known.landed_unallocated, known.re_imports):
        for (year, reporter, flow, _, code), value in parts.items():
            sums[year, reporter, flow, code] += value
    beyond, short = [], set()
    for (year, reporter, flow, _, code), world in known.control_totals.items():
        partners = sums.get((year, reporter, flow, code), 0.0)
        if partners > world * (1 + 1e-9):
            beyond.append((year, reporter, flow))
        elif partners < world * (1 - 1e-9):
            short.add((reporter, year) if partners == 0 else reporter)
    assert beyond == [(2019, 76, "M")]
    assert short == {reporting.CONFIDENTIAL, (31, 2019)}


@pytest.mark.parametrize("importer", [156, 842, 276])
def test_all_four_categories_occur(importer: int) -> None:
    intermediate = {
        product.hs6
        for product in codes.products()
        if product.bec4 in ("111", "121", "21", "22", "31", "322", "42", "53")
    }
    imports: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    exporters: dict[str, set[int]] = defaultdict(set)
    for (year, exporter, buyer, hs6), (value, _) in truth().flows.items():
        if year == 2017 and hs6 in intermediate:
            imports[hs6, buyer][exporter] = value
            exporters[hs6].add(exporter)
    centrality = {}
    for hs6, sellers in exporters.items():
        buyers = {buyer for code, buyer in imports if code == hs6}
        everyone = sorted(sellers | buyers)
        if len(everyone) >= 3:
            degree = dict.fromkeys(everyone, 0.0)
            for buyer in buyers:
                flows = imports[hs6, buyer]
                for exporter, value in flows.items():
                    degree[exporter] += value / sum(flows.values()) * len(flows) / (len(everyone) - 1)
            centrality[hs6] = float(np.std(list(degree.values())))
    high_centrality = np.quantile(list(centrality.values()), 0.75)
    hhi = {
        hs6: sum((value / sum(flows.values())) ** 2 for value in flows.values())
        for (hs6, buyer), flows in imports.items()
        if buyer == importer
    }
    high_hhi = np.quantile(list(hhi.values()), 0.75)
    categories = Counter(
        (centrality.get(hs6, 0.0) >= high_centrality, concentration >= high_hhi) for hs6, concentration in hhi.items()
    )
    assert all(categories[pair] >= 3 for pair in ((True, True), (True, False), (False, True), (False, False))), (
        categories
    )
    assert high_hhi < 1.0
