"""The sample's market returns, built once for the tests of the marts and those of the checks."""

from __future__ import annotations

import pytest

from tests.helpers.built_contagion import Built
from tests.helpers.contagion_desk import Desk


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    desk = Desk(tmp_path_factory.mktemp("contagion"))
    desk.write_sample()
    return Built(desk)
