"""The errors a user can cause. What belongs here: exceptions whose text alone tells a user what to do.

Not here: anything about a programming mistake; those keep their own exceptions and their stack trace.
"""

from __future__ import annotations

from dagster_project.redaction import without_secrets


class UserError(Exception):
    """A mistake in the input, the settings or the environment; shown without a stack trace.

    The text names the place (file, partition, column or setting), what was found, what was expected and the remedy.
    """

    def __init__(self, where: str, *, found: str, expected: str, remedy: str) -> None:
        # Whoever raises need not think of it: an address may hold a password or a token.
        self.where, self.found, self.expected, self.remedy = map(without_secrets, (where, found, expected, remedy))
        super().__init__(f"{self.where}: found {self.found}; expected {self.expected}. {self.remedy}")

    def __reduce__(self) -> tuple[object, ...]:  # keeps the four parts when the error crosses a process boundary
        return (_rebuild, (type(self), self.where, self.found, self.expected, self.remedy))


def _rebuild(kind: type[UserError], where: str, found: str, expected: str, remedy: str) -> UserError:
    return kind(where, found=found, expected=expected, remedy=remedy)


class SettingError(UserError):
    """A setting has a value it does not know."""


class EnvironmentProblem(UserError):
    """The machine refuses: a disk is full, a right is missing, a file is held by another program."""


class SourceError(UserError):
    """A source could not be read, or holds none of what was asked for."""


class SourceUnreachable(SourceError):
    """A source gave no whole answer within all tries; a later run may get one."""


class ArchiveDamaged(UserError):
    """A file of the raw archive is missing or no longer has the bytes its manifest names."""


class LandingDamaged(UserError):
    """A landing table is not what was landed, and must be landed again."""


class AccountingError(UserError):
    """Rows read are not rows landed + rows dropped by a rule + rows quarantined."""


class ReleaseError(UserError):
    """A release is missing, damaged, or could not be published."""


class Deferred(UserError):
    """A live service accepts no more calls before `not_before` (seconds since 1970, UTC). What was fetched is kept."""

    def __init__(self, where: str, *, found: str, expected: str, remedy: str, not_before: float = 0.0) -> None:
        super().__init__(where, found=found, expected=expected, remedy=remedy)
        self.not_before = not_before

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_deferred, (self.where, self.found, self.expected, self.remedy, self.not_before))


def _rebuild_deferred(where: str, found: str, expected: str, remedy: str, not_before: float) -> Deferred:
    return Deferred(where, found=found, expected=expected, remedy=remedy, not_before=not_before)
