"""The dashboard of tariff exclusions and core patents."""

from __future__ import annotations

from bi.dashboard import (
    COUNT,
    SHARE,
    VALUE,
    Bars,
    Dashboard,
    Dataset,
    Lines,
    Metric,
    Section,
    Table,
    Where,
    ratio,
)
from bi.every_page import THIS_RELEASE

_APPROVAL = Metric("Approval share", ratio("granted", "granted + denied"), SHARE)
_REQUESTS = Metric("Requests", "sum(requests)", COUNT)

DATASETS = (
    Dataset(
        "exclusion_rates",
        metrics=(
            _REQUESTS,
            _APPROVAL,
            Metric("Without the largest filer", "avg(approval_share_without_top_requester)", SHARE),
        ),
    ),
    Dataset("exclusion_rates_by_industry", metrics=(_REQUESTS, _APPROVAL)),
    Dataset("exclusion_rates_by_end_use", metrics=(_REQUESTS, _APPROVAL)),
    Dataset("exclusion_requesters", metrics=(_REQUESTS, _APPROVAL)),
    Dataset(
        "patent_country_summary",
        metrics=(
            Metric("Applications", "sum(applications)", ",.0f"),
            Metric("Core share", ratio("core_applications", "applications - unclassified_applications"), SHARE),
        ),
    ),
    Dataset(
        "exclusion_value",
        metrics=(
            Metric("Worth of exclusions, USD", "sum(exclusion_value_usd)", VALUE),
            Metric("Additional duties, USD", "sum(duty_usd)", VALUE),
        ),
    ),
    Dataset(
        "patent_core_share",
        metrics=(
            Metric("Applications", "sum(applications)", ",.0f"),
            Metric("Core applications", "sum(core_applications)", ",.1f"),
            Metric("Core share", ratio("core_applications", "applications"), SHARE),
        ),
    ),
    Dataset(
        "kaizen_summary",
        metrics=(
            Metric("Follow-on share", "avg(followon_share)", SHARE),
            Metric("PCT applications", "sum(applications)", ",.0f"),
        ),
    ),
)

_EXCLUSIONS = Section(
    "Tariff exclusions",
    (
        (
            Bars(
                title="How often was a product let off, list by list?",
                about="Granted over decided requests; also without the list's largest filer.",
                dataset="exclusion_rates",
                width=4,
                x="list_id",
                metrics=("Approval share", "Without the largest filer"),
                format=".0%",
                order="list_id",
                ascending=True,
                limit=10,
            ),
            Bars(
                title="Which industries were let off?",
                about="Approval share of the 12 HS chapters with most requests, all lists together.",
                dataset="exclusion_rates_by_industry",
                width=8,
                x="hs2_name",
                metrics=("Approval share",),
                horizontal=True,
                format=".0%",
                where=(Where("hs2_name", "IS NOT NULL"),),
                order="Requests",
                limit=12,
            ),
        ),
        (
            Bars(
                title="Were inputs let off more often than consumer goods?",
                about="Approval share by end use (BEC Rev.4) and list.",
                dataset="exclusion_rates_by_end_use",
                width=6,
                x="end_use",
                series="list_id",
                metrics=("Approval share",),
                format=".0%",
                order="Approval share",
                limit=100,
            ),
            Table(
                title="Who asked, how often, and with what success?",
                about="The organisations with most requests, all lists together.",
                dataset="exclusion_requesters",
                width=6,
                columns=("requester",),
                metrics=("Requests", "Approval share"),
                order="Requests",
                limit=20,
            ),
        ),
    ),
)
_WORTH = Section(
    "What exclusions are worth",
    (
        (
            Bars(
                title="What are the exclusions worth, beside the duties?",
                about="A first-order upper bound: trade of the year in excluded lines, times the duty.",
                dataset="exclusion_value",
                width=12,
                x="list_id",
                metrics=("Worth of exclusions, USD", "Additional duties, USD"),
                format=VALUE,
                order="list_id",
                ascending=True,
                limit=10,
            ),
        ),
    ),
)
_PATENTS = Section(
    "Core patents",
    (
        (
            Lines(
                title="Whose PCT applications are core patents?",
                about="Core share by filing year where the citation window is closed; the six that file most.",
                dataset="patent_country_summary",
                width=6,
                x="filing_year",
                metric="Core share",
                series="country_name",
                n_series=6,
                largest_by="Applications",
                format=".0%",
                where=(Where("window_complete", "==", True), Where("country_name", "IS NOT NULL")),
                order="filing_year",
                ascending=True,
                limit=10000,
            ),
            Table(
                title="Who owns the core patents, field by field?",
                about="Countries and WIPO fields with most core applications, where the citation window is closed.",
                dataset="patent_core_share",
                width=6,
                columns=("field_name", "country_name"),
                metrics=("Applications", "Core applications", "Core share"),
                where=(Where("window_complete", "==", True), Where("core_applications", ">", 0)),
                order="Core applications",
                limit=50,
            ),
        ),
    ),
)
_KAIZEN = Section(
    "Improvement step by step",
    (
        (
            Lines(
                title="Whose applications build on their own?",
                about="Share of applications that cite an earlier one of the same applicant, the mix of fields held "
                "the same; the six countries that file most.",
                dataset="kaizen_summary",
                width=12,
                x="filing_year",
                metric="Follow-on share",
                series="country_name",
                n_series=6,
                largest_by="PCT applications",
                format=".0%",
                where=(Where("lookback_complete", "==", True), Where("country_name", "IS NOT NULL")),
                order="filing_year",
                ascending=True,
                limit=10000,
            ),
        ),
    ),
)

EXCLUSIONS = Dashboard(
    title="Chokepoint exclusions and patents",
    slug="chokepoint-exclusions-and-patents",
    about="Which goods were let off the United States' additional duties on Chinese goods, and who owns the core "
    "patents.",
    sections=(THIS_RELEASE, _EXCLUSIONS, _WORTH, _PATENTS, _KAIZEN),
    filters=(),
)
