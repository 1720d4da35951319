"""The tariff checks: all pass on plausible tables, and each fails on the fault it is there for."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.datasets.tariffs.checks import TARIFF_LANDING, TARIFF_MARTS
from tests.helpers.check_cases import (
    Case,
    add,
    assert_fails,
    assert_first_release_passes,
    assert_passes,
    case,
    each,
    rows,
    scripted,
    sql,
)
from tests.helpers.sound_reference import quarantined, rule_count

SOUND_LANDING = scripted("""
    create table tariff_requests as
        select 'USTR-2018-0025-' || n as request_id, '1' as list_id, 'Company ' || n % 7 as requester,
            '8413919010' as hts10, '84139190' as hts8, '841391' as hs6, 'Denied' as status_raw,
            case when n % 3 = 0 then 'granted' else 'denied' end as status, date '2018-10-01' as date_posted,
            null::varchar as unreadable_dates,
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
""")
# Five requests of two goods, on which China and another country supply half of the United States' imports each.
SOUND_MARTS = scripted("""
    create table stg_tariff_requests as
        select 'r' || n as request_id, '1' as list_id, case when n < 2 then 'granted' else 'denied' end as status,
            case when n > 0 then date '2018-10-05' + n::integer end as date_posted,
            case when n > 0 then 'A' end as requester, case when n < 3 then '840000' else '850000' end as hs6,
            hs6 || '00' as hts8
        from range(5) as t (n);
    create table stg_tariff_exclusions as
        select 'htsus_note_20' as source, document, '1' as item, '1' as list_id, '8413919010' as hts10, '841391' as hs6,
            null::date as granted_date, null::date as valid_from, null::date as valid_to
        from (values ('20(h)'), ('20(ttt(i))')) as t (document)
        union all
        select 'htsus_note_20', '20(h)', '2', '1', '8400000010', '840000', null, null, null;
    create table exclusion_tranches as
        select '20(h)' as note, 'grant' as kind, null::date as valid_from, date '2019-12-28' as valid_to,
            'stated' as basis
        union all select '20(ttt(i))', 'extension', date '2021-10-12', date '2024-06-14', 'stated';
    create table exclusion_item_extensions as
        select ''::varchar as note, '' as item, null::date as valid_to, '' as basis where false;
    create table tariff_list_terms as
        select '1' as list_id, date '2018-07-06' as effective_date, null::date as exclusions_expire,
            '9903.88.01' as heading;
    create table stg_tariff_headings as
        select '9903.88.01' as heading, false as is_suspended, 'duty + 25%' as general_rate,
            0.25::double as additional_duty;
    create table list_rate_history as
        select '1' as list_id, date '2018-07-06' as valid_from, null::date as valid_to, 0.25::double as rate;
    create table stg_tariff_lists as
        select 'ustr_final_lists' as source, hts8, '1' as list_id, 5.0::double as imports_2017_usd
        from (values ('84000000'), ('85000000')) as t (hts8);
    create table stg_hs_conversion as
        select ''::varchar as from_revision, '' as from_code, '' as hs6, 1.0::double as weight where false;
    create table stg_products as
        select hs6, '22' as bec4, 'INT' as bec5 from (values ('840000'), ('850000')) as t (hs6);
    create table int_year_settings as select unnest([2017, 2018]) as year, 'bec4_intermediate' as product_scope;
    create table product_centrality as
        select 2017 as year, hs6, 0.3::double as export_centrality, 2::bigint as n_exporters from stg_products;
    create table trade_flows as
        select 2017 as year, exporter_code, 842 as importer_code, hs6, 5.0::double as value_usd
        from stg_products, (values (156), (392)) as t (exporter_code)
        union all select 2018, 156, 842, '840000', 8.0;
    create table exclusion_rates as
        select '1' as list_id, 5::bigint as requests, 2::bigint as granted, 0::bigint as partially_granted,
            3::bigint as denied, 0::bigint as withdrawn, 0::bigint as pending, 0::bigint as status_unknown,
            0.4::double as approval_share, 1::double as approval_share_without_top_requester, 'A' as top_requester,
            4::bigint as top_requester_requests, 0::bigint as not_on_list, 0.25::double as additional_duty,
            date '2018-07-06' as additional_duty_since, 0.25::double as scheduled_duty,
            '2026HTSRev20' as schedule_edition, 10::double as covered_trade_usd;
    create table exclusion_rates_by_industry as
        select '1' as list_id, hs2, requests, granted, denied, granted / requests as approval_share, 1::bigint as n_hs6,
            1::bigint as n_requesters
        from (values ('84', 3, 2, 1), ('85', 2, 0, 2)) as t (hs2, requests, granted, denied);
    create table exclusion_rates_by_end_use as
        select '1' as list_id, 'intermediate' as end_use, requests, granted, denied, approval_share, 2::bigint as n_hs6
        from exclusion_rates;
    create table exclusion_requesters as
        select '1' as list_id, 'A' as requester, 4::bigint as requests, 1::bigint as granted, 3::bigint as denied,
            0.25::double as approval_share, 2::bigint as n_hs6, 1::bigint as requests_rank;
    create table exclusion_rates_by_month as
        select '1' as list_id, date '2018-10-01' as month_posted, 4::bigint as requests, 1::bigint as granted,
            3::bigint as denied, 0.25::double as approval_share;
    create table exclusion_determinants as
        select list_id, hs2 || '0000' as hs6, requests, granted, denied, approval_share, n_requesters,
            true as in_scope, 10.0::double as us_import_value_usd, 2::bigint as us_suppliers,
            0.5::double as china_import_share, 0.3::double as export_centrality, 2::bigint as n_exporters,
            '22' as bec4, 'INT' as bec5, 2017 as reference_year
        from exclusion_rates_by_industry;
    create table exclusions_in_force as
        select '1' as list_id, '8413919010' as hts10, date '2018-07-06' as valid_from, date '2019-12-28' as valid_to,
            '20(h)' as document, 1::bigint as n_items, 0::bigint as n_extensions, '841391' as hs6,
            'stated' as validity_basis
        union all
        select '1', '8413919010', date '2021-10-12', date '2024-06-14', '20(ttt(i))', 1, 1, '841391', 'stated'
        union all
        select '1', '8400000010', date '2018-07-06', date '2019-12-28', '20(h)', 1, 0, '840000', 'stated';
    -- 179 days of 2018 at a quarter; the line of 84 is excluded on all of them, the one of 85 on none.
    create table exclusion_value as
        select *, exclusion_value_2017_usd as scenario_value_2017_usd, exclusion_value_usd as scenario_value_usd,
            duty_2017_usd - exclusion_value_2017_usd as duty_with_exclusions_2017_usd,
            duty_usd - exclusion_value_usd as duty_with_exclusions_usd,
            1000.0::double as final_consumption_usd, exclusion_value_usd / 1000 as value_share_of_consumption,
            0.0::double as duty_share_of_consumption,
            exclusion_value_2017_usd / 1000 as value_2017_share_of_consumption,
            (duty_2017_usd - exclusion_value_2017_usd) / 1000 as duty_2017_share_of_consumption
        from (
            select 2018 as year, '1' as list_id, hs2, 'first-order upper bound' as estimate, 179::bigint as duty_days,
                mean_duty, 1::bigint as n_lines, n_excluded::bigint as n_lines_excluded, n_traded::bigint as
                n_lines_traded, 5.0::double as covered_2017_usd, 5 * mean_duty as duty_2017_usd,
                5 * mean_duty * n_excluded as exclusion_value_2017_usd, usd::double as covered_usd,
                usd * mean_duty as duty_usd, usd * mean_duty * n_excluded as exclusion_value_usd,
                0.4::double as approval_share, 0.4::double as scenario_approval_share
            from (values ('84', 1, 1, 8), ('85', 0, 0, null)) as t (hs2, n_excluded, n_traded, usd),
                (select 0.25 * 179 / 365 as mean_duty)
        );
    -- Two of five were granted: without any term, the odds are two to three.
    create table exclusion_regression as
        select 'end_use' as specification, 'intercept' as term, ln(2 / 3) as estimate, 0.5::double as std_error,
            ln(2 / 3) / 0.5 as z_value, 0.417406::double as p_value, 2 / 3 as odds_ratio, 5::bigint as n,
            2::bigint as n_granted, 2::bigint as n_clusters, 0::double as pseudo_r2, null::varchar as note;
    create schema previous;
    create table previous.exclusion_rates as from exclusion_rates;
""")

ONE_REQUEST = rows("tariff_requests", request_id="USTR-2018-0025-1")
FIRST_INTERVAL = rows("exclusions_in_force", valid_to=date(2019, 12, 28))

LANDING_CASES = [
    case(
        "two requests of one number",
        ONE_REQUEST.set(request_id="USTR-2018-0025-2"),
        fails="tariff_requests.requests_plausible",
        shows={"request_id": "USTR-2018-0025-2"},
    ),
    case(
        "a request of a list without exclusions",
        ONE_REQUEST.set(list_id="4B"),
        fails="tariff_requests.requests_plausible",
        shows={**ONE_REQUEST.values, "list_id": "4B"},
    ),
    case(
        "a status that is none",
        ONE_REQUEST.set(status="maybe"),
        fails="tariff_requests.requests_plausible",
        shows={**ONE_REQUEST.values, "status": "maybe"},
    ),
    case(
        "a line that is not where its statistical number is",
        ONE_REQUEST.set(hts8="84139191"),
        fails="tariff_requests.requests_plausible",
        shows={**ONE_REQUEST.values, "hts8": "84139191", "hts10": "8413919010"},
    ),
    case(
        "a number of nine digits",
        ONE_REQUEST.set(hts10="841391901"),
        fails="tariff_requests.requests_plausible",
        shows={**ONE_REQUEST.values, "hts10": "841391901"},
    ),
    case(
        "no request at all",
        rows("tariff_requests").remove(),
        fails="tariff_requests.requests_plausible",
        shows={"observed_value": 0},
    ),
    case(
        "one request with an unknown status",
        ONE_REQUEST.set(status="unknown"),
        fails="tariff_requests.status_words_known",
        shows={"status_raw": "Denied", "n_rows": 1, "example": "USTR-2018-0025-1"},
    ),
    case(
        "three of forty requests with an unknown status",
        rows("tariff_requests", "source_row < 3").set(status="unknown"),
        fails="tariff_requests.few_status_words_unknown",
        shows={"list_id": "1", "status_unknown": 3, "requests": 40},
    ),
    case(
        "a request posted in 1899",
        ONE_REQUEST.set(date_posted=date(1899, 12, 30)),
        fails="tariff_requests.posted_while_requests_were_taken",
        shows={**ONE_REQUEST.values, "date_posted": "1899-12-30"},
    ),
    case(
        "a line on another list",
        rows("tariff_lists").set(list_id="3"),
        fails="tariff_requests.lines_on_their_list",
        shows={"list_id": "1", "hts8": "84139190", "n_rows": 40},
    ),
    case(
        "lines on no list",
        rows("tariff_lists").set(hts8="84139199"),
        fails="tariff_requests.lines_mostly_on_a_list",
        shows={"list_id": "1", "requests": 40, "on_no_list": 40},
    ),
    case(
        "a line of seven digits",
        rows("tariff_lists").set(hts8="4139190"),
        fails="tariff_lists.lines_plausible",
        shows={"hts8": "4139190"},
    ),
    case(
        "imports below zero",
        rows("tariff_lists").set(imports_2017_usd=-1),
        fails="tariff_lists.lines_plausible",
        shows={"hts8": "84139190", "imports_2017_usd": -1.0},
    ),
    case(
        "a line that is there twice",
        rows("tariff_lists").repeat(),
        fails="tariff_lists.lines_plausible",
        shows={"hts8": "84139190", "list_id": "1", "n_rows": 2},
    ),
    case(
        "a number of eleven digits",
        rows("tariff_exclusions").set(hts10="84139190105"),
        fails="tariff_exclusions.exclusions_plausible",
        shows={"document": "20(h)", "hts10": "84139190105"},
    ),
    case(
        "an exclusion from no list",
        rows("tariff_exclusions").set(list_id=None),
        fails="tariff_exclusions.exclusions_plausible",
        shows={"list_id": None},
    ),
    case(
        "an exclusion that ends before it begins",
        rows("tariff_exclusions").set(valid_from=date(2020, 1, 2), valid_to=date(2020, 1, 1)),
        fails="tariff_exclusions.exclusions_plausible",
        shows={"document": "20(h)", "valid_from": "2020-01-02", "valid_to": "2020-01-01"},
    ),
    case(
        "an exclusion of a line that no list has",
        rows("tariff_exclusions").set(hts10="8413919910"),
        fails="tariff_exclusions.exclusions_of_listed_lines",
        shows={"list_id": "1", "hts8": "84139199", "document": "20(h)"},
    ),
    case(
        "a paragraph of another list than its exclusions",
        rows("tariff_exclusion_tranches").set(list_id="3"),
        fails="tariff_exclusions.lists_agree_with_paragraphs",
        shows={"document": "20(h)", "list_id": "1", "list_of_paragraph": "3"},
    ),
    case(
        "a day that cannot be read",
        rows("tariff_requests", source_row=7).set(date_posted=None, unreadable_dates="date_posted 13/7/2019"),
        fails="tariff_requests.dates_readable",
        shows={
            "list_id": "1",
            "n_rows": 1,
            "example": "date_posted 13/7/2019",
            "source_row": 7,
            "file": "archive entry entry",
        },
    ),
    case(
        "three of 40 days that cannot be read",
        rows("tariff_requests", "source_row < 3").set(unreadable_dates="date_posted 13/7/2019"),
        fails="tariff_requests.few_dates_unreadable",
        shows={"list_id": "1", "n_unreadable": 3, "requests": 40},
    ),
    case(
        "half of the codes without their leading zero",
        rows("tariffs_rule_counts", rule="noted:hts_zero_padded").set(n=20),
        fails="quarantine_tariffs.few_noted",
        shows={"noted": "hts_zero_padded", "n_noted": 20, "out_of": 41},
    ),
    case(
        "requests without a requester",
        add("tariffs_rule_counts", rule_count("noted:requester_missing", 3, source="ustr requests")),
        fails="quarantine_tariffs.few_noted",
        shows={"noted": "requester_missing", "n_noted": 3},
    ),
    case(
        "terms in most texts",
        add("tariffs_rule_counts", rule_count("noted:dates_in_text", 30, source="ustr requests")),
        fails="quarantine_tariffs.seldom_noted",
        shows={"noted": "dates_in_text", "n_noted": 30},
    ),
    case(
        "one quarantined row",
        add("quarantine_tariffs", quarantined("hts_length", dataset="tariffs", source="ustr requests")),
        fails="quarantine_tariffs.nothing_quarantined",
        shows={"reason": "hts_length", "n_rows": 1},
    ),
    case(
        "three of 41 rows quarantined",
        add("tariffs_rule_counts", rule_count("quarantined:hts_length", 3, source="ustr requests")),
        fails="quarantine_tariffs.few_quarantined",
        shows={"source": "ustr requests", "rows_quarantined": 3},
    ),
    case(
        "a row that was counted as quarantined and is not there",
        add("tariffs_rule_counts", rule_count("quarantined:hts_length", 1, source="ustr requests")),
        fails="quarantine_tariffs.counts_match_rows",
        shows={"reason": "hts_length", "rows_counted": 1, "rows_found": 0},
    ),
    case(
        "a row read that went nowhere",
        rows("tariffs_rule_counts", rule="landed").set(n=39),
        fails="quarantine_tariffs.rows_accounted_for",
        shows={"source": "ustr requests", "rows_read": 41, "rows_accounted_for": 40},
    ),
]
# Numbers that can be wrong by a factor and still be plausible, by check.
SCALED = {
    "exclusion_rates.recomputed_from_requests": (
        *("approval_share", "approval_share_without_top_requester", "additional_duty", "covered_trade_usd"),
        "top_requester_requests",
    ),
    "exclusion_rates_by_industry.recomputed_from_requests": ("approval_share", "n_hs6", "n_requesters"),
    "exclusion_rates_by_end_use.recomputed_from_requests": ("approval_share", "n_hs6"),
    "exclusion_rates_by_month.recomputed_from_requests": ("approval_share", "granted"),
    "exclusion_requesters.recomputed_from_requests": ("approval_share", "n_hs6", "requests_rank"),
    "exclusion_determinants.recomputed_from_requests_and_flows": (
        *("approval_share", "us_import_value_usd", "us_suppliers", "china_import_share", "export_centrality"),
        *("n_requesters", "n_exporters"),
    ),
    "exclusions_in_force.recomputed_from_exclusions": ("n_items",),
    "exclusion_regression.estimates_are_the_maximum": (
        *("estimate", "std_error", "z_value", "p_value", "odds_ratio", "n", "n_granted", "n_clusters"),
    ),
}

MART_CASES = [
    *(
        case(
            f"{column} three times what it is",
            rows(check.split(".")[0]).set(**{column: sql(f"{column} * 3")}),
            fails=check,
            shows={"specification": "end_use"} if "regression" in check else {"list_id": "1"},
        )
        for check, columns in SCALED.items()
        for column in columns
    ),
    case(
        "an exclusion that ends a month early",
        FIRST_INTERVAL.set(valid_to=date(2019, 11, 28)),
        fails="exclusions_in_force.recomputed_from_exclusions",
        shows={"valid_to": "2019-11-28", "valid_to_recomputed": "2019-12-28"},
    ),
    case(
        "a fit that explains half of what there is",
        rows("exclusion_regression").set(pseudo_r2=0.5),
        fails="exclusion_regression.estimates_are_the_maximum",
        shows={"pseudo_r2": 0.5, "pseudo_r2_recomputed": pytest.approx(0)},
    ),
    case(
        "more requests granted than were",
        rows("exclusion_rates").set(granted=3, denied=2),
        fails="exclusion_rates.rates_match_requests",
        shows={"list_id": "1", "granted": 3, "granted_landed": 2, "denied": 2, "denied_landed": 3},
    ),
    case(
        "requests without a rate",
        rows("exclusion_rates").remove(),
        fails="exclusion_rates.rates_match_requests",
        shows={"list_id": "1", "requests": None, "requests_landed": 5},
    ),
    case(
        "a share of approvals in per cent",
        rows("exclusion_rates").set(approval_share=40),
        fails="exclusion_rates.rates_match_requests",
        shows={"list_id": "1", "approval_share": 40.0},
    ),
    case(
        "fewer requests than in the release before",
        rows("previous.exclusion_rates").set(requests=6),
        fails="exclusion_rates.rates_stable",
        shows={"list_id": "1", "requests_before": 6, "requests": 5},
    ),
    case(
        "another share of approvals than in the release before",
        rows("previous.exclusion_rates").set(approval_share=0.3),
        fails="exclusion_rates.rates_stable",
        shows={"list_id": "1", "share_before": 0.3, "approval_share": 0.4},
    ),
    case(
        "another duty than the schedule's",
        rows("exclusion_rates").set(additional_duty=0.1),
        fails="exclusion_rates.duties_as_scheduled",
        shows={"heading": "9903.88.01", "additional_duty": 0.1, "scheduled_duty": 0.25},
    ),
    case(
        "a duty that the schedule does not have",
        rows("exclusion_rates").set(scheduled_duty=None),
        fails="exclusion_rates.duties_as_scheduled",
        shows={"heading": "9903.88.01", "additional_duty": 0.25, "scheduled_duty": None},
    ),
    case(
        "requests of an industry that has no row",
        rows("exclusion_rates_by_industry", hs2="85").remove(),
        fails="exclusion_rates_by_industry.industries_sum_to_rates",
        shows={"list_id": "1", "requests": 3, "requests_of_list": 5},
    ),
    case(
        "an end use of more denials than there were",
        rows("exclusion_rates_by_end_use").set(denied=4),
        fails="exclusion_rates_by_end_use.end_uses_sum_to_rates",
        shows={"list_id": "1", "denied": 4, "denied_of_list": 3},
    ),
    case(
        "an end use whose share of approvals is above 1",
        rows("exclusion_rates_by_end_use").set(approval_share=1.2),
        fails="exclusion_rates_by_end_use.end_uses_sum_to_rates",
        shows={"approval_share": 1.2},
    ),
    case(
        "a requester of more requests than it made",
        rows("exclusion_requesters").set(requests=5),
        fails="exclusion_requesters.requesters_match_requests",
        shows={"requester": "A", "requests": 5, "requests_landed": 4},
    ),
    case(
        "a requester whose share of approvals is below zero",
        rows("exclusion_requesters").set(approval_share=-0.1),
        fails="exclusion_requesters.requesters_match_requests",
        shows={"approval_share": -0.1},
    ),
    case(
        "an exclusion counted on every day of the year",
        rows("exclusion_value", hs2="84").set(exclusion_value_2017_usd=1.25),
        fails="exclusion_value.recomputed_day_by_day",
        shows={"hs2": "84", "exclusion_value_2017_usd": 1.25},
    ),
    case(
        "a list's chapter that is left out",
        rows("exclusion_value", hs2="85").remove(),
        fails="exclusion_value.recomputed_day_by_day",
        shows={"hs2": "85", "n_lines_recomputed": 1},
    ),
    case(
        "a scenario beyond the duty",
        rows("exclusion_value", hs2="84").set(scenario_value_usd=99.0),
        fails="exclusion_value.recomputed_day_by_day",
        shows={"hs2": "84", "scenario_value_usd": 99.0},
    ),
    case(
        "an amount that does not say what it is",
        rows("exclusion_value", hs2="84").set(estimate="effect"),
        fails="exclusion_value.recomputed_day_by_day",
        shows={"estimate": "effect"},
    ),
    case(
        "a month of more requests than were posted",
        rows("exclusion_rates_by_month").set(requests=5),
        fails="exclusion_rates_by_month.months_match_requests",
        shows={"month_posted": "2018-10-01", "requests": 5, "requests_landed": 4},
    ),
    case(
        "requests in the month after the one they were posted in",
        rows("exclusion_rates_by_month").set(month_posted=date(2018, 11, 1)),
        fails="exclusion_rates_by_month.months_match_requests",
        shows={"month_posted": "2018-11-01", "requests": 4, "requests_landed": None},
    ),
    case(
        "a month of more denials than there were",
        rows("exclusion_rates_by_month").set(denied=4),
        fails="exclusion_rates_by_month.months_match_requests",
        shows={"month_posted": "2018-10-01", "requests": 4, "decided": 5},
    ),
    case(
        "a month whose share of approvals is above 1",
        rows("exclusion_rates_by_month").set(approval_share=2),
        fails="exclusion_rates_by_month.months_match_requests",
        shows={"approval_share": 2.0},
    ),
    case(
        "requests of a good that has no row",
        rows("exclusion_determinants", hs6="850000").remove(),
        fails="exclusion_determinants.determinants_sum_to_rates",
        shows={"list_id": "1", "requests": 3, "requests_of_list": 5},
    ),
    case(
        "a good of which China's share of imports is above 1",
        rows("exclusion_determinants").set(china_import_share=1.5),
        fails="exclusion_determinants.determinants_sum_to_rates",
        shows={"hs6": "840000", "china_import_share": 1.5},
    ),
    case(
        "a good without imports",
        rows("exclusion_determinants").set(us_import_value_usd=0),
        fails="exclusion_determinants.determinants_sum_to_rates",
        shows={"hs6": "840000", "us_import_value_usd": 0.0},
    ),
    case(
        "an interval without an end before another",
        FIRST_INTERVAL.set(valid_to=None),
        fails="exclusions_in_force.intervals_do_not_overlap",
        shows={"valid_from": "2018-07-06", "valid_to": None, "next_from": "2021-10-12"},
    ),
    case(
        "an interval that begins before its duty",
        FIRST_INTERVAL.set(valid_from=date(2018, 7, 5)),
        fails="exclusions_in_force.intervals_do_not_overlap",
        shows={"valid_from": "2018-07-05", "effective_date": "2018-07-06"},
    ),
    case(
        "a code that was granted and never in force",
        rows("exclusions_in_force").remove(),
        fails="exclusions_in_force.granted_codes_were_in_force",
        shows={"list_id": "1", "hts10": "8413919010", "document": "20(h)"},
    ),
    case(
        "no end known",
        rows("exclusions_in_force").set(valid_to=None),
        fails="exclusions_in_force.ends_known",
        shows={"hts10": "8413919010", "valid_from": "2018-07-06", "valid_to": None},
    ),
    case(
        "an estimate that is missing",
        rows("exclusion_regression").set(estimate=None),
        fails="exclusion_regression.regression_estimated",
        shows={"specification": "end_use", "term": "intercept"},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(TARIFF_LANDING, SOUND_LANDING)
    assert_passes(TARIFF_MARTS, SOUND_MARTS)


@each(LANDING_CASES)
def test_a_fault_at_landing_is_found(case: Case) -> None:
    assert_fails(case, TARIFF_LANDING, SOUND_LANDING)


@each(MART_CASES)
def test_a_fault_in_the_marts_is_found(case: Case) -> None:
    assert_fails(case, TARIFF_MARTS, SOUND_MARTS)


def test_without_a_previous_release_there_is_nothing_to_compare_with() -> None:
    assert_first_release_passes(TARIFF_MARTS, SOUND_MARTS)
