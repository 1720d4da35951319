"use strict";
// Fills the page for the importer and year chosen. The data are in the element "data", the charts in its "specs".
(() => {
  const brief = JSON.parse(document.getElementById("data").textContent);
  const colours = { 1: "#d1495b", 2: "#c77700", 3: "#3a7ca5", 4: "#868c96" };
  const byId = (id) => document.getElementById(id);
  const names = Object.fromEntries(brief.selection.importers.map((each) => [each.iso3, each.name]));
  const goods = brief.goods.rows.map((row) => Object.fromEntries(brief.goods.columns.map((name, i) => [name, row[i]])));

  const percent = (x) => (x == null ? "–" : (100 * x).toFixed(1) + " %");
  const count = (x) => (x == null ? "–" : x.toLocaleString("en-US"));
  const decimal = (x, digits = 3) => (x == null ? "–" : x.toFixed(digits));
  function money(x) {
    if (x == null) return "–";
    for (const [size, unit] of [[1e12, "trn"], [1e9, "bn"], [1e6, "m"], [1e3, "k"]])
      if (x >= size) return (x / size).toFixed(x / size < 10 ? 2 : 1) + " " + unit;
    return x.toFixed(0);
  }

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text != null) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  // columns: [heading, row -> text, is it a number]
  function table(target, caption, columns, rows) {
    const region = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": caption });
    const made = element("table");
    made.append(element("caption", caption));
    const head = element("tr");
    for (const [heading, , number] of columns) head.append(element("th", heading, { scope: "col", ...(number && { class: "number" }) }));
    made.append(element("thead"));
    made.tHead.append(head);
    const body = element("tbody");
    for (const row of rows) {
      const line = element("tr");
      for (const [, text, number] of columns) line.append(element("td", text(row), number ? { class: "number" } : {}));
      body.append(line);
    }
    made.append(body);
    region.append(made);
    byId(target).replaceChildren(region);
  }

  async function draw(id, datasets, alternative) {
    const target = byId(id);
    if (!target) return;
    const said = alternative || target.getAttribute("aria-label");
    if (!Object.values(datasets).flat().length) {
      target.replaceChildren(element("p", "Nothing to show for this choice.", { class: "absent" }));
      return;
    }
    const spec = { ...brief.specs[id], datasets };
    await vegaEmbed(target, spec, { renderer: "svg", actions: false, tooltip: { theme: "custom" } });
    // The library puts the chart's bare title in the place of a description.
    target.setAttribute("role", "img");
    target.setAttribute("aria-label", said);
  }

  function drawFixed() {
    const label = (id) => "List " + id;
    if (brief.exclusions) {
      draw("lists", { lists: brief.exclusions.lists.flatMap((row) => [
        { list: label(row.list_id), kind: "all requests", share: row.approval_share, requests: row.requests },
        { list: label(row.list_id), kind: "without the largest filer", share: row.without_top, requests: row.requests },
      ]) });
      const highest = Math.max(...brief.exclusions.industries.map((row) => row.approval_share));
      draw("list_industries", { list_industries: brief.exclusions.industries.map((row) => ({
        ...row, list: label(row.list_id), label: row.hs2 + " " + (row.name || ""), deep: row.approval_share > 0.55 * highest,
      })) });
    }
    if (brief.patents) {
      const named = (rows) => rows.map((row) => ({ ...row, country_name: brief.countries[row.country] }));
      draw("fields", { fields: named(brief.patents.fields) });
      draw("trend", { trend: named(brief.patents.trend) });
    }
  }

  function show() {
    const importer = byId("importer").value, year = Number(byId("year").value), name = names[importer];
    const mine = (rows) => (rows || []).filter((row) => row.year === year && row.importer === importer);
    const shown = mine(goods).map((row) => ({
      ...row, name: brief.goods.names[row.hs6], category_name: brief.categories[row.category],
      supplier: row.top + " (" + percent(row.top_share) + ")",
    }));
    document.title = byId("headline").textContent = "Supply vulnerability of " + name + ", " + year;
    const worst = shown.filter((row) => row.category === 1);
    const value = (rows) => rows.reduce((sum, row) => sum + row.value, 0);
    const industries = mine(brief.industries).map((row) => ({ ...row, label: row.hs2 + " " + (row.name || "") }));
    byId("said").textContent = !shown.length
      ? name + " has no goods in scope in " + year + " in this release."
      : name + " bought " + count(shown.length) + " goods in scope in " + year + ", worth USD " + money(value(shown)) + ". "
        + count(worst.length) + " of them (" + percent(value(worst) / value(shown)) + " of the value) are of category 1: "
        + "central in world exports and bought from few."
        + (industries.length ? " The most exposed industry is " + industries[0].label + "." : "");
    tiles(mine(brief.summary));
    draw("map", { goods: shown, lines: mine(brief.thresholds) },
      "Scatter plot of " + shown.length + " goods by import concentration and export centrality; " + worst.length
      + " lie beyond both quartile lines. The most exposed ones are in the table that follows.");
    table("goods-table", "The 25 most exposed goods", [
      ["HS6", (row) => row.hs6], ["Good", (row) => row.name || "–"], ["Category", (row) => String(row.category ?? "–")],
      ["Index", (row) => decimal(row.index), true], ["Imports, USD", (row) => money(row.value), true],
      ["Suppliers", (row) => count(row.suppliers), true], ["HHI", (row) => decimal(row.hhi), true],
      ["Largest supplier", (row) => row.supplier], ["Largest exporter", (row) => row.exporter + " (" + percent(row.exporter_share) + ")"],
    ], shown.slice(0, 25));
    draw("industries", { industries }, "Bar chart of the most exposed industries: "
      + industries.slice(0, 3).map((row) => row.label).join(", ") + " lead. All are in the table that follows.");
    table("industries-table", "Industries by vulnerability", [
      ["Rank", (row) => count(row.rank), true], ["Industry (HS2)", (row) => row.label], ["Vulnerability", (row) => decimal(row.vulnerability, 4), true],
      ["Mean index", (row) => decimal(row.mean), true], ["Goods", (row) => count(row.n_goods), true],
      ["Category 1", (row) => count(row.n_category1), true], ["Imports, USD", (row) => money(row.value), true],
    ], industries);
    relations(mine(brief.politics), name, year);
    exporters((brief.exporters || []).filter((row) => row.year === year));
  }

  function relations(found, name, year) {
    if (!brief.politics) return;
    const row = found[0];
    byId("relations-said").textContent = !row
      ? "Nothing is known for " + name + " in " + year + ": no goods in scope, or no session of the Assembly in the two years before."
      : row.distant == null
        ? name + " has no ideal point in " + year + ": its suppliers cannot be told apart by distance."
        : "Of what " + name + " bought in goods in scope in " + year + ", " + percent(row.distant) + " came from states that stand far from it, "
          + percent(row.close) + " from states close to it; " + percent(row.unscored) + " came from suppliers without a point, such as Taiwan.";
    table("relations-table", "Concentration of supply, alone and with distance", [
      ["Concentration alone", (each) => decimal(each.econ), true],
      ["With distance, mean of all pairs", (each) => decimal(each.plain), true],
      ["With distance, own scale", (each) => decimal(each.own), true],
      ["What politics adds, mean of all pairs", (each) => decimal(each.ratio), true],
      ["What politics adds, own scale", (each) => decimal(each.ratio_own), true],
      ["Close", (each) => percent(each.close), true], ["Middle", (each) => percent(each.middle), true],
      ["Distant", (each) => percent(each.distant), true], ["Unscored", (each) => percent(each.unscored), true],
    ], found);
  }

  function tiles(summary) {
    byId("tiles").replaceChildren(...summary.map((row) => {
      const tile = element("div", null, { style: "--mark: " + colours[row.category] });
      const figure = element("dd", count(row.n_goods) + (row.n_goods === 1 ? " good" : " goods"));
      figure.append(element("small", percent(row.goods_share) + " of goods, " + percent(row.value_share) + " of value"));
      tile.append(element("dt", brief.categories[row.category]), figure);
      return tile;
    }));
  }

  function exporters(rows) {
    const positions = rows.flatMap((row) => [
      { name: row.name, place: "first", goods: row.first, exported: row.n_high_centrality },
      { name: row.name, place: "second or third", goods: row.top3 - row.first, exported: row.n_high_centrality },
    ]);
    draw("exporters", { positions }, "Bar chart of exporters by the number of high-centrality goods in which they lead: "
      + rows.slice(0, 3).map((row) => row.name + " is first in " + row.first).join(", ") + ". All are in the table that follows.");
    table("exporters-table", "Exporters of high-centrality goods", [
      ["Exporter", (row) => row.name || row.exporter], ["Goods exported", (row) => count(row.n_goods), true],
      ["Top three", (row) => count(row.n_top3), true], ["High-centrality goods", (row) => count(row.n_high_centrality), true],
      ["First", (row) => count(row.first), true], ["Top three", (row) => count(row.top3), true],
      ["Share top three", (row) => percent(row.high_top3_share), true],
    ], rows);
  }

  byId("choice").addEventListener("change", show);
  byId("choice").addEventListener("submit", (event) => event.preventDefault());
  drawFixed();
  show();
})();
