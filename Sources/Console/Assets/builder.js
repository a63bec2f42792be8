// The form of a meter type: fields picked from the catalogue, the filter as rules and as text, and
// the live preview. Without this module the same form works by typing.
import { element, say, settled } from "./element.js";
import { comparisons, rulesOf, written } from "./filter.js";

/** @typedef {import("./filter.js").Rule} Rule */

/**
 * @param {HTMLElement} box the element that holds the rules; data-filter names the text's id
 * @param {HTMLInputElement | HTMLTextAreaElement} text
 */
function filter(box, text) {
  const list = element("div", { class: "stack rules" });
  const add = element("button", { type: "button", class: "button button--small" }, "Add a condition");
  const hint = element("p", { class: "hint", hidden: "" },
    "This filter says more than conditions can show. Change it as text.");
  const join = element("select", { class: "join", "aria-label": "How conditions are joined" },
    element("option", { value: "and" }, "All conditions hold"),
    element("option", { value: "or" }, "At least one holds"));
  const foot = element("div", { class: "row" }, add, join);
  box.append(list, hint, foot);
  box.hidden = false;

  const read = () => [...list.children].map((line) => {
    const [path, is, value] = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ (
      [...line.querySelectorAll("input, select")]
    );
    return { path: path.value, is: is.value, value: value.value };
  });
  const arrange = () => {
    join.hidden = list.children.length < 2;
  };
  const write = () => {
    text.value = written({ join: join.value === "or" ? "or" : "and", rules: read() });
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const line = (/** @type {Rule} */ rule) => {
    const path = element("input", {
      "aria-label": "Field", value: rule.path, class: "code", autocomplete: "off",
      placeholder: "$.data.field", spellcheck: "false",
      ...(box.dataset.fields ? { list: box.dataset.fields } : {}),
    });
    const is = element("select", { "aria-label": "Comparison" }, ...comparisons.map(([sign, words]) =>
      element("option", { value: sign, ...(sign === rule.is ? { selected: "" } : {}) }, words)
    ));
    const value = element("input", { "aria-label": "Value", value: rule.value, autocomplete: "off" });
    const away = element("button", {
      type: "button", class: "button button--quiet", "aria-label": "Remove this condition",
    }, "×");
    const made = element("div", { class: "rule" }, path, is, value, away);
    const show = () => {
      value.disabled = is.value.endsWith("exists");
      value.placeholder = is.value.endsWith("in") ? "one, another" : "value";
    };
    show();
    made.addEventListener("input", () => {
      show();
      write();
    });
    away.addEventListener("click", () => {
      const next = made.nextElementSibling ?? made.previousElementSibling;
      made.remove();
      arrange();
      write();
      (next?.querySelector("input") ?? add).focus();
    });
    return made;
  };
  const show = () => {
    const rules = rulesOf(text.value);
    hint.hidden = rules !== null;
    list.hidden = foot.hidden = rules === null;
    if (!rules) return;
    join.value = rules.join;
    list.replaceChildren(...rules.rules.map(line));
    arrange();
  };
  for (const part of [list, foot]) {
    // The rules' own changes reach the text by `write`; the form hears of them there, once.
    part.addEventListener("input", (event) => event.stopPropagation());
  }
  join.addEventListener("change", write);
  add.addEventListener("click", () => {
    const made = line({ path: "", is: "==", value: "" });
    list.append(made);
    arrange();
    made.querySelector("input")?.focus();
  });
  text.addEventListener("input", (event) => { if (event.isTrusted) show(); });
  text.addEventListener("console:set", show);
  show();
}

/**
 * A button with data-pick puts its data-value into the field of that id: over what is there, or,
 * with data-pick-line, as another line `name: path`.
 * @param {HTMLElement} button
 */
function pick(button) {
  const field = document.getElementById((button.dataset.pick ?? "").replace(/^#/, ""));
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
  const value = button.dataset.value ?? button.textContent ?? "";
  if (button.dataset.pickLine !== undefined) {
    const lines = field.value.split("\n").filter((each) => each.trim());
    const isThere = lines.includes(value);
    field.value = (isThere ? lines.filter((each) => each !== value) : [...lines, value]).join("\n");
  } else {
    field.value = value;
  }
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  field.dispatchEvent(new Event("console:set"));
  say(`${value} picked`);
}

function showPicked() {
  for (const button of document.querySelectorAll("[data-pick]")) {
    if (!(button instanceof HTMLElement)) continue;
    const field = document.getElementById((button.dataset.pick ?? "").replace(/^#/, ""));
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
    const value = button.dataset.value ?? button.textContent ?? "";
    const isPicked = field.value === value || field.value.split("\n").includes(value);
    button.setAttribute("aria-pressed", String(isPicked));
  }
}

/**
 * Asks for the preview of what the form says, and puts it into [data-preview-out].
 * @param {HTMLFormElement} form
 */
function preview(form) {
  const address = form.dataset.preview ?? "";
  /** @type {AbortController | null} */
  let asking = null;
  const ask = async () => {
    const out = document.querySelector("[data-preview-out]");
    if (!(out instanceof HTMLElement)) return;
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    out.setAttribute("aria-busy", "true");
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") fields.append(name, value);
    }
    try {
      const answer = await fetch(address, { method: "POST", body: fields, signal: mine.signal });
      const html = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = html.querySelector("[data-preview-out]") ?? html.body;
      out.replaceChildren(...[...parts.childNodes].map((node) => document.importNode(node, true)));
      document.dispatchEvent(new CustomEvent("console:swapped", { detail: "preview" }));
    } catch {
      if (mine.signal.aborted) return;
      const words = "The preview did not answer. Change a field to ask again.";
      out.replaceChildren(element("p", { class: "hint" }, words));
    }
    out.removeAttribute("aria-busy");
  };
  const asked = settled(ask, 400);
  form.addEventListener("input", asked);
  form.addEventListener("change", asked);
  document.addEventListener("console:swapped", (event) => {
    if (event instanceof CustomEvent && event.detail !== "preview") asked();
  });
  asked();
}

/** Gives each filter text of the page its rules, once. */
function filters() {
  for (const box of document.querySelectorAll("[data-filter]")) {
    if (!(box instanceof HTMLElement) || box.childElementCount > 0) continue;
    const text = document.getElementById((box.dataset.filter ?? "").replace(/^#/, ""));
    if (text instanceof HTMLInputElement || text instanceof HTMLTextAreaElement) filter(box, text);
  }
}

export function startBuilder() {
  filters();
  for (const form of document.querySelectorAll("form[data-preview]")) {
    if (form instanceof HTMLFormElement) preview(form);
  }
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-pick]") : null;
    if (!(button instanceof HTMLElement)) return;
    pick(button);
    showPicked();
  });
  document.addEventListener("input", showPicked);
  document.addEventListener("console:swapped", () => {
    filters();
    showPicked();
  });
  showPicked();
}
