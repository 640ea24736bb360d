// What the pages do beyond links and forms; without it they stay usable.
(() => {
  "use strict";

  const root = document.documentElement;
  const year = 365 * 24 * 3600;

  function isDark() {
    const chosen = root.dataset.scheme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  // Light or dark, without loading the page again; the cookie is for the next one.
  function labelSchemeButton() {
    const button = document.querySelector("[data-scheme-button]");
    if (!button) return;
    button.value = isDark() ? "light" : "dark";
    button.querySelector("[data-scheme-label]").textContent = isDark() ? "Light" : "Dark";
  }

  function chooseScheme(scheme) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie =
      `martlet_color_scheme=${scheme}; Path=/; Max-Age=${year}; SameSite=Lax${secure}`;
    root.dataset.scheme = scheme;
    labelSchemeButton();
    document.dispatchEvent(new CustomEvent("martlet:scheme"));
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-scheme-form]")) return;
    event.preventDefault();
    chooseScheme(isDark() ? "light" : "dark");
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    labelSchemeButton();
    document.dispatchEvent(new CustomEvent("martlet:scheme"));
  });

  // Copying a text that stands on the page.
  async function copy(button) {
    const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const selection = getSelection();
      selection.selectAllChildren(document.getElementById(button.dataset.copy));
      button.textContent = "Selected: copy it by hand";
    }
    announce(button.textContent);
    setTimeout(() => { button.textContent = label; }, 2500);
  }

  function announce(text) {
    const place = document.getElementById("announcement");
    if (place) place.textContent = text;
  }

  // Sheets of the question: one at a time, closed by Escape or a click elsewhere.
  function closeSheets(but) {
    for (const sheet of document.querySelectorAll("details.choice[open]")) {
      if (sheet !== but) sheet.open = false;
    }
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const copied = target.closest("[data-copy]");
    if (copied) copy(copied);
    const added = target.closest("[data-add-filter]");
    if (added) addFilter(added);
    const preset = target.closest("[data-start]");
    if (preset) choosePeriod(preset);
    const inside = target.closest("details.choice");
    if (matchMedia("(min-width: 40rem)").matches) closeSheets(inside);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.choice[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  function choosePeriod(button) {
    const form = button.form;
    form.elements.start.value = button.dataset.start;
    form.elements.end.value = button.dataset.end;
    form.elements.end.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function addFilter(button) {
    const rows = button.closest(".sheet").querySelectorAll(".filter");
    const last = rows[rows.length - 1];
    const row = last.cloneNode(true);
    for (const field of row.querySelectorAll("input, select")) {
      field.value = field.tagName === "SELECT" ? field.options[0].value : "";
    }
    const list = row.querySelector("datalist");
    if (list) {
      list.id = `values-${rows.length + 1}`;
      list.replaceChildren();
      row.querySelector("[list]").setAttribute("list", list.id);
    }
    last.after(row);
    globalThis.htmx?.process(row);
    row.querySelector("select").focus();
  }

  // What is chosen, in the heads of the sheets.
  function tellChosen(form) {
    for (const sheet of form.querySelectorAll("details.choice[data-tell]")) {
      const names = [...sheet.querySelectorAll("input:checked")].map((box) => box.dataset.label);
      const words = sheet.querySelector(".chosen-words");
      if (words) words.textContent = names.length ? names.join(", ") : "none";
    }
  }

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element && event.target.closest("[data-question]");
    if (form) tellChosen(form);
  });

  document.addEventListener("htmx:after:swap", () => {
    const told = document.querySelector("[data-announce]");
    if (told) announce(told.dataset.announce);
  });

  for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
  labelSchemeButton();
})();
