"""What the checks found, kept beside the data: a release asks here whether all that it publishes was judged and is fit.

A judgement names the state of the data that it was made of, so it holds whichever run made it, and no longer when the
data have changed. Dagster's own history would not do: several data directories share one. Not here: the checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from dagster_project.datasets.declaration import Dataset, Layer
from dagster_project.durable import write_whole
from dagster_project.landing import yearly
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import Built, hashed, landing_identity
from dagster_project.settings import Settings

NAME = "checks.json"


@dataclass(frozen=True)
class Judgement:
    """The outcome of one check, and the state of the data that it looked at."""

    asset: str
    check: str
    passed: bool
    severity: str
    description: str
    state: str

    @property
    def key(self) -> tuple[str, str]:
        """The check: its asset and its name."""
        return self.asset, self.check


def state_of_table(settings: Settings, each: Dataset, layer: Layer, table: str) -> str:
    """Names what a table of a dataset holds now: a mart what it was built from, a landing table what was landed.

    Staging is views of landing: they change together.
    """
    if layer == "marts":
        return Built.load(settings).models.get(table, "not built")
    if each.yearly is not None:
        return hashed(sorted(yearly.landed_years(settings.landing_dir, each.name).values()))
    return landing_identity(each, settings, lambda other: current_inputs(other, settings))


def judgements(settings: Settings) -> list[Judgement]:
    """The last judgement of every check that was ever made in this data directory."""
    path = settings.data_dir / NAME
    return [Judgement(**each) for each in json.loads(path.read_text())] if path.exists() else []


def record_judgements(settings: Settings, made: Iterable[Judgement]) -> None:
    """Keep these judgements; of a check that was judged before, the new one."""
    kept = {each.key: each for each in (*judgements(settings), *made)}
    content = [asdict(kept[key]) for key in sorted(kept)]
    write_whole(settings.data_dir / NAME, json.dumps(content, indent=1).encode())


def unfit(required: Iterable[tuple[tuple[str, str], str]], made: Sequence[Judgement]) -> list[str]:
    """Why a release may not be published, check by check; nothing when it may.

    `required` are the blocking checks, each with the state that its data are in now.
    """
    known = {each.key: each for each in made}
    reasons = []
    for (asset, check), state in required:
        found = known.get((asset, check))
        if found is None:
            reasons.append(f"{check} of {asset} was never made")
        elif found.state != state:
            reasons.append(f"{check} of {asset} was made before its data changed")
        elif not found.passed:
            reasons.append(f"{check} of {asset} failed")
    return reasons
