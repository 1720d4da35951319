"""Where things lie: the program's own files, and the user's.

The program's files are read and never written: this package, and the dbt project with Dagster's two YAML files, which
lie beside the package in a checkout and inside it where it was installed from a wheel. The user's files (`data`,
`demo`, `drop`, `.env`, `.dagster`) lie in `HOME`: the checkout, or the current folder outside of one. Not here: the
places inside the data directory (see `settings`).
"""

from __future__ import annotations

import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = (PACKAGE / "dbt" / "dbt_project.yml").is_file()  # only a wheel has it there: see pyproject.toml
CHECKOUT = PACKAGE.parent  # means something only where not INSTALLED

_BESIDE = PACKAGE if INSTALLED else CHECKOUT
DBT_PROJECT = _BESIDE / "dbt"
DAGSTER_YAML = _BESIDE / "dagster.yaml"
WORKSPACE_YAML = _BESIDE / "workspace.yaml"

HOME = Path.cwd() if INSTALLED else CHECKOUT


def command(name: str) -> str:
    """How the user starts one of the program's commands: through make in a checkout."""
    return f"chokepoint {name}" if INSTALLED else f"make {name}"


def program_version() -> str:
    """The program's version: the checkout's, or that of the wheel it was installed from."""
    if INSTALLED:
        return installed_version("chokepoint")
    return str(tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"])


# The program's name on the network: chokepoint/<major>.<minor>.
PRODUCT = f"chokepoint/{'.'.join(program_version().split('.')[:2])}"
