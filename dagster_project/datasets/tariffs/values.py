"""Single values of the tariff tables: dates, HTS codes, status words, list names, and dates inside legal text.

Pure functions on text. Not here: tables, rules and their counts (see `rows` and `landing`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

# Day 0 of Excel's calendar as its files mean it (Excel believes that 1900 was a leap year).
_EXCEL_DAY_ZERO = date(1899, 12, 30)
_DATE_FORMATS = (
    "%d-%b-%y", "%d-%b-%Y", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%Y/%m/%d", "%B %d, %Y", "%b %d, %Y", "%d %B %Y",
    "%d %b %Y", "%Y-%m-%d", "%Y%m%d",
)  # fmt: skip
# A time behind a date: 10:30, 10:30:00.000, 10:30 AM, 2019-07-01T10:30:00Z, 10:30 a.m. EST.
_TIME = re.compile(
    r"(?<=\d),?[T\s]\s*(at\s+)?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]\.?m\.?)?\s*(Z|[+-]\d{2}:?\d{2}|[A-Z]{2,4})?$",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?[.,]*\s+", re.IGNORECASE)

STATUSES = ("granted", "partially_granted", "denied", "withdrawn", "pending", "unknown")
_STATUS_WORDS = {
    "granted": "granted",
    "approved": "granted",
    "exclusion granted": "granted",
    "exclusion approved": "granted",
    "partially approved": "partially_granted",
    "partially granted": "partially_granted",
    "exclusion partially approved": "partially_granted",
    "denied": "denied",
    "exclusion denied": "denied",
    "withdrawn": "withdrawn",
    "request withdrawn": "withdrawn",
    "exclusion request withdrawn": "withdrawn",
    "pending": "pending",
    "initial substantive review": "pending",
    "substantive review": "pending",
    "administrability": "pending",
    "administrability review": "pending",
}
_STAGE = re.compile(r"stage \d\b.*")

_LISTS = {"1", "2", "3", "4", "4A", "4B"}
# USTR took the requests of each list in a docket of its own.
LIST_OF_DOCKET = {"USTR-2018-0025": "1", "USTR-2018-0032": "2", "USTR-2019-0005": "3", "USTR-2019-0017": "4A"}
LISTS_WITH_REQUESTS = tuple(LIST_OF_DOCKET.values())

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTH_DATE = rf"(?P<{{0}}>(?:{_MONTHS}) \d{{{{1,2}}}}, \d{{{{4}}}})"
_CODE_OR_DATES = re.compile(
    r"(?P<code>\b\d{4}\.\d{2}\.\d{4}\b)"
    rf"|prior to {_MONTH_DATE.format('before')}"
    rf"|effective {_MONTH_DATE.format('start')}"
    rf"(?:,? (?:and )?(?P<end_word>through|before|prior to) {_MONTH_DATE.format('end')})?"
    r"|(?P<clause>;)"
)
_WHOLE_EXCLUSION = re.compile(
    r"\[Compiler's note: effective .*?on or after .*?"
    rf"{_MONTH_DATE.format('start')},? and (?P<end_word>before|through) .*?{_MONTH_DATE.format('end')}\]"
)


@dataclass(frozen=True)
class Hts:
    """An HTS code of 8 or 10 digits; `padded` when a leading zero was put back."""

    code: str
    padded: bool


@dataclass(frozen=True)
class Term:
    """The first and last day that a text states; None where it states none."""

    first: date | None = None
    last: date | None = None


def parse_date(text: str | None) -> date | None:
    """The date in a text, None where there is none: US order, month names, ISO or Excel's serial; a time is left out.

    7/1/2019, 7/1/2019 10:30 AM, 1-Jul-19, July 1, 2019, Mon, Jul. 1 2019, 2019-07-01T10:30:00Z, 43647.
    """
    if text is None:
        return None
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _EXCEL_DAY_ZERO + timedelta(days=int(text.split(".")[0]))
    day = _WEEKDAY.sub("", _TIME.sub("", text.strip()))
    day = re.sub(r"\bsept\b", "Sep", re.sub(r"(?<=[a-z])\.", "", day), flags=re.IGNORECASE)
    day = re.sub(r"^([a-z]+ \d{1,2}) (?=\d{4}$)", r"\1, ", " ".join(day.split()), flags=re.IGNORECASE)
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(day, form).date()
        except ValueError:
            continue
    return None


def parse_hts(text: str | None, lengths: Mapping[int, int]) -> Hts | str:
    """The HTS code in a cell, or the reason why there is none.

    `lengths` maps each number of digits that is accepted to the number of digits that it stands for: 9 -> 10 is a code
    that lost its leading zero as a number.
    """
    if text is None:
        return "hts_missing"
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d+", text):  # 8.41E+09: a spreadsheet rounded the digits away
        return "hts_rounded"
    digits = re.sub(r"\D", "", re.sub(r"\.0+$", "", text) if re.fullmatch(r"\d{7,10}\.0+", text) else text)
    if len(digits) not in lengths:
        return "hts_length"
    code = digits.zfill(lengths[len(digits)])
    if not "01" <= code[:2] <= "99":
        return "hts_chapter"
    return Hts(code, len(digits) != len(code))


def parse_status(text: str | None) -> str:
    """One of STATUSES; `unknown` for a word that is not listed here."""
    word = re.sub(r"\s+", " ", (text or "").strip().lower())
    return "pending" if _STAGE.fullmatch(word) else _STATUS_WORDS.get(word, "unknown")


def parse_flags(approved: str | None, denied: str | None, pending: str | None) -> tuple[str, str]:
    """(status as written, status) of the research files' three 0/1 columns; exactly one of them must be 1."""
    flags = {"approved": approved, "denied": denied, "pending": pending}
    raised = [name for name, value in flags.items() if value is not None and value.rstrip("0").rstrip(".") == "1"]
    word = "+".join(raised) if raised else "none of approved, denied, pending"
    return word, parse_status(raised[0]) if len(raised) == 1 else "unknown"


def parse_list(text: str | None) -> str | None:
    """The list that a cell names ("1", "List 3", "4a"), or None."""
    name = re.sub(r"^LIST[\s_-]*", "", (text or "").strip().upper()).removesuffix(".0")
    return name if name in _LISTS else None


def list_of_request(request_id: str) -> str | None:
    """The list whose docket the request lies in, or None when the id names no known docket."""
    match = re.match(r"USTR-\d{4}-\d{4}", request_id)
    return LIST_OF_DOCKET.get(match[0]) if match else None


def list_of_file(name: str) -> str | None:
    """The list that a file name speaks of ("List-3-Exclusion-Requests.xlsx"), or None."""
    match = re.search(r"list[-_ ]?(1|2|3|4a)(?![0-9a-z])", name, re.IGNORECASE)
    return match[1].upper() if match else None


def term_of_exclusion(text: str) -> Term:
    """The term that a note's text states for the exclusion as a whole ("on or after …, and before …")."""
    match = _WHOLE_EXCLUSION.search(text)
    return Term() if match is None else Term(_month_date(match["start"]), _last_day(match["end_word"], match["end"]))


def terms_of_codes(text: str) -> dict[str, Term]:
    """Code -> the days for which a note's text describes the product under it.

    "described in 9025.19.8040 prior to July 1, 2020; described in 9025.19.8020 effective July 1, 2020": a date belongs
    to the codes named since the last date or semicolon.
    """
    terms: dict[str, Term] = {}
    named: list[str] = []
    for match in _CODE_OR_DATES.finditer(text):
        if match["code"]:
            named.append(match["code"].replace(".", ""))
            continue
        if not match["clause"]:
            if match["before"]:
                term = Term(None, _month_date(match["before"]) - timedelta(days=1))
            else:
                term = Term(_month_date(match["start"]), _last_day(match["end_word"], match["end"]))
            terms |= {code: _joined(terms.get(code), term) for code in named}
        named = []
    return terms


def code_in_text(text: str) -> str | None:
    """The only ten-digit code that a text names, points wherever they may be (8716.8050.90); None if not just one."""
    written = re.findall(r"\b\d[\d.]{8,13}\d\b", text)
    found = {digits for code in written if len(digits := code.replace(".", "")) == 10}
    return found.pop() if len(found) == 1 else None


def _joined(known: Term | None, new: Term) -> Term:
    """A code described "effective A" and elsewhere "prior to B" is described from A to the day before B."""
    return new if known is None else Term(new.first or known.first, new.last or known.last)


def _month_date(text: str) -> date:
    return datetime.strptime(text, "%B %d, %Y").date()


def _last_day(word: str | None, text: str | None) -> date | None:
    if word is None or text is None:
        return None
    return _month_date(text) - timedelta(days=word != "through")
