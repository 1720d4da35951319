"use strict";
// What every page shares: its data, numbers as words, tables that sort, search and export, charts, and the permalink.
const page = (() => {
  const byId = (id) => document.getElementById(id);
  const RED = "#d1495b", BLUE = "#3a7ca5", GREY = "#868c96", GREEN = "#4f8a3a";
  let content = null;

  async function unpack(id) {
    const packed = Uint8Array.from(atob(byId(id).textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  // Numbers as words: null is a dash in tables, and a sentence leaves it out.
  const percent = (x, digits = 1) => (x == null ? "–" : (100 * x).toFixed(digits) + "\u00a0%");
  const count = (x) => (x == null ? "–" : x.toLocaleString("en-US"));
  const decimal = (x, digits = 3) => (x == null ? "–" : x.toFixed(digits));
  function money(x) {
    if (x == null) return "–";
    const size = Math.abs(x);
    for (const [unit, name] of [[1e12, "trn"], [1e9, "bn"], [1e6, "m"], [1e3, "k"]])
      if (size >= unit) return (x / unit).toFixed(size / unit < 10 ? 2 : size / unit < 100 ? 1 : 0) + "\u00a0" + name;
    return x.toFixed(0);
  }
  const several = (n, one, many = one + "s") => count(n) + " " + (n === 1 ? one : many);
  const listed = (words) => words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words.at(-1);

  // Countries that take an article in a sentence.
  const ARTICLE = new Set(["USA", "GBR", "NLD", "PHL", "ARE", "COD", "DOM", "MDV", "BHS", "KOR", "CAF", "SLB", "MHL",
    "EUR"]);
  const NAME = { USA: "United States", KOR: "Republic of Korea", TWN: "Taiwan", HKG: "Hong Kong", RUS: "Russia",
    COD: "Democratic Republic of the Congo", MAC: "Macao", EUR: "European Union" };
  const country = (iso3) => (iso3 == null ? "others" : NAME[iso3] || content.countries[iso3] || iso3);
  const theCountry = (iso3) => (ARTICLE.has(iso3) ? "the " : "") + country(iso3);
  const startOf = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  // A good's name inside a sentence: short, and small at its start unless it is an abbreviation.
  function short(name, longest = 70) {
    if (!name) return "";
    name = name.replaceAll(/; (of|for|with|in) /g, " $1 ").replaceAll(";", ",");
    if (name.length > 40) name = name.replace(/(?<=.{12}),? (including|whether or not|n\.e\.c\.|other than).*$/, "");
    if (name.length <= longest) return name;
    const cut = name.slice(0, longest);
    const end = cut.lastIndexOf(",");
    return (end > 24 ? cut.slice(0, end) : cut.slice(0, cut.lastIndexOf(" ")).replace(/[,;]$/, "")) + " …";
  }
  const small = (name) => (/^[A-Z][a-z]/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name);

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text != null) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }
  function say(id, text) {
    if (byId(id)) byId(id).textContent = text;
  }

  // Lines of at most so many letters, to be joined by "\n" or drawn one under the other.
  function lines(text, letters, most = 3) {
    const made = [""];
    for (const word of String(text).split(" ")) {
      if (made.at(-1) && (made.at(-1) + " " + word).length > letters) made.push(word);
      else made[made.length - 1] = (made.at(-1) + " " + word).trim();
    }
    if (made.length > most) made.splice(most, Infinity), (made[most - 1] += " …");
    return made.map((line) => (line.length > letters + 4 ? line.slice(0, letters + 2) + "…" : line));
  }
  const narrow = () => document.documentElement.clientWidth < 640;
  const label = (text) => lines(text, narrow() ? 20 : 60, narrow() ? 2 : 1).join("\n");

  // Tables. A column: {name, text: row -> shown, value: row -> sorted and exported, number, link: row -> fragment}.
  const asked = new Map(); // what a reader did to each table: {sort, down, words, all}
  function table(id, { caption, columns, rows, limit = 25, search = false, file = null }) {
    const target = byId(id);
    if (!target) return;
    if (!rows.length) {
      target.replaceChildren(element("p", caption + ": none.", { class: "absent" }));
      return;
    }
    const state = asked.get(id) || { sort: null, down: false, words: "", all: false };
    asked.set(id, state);
    const region = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": caption });
    const foot = element("div", null, { class: "foot" });
    const value = (column, row) => (column.value || column.text)(row);

    function chosen() {
      const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
      let kept = rows.filter((row) => {
        const text = words.length ? columns.map((column) => column.text(row)).join(" ").replaceAll("\u00a0", " ").toLowerCase() : "";
        return words.every((word) => text.includes(word));
      });
      const column = columns.find((each) => each.name === state.sort);
      if (column) {
        const sign = state.down ? -1 : 1;
        // Equal values keep the order of the table; missing ones come last either way.
        kept = kept.map((row, place) => [value(column, row), place, row]).sort(([a, i], [b, j]) => {
          const missing = (a == null) - (b == null);
          if (missing || a == null) return missing || i - j;
          const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
          return sign * order || i - j;
        }).map(([, , row]) => row);
      }
      return kept;
    }

    function fill() {
      const kept = chosen(), shown = state.all ? kept : kept.slice(0, limit);
      const made = element("table"), head = element("tr"), body = element("tbody");
      made.append(element("caption", caption));
      for (const column of columns) {
        const sorted = state.sort === column.name;
        const cell = element("th", null, { scope: "col", ...(column.number && { class: "number" }),
          "aria-sort": !sorted ? "none" : state.down ? "descending" : "ascending" });
        const button = element("button", column.name, { type: "button" });
        button.append(element("span", !sorted ? "" : state.down ? " ▼" : " ▲", { "aria-hidden": "true" }));
        button.addEventListener("click", () => {
          state.down = sorted ? !state.down : Boolean(column.number);
          state.sort = column.name;
          fill();
          region.querySelectorAll("th button")[columns.indexOf(column)].focus();
        });
        cell.append(button);
        head.append(cell);
      }
      for (const row of shown) {
        const line = element("tr");
        for (const column of columns) {
          const cell = element("td", column.link || column.draw ? null : column.text(row), column.number ? { class: "number" } : {});
          if (column.link) cell.append(element("a", column.text(row), { href: column.link(row) }));
          if (column.draw) cell.append(column.draw(row));
          line.append(cell);
        }
        body.append(line);
      }
      made.append(element("thead"));
      made.tHead.append(head);
      made.append(body);
      region.replaceChildren(made);
      const left = kept.length - shown.length;
      const more = [];
      if (left > 0 || state.all && kept.length > limit) {
        const button = element("button", state.all ? "Show " + limit + " only" : "Show all " + count(kept.length), { type: "button" });
        button.addEventListener("click", () => { state.all = !state.all; fill(); });
        more.push(button);
      }
      const said = element("span", count(shown.length) + " of " + several(rows.length, "row"), { role: "status" });
      foot.replaceChildren(...(rows.length > limit || search ? [said] : []), ...more);
    }

    const tools = element("div", null, { class: "tools" });
    if (search) {
      const box = element("input", null, { type: "search", placeholder: "Search", "aria-label": "Search: " + caption });
      box.value = state.words;
      box.addEventListener("input", () => { state.words = box.value; fill(); });
      tools.append(box);
    }
    if (file) {
      const button = element("button", "Export CSV", { type: "button" });
      button.addEventListener("click", () => download(file + ".csv", csv(columns, chosen(), value)));
      tools.append(button);
    }
    fill();
    target.replaceChildren(...(tools.childElementCount ? [tools] : []), region, foot);
  }

  function csv(columns, rows, value) {
    const cell = (x) => {
      if (x == null) return "";
      // A spreadsheet must not take a text for a formula.
      const text = typeof x === "number" ? String(x) : String(x).replace(/^[=+\-@\t\r]/, "'$&");
      return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
    };
    const made = [columns.map((column) => cell(column.name)), ...rows.map((row) => columns.map((column) => cell(value(column, row))))];
    return "\ufeff" + made.map((line) => line.join(",")).join("\r\n") + "\r\n";
  }

  function download(name, text) {
    const link = element("a", null, { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Figures whose data are not in the release; the line that says why stands in the page.
  function hide(absent) {
    for (const [id, gone] of Object.entries(absent)) byId(id).closest("figure").hidden = gone;
  }

  // A line through the years, as small as a word.
  function spark(points, years) {
    const known = points.filter(([, y]) => y != null);
    const said = known.map(([year, y]) => year + ": " + decimal(y)).join(", ") || "–";
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const [first, last] = [years[0], years.at(-1)];
    const x = (year) => 4 + 56 * (last === first ? 0.5 : (year - first) / (last - first)), y = (value) => 17 - 14 * value;
    for (const [name, value] of Object.entries({ class: "spark", viewBox: "0 0 64 20", role: "img", "aria-label": said })) svg.setAttribute(name, value);
    const add = (tag, attributes) => {
      const part = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
      svg.append(part);
    };
    add("polyline", { points: known.map(([year, v]) => x(year) + "," + y(v)).join(" ") });
    if (known.length) add("circle", { cx: x(known.at(-1)[0]), cy: y(known.at(-1)[1]), r: 2.4 });
    return svg;
  }

  // Charts. The specification of the chart `id` draws `datasets`; nothing to draw is said in words.
  const views = new Map(); // what is drawn, to be let go when it is drawn anew
  async function draw(id, datasets, said, size = {}) {
    const target = byId(id);
    if (!target) return;
    const alternative = said || target.getAttribute("aria-label");
    if (!Object.values(datasets).flat().length) {
      target.removeAttribute("role");
      target.replaceChildren(element("p", target.dataset.nothing || "Nothing to show for this choice.", { class: "absent" }));
      return;
    }
    let spec = content.specs[id];
    if (spec.$schema.includes("/vega/"))
      spec = { ...spec, ...size, data: spec.data.map((each) => ({ ...each, values: datasets[each.name] })) };
    else {
      spec = { ...spec, datasets };
      if (narrow()) spec = fitted(spec);
    }
    views.get(id)?.finalize();
    views.set(id, await vegaEmbed(target, spec, { renderer: "svg", actions: false, logLevel: 1, tooltip: { theme: "custom" } }));
    // The library puts the chart's bare title in the place of a description.
    target.setAttribute("role", "img");
    target.setAttribute("aria-label", alternative);
  }

  // On a narrow page legends have one column, long titles several lines, and rows room for two.
  function fitted(part) {
    if (Array.isArray(part)) return part.map(fitted);
    if (part == null || typeof part !== "object") return part;
    const made = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, name === "datasets" ? value : fitted(value)]));
    if (typeof made.title === "string") made.title = lines(made.title, 34);
    if (made.legend) made.legend = { ...made.legend, columns: part.legend.columns ? 1 : 2 };
    if (made.step) made.step = Math.max(made.step, 28);
    return made;
  }

  // A flow diagram: `flows` are [from, to, value]; names and colours are asked of the functions given.
  function drawFlow(id, flows, { left, right, order, colour, said, alternative, step = 30 }) {
    const target = byId(id);
    if (!target || !flows.length) return draw(id, { nodes: [], links: [] }, alternative);
    const width = Math.max(280, target.clientWidth || 800), bar = 12, gap = 8;
    // The sums of each side, in the order asked for; bands leave and arrive in that order too, and so cross least.
    const place = (end, key) => order[end].indexOf(key);
    flows = [...flows].sort((a, b) => place(0, a[0]) - place(0, b[0]) || place(1, a[1]) - place(1, b[1]));
    const sides = [0, 1].map((end) => {
      const sums = new Map();
      for (const flow of flows) sums.set(flow[end], (sums.get(flow[end]) || 0) + flow[2]);
      return new Map([...sums].sort((a, b) => place(end, a[0]) - place(end, b[0])));
    });
    const margins = sides.map((sums, end) => Math.round(Math.min(width * 0.31, 14 + 6.4 * Math.max(...[...sums.keys()].map((key) => (end ? right : left)(key).length)))));
    const most = Math.max(sides[0].size, sides[1].size), height = Math.max(160, most * (narrow() ? step + 10 : step));
    const total = flows.reduce((sum, flow) => sum + flow[2], 0);
    const nodes = [], places = sides.map((sums, end) => {
      const room = height - gap * (sums.size - 1), at = new Map();
      let y = 0;
      for (const [key, value] of sums) {
        const thick = Math.max(2, room * value / total);
        const name = (end ? right : left)(key);
        nodes.push({ x: end ? width - margins[1] - bar : margins[0], y, width: bar, height: thick, side: end ? "right" : "left",
          lines: lines(name, Math.floor((margins[end] - 8) / 6.2), Math.max(1, Math.floor((thick + gap) / 13))), colour: colour(key, end), said: name });
        at.set(key, { y, next: y, scale: thick / value });
        y += thick + gap;
      }
      return at;
    });
    const links = flows.map(([from, to, value]) => {
      const [a, b] = [places[0].get(from), places[1].get(to)];
      const thick = Math.max(0.5, Math.min(a.scale, b.scale) * value), [wideA, wideB] = [a.scale * value, b.scale * value];
      const link = { x0: margins[0] + bar, y0: a.next + wideA / 2, x1: width - margins[1] - bar, y1: b.next + wideB / 2, thick,
        colour: colour(from, 0), said: said(from, to, value) };
      a.next += wideA;
      b.next += wideB;
      return link;
    });
    const deep = Math.max(height, ...nodes.map((node) => node.y + node.height)) + 8;
    return draw(id, { nodes, links }, alternative, { width, height: deep });
  }

  // The permalink: what is chosen stands in the fragment, so that the address shows the same view again.
  function wanted() {
    const text = location.hash.slice(1);
    return text.includes("=") ? Object.fromEntries(new URLSearchParams(text)) : {};
  }
  function choose(id, value) {
    const choice = byId(id);
    if (value != null && [...choice.options].some((option) => option.value === String(value))) choice.value = String(value);
  }
  const fragment = (chosen) => "#" + new URLSearchParams(chosen).toString();
  function remember(chosen) {
    history.replaceState(null, "", fragment(chosen));
  }
  function go(place) {
    byId(place)?.scrollIntoView();
  }

  // Start a page: unpack, show, and show again when a choice, the address or the width changes.
  async function start(show) {
    try {
      content = JSON.parse(await unpack("data"));
      document.head.append(element("script", await unpack("library")));
    } catch (problem) {
      byId("problem").hidden = false;
      throw problem;
    }
    await show(wanted());
    if (wanted().at) go(wanted().at);
    document.addEventListener("change", (event) => { if (event.target.matches("form select")) show({}); });
    document.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => {
      const again = event.target.closest('a[href^="#"]');
      if (again?.hash === location.hash && wanted().at) go(wanted().at);
      const link = event.target.closest("nav a");
      if (!link) return;
      event.preventDefault();
      go(link.hash.slice(1));
      document.querySelector(link.hash + " h2").setAttribute("tabindex", "-1");
      document.querySelector(link.hash + " h2").focus({ preventScroll: true });
    });
    window.addEventListener("hashchange", async () => {
      if (!location.hash.includes("=")) return go(location.hash.slice(1));
      const at = wanted().at;
      await show(wanted());
      if (at) go(at);
    });
    byId("permalink").addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(location.href);
        say("copied", "Copied.");
      } catch {
        say("copied", location.href);
      }
    });
    let width = document.documentElement.clientWidth, waiting = 0;
    window.addEventListener("resize", () => {
      if (document.documentElement.clientWidth === width) return;
      width = document.documentElement.clientWidth;
      clearTimeout(waiting);
      waiting = setTimeout(() => show({}), 150);
    });
    const folded = () => [...document.querySelectorAll("details:not([open]):not(.long)")];
    let opened = [];
    window.addEventListener("beforeprint", () => { opened = folded(); opened.forEach((each) => { each.open = true; }); });
    window.addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
  }

  return { byId, RED, BLUE, GREY, GREEN, percent, count, decimal, money, several, listed, country, theCountry, startOf, short, small,
    element, say, lines, label, table, spark, hide, draw, drawFlow, choose, remember, fragment, start, data: () => content };
})();
