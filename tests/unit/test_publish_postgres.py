"""What a load into PostgreSQL says where there is no server: never the password. With a server: tests/contract."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from dagster_project.errors import ReleaseError
from dagster_project.publish.postgres import load
from dagster_project.publish.read import Release


@pytest.mark.parametrize("password", ["s3cret", "s3@cret", "50%s3cret", "s3%zzcret", "s3/cret?x#y", "s3:cret@@"])
def test_no_password_is_in_the_message_of_a_failed_connection(tmp_path: Path, password: str) -> None:
    release = Release(tmp_path, {"release_id": "x", "marts": {}})
    with pytest.raises(ReleaseError, match="no connection") as caught:
        load(release, f"postgresql://me:{password}@127.0.0.1:1/db", "chokepoint")
    shown = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" in shown and "cret" not in shown


def test_an_option_that_libpq_does_not_know_is_reported(tmp_path: Path) -> None:
    release, url = (
        Release(tmp_path, {"release_id": "x", "marts": {}}),
        "postgresql://me:s3cret@127.0.0.1/?colour=s3cret",
    )
    with pytest.raises(ReleaseError, match="colour") as caught:
        load(release, url, "chokepoint")
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
