"""Every setting, its environment variable, its default and the values it knows. Settings are defined nowhere else.

Values come from the environment, then from `.env` among the user's files (see `places`). Anything unknown raises
`SettingError`. Keys are settings too, under the names that their services' users know. Not here: what settings do.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dagster_project import economy_codes
from dagster_project.errors import SettingError
from dagster_project.hs import REVISIONS
from dagster_project.machine import LEAST_MEMORY, Resources, default_memory, default_threads
from dagster_project.places import HOME, PACKAGE, PRODUCT
from dagster_project.postgres_address import connection_parameters
from dagster_project.redaction import without_secrets
from dagster_project.scenarios import Scenario, as_json, from_json, read_scenarios
from dagster_project.secret import Secret

PREFIX = "CHOKEPOINT_"
DUCKDB, SPARK = "duckdb", "spark"
REFERENCE_LIST = PACKAGE / "datasets" / "reference" / "reference_list.json"  # the one that comes with the program
FIRST_YEAR = 1988  # the Harmonized System's first
# Set by the program for dbt; not settings.
_INTERNAL = frozenset(
    {
        "CHOKEPOINT_WAREHOUSE",
        "CHOKEPOINT_LANDING_FILES",
        "CHOKEPOINT_SCHEMA_PREFIX",
        "CHOKEPOINT_BUILD_YEARS",
        "CHOKEPOINT_BUILD_MEMORY",
        "CHOKEPOINT_BUILD_THREADS",
    }
)


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    `years` is None for all years that the source holds, a secret where it is not set. `memory` is in bytes. `scenarios`
    is empty for the project's own.
    """

    data_dir: Path
    drop_dir: Path
    trade_source: str
    tariff_source: str
    patent_source: str
    politics_source: str
    chains_source: str
    returns_source: str
    reference_source: str
    years: tuple[int, ...] | None
    hs_revision: str
    product_scope: str
    keep_reimports: bool
    mirror_cif_fob_factor: float
    centrality_years: tuple[int, ...]
    relocation_pairs: tuple[tuple[int, int], ...]
    relocation_thirds: tuple[int, ...]
    shock_exporters: tuple[int, ...]
    shock_cut: float
    spare_capacity: float
    price_trim: float
    price_min_cells: int
    scenarios: tuple[Scenario, ...]
    us_consumption: tuple[tuple[int, float], ...]
    retain_releases: int
    brief_importer: str
    brief_years: tuple[int, ...] | None
    memory: int
    threads: int
    engine: str
    spark_conf: Path | None
    spark_schema: str
    postgres_url: Secret | None
    postgres_schema: str
    comtrade_api_key: Secret | None
    uspto_api_key: Secret | None
    regulations_api_key: Secret | None
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
    ustr_addresses: tuple[Secret, ...]
    federal_register_url: str
    regulations_url: str
    hts_url: str
    uspto_url: str
    oecd_url: str
    dataverse_url: str
    oecd_icio_url: str
    more_hosts: tuple[str, ...]
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

    @property
    def consumption_from_tables(self) -> bool:
        """Whether input-output tables may say what a country uses: they are on, and no sample beside real lists."""
        return self.chains_source != "off" and (self.chains_source == "sample") == (self.tariff_source == "sample")

    @property
    def resources(self) -> Resources:
        """What a run may take of the machine; each stage takes its share of it (see `machine`)."""
        return Resources(self.memory, self.threads)

    def addresses(self) -> list[str]:
        """Every address that names a host which live sources may ask."""
        urls = [getattr(self, definition.name) for definition in DEFINITIONS if definition.parse is _url]
        files = [address.reveal() for address in self.ustr_addresses]
        return [*urls, *files, *(f"https://{host}" for host in self.more_hosts)]

    def shaping(self) -> dict[str, Any]:
        """The settings that change what a mart holds, as plain data."""
        return {
            "trade_source": self.trade_source,
            "tariff_source": self.tariff_source,
            "patent_source": self.patent_source,
            "politics_source": self.politics_source,
            "chains_source": self.chains_source,
            "returns_source": self.returns_source,
            "reference_source": self.reference_source,
            "hs_revision": self.hs_revision,
            "product_scope": self.product_scope,
            "keep_reimports": self.keep_reimports,
            "mirror_cif_fob_factor": self.mirror_cif_fob_factor,
            "centrality_years": ",".join(map(str, self.centrality_years)),
            "relocation_pairs": ",".join(f"{exporter}-{importer}" for exporter, importer in self.relocation_pairs),
            "relocation_thirds": ",".join(map(str, self.relocation_thirds)),
            "shock_exporters": ",".join(map(str, self.shock_exporters)),
            "shock_cut": self.shock_cut,
            "spare_capacity": self.spare_capacity,
            "price_trim": self.price_trim,
            "price_min_cells": self.price_min_cells,
            "scenarios": as_json(self.scenarios) if self.scenarios else "own",
            "us_consumption": ",".join(f"{year}:{usd!r}" for year, usd in self.us_consumption) or "none",
        }

    def public(self) -> dict[str, Any]:
        """All settings as plain data for a manifest: no secret, no path of this machine."""
        years = "all" if self.years is None else list(self.years)
        brief_years = "all" if self.brief_years is None else list(self.brief_years)
        return {
            **self.shaping(),
            "engine": self.engine,
            "years": years,
            "retain_releases": self.retain_releases,
            "brief_importer": self.brief_importer,
            "brief_years": brief_years,
        }

    def as_locked(self, recorded: Mapping[str, Any], where: str) -> Settings:
        """These settings with what a lock records of those that shape numbers, and the years; nothing else is taken.

        A lock may come from elsewhere: its values are read as the environment's are. SettingError for another name, or
        for a value that the setting does not know.
        """
        allowed = {*self.shaping(), "years"}
        if others := sorted(set(recorded) - allowed):
            raise SettingError(
                where,
                found=f"the settings {', '.join(others)}",
                expected=f"none but {', '.join(sorted(allowed))}",
                remedy="A lock decides about nothing else. Take the copy that lies in the release to be rebuilt; set "
                "others in the environment or .env.",
            )
        by_name = {definition.name: definition for definition in DEFINITIONS}
        found = {name: _recorded(by_name[name], value, where) for name, value in recorded.items()}
        return replace(self, **found)


@dataclass(frozen=True)
class Definition:
    """How one setting is read: variable, default text, meaning, the values it knows, and the parser.

    The text of a `secret` is in no message. `prefix` begins the variable's name.
    """

    name: str
    default: str
    meaning: str
    values: str
    parse: Callable[[str], Any]
    secret: bool = False
    prefix: str = PREFIX

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.prefix + self.name.upper()

    @property
    def choices(self) -> list[str]:
        """The values of a closed list; none where any text of some form will do."""
        values = self.values.split(", ")
        return values if len(values) > 1 and not any(" " in value for value in values) else []


class _Refused(ValueError):
    """A value that deserves a reason of its own; the text goes on after the value. `near` is what may be meant."""

    def __init__(self, reason: str, near: str = "") -> None:
        super().__init__(reason)
        self.near = near


def _one_of(*values: str) -> tuple[str, Callable[[str], str]]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError
        return text

    return ", ".join(values), parse


def _path(text: str) -> Path:
    return (HOME / Path(text).expanduser()).resolve()


_OWN_LIST = REFERENCE_LIST.relative_to(PACKAGE.parent).as_posix()


def _reference_list(text: str) -> Path:
    """The list that comes with the program lies where the program does; any other is the user's."""
    return REFERENCE_LIST if text == _OWN_LIST else _path(text)


def _optional_file(text: str) -> Path | None:
    if text == "none":
        return None
    if not _path(text).is_file():
        raise _Refused("which is no file")
    return _path(text)


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", text):
        raise ValueError
    return "" if text == "none" else text


def _years(text: str) -> tuple[int, ...] | None:
    if text == "all":
        return None
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})\s*(?:-\s*(\d{4})\s*)?", part)
        if match is None:
            raise ValueError
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise _Refused(f"a range that ends before it begins; write {last}-{first}")
        if first < FIRST_YEAR or last > 2100:
            raise ValueError
        years.update(range(first, last + 1))
    return tuple(sorted(years))


def _some_years(text: str) -> tuple[int, ...]:
    years = _years(text)
    if years is None:
        raise _Refused("which is no fixed threshold: it would move with every year that is added")
    return years


def _memory(text: str) -> int:
    """Bytes, in decimal or binary units, as DuckDB reads them."""
    if text == "auto":
        return default_memory()
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *([kmgt])(i?)b", text, re.IGNORECASE | re.ASCII)
    if match is None:
        raise _Refused("a number without a unit") if text.isdigit() else ValueError
    memory = int(float(match[1]) * (1024 if match[3] else 1000) ** ("kmgt".index(match[2].lower()) + 1))
    if memory < LEAST_MEMORY:
        raise _Refused("too little to work with")
    return memory


def _threads(text: str) -> int:
    return default_threads() if text == "auto" else _positive(text)


def _postgres_url(text: str) -> Secret | None:
    if text == "off":
        return None
    connection_parameters(text)
    return Secret(text)


def _key(text: str) -> Secret | None:
    """An access key: it travels in a header, which takes no other characters."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError
    return None if text == "none" else Secret(text)


def _schema(text: str) -> str:
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,49}", text) or text in ("public", "information_schema"):
        raise ValueError
    return text


def _importer(text: str) -> str:
    if text != "auto" and text.upper() not in economy_codes.ALPHA3 | {economy_codes.EUROPEAN_UNION}:
        raise _Refused("which is no such code", economy_codes.nearest(text))
    return text if text == "auto" else text.upper()


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _factor(text: str) -> float:
    if not 0.5 <= float(text) <= 2:
        raise ValueError
    return float(text)


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    pairs = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})\s*-\s*(\d{1,3})\s*", part, re.ASCII)
        if match is None:
            raise ValueError
        if int(match[1]) == int(match[2]):
            raise _Refused("a pair of a country with itself")
        pairs.append((int(match[1]), int(match[2])))
    return tuple(dict.fromkeys(pairs))


def _codes(text: str) -> tuple[int, ...]:
    codes = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"\d{1,3}", code, re.ASCII) for code in codes):
        raise ValueError
    return tuple(dict.fromkeys(map(int, codes)))


def _part(text: str) -> float:
    if not 0 < float(text) <= 1:
        raise ValueError
    return float(text)


def _spare(text: str) -> float:
    if not 0 <= float(text) <= 10:
        raise ValueError
    return float(text)


def _trim(text: str) -> float:
    if not 1 < float(text) <= 100:
        raise ValueError
    return float(text)


def _scenarios(text: str) -> tuple[Scenario, ...]:
    """The content of the file: a run reads it once. A lock holds that content, not the file's name."""
    if text == "own":
        return ()
    if text.startswith("["):
        return from_json(text)
    if not _path(text).is_file():
        raise _Refused("which is no file")
    return read_scenarios(_path(text))


def _by_year(text: str) -> tuple[tuple[int, float], ...]:
    """Amounts of money by year, sorted; none where the text says so."""
    if text == "none":
        return ()
    found: dict[int, float] = {}
    for part in text.split(","):
        year, colon, usd = part.partition(":")
        if not colon or not re.fullmatch(r"\s*\d{4}\s*", year, re.ASCII) or not 0 < float(usd) < math.inf:
            raise ValueError
        if int(year) in found:
            raise _Refused(f"{int(year)} twice")
        found[int(year)] = float(usd)
    return tuple(sorted(found.items()))


def _positive(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or int(text) < 1:
        raise ValueError
    return int(text)


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#]+", text):
        raise ValueError
    if "@" in urlsplit(text).netloc:
        raise _Refused("with a user name in it; .netrc is the place for user and password")
    return text.rstrip("/")


def _urls(text: str) -> tuple[Secret, ...]:
    addresses = () if text == "none" else tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(re.fullmatch(r"https?://\S+", address) for address in addresses):
        raise ValueError
    for address in addresses:
        _ = urlsplit(address).port  # ValueError where a / in a password ends the host early
    return tuple(map(Secret, addresses))


def _hosts(text: str) -> tuple[str, ...]:
    hosts = () if text == "none" else tuple(part.strip().lower() for part in text.split(","))
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) for host in hosts):
        raise ValueError
    return hosts


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
    if not re.fullmatch(r"[0-9]+", text):
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
    Definition(
        "chains_source",
        "sample",
        "where inter-country input-output tables come from",
        *_one_of("sample", "files", "oecd", "off"),
    ),
    Definition(
        "returns_source", "off", "where market returns around events come from", *_one_of("sample", "files", "off")
    ),
    Definition("reference_source", "sample", "where classifications come from", *_one_of("sample", "files", "web")),
    Definition("years", "all", "which years", "all, a range (2017-2022) or a list (2017,2019) from 1988 on", _years),
    Definition("hs_revision", "H5", "the HS revision that flows are converted to", *_one_of(*REVISIONS)),
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
    Definition(
        "centrality_years",
        "2017-2018",
        "the years whose goods together decide from which centrality on a good is high_centrality_pooled",
        "a range (2017-2018) or a list (2017,2018) from 1988 on",
        _some_years,
    ),
    Definition(
        "relocation_pairs",
        "156-704,156-484",
        "pairs of countries, exporter first, between which production may have moved",
        "pairs of Comtrade's numeric codes such as 156-704, comma-separated",
        _pairs,
    ),
    Definition(
        "relocation_thirds",
        "842,97",
        "the third countries of these pairs, whose deficit may have moved along; 97 is the 27 members of the EU",
        "Comtrade's numeric codes, comma-separated",
        _codes,
    ),
    Definition(
        "shock_exporters",
        "156",
        "the exporters whose removal is computed good by good",
        "Comtrade's numeric codes, comma-separated",
        _codes,
    ),
    Definition(
        "shock_cut", "0.02", "the part of its goods that an exporter no longer delivers", "above 0, up to 1", _part
    ),
    Definition(
        "spare_capacity",
        "0.1",
        "the part of their exports that the other exporters of a good can deliver in addition",
        "a number from 0 to 10",
        _spare,
    ),
    Definition(
        "price_trim",
        "3",
        "a unit value that changed by more than this factor within a year, up or down, is left out of prices",
        "above 1, up to 100",
        _trim,
    ),
    Definition(
        "price_min_cells",
        "3",
        "with fewer matched cells than this, a price index is of poor quality and involution is not measured",
        "1 or more",
        _positive,
    ),
    Definition(
        "scenarios",
        "own",
        "scenarios of suppliers that deliver less; own is the project's (docs/shocks-and-relocation.md)",
        "own, or a CSV file such as drop/scenarios.csv",
        _scenarios,
    ),
    Definition(
        "us_consumption",
        "none",
        "final consumption of the United States in USD by year, of which exclusion_value then gives the share; for "
        "other years it is final use in the input-output table, where there is one",
        "none, or years with amounts such as 2018:1.68e13,2019:1.75e13",
        _by_year,
    ),
    Definition("retain_releases", "5", "old releases kept beside the current one", "a whole number", _count),
    Definition(
        "brief_importer",
        "auto",
        "the importer that brief.html shows first; auto is the largest",
        "auto, an ISO 3166-1 alpha-3 code such as DEU, or EUR (the European Union)",
        _importer,
    ),
    Definition(
        "brief_years", "all", "the years in brief.html", "all, a range (2017-2022) or a list (2017,2019)", _years
    ),
    Definition(
        "memory",
        "auto",
        "what DuckDB may take in landing, dbt, checks and publishing; auto is half of the memory that this machine or "
        "its container has, 1.5GB at most",
        "auto, or a size such as 4GB, from 500MB on",
        _memory,
    ),
    Definition(
        "threads",
        "auto",
        "how many threads DuckDB uses there; auto is one for each processor that the program may use, 4 at most",
        "auto, or 1 or more",
        _threads,
    ),
    Definition(
        "engine",
        DUCKDB,
        "what computes the models: DuckDB on this machine, or Spark, where one machine is too small",
        *_one_of(DUCKDB, SPARK),
    ),
    Definition(
        "spark_conf",
        "none",
        "Spark properties of yours, such as master and memory, as in spark-defaults.conf",
        "none, or a text file",
        _optional_file,
    ),
    Definition(
        "spark_schema",
        "none",
        "begins the names of the schemas in Spark's catalog, where others use it too",
        "none, or lower-case letters, digits and _, up to 30",
        _prefix,
    ),
    Definition(
        "postgres_url",
        "off",
        "a PostgreSQL database that each release is loaded into",
        "off, or an address such as postgresql://user@host:5432/database",
        _postgres_url,
        secret=True,
    ),
    Definition(
        "postgres_schema",
        "chokepoint",
        "the schema that holds the current release",
        "lower-case letters, digits and _, up to 50, not public, not beginning with pg_ (nothing that needs quoting)",
        _schema,
    ),
    *(
        Definition(f"{service}_api_key", "none", meaning, "none, or a key without blanks", _key, secret=True, prefix="")
        for service, meaning in (
            ("comtrade", "the key for UN Comtrade; without one, only the preview of some goods"),
            ("uspto", "the key for the USPTO's Open Data Portal"),
            (
                "regulations",
                "the key for regulations.gov; without one, no requests of lists 1 and 2",
            ),
        )
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
        _OWN_LIST,
        "addresses and pinned hashes of the reference files",
        "a JSON file",
        _reference_list,
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
        "oecd_icio_url",
        "https://webfs-sti.oecd.org/files/STI-PIE/ICIO/2025",
        "the OECD's folder of input-output tables; its last part is the edition",
        "an http(s) address",
        _url,
    ),
    Definition(
        "more_hosts",
        "none",
        "further hosts that answers of live sources may lead to, over https",
        "host names, comma-separated, or none",
        _hosts,
    ),
    Definition(
        "user_agent",
        f"{PRODUCT} (research pipeline; python-requests)",
        "how the program names itself to live sources",
        "a product name, a slash and its version; add how to reach you",
        _user_agent,
    ),
)


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = HOME / ".env") -> Settings:
    """Read all settings. SettingError for a value or a CHOKEPOINT_ variable that is not known."""
    given = _read_dotenv(dotenv) if dotenv is not None and dotenv.exists() else {}
    given |= dict(os.environ if environ is None else environ)
    known = [definition.variable for definition in DEFINITIONS]
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known and name not in _INTERNAL:
            near = _nearest(name, known)
            raise SettingError(
                f"unknown setting {name}",
                found=f"a setting that does not exist{f' (did you mean {near}?)' if near else ''}",
                expected="one of " + ", ".join(sorted(known)),
                remedy="Correct its name, or remove it from the environment or .env.",
            )
    return Settings(
        **{definition.name: _read(definition, given.get(definition.variable)) for definition in DEFINITIONS}
    )


def _recorded(definition: Definition, value: Any, where: str) -> Any:
    """A value of a lock, by the setting's own parser."""
    if value == [] and definition.name == "years":
        return ()  # of a release without a dataset by year
    parts = value if isinstance(value, list) and definition.name == "years" else [value]
    texts = [str(part).lower() if isinstance(part, bool) else str(part) for part in parts]
    try:
        if not all(isinstance(part, str | int | float) for part in parts):
            raise ValueError
        return definition.parse(",".join(texts))
    except (ValueError, KeyError) as error:
        raise SettingError(
            f"{where}, setting {definition.variable} ({definition.meaning})",
            found=repr(value)[:200],
            expected=definition.values,
            remedy="Take the copy that lies in the release to be rebuilt.",
        ) from error


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        return {name: value or "" for name, value in dotenv_values(path).items()}
    except UnicodeDecodeError as error:
        raise SettingError(
            str(path),
            found=f"a byte that is no UTF-8, at position {error.start}",
            expected="a text in UTF-8 with a line NAME=value for each setting",
            remedy="Save it as UTF-8.",
        ) from None


def _read(definition: Definition, text: str | None) -> Any:
    text = (text or "").strip() or definition.default
    try:
        return definition.parse(text)
    except (ValueError, KeyError) as error:
        # What is no secret may still be an address with a password. `from None`: the cause may quote the value.
        shown = re.sub(r"(://[^:@/]*):\S*@", r"\1:***@", without_secrets(text))
        found = repr(re.sub(r"(://[^:@/\s]*):(?!\d+(?:[/?#,\s]|$))[^\s@]*", r"\1:***", shown))
        if isinstance(error, _Refused):
            found += f", {error}"
        near = error.near if isinstance(error, _Refused) and error.near else _nearest(text, definition.choices)
        raise SettingError(
            f"setting {definition.variable} ({definition.meaning})",
            found="a value that is not shown, because it is a secret" if definition.secret else found,
            expected=definition.values,
            remedy=f"{f'Did you mean {near}? ' if near else ''}Set one of these values in the environment or in .env.",
        ) from None


def _nearest(text: str, valid: Sequence[str]) -> str:
    """The valid text most like this one; an empty one where none is like it.

    Case does not count, nor the prefix of the names: with it, every name would be like every other.
    """
    valid_by_text = {each.removeprefix(PREFIX).lower(): each for each in valid}
    near = get_close_matches(text.removeprefix(PREFIX).lower(), valid_by_text, n=1)
    return valid_by_text[near[0]] if near else ""


assert [d.name for d in DEFINITIONS] == [f.name for f in fields(Settings)]
