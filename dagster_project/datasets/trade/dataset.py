"""Trade: who exported which good to whom, by year, as reported (UN Comtrade) or reconciled (CEPII BACI)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dagster_project.archive.payload import Payload
from dagster_project.datasets.declaration import (
    Dataset,
    DropFolder,
    LiveService,
    Sample,
    StageChecks,
    Table,
    Yearly,
)
from dagster_project.datasets.trade import baci_files, baci_web, comtrade_api, comtrade_files
from dagster_project.datasets.trade.figures import TRADE_FIGURES
from dagster_project.datasets.trade.landing import land
from dagster_project.datasets.trade.landing_checks import TRADE_LANDING
from dagster_project.datasets.trade.mart_checks import TRADE_MARTS
from dagster_project.datasets.trade.parsing import identities
from dagster_project.datasets.trade.sample import files
from dagster_project.datasets.trade.staging_checks import TRADE_STAGING
from dagster_project.sample.reporting import YEARS
from dagster_project.settings import FIRST_YEAR, Settings
from dagster_project.sources import cepii


def _one_edition(payloads: Sequence[Payload], settings: Settings) -> tuple[list[Payload], list[str]]:
    return baci_files.choose_edition(payloads, settings.hs_revision)


def _possible_years(settings: Settings) -> range:
    if settings.trade_source == "sample":
        return range(min(YEARS), max(YEARS) + 1)
    return range(FIRST_YEAR, datetime.now(UTC).year)  # a year's annual data appear when it is over


TRADE = Dataset(
    name="trade",
    title="bilateral trade in goods",
    description="Trade payloads (UN Comtrade rows or CEPII BACI files), archived as received. "
    "A payload may hold several years; every payload is archived whichever years a run asks for.",
    setting="trade_source",
    sources=(
        Sample(files),
        DropFolder("files", comtrade_files.FILE_KINDS),
        DropFolder("baci_files", baci_files.FILE_KINDS, choose=_one_edition),
        LiveService(
            "comtrade",
            comtrade_api.trade,
            comtrade_api.probes,
            changed_years=comtrade_api.changed_years,
            look_every=6 * 3600,
            schedule="daily_trade",
            cron="15 4 * * *",
            why="Trade: daily, when the call budget of the new UTC day is fresh.",
            stale=(40, 100),
        ),
        LiveService(
            "baci",
            baci_web.trade,
            lambda settings: [cepii.probe()],
            changed=cepii.changed,
            look_every=6 * 3600,
            schedule="daily_trade",
            cron="15 4 * * *",
            why="Trade: daily; a look costs two calls.",
            stale=(100, 200),
        ),
    ),
    tables=(
        Table(
            "trade_flows",
            "One row per (year, reporter, flow, partner, HS code) as reported, after the named rules.",
            "trade_flows/year=*/*.parquet",
        ),
        Table(
            "trade_unallocated",
            "Rows whose partner is no country: their value is kept as the importer's unallocated value.",
            "trade_unallocated/year=*/*.parquet",
        ),
        Table(
            "trade_reimports",
            "Rows whose reporter and partner are the same country.",
            "trade_reimports/year=*/*.parquet",
        ),
        Table(
            "trade_control_totals",
            "World rows, kept to check the partners' sum against.",
            "trade_control_totals/year=*/*.parquet",
        ),
        Table(
            "trade_reporters",
            "One row per (year, country, flow) with a usable report: a flow, or an import from no country. A country "
            "whose imports are not among them is filled from its partners' exports.",
            "trade_reporters/year=*/*.parquet",
        ),
        Table(
            "trade_findings",
            "What a user should know of a year's reports, by name: reporters without a usable row, breakdowns that "
            "were added up, goods of which only a heading is there, codes taken for an economy's other code.",
            "trade_findings/year=*/*.parquet",
        ),
        Table(
            "trade_losses",
            "Rows and value read, by year, file, reporter, flow and the rule that took them; the reason where that is "
            "quarantine.",
            "trade_losses/year=*/*.parquet",
        ),
        Table(
            "trade_rule_counts",
            "One row per (year, rule): rows read, landed, set aside by rule, quarantined by reason.",
            "trade_rule_counts/year=*/*.parquet",
        ),
        Table(
            "quarantine_trade",
            "Rows that could not be used, with the reason and the archive entry and row they came from.",
            "quarantine/trade/year=*/*.parquet",
        ),
    ),
    land=land,
    checks=(
        StageChecks("landing", TRADE_LANDING),
        StageChecks("staging", TRADE_STAGING),
        StageChecks("marts", TRADE_MARTS),
    ),
    figures=TRADE_FIGURES,
    after=("reference",),
    lands_after=("reference",),
    shaping=(
        *("keep_reimports", "mirror_cif_fob_factor", "centrality_years", "relocation_pairs", "relocation_thirds"),
        *("shock_exporters", "shock_cut", "spare_capacity", "scenarios", "price_trim"),
        "price_min_cells",
    ),
    real_with=("reference",),
    yearly=Yearly(identities, _possible_years),
    accounting={"flows": "int_flow_accounting"},
)
