"""Questions that the DuckDB file of a release answers by name: table macros in its schema, over the marts in it.

    from marts.suppliers('DEU', '850760', 2019)

A macro is there where all marts that it reads are, with the columns that it asks for. What it can say more with another
mart, it says where that is there, and null elsewhere. Macros are no data: no content hash knows them, and the manifest
does not name them.

A macro keeps the names `marts.<mart>` as text, and whoever calls it resolves them: in a session that attached the file
beside others, `use` it first, or put it on the `search_path`. Its parameters are called like columns, so every column
in it is written with its table. Not here: the marts, and the file (see `database`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import duckdb

from dagster_project.publish.read import SCHEMA
from dagster_project.sql import identifier, literal

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Macro:
    """One table macro.

    parameters  their names, in order
    answers     the question, for the documentation
    notes       how to read it, and what it leaves out
    reads       marts without which it is not made
    sql         the query; `{name}` is one of `optional`
    optional    name -> (mart, SQL where the mart is there, SQL where it is not)
    columns     column -> what it says
    example     a call
    """

    name: str
    parameters: tuple[str, ...]
    answers: str
    notes: str
    reads: tuple[str, ...]
    sql: str
    example: str
    columns: Mapping[str, str]
    optional: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """How it is called: `name(parameter, …)`."""
        return f"{self.name}({', '.join(self.parameters)})"

    def query(self, marts: Collection[str]) -> str:
        """Its SQL over a file with these marts."""
        chosen = {name: there if mart in marts else absent for name, (mart, there, absent) in self.optional.items()}
        return self.sql.format(**chosen)


_DISTANCE_JOINS = """
        left join marts.political_exposure as own
            on own.year = s.year and own.importer_code = s.importer_code
        left join marts.political_exposure as theirs
            on theirs.year = s.year and theirs.importer_code = s.supplier_code"""
_DISTANCE = "distance of the two states' ideal points (docs/politics.md); null where one has none, and without politics"

TOP_EXPOSED = Macro(
    name="top_exposed",
    parameters=("iso3", "year"),
    answers="Which goods is a country most exposed in?",
    notes="Goods in scope by vulnerability_index; those without one, of too few traders, come last. Take the first "
    "with `limit`, or by `place`. 'EUR' is the European Union as one importer.",
    reads=("import_vulnerability",),
    sql="""
        select row_number() over (
                order by round(v.vulnerability_index, 12) desc nulls last, v.import_value_usd desc, v.hs6
            ) as place,
            v.hs6, v.hs6_name, v.category, v.vulnerability_index, v.import_value_usd, v.n_suppliers, v.import_hhi,
            v.top_supplier_iso3, v.top_supplier_name, v.top_supplier_share, v.eu_dependent
        from marts.import_vulnerability as v
        where v.importer_iso3 = iso3 and v.year = year and v.in_scope
        order by place""",
    example="from marts.top_exposed('DEU', 2019) limit 10",
    columns={
        "place": "1 is the most exposed; ties by the larger import, then by the code",
        "hs6": "good",
        "hs6_name": "its name",
        "category": "1 (few suppliers, of a good that few can make) to 4",
        "vulnerability_index": "as in import_vulnerability",
        "import_value_usd": "what the country buys of it, in USD",
        "n_suppliers": "from how many",
        "import_hhi": "how concentrated",
        "top_supplier_iso3": "who sells most of it",
        "top_supplier_name": "its name",
        "top_supplier_share": "its share",
        "eu_dependent": "whether the three tests of the European Commission hold",
    },
)
SUPPLIERS = Macro(
    name="suppliers",
    parameters=("iso3", "hs6", "year"),
    answers="Who supplies a good to a country?",
    notes="The rows of import_suppliers: the ten largest, then all others as one.",
    reads=("import_suppliers",),
    sql="""
        select s.supplier_rank, s.supplier_iso3, s.supplier_name, s.value_usd, s.share, s.n_suppliers,
            s.world_export_share, s.world_export_rank, s.exports_to_others_usd, s.supplies_others, s.outside_share,
            {distance} as political_distance
        from marts.import_suppliers as s{joins}
        where s.importer_iso3 = iso3 and s.hs6 = hs6 and s.year = year
        order by s.supplier_rank""",
    optional={
        "distance": ("political_exposure", "abs(own.ideal_point - theirs.ideal_point)", "null::double"),
        "joins": ("political_exposure", _DISTANCE_JOINS, ""),
    },
    example="from marts.suppliers('DEU', '850760', 2019)",
    columns={
        "supplier_rank": "as in import_suppliers",
        "supplier_iso3": "as in import_suppliers",
        "supplier_name": "as in import_suppliers",
        "value_usd": "as in import_suppliers",
        "share": "as in import_suppliers",
        "n_suppliers": "as in import_suppliers",
        "world_export_share": "as in import_suppliers",
        "world_export_rank": "as in import_suppliers",
        "exports_to_others_usd": "as in import_suppliers",
        "supplies_others": "as in import_suppliers",
        "outside_share": "as in import_suppliers",
        "political_distance": _DISTANCE,
    },
)
ALTERNATIVES = Macro(
    name="alternatives",
    parameters=("iso3", "hs6", "year"),
    answers="Who else could supply it?",
    notes="Exporters of the good that are not among the importer's ten largest suppliers, and not the importer itself. "
    "Where the importer has more than ten suppliers, some of them may sell it a little: which ones, only trade_flows "
    "says. What is sold elsewhere is not free: others have bought it.",
    reads=("import_suppliers", "export_price_index"),
    sql="""
        with supplied as (
            select s.importer_code, s.supplier_code, s.value_usd, s.year as of_year
            from marts.import_suppliers as s
            where s.importer_iso3 = iso3 and s.hs6 = hs6 and s.year = year
        ),
        importer as (
            select any_value(importer_code) as code, sum(value_usd) as import_value_usd, any_value(of_year) as of_year,
                coalesce(max(value_usd) filter (supplier_code = 0), 0) as others_usd
            from supplied
        ),
        exporters as (
            select e.exporter_code, e.exporter_iso3, e.exporter_name, e.value_usd,
                rank() over (order by round(e.value_usd, 2) desc) as place
            from marts.export_price_index as e
            where e.product_level = 'hs6' and e.product_code = hs6 and e.year = year and e.basis = 'baseline'
                and e.value_usd > 0
        ),
        world as (select sum(value_usd) as world_usd from exporters)
        select row_number() over (order by round(x.value_usd, 2) desc, x.exporter_code) as place,
            x.exporter_iso3, x.exporter_name, x.value_usd as world_exports_usd,
            x.value_usd / w.world_usd as world_export_share, x.place as world_export_rank,
            least(1, x.value_usd / greatest(0.01, w.world_usd - i.import_value_usd)) as outside_share,
            i.others_usd > 0 as may_supply, least(i.others_usd, x.value_usd) as may_supply_usd,
            {distance} as political_distance
        from exporters as x
        cross join world as w
        join importer as i on i.code <> x.exporter_code
        left join supplied as own_supplier on own_supplier.supplier_code = x.exporter_code{joins}
        where own_supplier.supplier_code is null
        order by place""",
    optional={
        "distance": ("political_exposure", "abs(own.ideal_point - theirs.ideal_point)", "null::double"),
        "joins": (
            "political_exposure",
            """
        left join marts.political_exposure as own on own.year = i.of_year and own.importer_code = i.code
        left join marts.political_exposure as theirs
            on theirs.year = i.of_year and theirs.importer_code = x.exporter_code""",
            "",
        ),
    },
    example="from marts.alternatives('DEU', '850760', 2019)",
    columns={
        "place": "1 is the largest exporter; ties by the code of Comtrade",
        "exporter_iso3": "country that exports the good",
        "exporter_name": "its name",
        "world_exports_usd": "what it exports of the good, in USD",
        "world_export_share": "the same over the exports of the world",
        "world_export_rank": "its place among all exporters; ties share the lower number",
        "outside_share": "its part of what the world sells of the good to others than this importer; at most that, "
        "where it may supply it",
        "may_supply": "whether it may be among the suppliers beyond the tenth",
        "may_supply_usd": "what it sells the importer at most, in USD",
        "political_distance": _DISTANCE,
    },
)
SUPPLY_LOSS = Macro(
    name="supply_loss",
    parameters=("exporter_iso3", "hs_prefix", "year"),
    answers="What would each importer lose if an exporter stopped?",
    notes="Goods whose code begins with hs_prefix, in scope or not; '' is all goods. First-order: nothing is replaced. "
    "For a cut of p, take p times loss_usd. Counted are goods in which the exporter is among the ten largest "
    "suppliers: covered_share says how much of its exports of these goods that is. `chokepoint scenario` counts all.",
    reads=("import_suppliers", "import_vulnerability", "export_price_index"),
    sql="""
        with lost as (
            select s.importer_code, any_value(s.importer_iso3) as importer_iso3,
                any_value(s.importer_name) as importer_name, count(*) as n_goods, sum(s.value_usd) as loss_usd,
                count(*) filter (round(s.share, 12) >= 0.5) as n_goods_half
            from marts.import_suppliers as s
            where s.supplier_iso3 = exporter_iso3 and starts_with(s.hs6, hs_prefix) and s.year = year
            group by s.importer_code
        ),
        imports as (
            select v.importer_code, sum(v.import_value_usd) as import_value_usd
            from marts.import_vulnerability as v
            where starts_with(v.hs6, hs_prefix) and v.year = year
            group by v.importer_code
        ),
        exports as (
            select sum(e.value_usd) as export_value_usd
            from marts.export_price_index as e
            where e.exporter_iso3 = exporter_iso3 and e.product_level = 'hs6' and e.basis = 'baseline'
                and starts_with(e.product_code, hs_prefix) and e.year = year
        )
        select row_number() over (order by round(l.loss_usd, 2) desc, l.importer_code) as place,
            l.importer_iso3, l.importer_name, l.n_goods, l.n_goods_half, l.loss_usd, i.import_value_usd,
            l.loss_usd / i.import_value_usd as loss_share,
            (select sum(loss_usd) from lost) / x.export_value_usd as covered_share
        from lost as l join imports as i on i.importer_code = l.importer_code cross join exports as x
        order by place""",
    example="from marts.supply_loss('CHN', '8542', 2019) limit 10",
    columns={
        "place": "1 loses most; ties by the code of Comtrade",
        "importer_iso3": "country that loses",
        "importer_name": "its name",
        "n_goods": "goods that it buys of the exporter",
        "n_goods_half": "those of which it buys half or more there",
        "loss_usd": "what it buys of them there, in USD",
        "import_value_usd": "what it buys of all goods with these codes, in USD",
        "loss_share": "loss_usd over that",
        "covered_share": "all losses over what the exporter sells of these goods: 1 where every flow is counted",
    },
)
PRICE_TREND = Macro(
    name="price_trend",
    parameters=("exporter_iso3", "hs6"),
    answers="How did the price of an exporter's good move?",
    notes="Unit values are not price indices (docs/prices.md): read quality first. The chain is 1 in chain_start_year.",
    reads=("export_price_index",),
    sql="""
        select e.year, e.product_name as hs6_name, e.value_usd, e.fisher, e.chain_start_year, e.chain_fisher,
            e.chain_tornqvist, e.relative_level, e.link_coverage, e.quality
        from marts.export_price_index as e
        where e.exporter_iso3 = exporter_iso3 and e.product_level = 'hs6' and e.product_code = hs6
            and e.basis = 'baseline'
        order by e.year""",
    example="from marts.price_trend('CHN', '850760')",
    columns={
        "year": "as in export_price_index, baseline",
        "hs6_name": "as in export_price_index, baseline",
        "value_usd": "as in export_price_index, baseline",
        "fisher": "as in export_price_index, baseline",
        "chain_start_year": "as in export_price_index, baseline",
        "chain_fisher": "as in export_price_index, baseline",
        "chain_tornqvist": "as in export_price_index, baseline",
        "relative_level": "as in export_price_index, baseline",
        "link_coverage": "as in export_price_index, baseline",
        "quality": "as in export_price_index, baseline",
    },
)
MACROS = (TOP_EXPOSED, SUPPLIERS, ALTERNATIVES, SUPPLY_LOSS, PRICE_TREND)


def write_macros(con: duckdb.DuckDBPyConnection, database: str, marts: Collection[str]) -> None:
    """Make the file attached as `database`, with these marts, hold the macros that they can answer, and no other."""
    schema = f"{identifier(database)}.{SCHEMA}"
    query = "select distinct function_name from duckdb_functions() where database_name = ? and not internal"
    for (name,) in con.execute(query, [database]).fetchall():
        con.execute(f"drop macro table {schema}.{identifier(name)}")
    before = con.execute("select current_database(), current_schema()").fetchone()
    assert before is not None
    con.execute(f"use {schema}")  # DuckDB binds a macro when it is made
    try:
        for macro in MACROS:
            if set(macro.reads) <= set(marts):
                # A release is published without a macro rather than not at all: marts may lack a column it asks for.
                try:
                    con.execute(f"create macro {macro.call} as table {macro.query(marts)}")
                    con.execute(f"comment on macro table {macro.name} is {literal(macro.answers)}")
                except duckdb.BinderException as error:
                    _log.warning("the DuckDB file is written without the macro %s: %s", macro.name, error)
    finally:
        con.execute(f"use {identifier(before[0])}.{identifier(before[1])}")
