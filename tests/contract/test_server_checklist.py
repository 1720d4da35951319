"""The contract server answers as the services' documentation says: asked without the clients.

Not here: faults by script (`test_comtrade_api`, `test_faults_by_source`).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from typing import Any

import requests

from dagster_project.datasets.patents import oecd
from dagster_project.sources.http import Service
from dagster_project.sources.live import live_session
from tests.contract.conftest import Bench
from tests.contract.server.app import INVALID_KEY, MISSING_KEY

ROWS = "reporterCode=757&period=2018&flowCode=M&partner2Code=0&motCode=0&customsCode=C00"


def ask(bench: Bench, path: str, **headers: str) -> requests.Response:
    return requests.get(bench.contract.url + path, headers=headers, timeout=30)


def count(answer: requests.Response) -> int:
    content: dict[str, Any] = answer.json()
    return int(content["count"])


def test_names_are_read_without_regard_to_case(bench: Bench) -> None:
    one = ask(bench, f"/public/v1/preview/C/A/HS?{ROWS}&cmdCode=AG6").json()["data"]
    other = ask(
        bench, f"/Public/V1/Preview/c/a/hs?{ROWS.lower().replace('c00', 'C00')}&CMDCODE=ag6".replace("=m", "=M")
    )
    assert other.json()["data"] == one and one
    assert (
        ask(bench, "/public/v1/getDA/C/A/HS?period=2018").json()
        == ask(bench, "/public/v1/getDa/C/A/HS?period=2018").json()
    )


def test_keys_are_taken_in_header_or_query(bench: Bench) -> None:
    path = f"/data/v1/get/C/A/HS?{ROWS}&cmdCode=850760"
    assert ask(bench, path).json()["message"] == MISSING_KEY
    assert ask(bench, path, **{"Ocp-Apim-Subscription-Key": "wrong"}).json()["message"] == INVALID_KEY
    assert ask(bench, path + "&subscription-key=contract-key").status_code == 200
    assert ask(bench, path, **{"Ocp-Apim-Subscription-Key": "contract-key"}).status_code == 200


def test_the_preview_is_cut_at_500_and_ignores_smaller_wishes(bench: Bench) -> None:
    path = f"/public/v1/preview/C/A/HS?{ROWS}&cmdCode=AG6"
    assert count(ask(bench, path)) == 500
    assert count(ask(bench, path + "&maxRecords=10")) == 500
    assert count(ask(bench, path + "&countOnly=true")) > 500


def test_the_preview_takes_one_period(bench: Bench) -> None:
    answer = ask(bench, "/public/v1/preview/C/A/HS?reporterCode=757&period=2017,2018&cmdCode=850760")
    assert answer.status_code == 400 and answer.json()["errorObject"][0]["MemberNames"] == ["period"]
    assert count(ask(bench, "/public/v1/preview/C/A/HS?reporterCode=757&cmdCode=850760")) == 0


def test_without_pins_breakdowns_come_beside_their_totals(bench: Bench) -> None:
    bench.contract.world.only_reporters = frozenset({528})
    path = "/data/v1/get/C/A/HS?reporterCode=528&period=2018&flowCode=M&cmdCode=AG6&subscription-key=contract-key"
    rows = ask(bench, path).json()["data"]
    keys = [(row["partnerCode"], row["cmdCode"]) for row in rows]
    assert len(keys) > len(set(keys))


def test_references_have_a_byte_order_mark_an_unquoted_tag_and_304(bench: Bench) -> None:
    path = "/files/v1/app/reference/partnerAreas.json"
    first = ask(bench, path)
    tag = first.headers["ETag"]
    assert first.content.startswith(b"\xef\xbb\xbf") and not tag.startswith('"')
    again = ask(bench, path, **{"If-None-Match": tag})
    assert again.status_code == 304 and not again.content


def test_availability_states_whole_numbers_beyond_double_precision(bench: Bench) -> None:
    row = ask(bench, "/public/v1/getDa/C/A/HS?period=2018").json()["data"][0]
    assert isinstance(row["period"], int) and row["datasetCode"] > 2**53


def test_data_answers_are_chunked_gzip_without_length_or_validator(bench: Bench) -> None:
    answer = ask(bench, f"/public/v1/preview/C/A/HS?{ROWS}&cmdCode=850760")
    assert answer.headers["Transfer-Encoding"] == "chunked" and answer.headers["Content-Encoding"] == "gzip"
    assert not {"Content-Length", "ETag", "Last-Modified"} & set(answer.headers)


def test_a_batch_is_accepted_runs_and_ends_as_a_zip_of_another_name(bench: Bench) -> None:
    key = {"Ocp-Apim-Subscription-Key": "contract-key"}
    assert ask(bench, f"/async/v1/get/C/A/HS?{ROWS}&cmdCode=AG6").status_code == 401
    submitted = ask(bench, f"/async/v1/get/C/A/HS?{ROWS}&cmdCode=AG6", **key)
    batch = submitted.json()["requestId"]
    assert submitted.status_code == 202 and "accepted" in submitted.json()["message"]
    states = [ask(bench, f"/async/v1/getDA/?batchId={batch}", **key).json()["data"][0] for _ in range(3)]
    assert [row["status"] for row in states] == ["Submitted", "Running", "Completed"]
    assert batch not in states[2]["uri"]
    assert requests.get(states[2]["uri"], timeout=30).content.startswith(b"PK")


def test_an_address_of_more_than_4096_characters_is_answered_by_a_page(bench: Bench) -> None:
    partners = ",".join(str(code) for code in range(1000, 2000))
    answer = ask(bench, f"/public/v1/preview/C/A/HS?{ROWS}&partnerCode={partners}")
    assert answer.status_code == 200 and "Too Long" in answer.text


def test_a_bulk_file_is_gzip_with_a_name_that_is_no_path_and_honours_range(bench: Bench) -> None:
    key = {"Ocp-Apim-Subscription-Key": "contract-key"}
    rows = ask(bench, "/bulk/v1/get/C/A/HS?reporterCode=40&period=2018", **key).json()["data"]
    path = f"/bulk/v1/file/40/{rows[0]['rowKey']}"
    whole = ask(bench, path, **key)
    assert whole.content.startswith(b"\x1f\x8b") and "C/A/40/" in whole.headers["Content-Disposition"]
    part = ask(bench, path, Range="bytes=10-19", **key)
    assert part.status_code == 206 and part.content == whole.content[10:20]


def test_oecd_blocks_unnamed_programs_and_has_no_records_for_other_keys(bench: Bench) -> None:
    flow = "/oecd/data/OECD.STI.PIE,DSD_PATENTS@DF_PATENTS_WIPO,1.0/"
    form = "?startPeriod=2010&format=csvfilewithlabels"
    assert ask(bench, flow + oecd.KEY + form).text.startswith("STRUCTURE,")
    assert ask(bench, flow + oecd.KEY + form, **{"User-Agent": "Python-urllib/3.12"}).status_code == 403
    missing = ask(bench, flow + oecd.KEY.replace("9P50_1", "9P50_9") + form)
    assert missing.status_code == 404 and missing.text == "NoRecordsFound"
    assert ask(bench, flow + oecd.KEY).text.startswith("<message:GenericData")


def test_the_program_names_itself_as_the_settings_say(bench: Bench) -> None:
    with live_session(bench.settings(user_agent="lab/2 (mail@example.org)")) as session:
        url = f"{bench.contract.url}/public/v1/getDa/C/A/HS"
        session.http.get_json(Service("any"), url, {"period": "2018"}, where="availability")
    assert [seen.headers["User-Agent"] for seen in bench.contract.seen] == ["lab/2 (mail@example.org)"]


def table(bench: Bench, name: str) -> list[list[str]]:
    """A served table as rows of text, out of its zip or gzip; broken lines are left out."""
    body = ask(bench, f"/static/{name}").content
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = archive.read(archive.namelist()[0])
    body = gzip.decompress(body) if name.endswith(".gz") else body
    text = body.decode("cp1252" if "List-1" in name else "utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if ".tsv" in name else ","))
    return [row for row in rows if len(row) == len(rows[0])]


def test_status_tables_come_in_both_layouts_and_with_every_trap(bench: Bench) -> None:
    lists_1_2, lists_3_4a = (
        table(bench, f"ustr/{name}")
        for name in ("List-1-Exclusion-Requests.csv", "List-3-Exclusion-Requests-status.csv")
    )
    assert lists_1_2[0] == [
        *("Doc Type", "Request Doc-ID", "Organization Name", "10-Digit HTS"),
        *("Date Posted", "Response Closes", "Reply Closes", "Stages"),
    ]
    assert {row[0] for row in lists_1_2[1:]} == {"REQUEST", "RESPONSE"}
    assert any(row[4].isdigit() and len(row[4]) == 5 for row in lists_1_2[1:]), "serial dates"
    assert lists_3_4a[0] == ["Request", "Org", "Status", "HTSUS", "Product", "Post Date", "Close Date"]
    assert any(len(row[3]) == 9 for row in lists_3_4a[1:]), "codes that lost their zero"
    known = {"Granted", "Denied", "Approved", "Partially Approved", "Withdrawn", "Request Withdrawn", "Pending"}
    words = {row[-1] for row in lists_1_2[1:]} | {row[2] for row in lists_3_4a[1:]}
    assert words - known, "unknown words"
    assert ask(bench, "/static/ustr/List-2-Exclusion-Requests.xlsx").content.startswith(b"PK")
    assert table(bench, "ustr/s301_product_lists.csv")[0][:3] == ["hts8", "list", "ch99_code"]


def test_regulations_gov_pages_to_20_and_refuses_in_two_shapes(bench: Bench) -> None:
    bench.contract.world.documents_page = 5
    path = (
        "/regs/documents?filter[docketId]=USTR-2018-0025&sort=lastModifiedDate,documentId&page[size]=250&page[number]="
    )
    key = {"X-Api-Key": "contract-key"}
    pages = [ask(bench, f"{path}{number}", **key).json() for number in (1, 2, 3)]
    assert [page["meta"]["hasNextPage"] for page in pages] == [True, True, False]
    assert len({row["id"] for page in pages for row in page["data"]}) == 12 == pages[0]["meta"]["totalElements"]
    beyond = ask(bench, f"{path}21", **key)
    assert beyond.status_code == 400 and beyond.json()["errors"][0]["status"] == "400"
    missing, wrong = ask(bench, f"{path}1"), ask(bench, f"{path}1", **{"X-Api-Key": "wrong"})
    assert [answer.json()["error"]["code"] for answer in (missing, wrong)] == ["API_KEY_MISSING", "API_KEY_INVALID"]


def test_the_federal_register_links_pages_and_leaves_results_out_when_there_are_none(bench: Bench) -> None:
    first = ask(bench, "/fr/documents.json?conditions[term]=x").json()
    second = requests.get(first["next_page_url"], timeout=30).json()
    assert first["total_pages"] == 2 and len(first["results"]) == 2 and "next_page_url" not in second
    empty = ask(bench, "/fr/documents.json?conditions[publication_date][gte]=2030-01-01").json()
    assert set(empty) == {"count", "description"}
    wrong = ask(bench, "/fr/documents.json?conditions[foo]=x")
    assert wrong.status_code == 400 and wrong.json() == {"errors": {"foo": "is not a valid field"}}


def test_the_schedule_has_null_lists_and_missing_footnotes_and_may_want_dotted_codes(bench: Bench) -> None:
    whole = ask(bench, "/reststop/exportList?from=0101&to=9999&format=JSON&styles=false").json()
    assert any(row["footnotes"] is None for row in whole) and any("units" not in row for row in whole)
    assert any(row["htsno"] == "" for row in whole) and all(row["addiitionalDuties"] is None for row in whole)
    bench.contract.world.dotted_schedule = True
    assert ask(bench, "/reststop/exportList?from=0101&to=9999&format=JSON&styles=false").status_code == 400
    assert ask(bench, "/reststop/exportList?from=0101.21.00&to=9999.00.00&format=JSON&styles=true").status_code == 200
    assert ask(bench, "/reststop/releaseList", **{"User-Agent": "libcurl/8"}).status_code == 403


def test_the_portal_refuses_redirects_and_serves_parts(bench: Bench) -> None:
    key, product = {"X-Api-Key": "contract-key"}, "/api/v1/datasets/products/PVGPATDIS"
    assert ask(bench, product).json() == {"message": "Unauthorized"}
    assert ask(bench, product, **{"X-Api-Key": "wrong"}).status_code == 403
    unmoved = ask(bench, product, **key).json()
    bench.contract.world.odp_released["g_patent.tsv.zip"] = "2026-06-30 00:00:00"
    assert unmoved != ask(bench, product.lower(), **key).json(), "a release that moved"
    files = "/api/v1/datasets/products/files/PVGPATDIS"
    assert ask(bench, f"{files}/g_nothing.tsv.zip", **key).json()["code"] == 404
    sent = requests.get(f"{bench.contract.url}{files}/g_patent.tsv.zip", headers=key, timeout=30, allow_redirects=False)
    storage = sent.headers["Location"]
    assert sent.status_code == 302 and storage.startswith(bench.contract.storage_url)
    whole = requests.get(storage, timeout=30)
    part = {"Range": "bytes=10-19"}
    same = requests.get(storage, headers={**part, "If-Range": whole.headers["ETag"]}, timeout=30)
    other = requests.get(storage, headers={**part, "If-Range": '"another"'}, timeout=30)
    assert (same.status_code, same.content) == (206, whole.content[10:20])
    assert (other.status_code, other.content) == (200, whole.content)


def test_patent_tables_hold_what_breaks_careless_readers(bench: Bench) -> None:
    patents, numbers, assignees = (
        table(bench, f"patents/{name}")
        for name in ("g_patent.tsv.zip", "g_pct_data.tsv", "g_assignee_disambiguated.tsv.gz")
    )
    title = patents[0].index("patent_title")
    assert any("\n" in row[title] for row in patents) and any('"' in row[title] for row in patents)
    number, kind = numbers[0].index("pct_doc_number"), numbers[0].index("pct_doc_type")
    written = {row[number] for row in numbers[1:]}
    assert any(re.match(r"WO ?\d\d/", text) for text in written), "numbers with two-digit years"
    assert any(re.match(r"WO ?20\d\d/", text) for text in written), "and with four-digit ones"
    kinds: dict[str, set[str]] = {}
    for row in numbers[1:]:
        kinds.setdefault(row[0], set()).add(row[kind])
    assert {"wo_grant"} in kinds.values(), "a patent with the publication only"
    assert any(row[assignees[0].index("location_id")] == "" for row in assignees[1:]), "a missing location"
