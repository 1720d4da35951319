"""Dates, HTS codes, status words, list names and the dates inside legal text."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.datasets.tariffs.values import (
    Hts,
    Term,
    code_in_text,
    list_of_file,
    list_of_request,
    parse_date,
    parse_flags,
    parse_hts,
    parse_list,
    parse_status,
    term_of_exclusion,
    terms_of_codes,
)

REQUEST_LENGTHS = {8: 8, 9: 10, 10: 10}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("43300", date(2018, 7, 19)),  # Excel's serial: 43,300 days after 1899-12-30
        ("43300.0", date(2018, 7, 19)),
        ("2018-07-19", date(2018, 7, 19)),
        ("2018-07-19 00:00:00", date(2018, 7, 19)),
        ("2019-10-31T18:05", date(2019, 10, 31)),
        ("1-Jul-19", date(2019, 7, 1)),
        ("7/1/2019", date(2019, 7, 1)),
        ("07/01/2019", date(2019, 7, 1)),
        ("July 1, 2019", date(2019, 7, 1)),
        ("7/1/2019 10:30 AM", date(2019, 7, 1)),
        ("7/1/2019 10:30:15 a.m. EDT", date(2019, 7, 1)),
        ("7/1/19 22:30", date(2019, 7, 1)),
        ("Jul 1, 2019", date(2019, 7, 1)),
        ("Jul. 1 2019, 10:30 AM", date(2019, 7, 1)),
        ("Sept 30, 2019", date(2019, 9, 30)),
        ("Monday, July 1, 2019 at 10:30 PM", date(2019, 7, 1)),
        ("1 July 2019", date(2019, 7, 1)),
        ("2019-07-01T10:30:00.000Z", date(2019, 7, 1)),
        ("2019/07/01 10:30", date(2019, 7, 1)),
        ("20190701", date(2019, 7, 1)),
        ("31-Feb-19", None),
        ("13/7/2019", None),  # US order: there is no 13th month
        ("July 2019", None),
        ("10:30 AM", None),
        ("soon", None),
        (None, None),
    ],
)
def test_dates_in_every_spelling(text: str | None, expected: date | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8413919010", Hts("8413919010", False)),
        ("8413.91.9010", Hts("8413919010", False)),
        (" 8413.91.90.10 ", Hts("8413919010", False)),
        ("304831015", Hts("0304831015", True)),  # a number cell lost the zero of 0304.83.1015
        ("304831015.0", Hts("0304831015", True)),
        ("84139190", Hts("84139190", False)),
        ("8413919", "hts_length"),
        ("8413919010; 8413919095", "hts_length"),
        ("8.41392E+09", "hts_rounded"),
        ("n/a", "hts_length"),
        (None, "hts_missing"),
        ("0041391901", "hts_chapter"),
    ],
)
def test_hts_codes_of_requests(text: str | None, expected: Hts | str) -> None:
    assert parse_hts(text, REQUEST_LENGTHS) == expected


def test_seven_digits_are_a_line_that_lost_its_zero_only_in_lists() -> None:
    assert parse_hts("3048310", {7: 8, 8: 8}) == Hts("03048310", True)
    assert parse_hts("3048310", REQUEST_LENGTHS) == "hts_length"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Granted", "granted"),
        ("approved", "granted"),
        ("Exclusion  Granted", "granted"),
        ("Partially Approved", "partially_granted"),
        ("Exclusion Denied", "denied"),
        ("DENIED", "denied"),
        ("Request Withdrawn", "withdrawn"),
        ("Stage 2 - Initial Substantive Review", "pending"),
        ("Initial Substantive Review", "pending"),
        ("Administrability", "pending"),
        ("Under the dome", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_status_words(word: str | None, status: str) -> None:
    assert parse_status(word) == status


def test_flags_are_a_status_only_when_exactly_one_is_raised() -> None:
    assert parse_flags("1", "0", "0") == ("approved", "granted")
    assert parse_flags("0", "1.0", "0") == ("denied", "denied")
    assert parse_flags("0", "0", "1") == ("pending", "pending")
    assert parse_flags("1", "1", "0")[1] == "unknown"
    assert parse_flags("0", None, "0")[1] == "unknown"


def test_list_names() -> None:
    assert [parse_list(text) for text in ("1", "List 3", "4a", "4", "biden_25", None)] == [
        "1",
        "3",
        "4A",
        "4",
        None,
        None,
    ]
    assert list_of_request("USTR-2018-0032-0001") == "2"
    assert list_of_request("USTR-2021-0019-0001") is None
    assert list_of_file("List-4A-Exclusion-Requests (Nov 2021).xlsx") == "4A"
    assert list_of_file("list3.csv") == "3"
    assert list_of_file("list 30.csv") is None


def test_dates_of_codes_belong_to_the_codes_named_since_the_last_date() -> None:
    text = (
        "Pump covers (described in statistical reporting number 8413.91.9080 prior to January 1, 2019; described in "
        "statistical reporting number 8413.91.9095 effective January 1, 2019 through December 31, 2019; described in "
        "8413.91.9085 or 8413.91.9096 effective January 1, 2020)"
    )
    assert terms_of_codes(text) == {
        "8413919080": Term(None, date(2018, 12, 31)),
        "8413919095": Term(date(2019, 1, 1), date(2019, 12, 31)),
        "8413919085": Term(date(2020, 1, 1), None),
        "8413919096": Term(date(2020, 1, 1), None),
    }
    assert terms_of_codes("Salad spinners (described in statistical reporting number 8421.19.0000)") == {}
    # A code without a date in one clause does not take the date of the next.
    assert terms_of_codes("described in 8421.19.0000; described in 8421.19.0010 effective July 1, 2020") == {
        "8421190010": Term(date(2020, 7, 1), None)
    }


def test_a_code_effective_and_later_superseded_has_both_ends() -> None:
    text = (
        "5603.12.0090 effective July 1, 2020; 5603.12.0090 prior to July 1, 2022; 5603.12.0095 effective July 1, 2022"
    )
    assert terms_of_codes(text)["5603120090"] == Term(date(2020, 7, 1), date(2022, 6, 30))


def test_the_term_of_a_whole_exclusion() -> None:
    text = (
        "Wallets (described in statistical reporting number 4202.32.1000) [Compiler's note: effective with respect to "
        "goods entered for consumption on or after 12:01 a.m. eastern daylight time on September 24, 2018, and before "
        "August 7, 2020]"
    )
    assert term_of_exclusion(text) == Term(date(2018, 9, 24), date(2020, 8, 6))
    assert term_of_exclusion(text.replace("and before", "and through")) == Term(date(2018, 9, 24), date(2020, 8, 7))
    assert term_of_exclusion("Wallets") == Term()


def test_a_code_with_misplaced_points_is_read_only_when_it_is_alone() -> None:
    assert code_in_text("Mobile bases (described in statistical reporting number 8716.8050.90)") == "8716805090"
    assert code_in_text("described in 8716.80.5090 or 8716.80.5010") is None
    assert code_in_text("not exceeding 680 kg") is None
