"""What make installs: the display's own packages first, and pip's last words where it fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from dagster_project import installation


def test_what_the_display_needs_is_taken_from_the_lock_with_its_hashes() -> None:
    lock = installation.LOCK.read_text()
    first = installation.blocks_of(lock, installation.SHOWING)
    assert sorted(re.findall(r"^([a-z-]+)==", first, re.MULTILINE)) == sorted(installation.SHOWING)
    assert first.count("==") == len(installation.SHOWING) and first.count("--hash=sha256:") >= 2 * first.count("==")
    assert all(line in lock for line in first.splitlines())


def test_every_package_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = []

    def pip(*arguments: str, follow: Callable[[str], None] = lambda line: None) -> None:
        asked.append(arguments)
        for line in ("Collecting a==1 (from …)\n", "Collecting b==2\n", "Installing collected packages: a, b\n"):
            follow(line)

    monkeypatch.setattr(installation, "_pip", pip)
    assert installation.main() == 0
    assert ["--require-hashes" in arguments for arguments in asked] == [True, True, False]
    out = capsys.readouterr().out
    assert "step 1 of 3  fetching packages: done" in out and "step 2 of 3  installing 2 packages: done" in out


def test_pips_last_words_are_shown_where_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "import sys; print('no such wheel'); sys.exit(1)"
    monkeypatch.setattr(installation, "_PIP", [sys.executable, "-c", words])
    assert installation.main() == 1
    assert "no such wheel" in capsys.readouterr().err
