"""The checks of PCT patents, at landing and in the marts: do weights and shares add up, and are they plausible?

Not here: whether a single field can be read (landing quarantines those rows), structure and formulas (dbt holds those).
"""

from __future__ import annotations

from dagster_project.checks.accounting import Noted, accounting
from dagster_project.checks.declarations import Check, Expect, Stage, between, no_rows, not_empty, not_null, unique
from dagster_project.checks.views import PREVIOUS_RELEASE
from dagster_project.datasets.patents.recomputed import PREPARED, RECOMPUTED

_TOLERANCE = 1e-6
UNKNOWN_LIMIT = 0.10
FALL_LIMIT = 0.30
# PatentsView holds only applications granted in the United States. A larger difference must have another cause.
REFERENCE_LIMIT = 0.20

_IMPOSSIBLE_DATES = """
    select pct_id, filing_year, filing_date, publication_date, grant_date, citations_until from {batch}
    where filing_year not between 1978 and year(current_date) + 1 or publication_date < filing_date
"""
_PUBLICATION_FACTS = """
    select count(*) as publications, min(filing_year) as first_year, max(filing_year) as last_year,
        count(*) filter (filing_year is null) as without_filing_year,
        count(*) filter (window_start_estimated) as window_starts_estimated, max(citations_until) as citations_until
    from {batch}
"""
_UNKNOWN_COUNTRIES = f"""
    select sum(weight) filter (country_iso2 is null) as publications_of_unknown_country, sum(weight) as publications
    from {{batch}}
    having publications_of_unknown_country > {UNKNOWN_LIMIT} * publications
"""
_UNKNOWN_FIELDS = f"""
    select count(*) filter (wipo_field_id is null) as publications_without_field, count(distinct pct_id) as publications
    from {{batch}}
    having publications_without_field > {UNKNOWN_LIMIT} * publications
"""
_UNKNOWN_FIELD_NUMBERS = """
    select wipo_field_id, count(*) as n_rows from {batch}
    where not coalesce(try_cast(wipo_field_id as integer) between 1 and 35, wipo_field_id is null) group by all
"""
_ORPHAN_CITATIONS = """
    select cited_pct_id, count(*) as n_rows from {batch}
    where cited_pct_id not in (select pct_id from pct_publications)
        or citing_pct_id not in (select pct_id from pct_publications) group by all
"""
_CITATION_FACTS = """
    select count(*) as citations, count(distinct cited_pct_id) as cited_publications,
        count(*) filter (is_self) / nullif(count(*), 0) as self_citation_share, min(citing_date) as first_citing,
        max(citing_date) as last_citing
    from {batch}
"""
_REPEATED_CITATIONS = """
    select cited_pct_id, citing_id, count(*) as n_rows from {batch} group by all having count(*) > 1
"""
_WRONG_WEIGHTS = f"""
    select p.pct_id, sum(w.weight) as sum_of_weights, min(w.weight) as lowest_weight
    from pct_publications as p left join {{batch}} as w on w.pct_id = p.pct_id
    group by p.pct_id
    having sum_of_weights is null or abs(sum_of_weights - 1) > {_TOLERANCE} or not lowest_weight > 0
"""
_LARGER_THAN_THE_WORLD = """
    with sums as (
        select source, family, field, year, sum(value) filter (country_iso2 is not null) as economies,
            max(value) filter (economy = 'World') as world
        from {batch} group by all
    )
    select * from sums where economies > 1.01 * world
"""


def _sums_to_one(column: str, groups: str) -> Expect:
    return no_rows(f"""
        select {groups}, sum({column}) as sum_of_shares, count(*) as n_rows from {{batch}} group by all
        having abs(sum_of_shares - 1) > {_TOLERANCE}
    """)


_NOTED = {
    "no_date": Noted("patents without a day of grant", 0.05),
    "unreadable_date": Noted("dates that cannot be read", 0.05),
    "without_filing_year": Noted("publications that are in no filing year, so in no mart", 0.05, "pct_publications"),
    "without_applicant": Noted("publications without an applicant", UNKNOWN_LIMIT, "pct_publications", stops=False),
    "applicants_without_country": Noted("applicants of no known country", UNKNOWN_LIMIT, "pct_applicants", stops=False),
    "without_field": Noted("publications without a technology field", UNKNOWN_LIMIT, "pct_publications", stops=False),
    "code_without_field": Noted("classification codes that belong to no field", UNKNOWN_LIMIT, stops=False),
    "without_publication_date": Noted(
        "publications whose citation window begins at an estimated day", 0.25, "pct_publications", stops=False
    ),
    "without_wo_number": Noted("publications without a WO number", 0.25, "pct_publications", stops=False),
    "without_application_number": Noted(
        "publications without a PCT application number", 0.25, "pct_publications", stops=False
    ),
    "filing_date_from_us_application": Noted(
        "publications whose filing date is that of the US application", 0.25, "pct_publications", stops=False
    ),
}

PATENT_LANDING = Stage(
    name="landing of patents",
    checks=(
        Check(
            "publications_unique",
            "pct_publications",
            "ERROR",
            "There are publications, each of them once.",
            (not_empty(), not_null("pct_id"), unique("pct_id")),
            facts=_PUBLICATION_FACTS,
        ),
        Check(
            "dates_in_order",
            "pct_publications",
            "WARN",
            "Publications were filed since the treaty came into force (1978) and published after they were filed.",
            (no_rows(_IMPOSSIBLE_DATES),),
        ),
        Check(
            "weights_sum_to_one",
            "pct_applicants",
            "ERROR",
            "The weights of every publication's applicants sum to 1.",
            (no_rows(_WRONG_WEIGHTS),),
        ),
        Check(
            "countries_known",
            "pct_applicants",
            "WARN",
            f"At most {UNKNOWN_LIMIT:.0%} of the publications, by weight, have an applicant of unknown country.",
            (no_rows(_UNKNOWN_COUNTRIES),),
        ),
        Check(
            "weights_sum_to_one",
            "pct_fields",
            "ERROR",
            "The weights of every publication's technology fields sum to 1, and fields are WIPO's 1 to 35.",
            (no_rows(_WRONG_WEIGHTS), no_rows(_UNKNOWN_FIELD_NUMBERS)),
        ),
        Check(
            "fields_known",
            "pct_fields",
            "WARN",
            f"At most {UNKNOWN_LIMIT:.0%} of the publications have no technology field.",
            (no_rows(_UNKNOWN_FIELDS),),
        ),
        Check(
            "citations_plausible",
            "pct_citations",
            "ERROR",
            "Every citation is of a landed publication, by one or by another document, has a date, and is there once.",
            (not_null("citing_date"), not_null("is_self"), no_rows(_ORPHAN_CITATIONS), no_rows(_REPEATED_CITATIONS)),
            facts=_CITATION_FACTS,
        ),
        Check(
            "economies_within_world",
            "reference_totals",
            "WARN",
            "The reference's economies together do not exceed its world total.",
            (no_rows(_LARGER_THAN_THE_WORLD),),
        ),
        # A source's tables are counted one by one; its quarantine names the source only.
        *accounting("patents", about="quarantine_patents", by=("source",), quarantine_by=(), noted=_NOTED),
    ),
)

_BAD_CORE_SHARES = f"""
    select * from {{batch}}
    where not applications > 0 or not world_share between 0 and 1 + {_TOLERANCE} or rta < 0
        or not core_share between 0 and 1 + {_TOLERANCE} or not core_share_top1 between 0 and core_share + {_TOLERANCE}
        or not core_share_net_self between 0 and 1 + {_TOLERANCE}
        or not core_share_family between 0 and 1 + {_TOLERANCE}
        or (core_share is null) <> (core_share_top1 is null)
"""
# Sum over fields of (N_f / N) · RTA_cf is sum over fields of N_cf / N_c.
_WRONG_RTA = f"""
    with sizes as (
        select *, sum(applications) over (partition by filing_year, field_id) as of_field,
            sum(applications) over (partition by filing_year) as of_year
        from {{batch}}
    )
    select filing_year, country_iso2, sum(rta * of_field / of_year) as weighted_rta
    from sizes where country_iso2 <> 'ZZ' group by filing_year, country_iso2
    having abs(weighted_rta - 1) > {_TOLERANCE}
"""
_ODD_CORE = """
    select filing_year, sum(core_applications) / sum(applications) as core_share, sum(applications) as applications
    from {batch} where window_complete and core_share is not null group by all
    having applications >= 1000 and not core_share between 0.03 and 0.3
"""
_CORE_FACTS = """
    select count(distinct filing_year) as years, count(distinct country_iso2) as countries,
        sum(applications) as applications, max(filing_year) filter (window_complete) as last_complete_year,
        sum(applications) filter (country_iso2 = 'ZZ') as applications_of_unknown_country
    from {batch}
"""
_BAD_SUMMARIES = f"""
    select * from {{batch}}
    where not applications > 0 or not unclassified_applications between 0 and applications + {_TOLERANCE}
        or not core_share between 0 and 1 + {_TOLERANCE}
        or not field_hhi between 1.0 / 35 - {_TOLERANCE} and 1 + {_TOLERANCE} or growth_5y < -1
"""
_UNMATCHED_SUMMARIES = f"""
    with fields as (
        select filing_year, country_iso2, sum(applications) as of_fields, sum(core_applications) as core_of_fields
        from patent_core_share group by all
    )
    select filing_year, country_iso2, applications, unclassified_applications, of_fields, core_applications,
        core_of_fields
    from {{batch}} full join fields using (filing_year, country_iso2)
    where applications is null
        or abs(applications - unclassified_applications - coalesce(of_fields, 0)) > {_TOLERANCE} * applications
        or abs(coalesce(core_applications, 0) - coalesce(core_of_fields, 0)) > {_TOLERANCE} * applications
"""
_FALLEN_YEARS = f"""
    with before as (
        select filing_year, sum(applications) as previous_applications from previous.patent_country_summary group by all
    ),
    today as (select filing_year, sum(applications) as applications from {{batch}} group by all)
    select *, coalesce(applications, 0) / previous_applications - 1 as change from before left join today
        using (filing_year)
    where coalesce(applications, 0) < (1 - {FALL_LIMIT}) * previous_applications
"""
_UNEQUAL_PAIRS = """
    select a.filing_year, a.country_iso2, a.partner_iso2, a.joint_publications,
        b.joint_publications as seen_from_partner
    from {batch} as a left join patent_collaboration as b
        on b.filing_year = a.filing_year and b.country_iso2 = a.partner_iso2 and b.partner_iso2 = a.country_iso2
    where b.joint_publications is distinct from a.joint_publications or a.joint_applications > a.joint_publications
"""
_FAR_FROM_REFERENCE = f"""
    select filing_year, country_iso2, our_share, reference_share, share_difference, coverage, explanation from {{batch}}
    where technology = 'ALL' and abs(share_difference) > {REFERENCE_LIMIT}
"""

PATENT_MARTS = Stage(
    name="patent marts",
    checks=(
        Check(
            "shares_plausible",
            "patent_core_share",
            "ERROR",
            "Shares lie in [0, 1], and the top 1 % is part of the top decile.",
            (not_empty(), no_rows(_BAD_CORE_SHARES)),
            facts=_CORE_FACTS,
        ),
        Check(
            "world_shares_sum_to_one",
            "patent_core_share",
            "ERROR",
            "The countries' shares of every field and year, the unknown country included, sum to 1.",
            (_sums_to_one("world_share", "filing_year, field_id"),),
        ),
        Check(
            "rta_averages_one",
            "patent_core_share",
            "ERROR",
            "A country's technology advantages, weighted by the fields' shares of the world, average 1.",
            (no_rows(_WRONG_RTA),),
        ),
        Check(
            "core_is_about_a_tenth",
            "patent_core_share",
            "WARN",
            "Core patents are about a tenth of a year's applications; ties and small cohorts shift the share.",
            (no_rows(_ODD_CORE),),
        ),
        Check(
            "measures_plausible",
            "patent_country_summary",
            "ERROR",
            "Concentration lies between 1/35 and 1, shares in [0, 1]; the countries' shares of a year sum to 1.",
            (no_rows(_BAD_SUMMARIES), _sums_to_one("world_share", "filing_year")),
        ),
        Check(
            "totals_match_fields",
            "patent_country_summary",
            "ERROR",
            "A country's applications are those of its fields and those without a field.",
            (no_rows(_UNMATCHED_SUMMARIES),),
        ),
        Check(
            "coverage_applications",
            "patent_country_summary",
            "ERROR",
            f"In no filing year did applications fall by more than {FALL_LIMIT:.0%} against the previous release.",
            (no_rows(_FALLEN_YEARS),),
            requires=PREVIOUS_RELEASE,
        ),
        Check(
            "shares_sum_to_one",
            "patent_collaboration",
            "ERROR",
            "The partners' shares of a country's joint applications sum to 1; a pair has the same count on both sides.",
            (
                between("share_of_joint", 0, 1 + _TOLERANCE, strictly_above=True),
                _sums_to_one("share_of_joint", "filing_year, country_iso2"),
                no_rows(_UNEQUAL_PAIRS),
            ),
        ),
        Check(
            "shares_near_reference",
            "patent_reconciliation",
            "WARN",
            "No economy's share of the world differs from the reference's by more than "
            f"{100 * REFERENCE_LIMIT:.0f} percentage points.",
            (no_rows(_FAR_FROM_REFERENCE),),
        ),
        *RECOMPUTED,
    ),
    prepare=PREPARED,
)
