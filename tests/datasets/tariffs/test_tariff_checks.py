"""The tariff checks: all pass on plausible tables, and each fails on the fault it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.checks import engine
from dagster_project.checks.declarations import Outcome, Stage
from dagster_project.checks.views import PREVIOUS_RELEASE, CheckedData
from dagster_project.datasets.tariffs.checks import TARIFF_LANDING, TARIFF_MARTS

Key = tuple[str, str]

LANDING_SQL = """
    create table tariff_requests as
        select 'USTR-2018-0025-' || n as request_id, '1' as list_id, 'Company ' || n % 7 as requester,
            '8413919010' as hts10, '84139190' as hts8, '841391' as hs6, 'Denied' as status_raw,
            case when n % 3 = 0 then 'granted' else 'denied' end as status, date '2018-10-01' as date_posted,
            'entry' as archive_entry, n as source_row
        from range(40) as t (n);
    create table tariff_lists as
        select 'ustr_final_lists' as source, '84139190' as hts8, '1' as list_id, 5.0::double as imports_2017_usd;
    create table tariff_exclusions as
        select 'htsus_note_20' as source, '20(h)' as document, '1' as item, '1' as list_id, '8413919010' as hts10,
            null::date as valid_from, null::date as valid_to;
    create table tariff_exclusion_tranches as select '20(h)' as document, '1' as list_id;
    create table quarantine_tariffs as
        select 'tariffs' as dataset, 'ustr requests' as source, null::integer as year, 'hts_length' as reason,
            'x' as detail, 'entry' as archive_entry, 1::bigint as source_row, '{}' as raw where false;
    create table tariffs_rule_counts as
        select 'ustr requests' as source, 'rows_read' as rule, 41::bigint as n
        union all select 'ustr requests', 'landed', 40 union all select 'ustr requests', 'not_a_request', 1
        union all select 'ustr requests', 'noted:hts_zero_padded', 9;
"""
MARTS_SQL = """
    create table stg_tariff_requests as
        select 'r' || n as request_id, '1' as list_id, case when n < 2 then 'granted' else 'denied' end as status,
            case when n > 0 then date '2018-10-05' + n::integer end as date_posted,
            case when n > 0 then 'A' end as requester
        from range(5) as t (n);
    create table stg_tariff_exclusions as
        select 'htsus_note_20' as source, '20(h)' as document, '1' as list_id, '8413919010' as hts10;
    create table tariff_list_terms as
        select '1' as list_id, date '2018-07-06' as effective_date, '9903.88.01' as heading;
    create table stg_tariff_headings as
        select '9903.88.01' as heading, false as is_suspended, 'duty + 25%' as general_rate;
    create table exclusion_rates as
        select '1' as list_id, 5::bigint as requests, 2::bigint as granted, 3::bigint as denied,
            0.4::double as approval_share, 0.25::double as additional_duty, 0.25::double as scheduled_duty,
            '2026HTSRev20' as schedule_edition;
    create table exclusion_rates_by_industry as
        select '1' as list_id, hs2, requests, granted, denied
        from (values ('84', 3, 2, 1), ('85', 2, 0, 2)) as t (hs2, requests, granted, denied);
    create table exclusion_rates_by_end_use as
        select '1' as list_id, 'intermediate' as end_use, requests, granted, denied, approval_share
        from exclusion_rates;
    create table exclusion_requesters as
        select '1' as list_id, 'A' as requester, 4::bigint as requests, 1::bigint as granted, 3::bigint as denied,
            0.25::double as approval_share;
    create table exclusion_rates_by_month as
        select '1' as list_id, date '2018-10-01' as month_posted, 4::bigint as requests, 1::bigint as granted,
            3::bigint as denied, 0.25::double as approval_share;
    create table exclusion_determinants as
        select list_id, hs2 || '0000' as hs6, requests, granted, denied, 10.0::double as us_import_value_usd,
            0.5::double as china_import_share
        from exclusion_rates_by_industry;
    create table exclusions_in_force as
        select '1' as list_id, '8413919010' as hts10, date '2018-07-06' as valid_from, date '2019-12-28' as valid_to,
            '20(h)' as document, 'stated' as validity_basis
        union all select '1', '8413919010', date '2021-10-12', date '2024-06-14', '20(ttt(i))', 'stated';
    create table exclusion_regression as
        select 'end_use' as specification, 'intercept' as term, 0.1::double as estimate, 5::bigint as n,
            2::bigint as n_granted, 2::bigint as n_clusters, null::varchar as note;
    create schema previous;
    create table previous.exclusion_rates as from exclusion_rates;
"""

LANDING_FAULTS = {
    ("tariff_requests", "requests_plausible"): [
        "update tariff_requests set request_id = 'USTR-2018-0025-2' where request_id = 'USTR-2018-0025-1'",
        "update tariff_requests set list_id = '4B' where request_id = 'USTR-2018-0025-1'",
        "update tariff_requests set status = 'maybe' where request_id = 'USTR-2018-0025-1'",
        "update tariff_requests set hts8 = '84139191' where request_id = 'USTR-2018-0025-1'",
        "update tariff_requests set hts10 = '841391901' where request_id = 'USTR-2018-0025-1'",
        "delete from tariff_requests",
    ],
    ("tariff_requests", "status_words_known"): [
        "update tariff_requests set status = 'unknown' where request_id = 'USTR-2018-0025-1'"
    ],
    ("tariff_requests", "few_status_words_unknown"): [
        "update tariff_requests set status = 'unknown' where source_row < 3"
    ],
    ("tariff_requests", "posted_while_requests_were_taken"): [
        "update tariff_requests set date_posted = date '1899-12-30' where request_id = 'USTR-2018-0025-1'"
    ],
    ("tariff_requests", "lines_on_their_list"): ["update tariff_lists set list_id = '3'"],
    ("tariff_requests", "lines_mostly_on_a_list"): ["update tariff_lists set hts8 = '84139199'"],
    ("tariff_lists", "lines_plausible"): [
        "update tariff_lists set hts8 = '4139190'",
        "update tariff_lists set imports_2017_usd = -1",
        "insert into tariff_lists from tariff_lists",
    ],
    ("tariff_exclusions", "exclusions_plausible"): [
        "update tariff_exclusions set hts10 = '84139190105'",
        "update tariff_exclusions set list_id = null",
        "update tariff_exclusions set valid_from = date '2020-01-02', valid_to = date '2020-01-01'",
    ],
    ("tariff_exclusions", "exclusions_of_listed_lines"): ["update tariff_exclusions set hts10 = '8413919910'"],
    ("tariff_exclusions", "lists_agree_with_paragraphs"): ["update tariff_exclusion_tranches set list_id = '3'"],
    ("quarantine_tariffs", "nothing_quarantined"): [
        "insert into quarantine_tariffs values ('tariffs', 'ustr requests', null, 'hts_length', 'x', 'e', 1, '{}')"
    ],
    ("quarantine_tariffs", "few_quarantined"): [
        "insert into tariffs_rule_counts values ('ustr requests', 'quarantined:hts_length', 3)"
    ],
    ("quarantine_tariffs", "counts_match_rows"): [
        "insert into tariffs_rule_counts values ('ustr requests', 'quarantined:hts_length', 1)"
    ],
    ("quarantine_tariffs", "rows_accounted_for"): ["update tariffs_rule_counts set n = 39 where rule = 'landed'"],
}
MARTS_FAULTS = {
    ("exclusion_rates", "rates_match_requests"): [
        "update exclusion_rates set granted = 3, denied = 2",
        "delete from exclusion_rates",
        "update exclusion_rates set approval_share = 40",
    ],
    ("exclusion_rates", "rates_stable"): [
        "update previous.exclusion_rates set requests = 6",
        "update previous.exclusion_rates set approval_share = 0.3",
    ],
    ("exclusion_rates", "duties_as_scheduled"): [
        "update exclusion_rates set additional_duty = 0.1",
        "update exclusion_rates set scheduled_duty = null",
    ],
    ("exclusion_rates_by_industry", "industries_sum_to_rates"): [
        "delete from exclusion_rates_by_industry where hs2 = '85'"
    ],
    ("exclusion_rates_by_end_use", "end_uses_sum_to_rates"): [
        "update exclusion_rates_by_end_use set denied = 4",
        "update exclusion_rates_by_end_use set approval_share = 1.2",
    ],
    ("exclusion_requesters", "requesters_match_requests"): [
        "update exclusion_requesters set requests = 5",
        "update exclusion_requesters set approval_share = -0.1",
    ],
    ("exclusion_rates_by_month", "months_match_requests"): [
        "update exclusion_rates_by_month set requests = 5",
        "update exclusion_rates_by_month set month_posted = date '2018-11-01'",
        "update exclusion_rates_by_month set denied = 4",
        "update exclusion_rates_by_month set approval_share = 2",
    ],
    ("exclusion_determinants", "determinants_sum_to_rates"): [
        "delete from exclusion_determinants where hs6 = '850000'",
        "update exclusion_determinants set china_import_share = 1.5",
        "update exclusion_determinants set us_import_value_usd = 0",
    ],
    ("exclusions_in_force", "intervals_do_not_overlap"): [
        "update exclusions_in_force set valid_to = null where valid_to = date '2019-12-28'",
        "update exclusions_in_force set valid_from = date '2018-07-05' where valid_to = date '2019-12-28'",
    ],
    ("exclusions_in_force", "granted_codes_were_in_force"): ["delete from exclusions_in_force"],
    ("exclusions_in_force", "ends_known"): ["update exclusions_in_force set valid_to = null"],
    ("exclusion_regression", "regression_estimated"): ["update exclusion_regression set estimate = null"],
}


def outcomes(
    stage: Stage, sql: str, fault: str = "", only: Key | None = None, absent: dict[str, str] | None = None
) -> dict[Key, Outcome]:
    def setup(connection: Any) -> None:
        connection.execute(sql)
        if fault:
            connection.execute(fault)

    found = engine.run(stage, CheckedData(setup, absent or {}), only=None if only is None else {only})
    return {(each.table, each.check): each for each in found}


@pytest.mark.parametrize(("stage", "sql"), [(TARIFF_LANDING, LANDING_SQL), (TARIFF_MARTS, MARTS_SQL)])
def test_plausible_tables_pass(stage: Stage, sql: str) -> None:
    assert {key: each.message for key, each in outcomes(stage, sql).items() if each.status != "passed"} == {}


@pytest.mark.parametrize(("key", "fault"), [(key, fault) for key, faults in LANDING_FAULTS.items() for fault in faults])
def test_a_fault_at_landing_is_found(key: Key, fault: str) -> None:
    assert outcomes(TARIFF_LANDING, LANDING_SQL, fault, key)[key].status == "failed"


@pytest.mark.parametrize(("key", "fault"), [(key, fault) for key, faults in MARTS_FAULTS.items() for fault in faults])
def test_a_fault_in_the_marts_is_found(key: Key, fault: str) -> None:
    assert outcomes(TARIFF_MARTS, MARTS_SQL, fault, key)[key].status == "failed"


def test_every_check_has_a_fault() -> None:
    for stage, faults in ((TARIFF_LANDING, LANDING_FAULTS), (TARIFF_MARTS, MARTS_FAULTS)):
        assert {(check.table, check.name) for check in stage.checks} == faults.keys()


def test_without_a_previous_release_there_is_nothing_to_compare_with() -> None:
    key, fault = ("exclusion_rates", "rates_stable"), "drop table previous.exclusion_rates"
    found = outcomes(TARIFF_MARTS, MARTS_SQL, fault, key, {PREVIOUS_RELEASE: "first one"})
    assert found[key].message == "nothing to compare with: first one"
