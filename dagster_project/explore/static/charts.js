"use strict";
// Draws the charts. Without it a page lacks nothing: each chart has its table.
(() => {
  // What a chart draws stands in its element. Expressions are interpreted: the page allows no code made of text.
  async function draw(target) {
    const text = target.querySelector("script").textContent;
    // Beside long names no room would be left for the bars.
    const spec = JSON.parse(target.clientWidth < 520 ? text.replaceAll('"labelLimit":260', '"labelLimit":110') : text);
    const said = target.getAttribute("aria-label");
    const options = { renderer: "svg", actions: false, ast: true, tooltip: { theme: "custom" } };
    target.replaceChildren();
    await vegaEmbed(target, spec, options);
    // The library puts the chart's bare title in the place of a description.
    target.setAttribute("role", "img");
    target.setAttribute("aria-label", said);
    target.dataset.drawn = "yes";
  }

  for (const target of document.querySelectorAll(".chart")) draw(target);
})();
