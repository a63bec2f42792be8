// Ctrl+K: go to anything by typing a part of its name. Pages are known here, the rest is asked of
// /console/search. The field is a combobox, the list its listbox; focus stays in the field.
import { element, ownAddress, settled } from "./element.js";
import { pageName, stepped } from "./keys.js";

/** @typedef {{ kind: string, title: string, detail: string, href: string }} Item */

/**
 * How well a text fits what was typed: the letters in their order; beginnings of words and runs
 * count more. Negative where it does not fit.
 * @param {string} typed
 * @param {string} text
 * @returns {number}
 */
export function fit(typed, text) {
  const [wanted, given] = [typed.toLowerCase().replace(/\s+/g, ""), text.toLowerCase()];
  let [score, from, run] = [0, 0, 0];
  for (const letter of wanted) {
    const at = given.indexOf(letter, from);
    if (at < 0) return -1;
    const isStart = at === 0 || /[\s/_.:-]/.test(given[at - 1]);
    run = at === from && from > 0 ? run + 1 : 0;
    score += 1 + (isStart ? 4 : 0) + run * 2;
    from = at + 1;
  }
  const initials = given.split(/[\s/_.:-]+/).map((word) => word[0]).join("");
  const isWhole = given.startsWith(wanted) || (wanted.length > 1 && initials.startsWith(wanted));
  return wanted === "" ? 0 : score + (isWhole ? 8 : 0) - given.length / 100;
}

/**
 * The pages that fit, the best first.
 * @param {string} typed
 * @param {Item[]} pages
 * @returns {Item[]}
 */
export function fitting(typed, pages) {
  return pages
    .map((page) => ({ page, score: fit(typed, page.title) }))
    .filter(({ score }) => score >= 0)
    .sort((one, other) => other.score - one.score)
    .map(({ page }) => page);
}

/**
 * What the search answered, as far as it can be shown.
 * @param {unknown} answer
 * @returns {Item[]}
 */
export function itemsOf(answer) {
  const { items } = /** @type {{ items?: any }} */ (answer ?? {});
  if (!Array.isArray(items)) return [];
  return items.map((each) => ({
    kind: String(each?.kind ?? ""), title: String(each?.title ?? ""),
    detail: String(each?.detail ?? ""), href: String(each?.href ?? ""),
  })).filter((each) => each.title && each.href);
}

/** @returns {Item[]} */
function pagesHere() {
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("nav.side a[href], a[data-palette]");
  return [...links].map((link) => ({
    kind: link.dataset.palette !== undefined ? "Action" : "Page",
    title: link.dataset.palette || pageName(link), detail: "", href: link.href,
  }));
}

/** @type {HTMLDialogElement | null} */
let dialog = null;

/** Opens the palette, empty. */
export function showPalette() {
  dialog ??= made();
  if (dialog.open) return dialog.close();
  const field = dialog.querySelector("input");
  dialog.showModal();
  if (!field) return;
  field.value = "";
  field.dispatchEvent(new Event("input"));
  field.focus();
}

/** The palette's parts; the list is drawn anew for each letter. */
function made() {
  const field = element("input", {
    type: "text", role: "combobox", placeholder: "Go to a page, meter, customer, event…",
    "aria-label": "Go to anything", "aria-expanded": "true", "aria-controls": "palette-list",
    "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
  });
  const list = element("ul", { id: "palette-list", role: "listbox", "aria-label": "Found" });
  const keys = [["↑↓", "choose"], ["Enter", "open"], ["Esc", "close"]];
  const foot = element("footer", {}, ...keys.map(([key, words]) =>
    element("span", {}, element("kbd", {}, key), ` ${words}`)
  ));
  const box = element("dialog", { class: "palette", "aria-label": "Go to anything" });
  box.append(field, list, foot);
  document.body.append(box);
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  fill(box, field, list);
  return box;
}

/**
 * @param {HTMLDialogElement} box
 * @param {HTMLInputElement} field
 * @param {HTMLUListElement} list
 */
function fill(box, field, list) {
  /** @type {Item[]} */
  let items = [];
  let chosen = 0;
  /** @type {AbortController | null} */
  let asking = null;

  const choose = (/** @type {number} */ place) => {
    chosen = place;
    [...list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === chosen && items.length > 0));
    });
    const option = list.children[chosen];
    if (option && items.length) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const draw = (/** @type {Item[]} */ found, /** @type {string} */ none) => {
    items = found;
    list.replaceChildren(...items.map((item, place) => element(
      "li", { role: "option", id: `palette-${place}`, "aria-selected": "false" },
      element("span", { class: "name" }, item.title),
      element("span", { class: "detail" }, item.detail),
      element("span", { class: "kind" }, item.kind),
    )));
    if (!items.length) {
      const off = { role: "option", "aria-disabled": "true", "aria-selected": "false" };
      list.append(element("li", { class: "none", ...off }, none));
    }
    choose(0);
  };
  const open = (/** @type {boolean} */ inOther) => {
    const address = ownAddress(items[chosen]?.href);
    if (!address) return;
    box.close();
    if (inOther) window.open(address, "_blank", "noopener");
    else location.assign(address);
  };
  const ask = settled(async () => {
    const typed = field.value.trim();
    asking?.abort();
    if (!typed) return;
    const mine = new AbortController();
    asking = mine;
    const pages = fitting(typed, pagesHere()).slice(0, 6);
    try {
      const address = `/console/search?q=${encodeURIComponent(typed)}`;
      const answer = await fetch(address, { signal: mine.signal });
      draw([...pages, ...itemsOf(await answer.json())], `Nothing is named like “${typed}”`);
    } catch {
      if (!mine.signal.aborted) draw(pages, "The search did not answer");
    }
  }, 90);

  field.addEventListener("input", () => {
    const typed = field.value.trim();
    draw(fitting(typed, pagesHere()).slice(0, typed ? 6 : 40), "Searching…");
    ask();
  });
  field.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) choose(stepped(chosen, step, items.length));
    else if (event.key === "Enter") open(event.ctrlKey || event.metaKey);
    else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) box.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest("li") : null;
    if (!option || !items.length) return;
    choose([...list.children].indexOf(option));
    open(event.ctrlKey || event.metaKey);
  });
}
