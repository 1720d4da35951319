"""The sample's patents, built once for the tests of the marts and those of the checks."""

from __future__ import annotations

import pytest

from tests.helpers.built_patents import Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("patents"))
