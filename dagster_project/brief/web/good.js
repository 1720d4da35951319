"use strict";
// The page of one good: fills sentences, charts and tables for the year and the importer chosen.
(() => {
  const { byId, percent, count, decimal, money, several, listed, country, theCountry, startOf, short, small, say, label, table, draw, drawFlow } = page;
  const KEPT = 5;
  let brief = null, year = null, importer = "";
  const of = (rows) => (rows || []).filter((row) => row.year === year);
  const goodName = () => small(short(brief.good.name || "this good"));
  const exposure = (row) => ({ 1: "doubly", 2: "central", 3: "few suppliers", 4: "neither" })[row.category] || "out of scope";

  const dependence = (row) => startOf(theCountry(row.importer)) + " imports USD " + money(row.value) + " of it, "
    + (row.suppliers === 1 ? "all" : percent(row.top_share, 0)) + " from " + theCountry(row.top) + ".";

  function lead(now, sellers, buyers) {
    if (!now) {
      say("said", "Nobody traded this good in " + year + " in this release.");
      byId("sentences").replaceChildren();
      return;
    }
    say("said", "The world traded USD " + money(now.value) + " of " + goodName() + " in " + year + ". " + startOf(theCountry(now.top)) + " sold " + percent(now.top_share, 0)
      + " of it, the three largest exporters " + percent(now.top3_share, 0) + "; " + several(now.n_importers, "country buys", "countries buy") + " it from " + several(now.n_exporters, "exporter") + "."
      + (now.in_scope ? (now.central ? " Few countries hold its exports: its centrality lies in the upper quartile of the goods in scope." : " Its centrality lies below the upper quartile of the goods in scope.") : " It is out of scope, so that it has no category."));
    const whole = buyers.filter((row) => row.top_share >= 0.5 && row.value > 0);
    const largest = [...buyers].sort((a, b) => b.value - a.value).slice(0, 4);
    const exposed = buyers.filter((row) => row.category === 1);
    const next = sellers.slice(1, 4).map((row) => theCountry(row.exporter) + " (" + percent(row.share, 0) + ")");
    const mine = buyers.find((row) => row.importer === importer);
    const sentences = [
      ...(mine ? [dependence(mine)] : []),
      ...largest.filter((row) => row.importer !== importer).map(dependence),
      several(whole.length, "importer buys", "importers buy") + " at least half of it from one supplier" + (exposed.length ? "; " + several(exposed.length, "is", "are") + " doubly exposed by it, such as "
        + listed(exposed.slice(0, 3).map((row) => theCountry(row.importer))) : "") + ".",
      ...(next.length ? ["Besides " + theCountry(now.top) + ", " + listed(next) + (next.length > 1 ? " export" : " exports") + " it."] : []),
    ];
    byId("sentences").replaceChildren(...sentences.map((text) => page.element("li", text)));
  }

  function exporters(sellers, now) {
    const order = [];
    for (const each of [...brief.years].reverse())
      for (const row of (brief.exporters || []).filter((one) => one.year === each)) if (!order.includes(row.exporter) && order.length < KEPT) order.push(row.exporter);
    const shares = brief.years.flatMap((each) => {
      const named = (brief.exporters || []).filter((row) => row.year === each && order.includes(row.exporter));
      const rest = 1 - named.reduce((sum, row) => sum + row.share, 0);
      return named.length ? [...named.map((row) => ({ year: each, supplier: country(row.exporter), share: row.share, place: order.indexOf(row.exporter) })),
        ...(rest > 0.002 ? [{ year: each, supplier: "others", share: rest, place: 99 }] : [])] : [];
    }).sort((a, b) => a.place - b.place || a.year - b.year);
    draw("exporter_shares", { exporter_shares: shares }, "Stacked bars of the exporters' shares by year.");
    draw("over_years", { over_years: brief.trend.flatMap((row) => [
      { year: row.year, kind: "Concentration of exports (HHI)", value: row.hhi },
      { year: row.year, kind: "Share of the largest exporter", value: row.top_share },
      { year: row.year, kind: "Rank by centrality", value: row.percentile },
    ]).filter((point) => point.value != null) }, "Lines of the concentration of exports, the largest exporter's share and the rank by centrality.");
    if (brief.exporters) table("exporters-table", { caption: "All exporters, " + year, rows: sellers, limit: 12, search: true, file: "chokepoint-" + brief.good.hs6 + "-" + year + "-exporters", columns: [
      { name: "Exporter", text: (row) => country(row.exporter) },
      { name: "Exports, USD", text: (row) => money(row.value), value: (row) => row.value, number: true },
      { name: "World share", text: (row) => percent(row.share), value: (row) => row.share, number: true },
      { name: "Buyers", text: (row) => count(row.buyers), value: (row) => row.buyers, number: true },
    ] });
  }

  function importers(buyers) {
    table("importers-table", { caption: "All importers by dependence, " + year, rows: buyers, limit: 15, search: true, file: "chokepoint-" + brief.good.hs6 + "-" + year + "-importers", columns: [
      { name: "Importer", text: (row) => country(row.importer), link: (row) => page.fragment({ year, importer: row.importer, at: "network" }) },
      { name: "HHI", text: (row) => decimal(row.hhi), value: (row) => row.hhi, number: true },
      { name: "Suppliers", text: (row) => count(row.suppliers), value: (row) => row.suppliers, number: true },
      { name: "Largest supplier", text: (row) => country(row.top) },
      { name: "Its share", text: (row) => percent(row.top_share), value: (row) => row.top_share, number: true },
      { name: "Imports, USD", text: (row) => money(row.value), value: (row) => row.value, number: true },
      { name: "Exposed", text: exposure, value: (row) => row.category },
      { name: "Index", text: (row) => decimal(row.index), value: (row) => row.index, number: true },
    ] });
  }

  function network(now) {
    const flows = brief.flows?.[year]?.[brief.good.hs6] || [];
    const order = [0, 1].map((end) => {
      const sums = new Map();
      for (const flow of flows) sums.set(flow[end], (sums.get(flow[end]) || 0) + flow[2]);
      return [...sums].sort((a, b) => (a[0] == null) - (b[0] == null) || b[1] - a[1]).map(([key]) => key);
    });
    drawFlow("world", flows, { order, left: country, right: country,
      colour: (key, end) => (key == null ? page.GREY : key === importer && end || !end && key === now?.top ? page.RED : page.BLUE),
      said: (from, to, value) => startOf(theCountry(from)) + " to " + theCountry(to) + ": USD " + money(value),
      alternative: "Flow diagram of the world's trade in the good from its largest exporters to its largest importers." });
    const shown = Object.keys(brief.flows || {});
    say("world-said", flows.length ? "The largest exporters on the left, the largest importers on the right, by value in " + year + ". Red: the largest exporter" + (importer ? ", and " + theCountry(importer) + " where it is among the largest importers." : ".")
      : brief.flows && !shown.includes(String(year)) ? "The picture is there for " + listed(shown) + "." : "");
    const facts = !now ? [] : [
      ["Export centrality", decimal(now.centrality), now.percentile == null ? "no rank" : "at or above " + percent(now.percentile, 0) + " of goods in scope"],
      ["Concentration of exports (HHI)", decimal(now.hhi), "1: a single exporter"],
      ...("density" in now ? [["Links between countries", count(now.n_links), percent(now.density) + " of those there could be"],
        ["Answered by one back", percent(now.reciprocity), "reciprocity"],
        ["Clustering", decimal(now.clustering), now.clustering == null ? "no country has two partners" : "partners trade it with each other"],
        ["Supplier power", now.power ? country(now.power) : "–", "first by PageRank"],
        ["Buyer power", now.buyer ? country(now.buyer) : "–", "first by PageRank"]] : []),
      ...("pci" in now ? [["Complexity", decimal(now.pci, 2), now.pci_rank == null ? "no rank" : "rank " + count(now.pci_rank) + " of the year's goods"]] : []),
    ];
    byId("measures").replaceChildren(...facts.map(([name, value, note]) => {
      const tile = page.element("div"), figure = page.element("dd", value);
      figure.append(page.element("small", note));
      tile.append(page.element("dt", name), figure);
      return tile;
    }));
  }

  const REASONS = { no_price: "no price is known", too_few_years: "fewer than five years", too_little_growth: "output has not doubled" };
  function priced() {
    if (brief.prices) draw("good_prices", { good_prices: brief.prices.map((row) => ({ ...row, exporter: country(row.exporter), sound: row.quality === "good" || row.quality === "fair" })) },
      "Lines of export prices by exporter and year.");
    const rates = (brief.learning || []).filter((row) => row.rate != null);
    say("learning-said", !brief.learning ? "Learning rates are not in this release." : rates.length
      ? "With every doubling of what " + theCountry(rates[0].exporter) + " ever exported, its price fell by " + percent(rates[0].rate, 0) + " (95 % interval: " + percent(rates[0].low, 0) + " to " + percent(rates[0].high, 0) + "), " + rates[0].first_year + " to " + rates[0].last_year + "."
      : "No learning rate can be computed: " + (listed([...new Set(brief.learning.map((row) => REASONS[row.reason] || row.reason))]) || "no exporter has a price") + ".");
    page.hide({ rates: !rates.length });
    if (rates.length) draw("rates", { rates: rates.map((row) => ({ ...row, name: country(row.exporter), label: label(country(row.exporter)) })) });
    if (rates.length) table("learning-table", { caption: "Learning rates", rows: rates, columns: [
      { name: "Exporter", text: (row) => country(row.exporter) },
      { name: "Learning rate", text: (row) => percent(row.rate), value: (row) => row.rate, number: true },
      { name: "95 % from", text: (row) => percent(row.low), value: (row) => row.low, number: true },
      { name: "95 % to", text: (row) => percent(row.high), value: (row) => row.high, number: true },
      { name: "Years", text: (row) => row.first_year + "–" + row.last_year },
      { name: "Quality", text: (row) => row.quality + (row.small_sample ? ", few years" : "") },
    ] });
    if (brief.involution) table("involution-table", { caption: "More for less, " + year, rows: of(brief.involution), limit: 10, columns: [
      { name: "Exporter", text: (row) => country(row.exporter) },
      { name: "Price", text: (row) => percent(row.price == null ? null : row.price - 1), value: (row) => row.price, number: true },
      { name: "Quantity", text: (row) => percent(row.quantity == null ? null : row.quantity - 1), value: (row) => row.quantity, number: true },
      { name: "More for less", text: (row) => (row.more_for_less ? several(row.in_a_row, "year") : "no"), value: (row) => row.in_a_row },
      { name: "Quality", text: (row) => row.quality },
    ] });
  }

  function moved() {
    const years = [...new Set((brief.exporters || []).map((row) => row.year))], [first, last] = [years[0], years.at(-1)];
    const shares = (each) => new Map((brief.exporters || []).filter((row) => row.year === each).map((row) => [row.exporter, row.share]));
    const [before, after] = [shares(first), shares(last)];
    const changes = first === last ? [] : [...new Set([...before.keys(), ...after.keys()])].map((exporter) => ({ name: country(exporter), label: label(country(exporter)), exporter,
      before: before.get(exporter) || 0, after: after.get(exporter) || 0, change: (after.get(exporter) || 0) - (before.get(exporter) || 0) }))
      .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || (a.name < b.name ? -1 : 1)).slice(0, 12).sort((a, b) => b.change - a.change);
    const [won, lost] = [changes[0], changes.at(-1)];
    const points = (row) => (100 * Math.abs(row.change)).toFixed(1) + " points to " + percent(row.after, 0);
    say("moved-said", changes.length < 2 ? "Only one year is loaded: nothing can have moved." : "From " + first + " to " + last + ", "
      + (won.change > 0 ? theCountry(won.exporter) + " won " + points(won) + " of world exports" : "nobody won a share") + (lost.change < 0 ? "; " + theCountry(lost.exporter) + " lost " + points(lost) : "") + "." + coverage(first, last));
    draw("moved", { moved: changes });
  }

  // Shares of years with other importers are shares of another world.
  function coverage(first, last) {
    const known = (each) => brief.trend.find((row) => row.year === each)?.n_importers || 0;
    const [before, after] = [known(first), known(last)];
    return Math.min(before, after) >= 0.8 * Math.max(before, after) ? ""
      : " Read it with care: " + several(before, "country buys", "countries buy") + " it in what was loaded for " + first + ", " + count(after) + " in " + last + ".";
  }

  async function show(wanted) {
    brief = page.data();
    page.choose("year", wanted.year);
    page.choose("importer", wanted.importer ?? (year == null ? brief.importer : null));
    year = Number(byId("year").value);
    importer = byId("importer").value;
    const now = brief.trend.find((row) => row.year === year), sellers = of(brief.exporters), buyers = of(brief.importers);
    document.title = startOf(short(brief.good.name || "A good without a name")) + " (HS " + brief.good.hs6 + "), " + year;
    page.hide({ good_prices: !brief.prices, world: !brief.flows, exporter_shares: !brief.exporters, moved: !brief.exporters });
    lead(now, sellers, buyers);
    exporters(sellers, now);
    importers(buyers);
    network(now);
    priced();
    moved();
    page.remember({ year, ...(importer && { importer }), ...(wanted.at && { at: wanted.at }) });
  }

  page.start(show);
})();
