"""Each trade counts once, and none is lost for a name: breakdowns, codes of one economy, editions, who reports.

Not here: the order of the rules, and single rows (test_landing_trade).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dagster_project.checks.views import over_landing
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.datasets.trade.landing_checks import TRADE_LANDING
from dagster_project.errors import SourceError
from tests.helpers.check_cases import outcome
from tests.helpers.landing_desk import FIELDS, Desk, Landed, as_csv, row

CHN, DEU, USA, PHL, TWN = 156, 276, 842, 608, 490
# code, name, ISO code, valid from, valid to; the first ones are in the list of reporters, the others only of partners
REPORTERS = [
    (0, "World", "W00", 1900, None), (156, "China", "CHN", 1900, None), (276, "Germany", "DEU", 1991, None),
    (280, "Fed. Rep. of Germany (...1990)", "DEU", 1900, 1990), (842, "USA", "USA", 1981, None),
    (251, "France", "FRA", 1900, None), (699, "India", "IND", 1975, None), (356, "India (...1974)", "IND", 1900, 1974),
    (757, "Switzerland", "CHE", 1900, None), (579, "Norway", "NOR", 1900, None),
    (608, "Philippines", "PHL", 1900, None), (490, "Other Asia, nes", "S19", 1900, None),
]  # fmt: skip
PARTNERS = [
    (840, "United States of America", "USA", 1900, None), (250, "Metropolitan France", "FRA", 1900, None),
    (756, "Switzerland", "CHE", 1900, None), (578, "Norway, excluding Svalbard", "NOR", 1900, None),
    (158, "Taiwan, Province of China", "TWN", 1900, None),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def listed(desk: Desk) -> Desk:
    """A desk with Comtrade's two lists: areas with ISO codes and the years in which their codes are valid."""
    desk.write("reference/Reporters.json", json.dumps({"results": [area("reporter", *each) for each in REPORTERS]}))
    partners = [area("Partner", *each) for each in (*REPORTERS, *PARTNERS)]
    desk.write("reference/partnerAreas.json", json.dumps({"results": partners}))
    return desk


def area(side: str, code: int, name: str, iso3: str, since: int, until: int | None) -> dict[str, object]:
    item: dict[str, object] = {
        "id": code,
        "text": name,
        f"{side}CodeIsoAlpha3": iso3,
        "entryEffectiveDate": f"{since}-01-01T00:00:00",
        "isGroup": code in (0, 490),
    }
    return item | ({"entryExpiredDate": f"{until}-12-31T00:00:00"} if until else {})


def flows(landed: Landed) -> dict[tuple[int, str, int, str], float]:
    return {
        (each["reporter_code"], each["flow"], each["partner_code"], each["cmd_code"]): each["value_usd"]
        for each in landed.table("trade_flows")
    }


def findings(landed: Landed, name: str) -> list[Mapping[str, Any]]:
    return [each for each in landed.table("trade_findings") if each["finding"] == name]


def accounted(landed: Landed) -> dict[str, int]:
    """The accounting, after adding it up: every row that was read is somewhere, once."""
    counts = landed.counts()
    assert counts["rows_read"] == sum(
        n for rule, n in counts.items() if rule != "rows_read" and not rule.startswith("noted:")
    )
    assert counts.get("landed", 0) == len(landed.table("trade_flows"))
    return counts


# --- breakdowns -------------------------------------------------------------------------------------------------------


def test_breakdown_rows_without_their_total_are_summed(desk: Desk) -> None:
    desk.rows(
        row(motCode=2100, customsCode="C01", primaryValue=60, qty=6), row(motCode=1000, customsCode="C01", qty=3,
        primaryValue=30), row(motCode=2100, customsCode="C04", primaryValue=5, qty=1),
        row(partnerCode=DEU, motCode=2100, customsCode="C01", primaryValue=40),
    )  # fmt: skip
    landed = desk.land()
    assert flows(landed) == {(CHN, "M", USA, "854231"): 95, (CHN, "M", DEU, "854231"): 40}
    assert accounted(landed) == {"rows_read": 4, "landed": 2, "breakdown_summed": 2, "noted:breakdown_summed": 4}
    assert [each["quantity"] for each in landed.table("trade_flows") if each["partner_code"] == USA] == [10]
    [found] = findings(landed, "breakdown_summed")
    assert (found["reporter_code"], found["code"], found["n_rows"], found["value_usd"]) == (CHN, "854231", 4, 135)


def test_breakdown_rows_beside_their_total_repeat_it(desk: Desk) -> None:
    desk.rows(row(primaryValue=100), row(motCode=2100, primaryValue=70), row(partnerCode=DEU, motCode=2100))
    landed = desk.land()
    assert flows(landed) == {(CHN, "M", USA, "854231"): 100, (CHN, "M", DEU, "854231"): 100}
    assert accounted(landed)["breakdown_duplicate"] == 1


def test_several_breakdowns_of_one_flow_count_once(desk: Desk) -> None:
    desk.rows(
        row(motCode=2100, primaryValue=60), row(motCode=1000, primaryValue=40),  # by transport: all of it
        row(customsCode="C01", primaryValue=90),  # by customs procedure: a part
        row(partner2Code=DEU, primaryValue=50), row(partner2Code=PHL, primaryValue=49),
    )  # fmt: skip
    landed = desk.land()
    assert landed.values() == [100]
    assert accounted(landed) == {
        "rows_read": 5, "landed": 1, "breakdown_summed": 1, "breakdown_duplicate": 3, "noted:breakdown_summed": 2
    }  # fmt: skip


def test_a_breakdown_row_that_is_there_twice_counts_once(desk: Desk) -> None:
    desk.rows(row(motCode=2100, primaryValue=60), row(motCode=1000, primaryValue=40), name="a.csv")
    desk.rows(row(motCode=2100, primaryValue=65), row(motCode=1000, primaryValue=40), name="b.csv")
    landed = desk.land()
    assert landed.values() == [105]
    counts = accounted(landed)
    assert (counts["duplicate_equal"], counts["quarantined:superseded"], counts["breakdown_summed"]) == (1, 1, 1)


def test_control_totals_by_breakdown_are_summed_too(desk: Desk) -> None:
    desk.rows(
        row(), row(partnerCode=0, motCode=2100, primaryValue=60), row(partnerCode=0, motCode=1000, primaryValue=40)
    )
    landed = desk.land()
    assert landed.values("trade_control_totals") == [100]
    assert accounted(landed)["control_total"] == 2


def test_a_good_of_which_only_the_heading_is_there_is_named(desk: Desk) -> None:
    desk.rows(row(), row(cmdCode="8542"), row(cmdCode="2510", primaryValue=7), row(cmdCode="26"), row(cmdCode="85"))
    landed = desk.land()
    assert accounted(landed)["code_level"] == 4
    named = {each["code"]: each["value_usd"] for each in findings(landed, "heading_only")}
    assert named == {"2510": 7, "26": 100}


# --- who reports ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "useless",
    [
        [row(partnerCode=0)],
        [row(cmdCode="8542"), row(cmdCode="TOTAL", partnerCode=0)],
        [row(cmdCode="111111"), row(primaryValue=-5, partnerCode=DEU)],
        [row(primaryValue=0)],
    ],
    ids=["World rows", "headings", "quarantined rows", "rows of nothing"],
)
def test_a_country_that_reported_nothing_usable_is_no_reporter_and_named(
    desk: Desk, useless: list[dict[str, object]]
) -> None:
    desk.rows(*useless, row(reporterCode=DEU))
    landed = desk.land()
    assert [each["reporter_code"] for each in landed.table("trade_reporters")] == [DEU]
    [found] = findings(landed, "reported_nothing_usable")
    assert (found["reporter_code"], found["flow"], found["n_rows"]) == (CHN, "M", len(useless))
    accounted(landed)


def test_flows_and_unallocated_imports_make_a_reporter(desk: Desk) -> None:
    desk.rows(row(), row(reporterCode=DEU, partnerCode=899), row(reporterCode=PHL, partnerCode=PHL))
    landed = desk.land()
    reporters = {each["reporter_code"]: each["n_rows"] for each in landed.table("trade_reporters")}
    assert reporters == {CHN: 1, DEU: 1}
    assert [each["detail"] for each in findings(landed, "reported_nothing_usable")] == ["re_import 1"]


# --- one economy, one code --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"), [(842, 840), (251, 250), (490, 158), (699, 356), (757, 756), (579, 578), (276, 280)]
)
def test_two_codes_of_one_economy_in_one_file_are_added_up(listed: Desk, one: int, other: int) -> None:
    listed.rows(row(reporterCode=PHL, partnerCode=one), row(reporterCode=PHL, partnerCode=other))
    landed = listed.land()
    assert flows(landed) == {(PHL, "M", one, "854231"): 200}
    counts = accounted(landed)
    assert (counts["area_alias"], counts["noted:area_alias"]) == (1, 1)
    [found] = findings(landed, "area_alias")
    assert (found["code"], found["detail"]) == (str(other), f"as partner, taken for {one}")


def test_the_code_that_counts_is_the_one_of_the_year(listed: Desk) -> None:
    listed.rows(
        row(refYear=1970, partnerCode=699), row(refYear=1985, partnerCode=276), row(refYear=2017, partnerCode=280)
    )
    found = {each["year"]: each["partner_code"] for each in listed.land().table("trade_flows")}
    assert found == {1970: 356, 1985: 280, 2017: 276}


def test_two_codes_of_one_economy_in_two_files_are_one_row_told_twice(listed: Desk) -> None:
    listed.rows(
        row(reporterCode=PHL, partnerCode=840, primaryValue=5), row(reporterCode=CHN, partnerCode=840), name="a.csv"
    )
    listed.rows(
        row(reporterCode=PHL, partnerCode=842, primaryValue=7), row(reporterCode=CHN, partnerCode=842), name="b.csv"
    )
    landed = listed.land()
    assert flows(landed) == {(PHL, "M", USA, "854231"): 7, (CHN, "M", USA, "854231"): 100}
    counts = accounted(landed)
    assert (counts["duplicate_equal"], counts["quarantined:superseded"]) == (1, 1)


def test_an_economy_that_reports_under_its_other_code_reports(listed: Desk) -> None:
    listed.rows(
        row(reporterCode=840, partnerCode=CHN),
        row(reporterCode=842, partnerCode=840),
        row(reporterCode=840, partnerCode=0),
    )
    landed = listed.land()
    assert flows(landed) == {(USA, "M", CHN, "854231"): 100}
    assert accounted(landed)["re_import"] == 1
    assert [each["reporter_code"] for each in landed.table("trade_reporters")] == [USA]
    assert [each["reporter_code"] for each in landed.table("trade_control_totals")] == [USA]


def test_sums_of_breakdowns_are_added_up_by_economy(listed: Desk) -> None:
    listed.rows(*(row(partnerCode=code, motCode=mode, primaryValue=10) for code in (840, 842) for mode in (1000, 2100)))
    landed = listed.land()
    assert flows(landed) == {(CHN, "M", USA, "854231"): 40}
    assert accounted(landed) == {
        "rows_read": 4, "landed": 1, "breakdown_summed": 2, "area_alias": 1,
        "noted:breakdown_summed": 4, "noted:area_alias": 2,
    }  # fmt: skip


# --- editions ---------------------------------------------------------------------------------------------------------

GOODS = ("010121", "270900", "850760", "854231")


def edition(revision: str, value: float, goods: tuple[str, ...] = GOODS, **fields: object) -> list[dict[str, object]]:
    return [row(classificationCode=revision, cmdCode=code, primaryValue=value, **fields) for code in goods]


def old_goods(desk: Desk) -> Desk:
    """A desk that can convert the older revision's codes."""
    desk.write_weights("H4", "H5", [(code, code, 1) for code in (*GOODS, "854232")])
    return desk


def test_two_hs_editions_count_once_as_the_base_revision(desk: Desk) -> None:
    old_goods(desk).rows(*edition("H4", 100), row(classificationCode="H4", partnerCode=0), *edition("H5", 101))
    landed = desk.land()
    assert landed.values() == [101] * 4
    assert accounted(landed) == {"rows_read": 9, "landed": 4, "other_edition": 5}


def test_a_base_revision_that_is_not_complete_gives_way(desk: Desk) -> None:
    old_goods(desk).rows(*edition("H4", 100), *edition("H5", 100, GOODS[:2]))
    landed = desk.land()
    assert landed.values() == [100] * 4
    assert {each["hs_revision"] for each in landed.table("trade_flows")} == {"H4"}
    assert accounted(landed)["other_edition"] == 2


def as_reported_and_converted(desk: Desk, original: str, converted: str) -> Landed:
    rows = [
        {**each, "isOriginalClassification": flag}
        for flag, each in (
            *(("True", each) for each in edition(original, 100)),
            *(("False", each) for each in edition(converted, 99)),
        )
    ]
    old_goods(desk).write("comtrade/both.csv", as_csv(rows, [*FIELDS, "isOriginalClassification"]))
    return desk.land()


def test_as_reported_and_as_converted_to_the_base_revision_counts_once(desk: Desk) -> None:
    landed = as_reported_and_converted(desk, "H4", "H5")
    assert landed.values() == [99] * 4
    assert accounted(landed)["other_edition"] == 4


def test_as_reported_counts_before_a_conversion_to_another_revision(desk: Desk) -> None:
    desk.write_weights("H3", "H4", [(code, code, 1) for code in GOODS])
    landed = as_reported_and_converted(desk, "H4", "H3")
    assert landed.values() == [100] * 4
    assert accounted(landed)["other_edition"] == 4


def test_editions_mixed_by_product_are_all_there(desk: Desk) -> None:
    old_goods(desk).rows(*edition("H5", 100, GOODS[:3]), *edition("H4", 100, ("854231", "854232")))
    landed = desk.land()
    assert accounted(landed) == {"rows_read": 5, "landed": 5}


def test_another_partner_in_another_edition_is_no_repetition(desk: Desk) -> None:
    old_goods(desk).rows(*edition("H5", 100), *edition("H4", 100, partnerCode=DEU))
    assert accounted(desk.land()) == {"rows_read": 8, "landed": 8}


BULK = "comtrade/COMTRADE-FINAL-CA156{year}H5[{day}]{ending}"


def bulk(desk: Desk, day: str, *rows: dict[str, object], year: str = "201701", ending: str = ".txt") -> None:
    text = as_csv(rows, delimiter="\t").encode()
    content = gzip.compress(text) if ending.endswith(".gz") else text
    desk.write(BULK.format(year=year, day=day, ending=ending), content)


def test_a_later_bulk_file_replaces_the_earlier_whole(desk: Desk) -> None:
    bulk(desk, "2018-12-04", row(), row(partnerCode=DEU), row(cmdCode="bad"), ending=".gz")
    bulk(desk, "2019-11-01", row(primaryValue=120))
    bulk(desk, "2018-11-01", row(refYear=2018), year="2018")
    desk.rows(row(flowCode="X"))
    landed = desk.land()
    assert [each["value_usd"] for each in landed.table("trade_flows") if each["flow"] == "M"] == [120, 100]
    assert accounted(landed) == {"rows_read": 6, "landed": 3, "superseded_file": 3}


def test_bulk_file_without_txt_in_its_name(desk: Desk) -> None:
    bulk(desk, "2018-12-04", row(), row(partnerCode=DEU), ending=".gz")
    assert accounted(desk.land()) == {"rows_read": 2, "landed": 2}


# --- BACI, and files that are there -----------------------------------------------------------------------------------

BACI = "t,i,j,k,v,q\n2017,842,156,854231,0.1,1.5\n"


def baci(desk: Desk, edition: str, **members: str) -> Desk:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    desk.write(f"baci/BACI_{edition}.zip", buffer.getvalue())
    desk.settings = desk.with_settings(trade_source="baci_files")
    return desk


@pytest.mark.parametrize(
    ("member", "found"),
    [
        ("BACI_HS12_Y2017_V202401b.csv", "BACI_HS12_Y2017_V202401b.csv"),
        ("BACI_HS17_Y2017_V202301.csv", "BACI_HS17_Y2017_V202301.csv"),
        ("BACI_HS17_2017.csv", "BACI_HS17_2017.csv"),
        ("BACI_HS17_Y2018_V202401b.csv", "rows of the year 2017"),
    ],
)
def test_zip_whose_members_are_of_another_edition_or_year(desk: Desk, member: str, found: str) -> None:
    with pytest.raises(SourceError) as error:
        baci(desk, "HS17_V202401b", **{member: BACI}).land()
    assert "BACI_HS17_V202401b.zip" in error.value.where and found in error.value.found


def test_yearly_file_of_another_year_than_its_name_says(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2018_V202401b.csv", BACI)
    desk.settings = desk.with_settings(trade_source="baci_files")
    with pytest.raises(SourceError, match="found rows of the year 2017; expected rows of 2018 only"):
        desk.land()


def test_a_file_that_is_renamed_is_read_again(desk: Desk) -> None:
    desk.write_weights("H4", "H5", [("854231", "854231", 1)])
    desk.settings = desk.with_settings(trade_source="baci_files")
    path = desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI)
    assert [each["hs_revision"] for each in desk.land().table("trade_flows")] == ["H5"]
    path.rename(path.with_name("BACI_HS12_Y2017_V202401b.csv"))
    assert [each["hs_revision"] for each in desk.land().table("trade_flows")] == ["H4"]


def test_codes_that_baci_holds_as_numbers_are_padded(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI + "2017,842,156,10121,3,NA\n2017,842,156,121,3,NA\n")
    desk.settings = desk.with_settings(trade_source="baci_files")
    landed = desk.land()
    assert flows(landed) == {(CHN, "M", USA, "854231"): 100, (CHN, "M", USA, "010121"): 3000}
    assert landed.quarantine() == [("hs_code_length", 3)]


def test_code_lists_inside_the_zip_are_used_where_there_is_no_other(desk: Desk) -> None:
    lists = {
        "BACI/country_codes_V202401b.csv": "country_code,country_name,country_iso2,country_iso3\n"
        "156,China,CN,CHN\n842,USA,US,USA\n58,Belgium-Luxembourg (...1998),BE,BEL\n56,Belgium,BE,BEL\n",
        "BACI/product_codes_HS17_V202401b.csv": 'code,description\n854231,"Processors, and more"\n',
    }
    desk.drop.joinpath("reference/Reporters.json").unlink()
    landed = baci(desk, "HS17_V202401b", **{"BACI/BACI_HS17_Y2017_V202401b.csv": BACI, **lists}).land()
    assert flows(landed) == {(CHN, "M", USA, "854231"): 100}
    names = {each["country_code"]: each["name"] for each in landed.table("reference/countries")}
    assert names[56] == "Belgium" and len(names) == 4
    desk.write_reference()  # another list comes
    assert 58 not in {each["country_code"] for each in desk.land().table("reference/countries")}


def test_linked_folders_are_read_and_links_that_lead_nowhere_are_named(desk: Desk, tmp_path: Path) -> None:
    desk.rows(row(), name="here.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "there.csv").write_text(as_csv([row(partnerCode=DEU)]))
    (desk.drop / "comtrade" / "2017").symlink_to(elsewhere)
    (desk.drop / "comtrade" / "lost.csv").symlink_to(tmp_path / "nothing.csv")
    (elsewhere / "again").symlink_to(desk.drop / "comtrade")
    entries, passed_over = desk.fetch_trade()
    assert [entry.part for entry in entries] == ["2017/there.csv", "here.csv"]
    assert passed_over == [
        "comtrade/2017/again (a link to a folder above it)",
        "comtrade/lost.csv (a link to nothing)",
    ]
    assert accounted(desk.land(entries=entries)) == {"rows_read": 2, "landed": 2}


def test_losses_are_told_by_file_and_reporter(desk: Desk) -> None:
    desk.rows(row(), row(cmdCode="111111", primaryValue=900), row(reporterCode=DEU), name="a.csv")
    text = as_csv([row(flowCode="X"), row(flowCode="Exp"), row(flowCode="X", primaryValue=200)]) + "C,A\n"
    desk.write("comtrade/b.csv", text)
    told = {
        (each["year"], each["file"][-5:], each["reporter_code"], each["flow"], each["reason"], each["rule"]):
            (each["n_rows"], each["value_usd"])
        for each in desk.land().table("trade_losses")
    }  # fmt: skip
    reasons = ("unknown_hs_code", "unknown_flow", "malformed_row")
    unknown, word, line = ((reason, f"quarantined:{reason}") for reason in reasons)
    assert told == {
        (2017, "a.csv", CHN, "M", None, "landed"): (1, 100), (2017, "a.csv", CHN, "M", *unknown): (1, 900),
        (2017, "a.csv", DEU, "M", None, "landed"): (1, 100),
        (2017, "b.csv", CHN, "X", None, "landed"): (1, 200), (2017, "b.csv", CHN, None, *word): (1, 100),
        # The row that the later one of the same flow replaced is not lost.
        (2017, "b.csv", CHN, "X", None, "quarantined:superseded"): (1, 100),
        (None, "b.csv", None, None, *line): (1, 0), (None, "b.csv", None, None, None, None): (3, 400),
    }  # fmt: skip


def landing_tables(landing: Path) -> dict[str, Path]:
    return {table.name: table.files(landing) for each in (REFERENCE, TRADE) for table in each.tables}


def test_a_year_of_headings_says_so_and_what_is_expected(desk: Desk) -> None:
    """Before, all that was said of four-digit data was `years_as_requested … None`."""
    desk.rows(row(cmdCode="8507"), row(cmdCode="8542"), row(cmdCode="8507", partnerCode=0), name="headings.csv")
    landing = desk.land().landing
    found = outcome(TRADE_LANDING, over_landing(landing_tables(landing), (2017,)), "trade_flows.years_as_requested")
    assert found.message == (
        "1 failing row: year 2017: none of 3 rows read is a flow (code_level 2, control_total 1), in "
        "drop:comtrade/headings.csv. The goods are HS headings or chapters (such as 8507, 4 digits); expected are six "
        "digits, such as 850760. Ask the publisher for all six-digit codes (AG6)."
    )


def test_codes_that_lost_their_zero_are_told_with_file_row_cause_and_remedy(desk: Desk) -> None:
    """Before, all that was said was how many rows were lost."""
    desk.rows(row(), row(cmdCode="10121"), row(cmdCode="81310"), name="from_a_spreadsheet.csv")
    entries = desk.fetch_trade()[0]
    landing = desk.land(entries=entries).landing
    data = over_landing(landing_tables(landing), (2017,), files={entry.id: entry.address for entry in entries})
    cause = (
        "The code has lost its leading zero: a spreadsheet or a program took it for a number. Export the file again "
        "with the codes as text, or put the zero back (81310 is 081310)."
    )
    found = outcome(TRADE_LANDING, data, "quarantine_trade.few_quarantined")
    assert found.message == (
        "2 failing rows: comtrade, all years: 2 of 3 rows (66.7 %) cannot be used: hs_code_length 2. For example "
        "drop:comtrade/from_a_spreadsheet.csv, row 2: reporter 156, flow M, partner 842, code 10121, revision H5, "
        f"value 100.0. {cause}"
    )
    found = outcome(TRADE_LANDING, data, "trade_losses.little_lost")
    assert "drop:comtrade/from_a_spreadsheet.csv, year 2017: 2 of 3 rows and 66.7 % of the value cannot be used: " in (
        found.message
    )
    assert found.message.endswith(cause)
