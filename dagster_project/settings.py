"""Every setting, its environment variable, its default and the values it knows. Settings are defined nowhere else.

Values come from the environment, then from `.env` in the checkout. Anything unknown raises `SettingError`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from dagster_project.errors import SettingError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PREFIX = "CHOKEPOINT_"
FIRST_YEAR = 1988  # the Harmonized System's first
# Set by the program for dbt; not settings.
_INTERNAL = frozenset({"CHOKEPOINT_WAREHOUSE", "CHOKEPOINT_LANDING", "CHOKEPOINT_BUILD_YEARS"})


@dataclass(frozen=True)
class Settings:
    """The settings of one run. `years` is None for all years that the source holds."""

    data_dir: Path
    drop_dir: Path
    trade_source: str
    tariff_source: str
    patent_source: str
    politics_source: str
    reference_source: str
    years: tuple[int, ...] | None
    hs_revision: str
    product_scope: str
    keep_reimports: bool
    mirror_cif_fob_factor: float
    retain_releases: int
    brief_importer: str
    brief_years: tuple[int, ...] | None
    postgres_url: str
    postgres_schema: str
    comtrade_url: str
    comtrade_daily_budget: int
    comtrade_row_cap: int
    comtrade_calls_per_minute: int
    comtrade_bulk: bool
    comtrade_async: bool
    comtrade_preview_goods: tuple[str, ...]
    baci_url: str
    baci_release: str
    reference_list: Path
    ustr_addresses: tuple[str, ...]
    federal_register_url: str
    regulations_url: str
    hts_url: str
    uspto_url: str
    oecd_url: str
    dataverse_url: str
    user_agent: str

    @property
    def archive_dir(self) -> Path:
        """Where the raw archive lies."""
        return self.data_dir / "archive"

    @property
    def landing_dir(self) -> Path:
        """Where the landing tables lie."""
        return self.data_dir / "landing"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt writes; readers use the published file instead."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """Where releases lie; `current` in it is the newest one."""
        return self.data_dir / "published"

    @property
    def lock_path(self) -> Path:
        """The archive entries that the next release is built from."""
        return self.data_dir / "inputs.lock.json"

    def shaping(self) -> dict[str, Any]:
        """The settings that change what a mart holds, as plain data."""
        return {
            "trade_source": self.trade_source,
            "tariff_source": self.tariff_source,
            "patent_source": self.patent_source,
            "politics_source": self.politics_source,
            "reference_source": self.reference_source,
            "hs_revision": self.hs_revision,
            "product_scope": self.product_scope,
            "keep_reimports": self.keep_reimports,
            "mirror_cif_fob_factor": self.mirror_cif_fob_factor,
        }

    def public(self) -> dict[str, Any]:
        """All settings as plain data for a manifest: no secret, no path of this machine."""
        years = "all" if self.years is None else list(self.years)
        brief_years = "all" if self.brief_years is None else list(self.brief_years)
        return {
            **self.shaping(),
            "years": years,
            "retain_releases": self.retain_releases,
            "brief_importer": self.brief_importer,
            "brief_years": brief_years,
        }


@dataclass(frozen=True)
class Definition:
    """How one setting is read: variable, default text, meaning, the values it knows, and the parser."""

    name: str
    default: str
    meaning: str
    values: str
    parse: Callable[[str], Any]

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()


def _one_of(*values: str) -> tuple[str, Callable[[str], str]]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError
        return text

    return ", ".join(values), parse


def _path(text: str) -> Path:
    return (PROJECT_ROOT / Path(text).expanduser()).resolve()


def _years(text: str) -> tuple[int, ...] | None:
    if text == "all":
        return None
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})\s*(?:-\s*(\d{4})\s*)?", part)
        if match is None:
            raise ValueError
        first, last = int(match[1]), int(match[2] or match[1])
        if not FIRST_YEAR <= first <= last <= 2100:
            raise ValueError
        years.update(range(first, last + 1))
    return tuple(sorted(years))


def _postgres_url(text: str) -> str:
    if text != "off" and not re.fullmatch(r"postgres(ql)?://\S+", text):
        raise ValueError
    return "" if text == "off" else text


def _schema(text: str) -> str:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,49}", text) or text in ("public", "information_schema"):
        raise ValueError
    return text


def _importer(text: str) -> str:
    if text != "auto" and not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError
    return text if text == "auto" else text.upper()


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _factor(text: str) -> float:
    if not 0.5 <= float(text) <= 2:
        raise ValueError
    return float(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError
    return int(text)


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#]+", text):
        raise ValueError
    return text.rstrip("/")


def _urls(text: str) -> tuple[str, ...]:
    addresses = () if text == "none" else tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"https?://\S+", address) for address in addresses):
        raise ValueError
    return addresses


def _goods(text: str) -> tuple[str, ...]:
    codes = tuple(part.strip() for part in text.split(","))
    if not all(re.fullmatch(r"\d{6}", code) for code in codes):
        raise ValueError
    return codes


def _baci_release(text: str) -> str:
    if text != "newest" and not re.fullmatch(r"V?\d{6}[a-z]?", text):
        raise ValueError
    return text.removeprefix("V")


def _user_agent(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+/[ -~]+", text):
        raise ValueError
    return text


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError
    return int(text)


DEFINITIONS = (
    Definition("data_dir", "data", "archive, landing, warehouse and releases", "a directory", _path),
    Definition("drop_dir", "drop", "your own files, one folder per source", "a directory", _path),
    Definition(
        "trade_source",
        "sample",
        "where trade flows come from",
        *_one_of("sample", "files", "baci_files", "baci", "comtrade"),
    ),
    Definition(
        "tariff_source", "sample", "where tariff exclusions come from", *_one_of("sample", "files", "ustr", "off")
    ),
    Definition("patent_source", "sample", "where PCT patents come from", *_one_of("sample", "files", "uspto", "off")),
    Definition(
        "politics_source", "sample", "where UN ideal points come from", *_one_of("sample", "files", "web", "off")
    ),
    Definition("reference_source", "sample", "where classifications come from", *_one_of("sample", "files", "web")),
    Definition("years", "all", "which years", "all, a range (2017-2022) or a list (2017,2019) from 1988 on", _years),
    Definition(
        "hs_revision", "H5", "the HS revision that flows are converted to", *_one_of(*(f"H{i}" for i in range(7)))
    ),
    Definition(
        "product_scope",
        "bec4_intermediate",
        "which goods count as intermediate",
        *_one_of("bec4_intermediate", "bec4_intermediate_capital", "bec5_intermediate", "all"),
    ),
    Definition("keep_reimports", "false", "keep flows of a country with itself", "true, false", _boolean),
    Definition(
        "mirror_cif_fob_factor", "1.0", "multiplies flows filled from export reports", "a number from 0.5 to 2", _factor
    ),
    Definition("retain_releases", "5", "old releases kept beside the current one", "a whole number", _count),
    Definition(
        "brief_importer",
        "auto",
        "the importer that brief.html shows first; auto is the largest",
        "auto or an ISO 3166-1 alpha-3 code such as DEU",
        _importer,
    ),
    Definition(
        "brief_years", "all", "the years in brief.html", "all, a range (2017-2022) or a list (2017,2019)", _years
    ),
    Definition(
        "postgres_url",
        "off",
        "a PostgreSQL database that each release is loaded into",
        "off, or an address such as postgresql://user@host:5432/database",
        _postgres_url,
    ),
    Definition(
        "postgres_schema",
        "chokepoint",
        "the schema that holds the current release",
        "lower-case letters, digits and _, up to 50, not public, not beginning with pg_ (nothing that needs quoting)",
        _schema,
    ),
    Definition("comtrade_url", "https://comtradeapi.un.org", "UN Comtrade's API", "an http(s) address", _url),
    Definition(
        "comtrade_daily_budget", "500", "calls per key and UTC day, failed ones included", "1 or more", _positive
    ),
    Definition(
        "comtrade_row_cap",
        "250000",
        "rows at which a keyed answer counts as cut off (100000 and 250000 always do)",
        "1 or more",
        _positive,
    ),
    Definition("comtrade_calls_per_minute", "10", "keyed calls per minute at most", "1 or more", _positive),
    Definition("comtrade_bulk", "false", "take bulk files (premium keys only)", "true, false", _boolean),
    Definition(
        "comtrade_async",
        "false",
        "ask for an answer at the cap as a batch instead of in parts (premium keys only)",
        "true, false",
        _boolean,
    ),
    Definition(
        "comtrade_preview_goods",
        "283691,381800,850760,854231",
        "the goods that are asked for without a key",
        "six-digit codes, comma-separated",
        _goods,
    ),
    Definition(
        "baci_url", "https://www.cepii.fr/DATA_DOWNLOAD/baci", "CEPII's BACI folder", "an http(s) address", _url
    ),
    Definition("baci_release", "newest", "BACI release", "newest, or a release such as 202401b", _baci_release),
    Definition(
        "reference_list",
        "dagster_project/sources/reference_list.json",
        "addresses and pinned hashes of the reference files",
        "a JSON file",
        _path,
    ),
    Definition(
        "ustr_addresses",
        "none",
        "status tables, lists and other files of Section 301 to fetch",
        "http(s) addresses, comma-separated, or none",
        _urls,
    ),
    Definition(
        "federal_register_url", "https://www.federalregister.gov/api/v1", "Federal Register", "an http(s) address", _url
    ),
    Definition("regulations_url", "https://api.regulations.gov/v4", "regulations.gov", "an http(s) address", _url),
    Definition("hts_url", "https://hts.usitc.gov", "the Harmonized Tariff Schedule", "an http(s) address", _url),
    Definition("uspto_url", "https://api.uspto.gov/api/v1", "USPTO Open Data Portal", "an http(s) address", _url),
    Definition("oecd_url", "https://sdmx.oecd.org/public/rest", "OECD's SDMX service", "an http(s) address", _url),
    Definition("dataverse_url", "https://dataverse.harvard.edu", "Harvard Dataverse", "an http(s) address", _url),
    Definition(
        "user_agent",
        "chokepoint/0.1 (research pipeline; python-requests)",
        "how the program names itself to live sources",
        "a product name, a slash and its version; add how to reach you",
        _user_agent,
    ),
)


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = PROJECT_ROOT / ".env") -> Settings:
    """Read all settings. SettingError for a value or a CHOKEPOINT_ variable that is not known."""
    given: dict[str, str] = {}
    if dotenv is not None and dotenv.exists():
        given |= {name: value or "" for name, value in dotenv_values(dotenv).items()}
    given |= dict(os.environ if environ is None else environ)
    known = {definition.variable for definition in DEFINITIONS} | _INTERNAL
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            raise SettingError(
                f"setting {name}",
                found="a setting that does not exist",
                expected="one of " + ", ".join(sorted(known - _INTERNAL)),
                remedy="Correct its name, or remove it from the environment or .env.",
            )
    return Settings(
        **{definition.name: _read(definition, given.get(definition.variable)) for definition in DEFINITIONS}
    )


def _read(definition: Definition, text: str | None) -> Any:
    if text is None or not text.strip():
        text = definition.default
    try:
        return definition.parse(text.strip())
    except (ValueError, KeyError) as error:
        raise SettingError(
            f"setting {definition.variable} ({definition.meaning})",
            # An address may hold a password.
            found=repr(re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", text)),
            expected=definition.values,
            remedy="Set one of these values in the environment or in .env.",
        ) from error


assert [d.name for d in DEFINITIONS] == [f.name for f in fields(Settings)]
