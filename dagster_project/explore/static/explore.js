"use strict";
// Makes the form answer at once, and says when a newer release is out. Without it every page works.
(() => {
  // Empty choices are left out of the address, so that a link says only what was chosen.
  function submit(form) {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    form.submit();
  }

  // A key moves a slider by a step: the answer waits until it rests, and comes with the field and the place kept.
  let waiting;
  function later(form, field) {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      sessionStorage.setItem("left", JSON.stringify({ page: location.pathname, field: field.id, at: window.scrollY }));
      submit(form);
    }, field.type === "range" ? 400 : 0);
  }

  const left = JSON.parse(sessionStorage.getItem("left") || "{}");
  sessionStorage.removeItem("left");
  if (left.page === location.pathname) {
    document.getElementById(left.field)?.focus({ preventScroll: true });
    window.scrollTo({ top: left.at });
  }

  const form = document.getElementById("choices");
  if (form) {
    form.addEventListener("submit", (event) => { event.preventDefault(); submit(form); });
    for (const field of form.querySelectorAll("select, input[type=range]"))
      field.addEventListener("change", () => later(form, field));
    for (const field of form.querySelectorAll("input[type=range]"))
      field.addEventListener("input", () => { field.nextElementSibling.textContent = field.value + " %"; });
    for (const field of form.querySelectorAll("input[data-list]"))
      field.addEventListener("focus", () => suggest(field), { once: true });
  }
  // A page that the browser kept has the fields as they were left.
  window.addEventListener("pageshow", () => { for (const field of form?.elements ?? []) field.disabled = false; });

  async function suggest(field) {
    const list = document.createElement("datalist");
    list.id = "list-" + field.name;
    const answer = await fetch(field.dataset.list);
    if (!answer.ok) return;
    for (const [code, name] of await answer.json()) {
      const option = document.createElement("option");
      option.value = code;
      option.textContent = code + " " + name;
      list.append(option);
    }
    field.after(list);
    field.setAttribute("list", list.id);
  }

  // Whether the release of this page is still the current one; a page that names its release does not ask.
  const shown = document.body.dataset.release;
  async function ask() {
    if (document.hidden || new URLSearchParams(location.search).has("release")) return;
    try {
      const now = await (await fetch("/current")).json();
      if (now.release && now.release !== shown) document.getElementById("newer").hidden = false;
    } catch { /* the server has ended: the page stays as it is */ }
  }
  if (shown) {
    setInterval(ask, 10_000);
    document.addEventListener("visibilitychange", ask);
  }
})();
