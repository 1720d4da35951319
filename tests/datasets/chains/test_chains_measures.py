"""Value chains: hand-worked cases, textbook definitions on random tables, the published table, and odd tables.

Not here: that dbt builds the marts from them (`test_chains_models`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dagster_project.datasets.chains import models, sample
from dagster_project.datasets.chains.icio import read_csv
from dagster_project.datasets.chains.measures import Flows, carbon
from dagster_project.datasets.chains.models import Table, carbon_rows, sector_rows, shock_rows, supplier_rows
from dagster_project.datasets.chains.table import IoTable
from tests.helpers.plain_chains import Plain, ghosh, koopman, random_table, textbook
from tests.helpers.real_files import DROP

# A makes 100 and sells 20 to B, which makes 50 from it and sells 10 to C, which makes 40 from it.
CHAIN = Plain(np.array([[0, 20.0, 0], [0, 0, 10], [0, 0, 0]]), np.array([100.0, 50, 40]), np.arange(3))
GOODS = frozenset({"S0", "S1", "S2"})


def flows(plain: Plain) -> Flows:
    return Flows(plain.z.copy(), plain.x, plain.country, int(plain.country.max()) + 1, plain.abroad)


def table(plain: Plain) -> Table:
    place: dict[int, int] = {}
    labels = []
    for country in plain.country.tolist():
        labels.append((f"C{country}", f"S{place.get(country, 0)}"))
        place[country] = place.get(country, 0) + 1
    return Table("e", 2019, sorted({country for country, _ in labels}), labels, flows(plain))


def published(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the mart gvc_position that it works out of the model's."""
    x = row["gross_output_usd"]
    return {
        **row,
        "forward_participation": (x - row["ly"]) / x,
        "backward_participation": 1 - row["v_l"],
        "plv": row["b_x"] / x,
        "ply": row["ones_b"],
    }


def measured(plain: Plain) -> list[dict[str, Any]]:
    return [published(row) for row in sector_rows(iter([table(plain)])).to_pylist()]


def test_hand_worked() -> None:
    """A sells 20 of 100 to B, which makes 50 from it; both are used up at home."""
    final = np.array([[80.0, 0], [0, 50]])
    a, b = measured(Plain(np.array([[0, 20.0], [0, 0]]), np.array([100.0, 50]), np.arange(2), final))
    assert a["forward_participation"] == pytest.approx(0.2) and b["backward_participation"] == pytest.approx(0.4)
    assert a["plv"] == pytest.approx(1.2) and b["ply"] == pytest.approx(1.4)
    assert a["plv_gvc"] == pytest.approx(2) and b["ply_gvc"] == pytest.approx(2)
    assert a["ply_gvc"] is None and b["plv_gvc"] is None
    assert a["bm_participation"] == pytest.approx(0, abs=1e-15) and a["exports"] == pytest.approx(20)
    assert b["bm_participation"] is None and b["top_source_iso3"] == "C0" and a["top_source_iso3"] is None


@pytest.mark.parametrize("seed", range(20))
def test_short_forms_are_the_definitions(seed: int) -> None:
    plain = random_table(seed, countries=2 + seed % 4, sectors=2 + seed % 3)
    rows = measured(plain)
    for name, values in textbook(plain).items():
        assert [row[name] for row in rows] == pytest.approx(values.tolist(), rel=1e-10, abs=1e-12), name
    for row in rows:
        for side in ("forward", "backward"):
            parts = [row[f"{side}_{part}"] for part in ("domestic", "traditional", "simple", "complex")]
            assert sum(parts) == pytest.approx(1, abs=1e-12)
            assert sum(parts[2:]) == pytest.approx(row[f"{side}_participation"], abs=1e-10)
    assert [row["v_b"] for row in rows] == pytest.approx([1] * len(rows), abs=1e-12)
    assert [row["b_y"] for row in rows] == pytest.approx(plain.x.tolist(), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_value_added_in_exports_is_that_of_koopman_and_others(seed: int) -> None:
    plain = random_table(seed)
    rows = measured(plain)
    indirect, foreign = koopman(plain)
    for country in range(int(plain.country.max()) + 1):
        own = [row for row in rows if row["country_iso3"] == f"C{country}"]
        assert sum(row["iv"] for row in own) == pytest.approx(indirect[country], rel=1e-10)
        assert sum(row["fv"] for row in own) == pytest.approx(foreign[country], rel=1e-10)
    assert indirect.sum() == pytest.approx(foreign.sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_suppliers_are_rows_of_the_matrices(seed: int) -> None:
    plain = random_table(seed)
    rest = np.linalg.inv(np.eye(len(plain.x)) - plain.a) - np.eye(len(plain.x))
    rows = supplier_rows(iter([table(plain)])).to_pylist()
    assert len(rows) == 4 * 3 * 3
    for row in rows:
        exporter, country, sector = (int(row[name][1:]) for name in ("exporter_iso3", "country_iso3", "sector"))
        column, own = country * 3 + sector, plain.country == exporter
        face = plain.z[own, column].sum() / plain.z[:, column].sum()
        through = rest[own, column].sum() / rest[:, column].sum()
        assert row["face_value_share"] == pytest.approx(face)
        assert row["lookthrough_share"] == pytest.approx(through)


def test_a_sector_that_uses_nothing_has_no_suppliers() -> None:
    rows = supplier_rows(iter([table(CHAIN)])).to_pylist()
    assert {row["country_iso3"] for row in rows} == {"C1", "C2"}
    assert [
        row["lookthrough_share"] for row in rows if row["exporter_iso3"] == "C0" and row["country_iso3"] == "C1"
    ] == [1]


def test_a_shock_by_hand() -> None:
    """10 % of A: 2 of B's inputs of 20 are missing; B passes 10/50 of them on to C."""
    first, second = shock_rows(iter([table(CHAIN)]), GOODS, [("C0", 0.1)]).to_pylist()
    assert [row["direct_loss_usd"] for row in (first, second)] == pytest.approx([2, 0])
    assert [row["propagated_loss_usd"] for row in (first, second)] == pytest.approx([2, 0.4])
    assert [row["final_use_loss_usd"] for row in (first, second)] == pytest.approx([1.6, 0.4])
    assert [row["intermediate_export_loss_usd"] for row in (first, second)] == pytest.approx([0.4, 0])
    assert first["export_loss_usd"] is None and first["returned_loss_usd"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_shocks_are_ghosh_and_what_is_missing_arrives(seed: int) -> None:
    plain = random_table(seed)
    goods = np.array([place % 3 != 2 for place in range(len(plain.x))])
    direct, propagated = ghosh(plain, 1, goods, 0.02)
    rows = shock_rows(iter([table(plain)]), frozenset({"S0", "S1"}), [("C1", 0.02), ("XXX", 0.5)]).to_pylist()
    assert {row["exporter_iso3"] for row in rows} == {"C1"}
    assert [row["direct_loss_usd"] for row in rows] == pytest.approx(direct.tolist())
    assert [row["propagated_loss_usd"] for row in rows] == pytest.approx(propagated.tolist())
    arrived = sum(row["final_use_loss_usd"] + row["returned_loss_usd"] for row in rows)
    assert arrived == pytest.approx(direct.sum(), rel=1e-12)
    twice = shock_rows(iter([table(plain)]), frozenset({"S0", "S1"}), [("C1", 0.04)]).to_pylist()
    assert [row["propagated_loss_usd"] for row in twice] == pytest.approx((2 * propagated).tolist())


def test_one_country_has_no_chain_across_borders() -> None:
    """A^F = 0: participation is 0, and the lengths of a chain that is not there are null."""
    for row in measured(random_table(1, countries=1, sectors=4)):
        assert row["forward_participation"] == pytest.approx(0, abs=1e-12)
        assert row["backward_participation"] == pytest.approx(0, abs=1e-12)
        assert row["plv_gvc"] is None and row["ply_gvc"] is None and row["input_source_hhi"] is None
        assert row["lookthrough_foreign_share"] == pytest.approx(0, abs=1e-12)
    assert supplier_rows(iter([table(random_table(1, countries=1))])).num_rows == 0


def test_without_final_use_by_country_its_measures_are_null() -> None:
    plain = random_table(3)
    rows = measured(Plain(plain.z, plain.x, plain.country))
    for name in ("forward_domestic", "backward_simple", "exports", "bm_participation", "iv", "fv"):
        assert {row[name] for row in rows} == {None}
    assert [row["plv"] for row in rows] == pytest.approx([row["plv"] for row in measured(plain)])


def test_of_equal_sources_the_first_in_the_alphabet_is_named() -> None:
    z = np.zeros((4, 4))
    z[1, 0] = z[2, 0] = z[3, 0] = 1 / 3
    (row, *_) = measured(Plain(z, np.array([2.0, 1, 1, 1]), np.arange(4)))
    assert (row["top_source_iso3"], row["top_source_share"]) == ("C1", pytest.approx(1 / 3))
    assert row["input_source_hhi"] == pytest.approx(1 / 3)


def from_file(read: IoTable) -> Table:
    """A table as the models get it from the landing."""
    place = [(n, *label, float(x)) for n, (label, x) in enumerate(zip(read.labels, read.output, strict=True))]
    row, column = np.nonzero(read.flows)
    positions = {"src_position": row, "dst_position": column, "value_usd": read.flows[row, column]}
    assert read.final is not None
    row, column = np.nonzero(read.final)
    final = {
        "src_iso3": [read.labels[at][0] for at in row],
        "src_sector": [read.labels[at][1] for at in row],
        "dst_iso3": [read.destinations[at] for at in column],
        "value_usd": read.final[row, column],
    }
    return models._table(2019, "e", place, pa.table(positions), pa.table(final))


def test_a_sector_without_output_is_in_no_table() -> None:
    read = read_csv(sample._extended(2019).splitlines(True), "sample")
    assert sum(not x > 0 for x in read.output) == 6
    rows = sector_rows(iter([from_file(read)])).to_pylist()
    assert {row["sector"] for row in rows} == {*sample.SECTORS} - {sample.WITHOUT_OUTPUT}


@pytest.mark.skipif(not (DROP / "fixtures").exists(), reason="needs the published table beside the checkout")
def test_the_published_values_of_the_leather_table() -> None:
    """36 values to seven digits."""
    with (DROP / "fixtures/2000_SML.csv").open("rb") as lines:
        rows = sector_rows(iter([from_file(read_csv(lines, "2000_SML.csv"))])).to_pylist()
    found = {(row["country_iso3"], row["sector"]): published(row) for row in rows}
    with (DROP / "fixtures/leather_published_values.csv").open() as file:
        printed = list(csv.DictReader(file))
    assert len(printed) == 9
    for row in printed:
        ours = found[row.pop("country_iso3"), row.pop("sector")]
        for measure, value in row.items():
            assert ours[measure] == pytest.approx(float(value), abs=5.1e-8)


@pytest.mark.skipif(not (DROP / "fixtures").exists(), reason="needs the published table beside the checkout")
def test_the_sample_holds_that_table() -> None:
    ours = read_csv(sample._leather().splitlines(True), "sample")
    with (DROP / "fixtures/2000_SML.csv").open("rb") as lines:
        theirs = read_csv(lines, "2000_SML.csv")
    assert ours.labels == theirs.labels and np.allclose(ours.flows, theirs.flows, rtol=1e-12, atol=0)


def test_carbon_by_hand() -> None:
    """A emits 2 kg per USD, B 1: behind a USD of B stand 1 kg of its own and half a USD of A's product."""
    plain = Plain(np.array([[0, 25.0], [0, 0]]), np.array([100.0, 50]), np.arange(2))
    found = carbon(flows(plain), np.array([2.0, 1.0]))
    assert found.by_emitter.tolist() == [[2.0, 1.0], [0.0, 1.0]]
    assert found.at_home.tolist() == [2.0, 1.0] and found.covered.tolist() == [1.0, 1.0]
    unknown = carbon(flows(plain), np.array([2.0, np.nan]))
    assert unknown.by_emitter.tolist() == [[2.0, 1.0], [0.0, 0.0]]
    assert unknown.covered.tolist() == [1.0, pytest.approx(1 / 3)]


@pytest.mark.parametrize("seed", range(10))
def test_carbon_is_that_of_the_inverse_and_all_of_it_arrives(seed: int) -> None:
    """e_r'B with the inverse written out, e_r'L of the diagonal blocks; e'x = e'By."""
    plain = random_table(seed)
    e = np.random.default_rng(seed).random(len(plain.x))
    found = carbon(flows(plain), e)
    inverse = np.linalg.inv(np.eye(len(e)) - plain.a)
    home = np.linalg.inv(np.eye(len(e)) - plain.a * plain.home)
    for emitter in range(int(plain.country.max()) + 1):
        own = np.where(plain.country == emitter, e, 0.0)
        assert found.by_emitter[emitter] == pytest.approx(own @ inverse, rel=1e-10)
    assert found.at_home == pytest.approx(e @ home, rel=1e-10)
    y = plain.x - plain.z.sum(axis=1)
    assert found.by_emitter.sum(axis=0) @ y == pytest.approx(e @ plain.x, rel=1e-10)


def test_carbon_by_country_that_emits() -> None:
    plain = Plain(np.array([[0, 25.0], [0, 0]]), np.array([100.0, 50]), np.arange(2))
    rows = carbon_rows(iter([table(plain)]), {"e": {("C0", "S0"): 2.0, ("C1", "S0"): 1.0}}).to_pylist()
    assert [(row["emitter_iso3"], row["country_iso3"], row["kg_per_usd"]) for row in rows] == [
        ("C0", "C0", 2.0), ("C0", "C1", 1.0), ("C1", "C0", 0.0), ("C1", "C1", 1.0)
    ]  # fmt: skip
