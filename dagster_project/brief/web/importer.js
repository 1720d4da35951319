"use strict";
// The page of an importer: fills sentences, charts and tables for the importer, year and good chosen.
(() => {
  const { byId, percent, count, decimal, money, several, listed, country, theCountry, startOf, short, small, say, label, table, draw, drawFlow } = page;
  const SENTENCES = 5, BOUGHT = 10, MOST_SUPPLIERS = 6;
  const tileColours = { 1: page.RED, 2: "#c77700", 3: page.BLUE, 4: page.GREY };
  let brief = null, chosen = { importer: null, year: null, good: null };

  const mine = (rows) => (rows || []).filter((row) => row.year === chosen.year && row.importer === chosen.importer);
  const nameOf = (hs6) => brief.goods.names[hs6] || "good without a name";

  // The goods of a block as rows; `sold` is [supplier, share] pairs, the largest first.
  function rowsOf(block) {
    if (!block) return [];
    const columns = Object.entries(block).filter(([, values]) => Array.isArray(values));
    return block.hs6.map((_, place) => {
      const row = Object.fromEntries(columns.map(([name, values]) => [name, values[place]]));
      const flat = row.sold || [];
      row.sold = flat.filter((_, i) => i % 2 === 0).map((who, i) => [who, flat[2 * i + 1] / 1000]);
      if (row.sold.length && !row.top) [row.top, row.top_share] = row.sold[0];
      return { ...row, year: block.year, importer: block.importer, name: nameOf(row.hs6) };
    });
  }
  const read = new Map();
  function goodsOf(importer, year) {
    const key = importer + year;
    if (!read.has(key)) read.set(key, rowsOf(brief.goods.blocks.find((block) => block.importer === importer && block.year === year)));
    return read.get(key);
  }
  const overYears = (hs6) => brief.selection.years.map((year) => [year, goodsOf(chosen.importer, year).find((row) => row.hs6 === hs6)]);

  // Sentences that name goods and suppliers.
  function bought(row) {
    const share = row.suppliers === 1 ? "all" : percent(row.top_share, row.top_share >= 0.995 ? 1 : 0);
    const next = row.sold.slice(1, 3).filter(([, part]) => part >= 0.005).map(([supplier, part]) => country(supplier) + " " + percent(part, 0));
    const world = row.exporter == null ? "" : row.exporter === row.top
      ? " " + startOf(theCountry(row.top)) + " is also the world's largest exporter of it (" + percent(row.exporter_share, 0) + ")."
      : row.exporter === chosen.importer ? " " + startOf(theCountry(row.exporter)) + " itself is the world's largest exporter of it (" + percent(row.exporter_share, 0) + ")."
      : " The world's largest exporter of it is " + theCountry(row.exporter) + " (" + percent(row.exporter_share, 0) + ").";
    return startOf(theCountry(chosen.importer)) + " buys " + share + " of its " + small(short(row.name)) + " from " + theCountry(row.top)
      + " (HS " + row.hs6 + ", USD " + money(row.value) + " in " + row.year + (next.length ? "; next: " + listed(next) : "") + ")." + world;
  }

  function lead(shown, worst, industries) {
    const who = startOf(theCountry(chosen.importer)), value = (rows) => rows.reduce((sum, row) => sum + row.value, 0);
    const list = byId("sentences");
    if (!shown.length) {
      say("said", who + " has no goods in scope in " + chosen.year + " in this release.");
      list.replaceChildren();
      return;
    }
    const holders = new Map();
    for (const row of worst) holders.set(row.top, (holders.get(row.top) || 0) + 1);
    const largest = [...holders].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 3);
    say("said", who + " bought " + count(shown.length) + " goods in scope in " + chosen.year
      + " for USD " + money(value(shown)) + ". " + (worst.length
        ? startOf(several(worst.length, "of them is", "of them are")) + " doubly exposed: few countries hold the world's exports, and "
          + theCountry(chosen.importer) + " buys from few. " + (worst.length === 1 ? "It is " : "They are ") + percent(value(worst) / value(shown)) + " of the value. "
          + (largest[0][1] === 1 ? (worst.length === 1 ? "Its largest supplier is " : "Their largest suppliers are ") + listed(largest.map(([supplier]) => theCountry(supplier)))
            : startOf(listed(largest.map(([supplier, n], place) => theCountry(supplier) + (place ? " of " + n : " is the largest supplier of " + n + " of them"))))) + "."
        : "Not one of them is doubly exposed.")
      + (industries.length ? " The most exposed industry is " + small(short(industries[0].name || "chapter " + industries[0].hs2)) + " (HS " + industries[0].hs2 + ")." : ""));
    const named = [...worst, ...shown.filter((row) => row.category !== 1)].slice(0, SENTENCES);
    list.replaceChildren(...named.map((row) => {
      const item = page.element("li", bought(row) + " ");
      item.append(page.element("a", "A closer look", { href: link(row.hs6) }));
      return item;
    }));
  }
  const link = (hs6) => page.fragment({ importer: chosen.importer, year: chosen.year, good: hs6, at: "closer" });

  function exposed(shown, worst) {
    const lines = mine(brief.thresholds);
    draw("map", { goods: shown.map((row) => ({ ...row, category_name: brief.categories[row.category], usd: money(row.value),
      supplier: country(row.top) + " (" + percent(row.top_share) + ")" })), lines },
      "Scatter plot of " + shown.length + " goods by import concentration and export centrality; " + worst.length
      + " lie beyond both quartile lines. The most exposed ones are in the table that follows.");
    const trends = new Map();
    for (const year of brief.selection.years)
      for (const row of goodsOf(chosen.importer, year)) {
        if (!trends.has(row.hs6)) trends.set(row.hs6, []);
        trends.get(row.hs6).push([year, row.index]);
      }
    const change = (row) => {
      const points = trends.get(row.hs6).filter(([, y]) => y != null);
      return points.length > 1 ? Number((points.at(-1)[1] - points[0][1]).toFixed(4)) : null;
    };
    table("goods-table", {
      caption: "Goods in scope, the most exposed first", rows: shown, limit: 25, search: true,
      file: "chokepoint-" + chosen.importer + "-" + chosen.year + "-goods",
      columns: [
        { name: "HS6", text: (row) => row.hs6, link: (row) => link(row.hs6) },
        { name: "Good", text: (row) => row.name },
        { name: "Exposed", text: (row) => ({ 1: "doubly", 2: "central", 3: "few suppliers", 4: "neither" })[row.category] || "–", value: (row) => row.category },
        { name: "Index", text: (row) => decimal(row.index), value: (row) => row.index, number: true },
        ...(brief.selection.years.length > 1 ? [{ name: "Trend", text: (row) => decimal(change(row)), value: change, number: true,
          draw: (row) => page.spark(trends.get(row.hs6), brief.selection.years) }] : []),
        { name: "Imports, USD", text: (row) => money(row.value), value: (row) => row.value, number: true },
        { name: "Suppliers", text: (row) => count(row.suppliers), value: (row) => row.suppliers, number: true },
        { name: "HHI", text: (row) => decimal(row.hhi), value: (row) => row.hhi, number: true },
        { name: "Largest supplier", text: (row) => country(row.top) },
        { name: "Its share", text: (row) => percent(row.top_share), value: (row) => row.top_share, number: true },
        { name: "Largest exporter", text: (row) => (row.exporter ? country(row.exporter) : "–") },
        { name: "World share", text: (row) => percent(row.exporter_share), value: (row) => row.exporter_share, number: true },
      ],
    });
  }

  // Suppliers of the most exposed goods: each good is as high as the others, since its shares are shown.
  function who(shown) {
    const goods = shown.filter((row) => row.sold.length).slice(0, BOUGHT), weight = new Map();
    for (const row of goods) for (const [supplier, share] of row.sold) weight.set(supplier, (weight.get(supplier) || 0) + share);
    const named = new Set([...weight].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 9).map(([supplier]) => supplier));
    const flows = [], order = [...named, null];
    for (const row of goods) {
      let rest = 1;
      for (const [supplier, share] of row.sold) if (named.has(supplier)) flows.push([supplier, row.hs6, share]), (rest -= share);
      if (rest > 0.002) flows.push([null, row.hs6, rest]);
    }
    const largest = order[0];
    drawFlow("bought", flows, { order: [order, goods.map((row) => row.hs6)],
      left: country, right: (hs6) => hs6 + " " + short(nameOf(hs6), 60),
      colour: (key, end) => (end ? page.GREY : key === largest ? page.RED : key == null ? page.GREY : page.BLUE),
      said: (supplier, hs6, share) => country(supplier) + ": " + percent(share) + " of " + nameOf(hs6),
      alternative: "Flow diagram from suppliers to the " + goods.length + " most exposed goods; " + country(largest) + " supplies most of them.",
    });
    say("bought-said", goods.length ? "The suppliers of the " + several(goods.length, "most exposed good", "most exposed goods") + " of " + theCountry(chosen.importer) + " in " + chosen.year
      + ". Every good counts alike; a band is as thick as the supplier's share in it. Red: the largest one." : "");
  }

  // One good: its suppliers, its trend, the world's flows, alternatives and prices.
  function closer(shown) {
    const row = shown.find((each) => each.hs6 === chosen.good);
    const years = overYears(chosen.good).filter(([, each]) => each);
    say("good-said", row ? bought(row) + (row.category === 1 ? " It is doubly exposed." : "") + trendWords(years)
      : chosen.good ? startOf(theCountry(chosen.importer)) + " bought no " + small(short(nameOf(chosen.good))) + " in " + chosen.year + "." : "");
    const order = [];
    for (const [, each] of [...years].reverse()) for (const [supplier] of each.sold) if (!order.includes(supplier) && order.length < MOST_SUPPLIERS - 1) order.push(supplier);
    const shares = years.flatMap(([year, each]) => {
      const named = each.sold.filter(([supplier]) => order.includes(supplier));
      const rest = 1 - named.reduce((sum, [, share]) => sum + share, 0);
      return [...named.map(([supplier, share]) => ({ year, supplier: country(supplier), share, place: order.indexOf(supplier) })),
        ...(each.sold.length && rest > 0.002 ? [{ year, supplier: "others", share: rest, place: 99 }] : [])];
    }).sort((a, b) => a.place - b.place || a.year - b.year);
    draw("supplier_shares", { supplier_shares: shares }, "Stacked bars of the suppliers' shares by year.");
    draw("trend_of_good", { trend_of_good: years.flatMap(([year, each]) => [
      { year, kind: "Import concentration (HHI)", value: each.hhi },
      { year, kind: "Share of the largest supplier", value: each.top_share },
      { year, kind: "Vulnerability index", value: each.index },
    ]).filter((point) => point.value != null) }, "Lines of concentration, the largest supplier's share and the index by year.");
    world(row);
    const prices = (brief.prices || []).filter((each) => each.hs6 === chosen.good);
    if (brief.prices) draw("good_prices", { good_prices: prices.map((each) => ({ ...each, exporter: country(each.exporter),
      sound: each.quality === "good" || each.quality === "fair" })) }, "Lines of export prices by exporter and year.");
  }
  function trendWords(years) {
    if (years.length < 2) return "";
    const [first, last] = [years[0], years.at(-1)];
    const moved = last[1].top_share - first[1].top_share;
    return " In " + first[0] + " the largest supplier was " + (first[1].top === last[1].top ? "the same" : theCountry(first[1].top))
      + ", with " + percent(first[1].top_share, 0) + (Math.abs(moved) < 0.02 ? "." : moved > 0 ? ": its supply has grown more concentrated." : ": its supply has grown less concentrated.");
  }

  function world(row) {
    const flows = brief.flows?.[chosen.year]?.[chosen.good], missing = byId("alternatives-table");
    if (!flows) {
      draw("world", { nodes: [], links: [] });
      say("world-said", "");
      say("alternatives-said", !brief.flows ? "Who else sells it follows from single flows, which this release does not hold." : !chosen.good ? "" : "The world's flows of this good in this year are not in this page, which holds those of the most exposed goods of the newest years. "
        + "For all of them: chokepoint brief --good " + chosen.good);
      missing.replaceChildren();
      return;
    }
    const bands = flows.slice();
    // The importer has a bar of its own, also where it is not among the largest.
    if (row && !flows.some(([, to]) => to === chosen.importer)) {
      const sellers = new Set(flows.map(([from]) => from));
      const own = new Map();
      for (const [supplier, share] of row.sold) {
        const from = sellers.has(supplier) ? supplier : null;
        own.set(from, (own.get(from) || 0) + share * row.value);
      }
      for (const [from, value] of own) {
        const place = bands.findIndex(([seller, to]) => seller === from && to == null);
        if (place >= 0) bands[place] = [from, null, Math.max(0, bands[place][2] - value)];
        bands.push([from, chosen.importer, value]);
      }
    }
    const sum = (end) => {
      const sums = new Map();
      for (const flow of bands) sums.set(flow[end], (sums.get(flow[end]) || 0) + flow[2]);
      return [...sums].sort((a, b) => (a[0] == null) - (b[0] == null) || b[1] - a[1]).map(([key]) => key);
    };
    const sellers = sum(0), buyers = sum(1);
    drawFlow("world", bands.filter(([, , value]) => value > 0), { order: [sellers, buyers],
      left: country, right: country,
      colour: (key, end) => (key === chosen.importer && end ? page.RED : key == null ? page.GREY : page.BLUE),
      said: (from, to, value) => startOf(theCountry(from)) + " to " + theCountry(to) + ": USD " + money(value),
      alternative: "Flow diagram of the world's trade in the good from its largest exporters to its largest importers.",
    });
    const total = flows.reduce((all, flow) => all + flow[2], 0);
    say("world-said", "World trade in " + small(short(nameOf(chosen.good))) + " in " + chosen.year + ": USD " + money(total) + ". On the left its largest exporters, on the right its largest importers; red: "
      + theCountry(chosen.importer) + ".");
    alternatives(row, flows, sellers);
  }

  function alternatives(row, flows, sellers) {
    // What the importer buys of each: from the flows where it has a part of its own in them, else from its largest suppliers.
    const inside = (iso3) => iso3 === chosen.importer || chosen.importer === "EUR" && brief.members.includes(iso3);
    const direct = flows.filter(([, to]) => to === chosen.importer), sold = row?.sold || [];
    const bought = new Map(direct.length ? direct.map(([from, , value]) => [from, value]) : sold.map(([supplier, share]) => [supplier, share * row.value]));
    const complete = direct.length > 0 || sold.length >= (row?.suppliers || 0);
    const exported = new Map();
    // What members sell is the union's own; a country's own exports count.
    for (const [from, , value] of flows) if (from === chosen.importer || !inside(from)) exported.set(from, (exported.get(from) || 0) + value);
    const outside = [...exported].reduce((all, [, value]) => all + value, 0) - (row?.value || 0);
    const distance = new Map(mine(brief.politics?.suppliers).map((each) => [each.supplier, each.closeness]));
    const found = sellers.filter((each) => each != null && !inside(each)).map((exporter) => {
      const others = Math.max(0, exported.get(exporter) - (bought.get(exporter) || 0));
      return { exporter, others, share: outside > 0 ? others / outside : null, closeness: distance.get(exporter),
        supplies: bought.has(exporter) && row ? percent(bought.get(exporter) / row.value) : complete ? "not yet" : sold.length ? "at most " + percent(sold.at(-1)[1]) : "not known" };
    }).sort((a, b) => b.others - a.others);
    const fresh = found.filter((each) => each.exporter !== row?.top && each.share >= 0.02);
    say("alternatives-said", fresh.length ? startOf((row ? "besides " + theCountry(row.top) + ", " : "") + listed(fresh.slice(0, 4).map((each) => theCountry(each.exporter) + " (" + percent(each.share, 0) + ")")))
      + (fresh.length > 1 ? " sell" : " sells") + " it to others: shares of what the world exports outside " + theCountry(chosen.importer) + "."
      : (flows.some(([from]) => inside(from)) ? "Beside " + theCountry(chosen.importer) + " itself, no other" : "No other") + " exporter sells as much as 2 % of what the world exports of it.");
    table("alternatives-table", { caption: "Who else exports it", rows: found, columns: [
      { name: "Exporter", text: (each) => country(each.exporter) },
      { name: "To others, USD", text: (each) => money(each.others), value: (each) => each.others, number: true },
      { name: "Share outside the importer", text: (each) => percent(each.share), value: (each) => each.share, number: true },
      { name: "Supplies " + country(chosen.importer), text: (each) => each.supplies, number: true },
      ...(distance.size ? [{ name: "Political distance", text: (each) => each.closeness || "–" }] : []),
    ] });
  }

  function ranking(industries) {
    draw("industries", { industries }, "Bar chart of the most exposed industries: "
      + industries.slice(0, 3).map((row) => row.full).join(", ") + " lead. All are in the table that follows.");
    table("industries-table", { caption: "Industries by vulnerability", rows: industries, limit: 10, file: "chokepoint-" + chosen.importer + "-" + chosen.year + "-industries", columns: [
      { name: "Rank", text: (row) => count(row.rank), value: (row) => row.rank, number: true },
      { name: "Industry (HS2)", text: (row) => row.full },
      { name: "Vulnerability", text: (row) => decimal(row.vulnerability, 4), value: (row) => row.vulnerability, number: true },
      { name: "Mean index", text: (row) => decimal(row.mean), value: (row) => row.mean, number: true },
      { name: "Goods", text: (row) => count(row.n_goods), value: (row) => row.n_goods, number: true },
      { name: "Doubly exposed", text: (row) => count(row.n_category1), value: (row) => row.n_category1, number: true },
      { name: "Imports, USD", text: (row) => money(row.value), value: (row) => row.value, number: true },
    ] });
  }

  function holders(rows) {
    const positions = rows.flatMap((row) => [
      { name: label(country(row.exporter)), place: "first", goods: row.first, exported: row.n_high_centrality },
      { name: label(country(row.exporter)), place: "second or third", goods: row.top3 - row.first, exported: row.n_high_centrality },
    ]);
    draw("exporters", { positions }, "Bar chart of exporters by the number of high-centrality goods in which they lead: "
      + rows.slice(0, 3).map((row) => country(row.exporter) + " is first in " + row.first).join(", ") + ". All are in the table that follows.");
    table("exporters-table", { caption: "Exporters of high-centrality goods", rows, limit: 10, columns: [
      { name: "Exporter", text: (row) => country(row.exporter) },
      { name: "Goods in scope", text: (row) => count(row.n_goods), value: (row) => row.n_goods, number: true },
      { name: "High-centrality goods", text: (row) => count(row.n_high_centrality), value: (row) => row.n_high_centrality, number: true },
      { name: "First", text: (row) => count(row.first), value: (row) => row.first, number: true },
      { name: "Top three", text: (row) => count(row.top3), value: (row) => row.top3, number: true },
      { name: "Share top three", text: (row) => percent(row.high_top3_share), value: (row) => row.high_top3_share, number: true },
    ] });
  }

  function relations() {
    if (!brief.politics) return;
    const found = mine(brief.politics.exposure), row = found[0], name = theCountry(chosen.importer);
    say("relations-said", !row
      ? "Nothing is known for " + name + " in " + chosen.year + ": no goods in scope, or no session of the Assembly in the two years before."
      : row.distant == null
        ? startOf(name) + " has no ideal point in " + chosen.year + ": its suppliers cannot be told apart by distance."
        : "Of what " + name + " bought in goods in scope in " + chosen.year + ", " + percent(row.distant) + " came from states that stand far from it, "
          + percent(row.close) + " from states close to it; " + percent(row.unscored) + " came from suppliers without a point, such as Taiwan.");
    for (const id of ["distances", "distances-table", "relations-table"]) if (byId(id)) (byId(id).closest("figure") || byId(id)).hidden = !row;
    if (!row) return;
    const suppliers = mine(brief.politics.suppliers);
    draw("distances", { distances: suppliers.filter((each) => each.distance != null).map((each) => ({ ...each, name: country(each.supplier) })) });
    table("distances-table", { caption: "The largest suppliers of goods in scope", rows: suppliers, limit: 8, columns: [
      { name: "Supplier", text: (each) => country(each.supplier) },
      { name: "Share", text: (each) => percent(each.share), value: (each) => each.share, number: true },
      { name: "Distance", text: (each) => (each.distance == null ? "no point" : decimal(each.distance, 2)), value: (each) => each.distance, number: true },
      { name: "Closeness", text: (each) => each.closeness || "–" },
    ] });
    const measures = [
      { name: "Concentration alone", plain: row.econ, own: row.econ },
      { name: "With distance", plain: row.plain, own: row.own },
      { name: "What politics adds (factor)", plain: row.ratio, own: row.ratio_own },
    ];
    table("relations-table", { caption: "Concentration of supply, alone and with distance", rows: measures, columns: [
      { name: "Measure", text: (each) => each.name },
      { name: "Scale: mean of all pairs", text: (each) => decimal(each.plain), value: (each) => each.plain, number: true },
      { name: "Scale: the importer's own", text: (each) => decimal(each.own), value: (each) => each.own, number: true },
    ] });
  }

  function shocks() {
    if (!brief.shocks) return;
    const found = mine(brief.shocks.scenarios), name = theCountry(chosen.importer);
    const removals = mine(brief.shocks.removals);
    const sentences = [...found.map((row) => row.title + ": " + name + " loses USD " + money(row.loss) + ", " + percent(row.loss_share)
      + " of what it buys of these goods" + (row.replaceable == null ? "." : "; others could deliver " + percent(row.replaceable, 0) + " of that.")),
      ...removals.map((row) => "If " + theCountry(row.exporter) + " delivered nothing at all: USD " + money(row.loss) + " in " + several(row.n_goods, "good") + " in scope, "
        + percent(row.loss_share) + " of the imports; others could deliver " + percent(row.replaceable, 0) + ", and of " + several(row.n_irreplaceable, "good") + " not all.")];
    byId("shocks-said").replaceChildren(...(sentences.length ? sentences : [startOf(name) + " buys nothing of what the scenarios cut in " + chosen.year + "."])
      .map((text) => page.element("li", text)));
    const said = (row) => ({ label: label(row.title), full: row.title });
    draw("scenarios", { scenarios: found.flatMap((row) => [
      { ...said(row), kind: "at first", usd: row.loss, said: money(row.loss) }, { ...said(row), kind: "after others deliver", usd: row.shortfall, said: money(row.shortfall) },
    ]).filter((row) => row.usd > 0) });
    table("scenarios-table", { caption: "Scenarios", rows: found, columns: [
      { name: "Scenario", text: (row) => row.title },
      { name: "Lost at first, USD", text: (row) => money(row.loss), value: (row) => row.loss, number: true },
      { name: "Of these imports", text: (row) => percent(row.loss_share), value: (row) => row.loss_share, number: true },
      { name: "Others could deliver", text: (row) => percent(row.replaceable), value: (row) => row.replaceable, number: true },
      { name: "Falls short by, USD", text: (row) => money(row.shortfall), value: (row) => row.shortfall, number: true },
    ] });
    table("holders-of-imports", { caption: "On whom the imports hang", rows: mine(brief.shocks.holders), columns: [
      { name: "Supplier", text: (row) => country(row.exporter) },
      { name: "Goods in scope", text: (row) => count(row.n_goods), value: (row) => row.n_goods, number: true },
      { name: "Imports, USD", text: (row) => money(row.value), value: (row) => row.value, number: true },
      { name: "Share", text: (row) => percent(row.loss_share), value: (row) => row.loss_share, number: true },
    ] });
  }

  function tiles(summary) {
    byId("tiles").replaceChildren(...summary.map((row) => {
      const tile = page.element("div", null, { style: "--mark: " + tileColours[row.category] });
      const figure = page.element("dd", several(row.n_goods, "good"));
      figure.append(page.element("small", percent(row.goods_share) + " of goods, " + percent(row.value_share) + " of value"));
      tile.append(page.element("dt", brief.categories[row.category]), figure);
      return tile;
    }));
  }

  // What does not depend on the choice, but on the width.
  function fixed() {
    const list = (id) => "List " + id;
    if (brief.exclusions) {
      draw("lists", { lists: brief.exclusions.lists.flatMap((row) => [
        { list: list(row.list_id), kind: "all requests", share: row.approval_share, requests: row.requests },
        { list: list(row.list_id), kind: "without the largest filer", share: row.without_top, requests: row.requests },
      ]) });
      const highest = Math.max(...brief.exclusions.industries.map((row) => row.approval_share));
      draw("list_industries", { list_industries: brief.exclusions.industries.map((row) => {
        const full = row.hs2 + " " + (row.name || "");
        return { ...row, list: list(row.list_id), full, label: label(full), deep: row.approval_share > 0.55 * highest };
      }) });
    }
    if (brief.patents) {
      const named = (rows) => rows.map((row) => ({ ...row, country_name: brief.compared[row.country], label: label(row.field || "") }));
      draw("fields", { fields: named(brief.patents.fields) });
      draw("trend", { trend: named(brief.patents.trend) });
    }
  }

  function offer(shown) {
    const kept = new Set(shown.map((row) => row.hs6));
    const goods = [...shown.map((row) => row.hs6), ...(chosen.good && !kept.has(chosen.good) && brief.goods.names[chosen.good] ? [chosen.good] : [])];
    byId("good").replaceChildren(...goods.map((hs6) => page.element("option", hs6 + " " + short(nameOf(hs6), 60), { value: hs6 })));
  }

  async function show(wanted) {
    brief = page.data();
    page.choose("importer", wanted.importer);
    page.choose("year", wanted.year);
    chosen = { importer: byId("importer").value, year: Number(byId("year").value), good: wanted.good || byId("good").value || chosen.good };
    const shown = goodsOf(chosen.importer, chosen.year), worst = shown.filter((row) => row.category === 1);
    if (!brief.goods.names[chosen.good] || !(wanted.good || goodsOf(chosen.importer, chosen.year).some((row) => row.hs6 === chosen.good)))
      chosen.good = (worst[0] || shown[0])?.hs6 || "";
    const industries = mine(brief.industries).map((row) => ({ ...row, usd: money(row.value), full: row.hs2 + " " + (row.name || ""), label: label(row.hs2 + " " + (row.name || "")) }));
    document.title = byId("headline").textContent = "Supply vulnerability of " + theCountry(chosen.importer) + ", " + chosen.year;
    page.hide({ industries: !brief.industries, exporters: !brief.exporters, good_prices: !brief.prices, bought: !brief.flows, world: !brief.flows, supplier_shares: !brief.flows });
    lead(shown, worst, industries);
    tiles(mine(brief.summary));
    exposed(shown, worst);
    who(shown);
    offer(shown);
    byId("good").value = chosen.good;
    closer(shown);
    if (brief.industries) ranking(industries);
    if (brief.exporters) holders(brief.exporters.filter((row) => row.year === chosen.year));
    relations();
    shocks();
    fixed();
    page.remember({ ...chosen, ...(wanted.at && { at: wanted.at }) });
  }

  page.start(show);
})();
