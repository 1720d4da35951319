# %% [markdown]
# # From a release to a figure of the literature
#
# This is a notebook in percent format: Jupyter (with jupytext), VS Code, Spyder and PyCharm open it as cells, and
# `.venv/bin/python docs/examples/chokepoint.py` runs it as it stands. It needs only a published release: `make demo`
# makes one from a **synthetic** sample, whose numbers say nothing about the real world.
#
# Xu (2022) sorts the goods that a country imports into four categories: is the good exported by few (high centrality),
# and does the country buy it from few (high concentration)? Category 1 is both, category 4 neither. The chapter's
# figure for China 2017 has 62 goods of 3,285 in category 1, and an odds ratio of 0.17: goods that few export are bought
# from *many* more often than others.

# %%
import os
from pathlib import Path

import altair as alt
import duckdb

release = Path(os.environ.get("CHOKEPOINT_RELEASE", "demo/published/current")).resolve()  # one release throughout
figures = Path(os.environ.get("CHOKEPOINT_FIGURES", "."))
con = duckdb.connect(str(release / "chokepoint.duckdb"), read_only=True)
con.sql("from marts.release_info").show()

# %% [markdown]
# ## The importer and the year
#
# The country that imports most goods in scope in the newest year, unless you name another, or `EUR`: the European Union
# as one importer.

# %%
importer, year = con.execute("""
    select importer_iso3, year from marts.import_vulnerability
    where in_scope and case when $1 is null then economy_kind = 'country' else importer_iso3 = $1 end
    group by importer_iso3, year order by year desc, round(sum(import_value_usd), 2) desc, importer_iso3 limit 1
""", [os.environ.get("CHOKEPOINT_IMPORTER")]).fetchone()  # fmt: skip
goods = con.execute("""
    select v.hs6, v.hs6_name, v.import_value_usd, v.import_hhi, v.category, c.export_centrality, v.top_supplier_iso3
    from marts.import_vulnerability as v join marts.product_centrality as c using (year, hs6)
    where v.in_scope and v.importer_iso3 = ? and v.year = ? order by v.hs6
""", [importer, year]).df()  # fmt: skip
print(f"{importer} {year}: {len(goods)} goods in scope, {goods['import_value_usd'].sum() / 1e9:,.1f} billion USD")

# %% [markdown]
# ## The four categories
#
# Counted here from the goods, and held against the mart that publishes the same.

# %%
table = goods.groupby("category").agg(goods=("hs6", "size"), value=("import_value_usd", "sum"))
table = table.reindex([1, 2, 3, 4], fill_value=0)
table["share of goods"] = table["goods"] / table["goods"].sum()
table["share of value"] = table["value"] / table["value"].sum()
n = table["goods"]
odds_ratio = (n[1] * n[4]) / (n[2] * n[3]) if n[2] and n[3] else float("nan")
print(table.round(3).to_string(), f"\nodds ratio {odds_ratio:.3f}; Xu (2022), China 2017: 0.166")

published = con.execute("""
    select category, n_goods from marts.vulnerability_summary
    where importer_code = (select any_value(importer_code) from marts.import_vulnerability where importer_iso3 = ?)
      and year = ?
""", [importer, year]).fetchall()  # fmt: skip
assert dict(published) == n[n > 0].to_dict(), "the goods and the summary disagree"

# %% [markdown]
# ## The figure: centrality against concentration
#
# One point per good; its size is what is paid for it.

# %%
names = {1: "1: few exporters, few suppliers", 2: "2: few exporters", 3: "3: few suppliers", 4: "4: neither"}
synthetic = con.sql("select synthetic from marts.release_info").fetchone()[0]
figure = (
    alt.Chart(goods.assign(category=goods["category"].map(names)))
    .mark_circle(opacity=0.7)
    .encode(
        x=alt.X("export_centrality", title="export centrality of the good"),
        y=alt.Y("import_hhi", title="concentration of the importer's suppliers (HHI)", scale=alt.Scale(domain=[0, 1])),
        size=alt.Size("import_value_usd", title="USD"),
        color=alt.Color("category", sort=list(names.values())),
        tooltip=["hs6", "hs6_name", "top_supplier_iso3", "import_value_usd"],
    )
    .properties(
        title=f"What {importer} imported in {year}" + (" (SYNTHETIC)" if synthetic else ""), width=560, height=360
    )
)
figure.save(figures / "categories.svg")
figure  # noqa: B018

# %% [markdown]
# ## A Lorenz curve: how much of the value is in how few goods
#
# If every good were worth the same, the curve would be the diagonal. The Gini index is twice the area between the two.

# %%
values = goods["import_value_usd"].sort_values()
lorenz = values.cumsum() / values.sum()
steps = (values.rank(method="first") / len(values)).sort_values()
gini = 1 - ((lorenz + lorenz.shift(fill_value=0)) * steps.diff().fillna(steps.iloc[0])).sum()
curve = alt.Chart(
    steps.to_frame("share of goods").assign(**{"share of value": lorenz}), title=f"Gini {gini:.2f}"
).mark_line().encode(x="share of goods", y="share of value")  # fmt: skip
curve.save(figures / "lorenz.svg")
con.close()
print(f"Gini {gini:.3f}; written: {figures / 'categories.svg'}, {figures / 'lorenz.svg'}")
