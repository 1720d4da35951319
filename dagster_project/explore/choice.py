"""What an address asks for: every choice of a page stands in it, so that a link shows what its sender saw.

What belongs here: reading choices, and saying what is wrong with one. Not here: what a page makes of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from urllib.parse import urlencode

from dagster_project.economy_codes import nearest
from dagster_project.errors import UserError
from dagster_project.explore.reader import Country, Reader

LONGEST = 200


class Unanswerable(UserError):
    """An address asks for something that the release does not hold, or in a form that nothing has."""


class Choice:
    """The choices in one address. `release` is the release it names, if it names one: all links then keep it."""

    def __init__(self, path: str, given: Mapping[str, str]) -> None:
        self.path = path
        self.given = {name: text.strip() for name, text in given.items() if text.strip()}
        for name, text in self.given.items():
            if len(text) > LONGEST:
                raise Unanswerable(
                    f"choice {name[:40]}",
                    found=f"{len(text)} characters",
                    expected=f"at most {LONGEST}",
                    remedy="Write less.",
                )

    @property
    def release(self) -> str | None:
        """The release that the address names."""
        return self.given.get("release")

    def text(self, name: str, default: str = "") -> str:
        """A choice as it was written."""
        return self.given.get(name, default)

    def one_of(self, name: str, known: Collection[str], default: str = "") -> str:
        """A choice among texts; the default need not be among them."""
        text = self.given.get(name)
        if text is None:
            return default
        if text not in known:
            near = get_close_matches(text, known, n=1)
            raise Unanswerable(
                f"choice {name}",
                found=repr(text),
                expected=_listed(known) + (f"; did you mean {near[0]}?" if near else ""),
                remedy="Choose one of the list on the page.",
            )
        return text

    def number(self, name: str, default: float, lowest: float, highest: float) -> float:
        """A number within bounds."""
        text = self.given.get(name)
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number) or not lowest <= number <= highest:
            raise Unanswerable(
                f"choice {name}",
                found=repr(text),
                expected=f"a number from {lowest:g} to {highest:g}",
                remedy="Correct it.",
            )
        return number

    def year(self, held: Sequence[int], name: str = "year") -> int:
        """A year among those held, by default the newest. Only for marts of which the release holds a year."""
        return int(self.one_of(name, [str(year) for year in held], str(held[-1])))

    def country(self, reader: Reader, name: str = "iso3", default: str = "", *, union: bool = False) -> Country:
        """A country of the release, by alpha-3 code, or with `union` the European Union as one economy too."""
        known = {iso3: each for iso3, each in reader.names.countries.items() if union or not each.is_union}
        iso3 = self.text(name, default).upper()
        if iso3 not in known:
            near = nearest(iso3)
            raise Unanswerable(
                f"choice {name}",
                found=repr(iso3),
                expected="the alpha-3 code of a country that trades in this release"
                + (f"; did you mean {near}?" if near in known else ""),
                remedy="Choose one of the list on the page.",
            )
        return known[iso3]

    def good(self, reader: Reader, name: str = "hs6", default: str = "") -> str:
        """A good of the release, by HS6 code."""
        hs6 = self.text(name, default).split(" ")[0]
        if hs6 not in reader.names.goods:
            near = [code for code in reader.names.goods if code.startswith(hs6[:4])][:3] if hs6 else []
            raise Unanswerable(
                f"choice {name}",
                found=repr(hs6),
                expected="the six digits of a good that is traded in this release"
                + (f", such as {', '.join(near)}" if near else ""),
                remedy="Look it up with the search box at the top.",
            )
        return hs6

    def link(self, path: str | None = None, **changes: str | int | None) -> str:
        """The address of this page with other choices (None: without it), or of another page with only these."""
        kept = self.given if path is None else {name: self.given[name] for name in ("release",) if name in self.given}
        state = {**kept, **{name: str(value) for name, value in changes.items() if value is not None}}
        state = {name: text for name, text in state.items() if name not in changes or changes[name] is not None}
        return (path or self.path) + (f"?{urlencode(state)}" if state else "")


def _listed(known: Collection[str]) -> str:
    shown = list(known)[:30]
    return f"one of {', '.join(shown)}" + (" …" if len(known) > len(shown) else "")
