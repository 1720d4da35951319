"""The contract server keeps sources.md A.10: what its own clients rely on, asked without them."""

from __future__ import annotations

from typing import Any

import requests

from dagster_project.sources import oecd
from dagster_project.sources.http import Service
from dagster_project.sources.live import live
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
    with live(bench.settings(user_agent="lab/2 (mail@example.org)")) as surroundings:
        url = f"{bench.contract.url}/public/v1/getDa/C/A/HS"
        surroundings.http.get_json(Service("any"), url, {"period": "2018"}, where="availability")
    assert [seen.headers["User-Agent"] for seen in bench.contract.seen] == ["lab/2 (mail@example.org)"]
