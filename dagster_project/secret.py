"""A text that must not be seen: an access key, an address with a password. Not here: which settings are secret."""

from __future__ import annotations

from typing import NoReturn

SHOWN = "***"


class Secret:
    """Holds a text that only `reveal` gives. Printed, formatted or logged it shows as ***, and it cannot be pickled.

    It is no dataclass, because `dataclasses.asdict` would show its text.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text, for the one place that needs it."""
        return self.__text

    def __repr__(self) -> str:
        return SHOWN

    def __format__(self, specification: str) -> str:
        return SHOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__text == other.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere: it cannot be pickled")
