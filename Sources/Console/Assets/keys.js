// The keyboard: / search, f filter, g + letter to a page, ? all keys, j k Enter in tables, Esc.
// Which key means what is a function of values (`meaning`), so that it can be tested without a page.
import { element, ownAddress } from "./element.js";

/**
 * @typedef {{ key: string, isTyping: boolean, isInDialog: boolean, hasModifier: boolean,
 *   isRow: boolean, afterG: boolean }} Press
 * @typedef {"search" | "filter" | "keys" | "palette" | "next" | "previous" | "open" | "leave"
 *   | "g" | "go" | ""} Meaning
 */

/**
 * What a key means where it was pressed.
 * @param {Press} press
 * @returns {Meaning}
 */
export function meaning(press) {
  if (press.hasModifier) return press.key.toLowerCase() === "k" ? "palette" : "";
  if (press.isInDialog) return "";
  if (press.key === "Escape") return "leave";
  if (press.isTyping) return "";
  if (press.afterG) return /^[a-z]$/.test(press.key) ? "go" : "";
  switch (press.key) {
    case "/": return "search";
    case "f": return "filter";
    case "?": return "keys";
    case "g": return "g";
    case "j": return "next";
    case "k": return "previous";
    case "ArrowDown": return press.isRow ? "next" : "";
    case "ArrowUp": return press.isRow ? "previous" : "";
    case "Enter": return press.isRow ? "open" : "";
    default: return "";
  }
}

/**
 * The place after a step through a list, from -1 (nowhere) and never past its ends.
 * @param {number} place
 * @param {number} step
 * @param {number} count
 * @returns {number}
 */
export function stepped(place, step, count) {
  if (count === 0) return -1;
  if (place < 0) return step > 0 ? 0 : count - 1;
  return Math.min(Math.max(place + step, 0), count - 1);
}

const afterGMilliseconds = 1200;

/** @returns {HTMLTableRowElement[]} */
function rows() {
  /** @type {NodeListOf<HTMLTableRowElement>} */
  const found = document.querySelectorAll("main table.data tbody tr[data-href]");
  return [...found].filter((row) => row.offsetParent !== null);
}

/** @param {number} step */
function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[stepped(at, step, all.length)];
  if (!next) return;
  next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/**
 * Opens a row's page.
 * @param {Element | null} row
 * @param {boolean} [inOther] in another tab
 */
export function openRow(row, inOther = false) {
  const address = ownAddress(row?.getAttribute("data-href"));
  if (!address) return;
  if (inOther) window.open(address, "_blank", "noopener");
  else location.assign(address);
}

function leave() {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement)) return;
  const drawer = at.closest("details.drawer[open]");
  if (drawer instanceof HTMLDetailsElement && !at.matches("input, textarea, select")) {
    drawer.open = false;
    drawer.querySelector("summary")?.focus();
    return;
  }
  at.blur();
}

/** @param {string} selector */
function enter(selector) {
  const field = document.querySelector(selector);
  if (!(field instanceof HTMLInputElement)) return false;
  field.focus();
  field.select();
  return true;
}

/** @param {string} key */
function go(key) {
  const link = document.querySelector(`nav.side a[data-key="${key}"]`);
  if (link instanceof HTMLAnchorElement) location.assign(link.href);
}

function showKeys() {
  const known = document.getElementById("keys");
  if (known instanceof HTMLDialogElement) return known.showModal();
  const list = element("dl", { class: "keys-list" });
  /** @param {string[]} keys @param {string} words */
  const line = (keys, words) => {
    const term = element("dt");
    keys.forEach((key, place) => term.append(place ? " " : "", element("kbd", {}, key)));
    list.append(term, element("dd", {}, words));
  };
  line(["Ctrl", "K"], "Go to anything");
  line(["/"], "Search");
  if (document.querySelector("main .toolbar input")) line(["f"], "Filter this list");
  line(["j"], "Next row");
  line(["k"], "Row before");
  line(["Enter"], "Open the row");
  line(["Esc"], "Leave a field, close a panel");
  line(["?"], "These keys");
  for (const link of document.querySelectorAll("nav.side a[data-key]")) {
    line(["g", link.getAttribute("data-key") ?? ""], pageName(link));
  }
  const close = element("button", { class: "button button--small", type: "button" }, "Close");
  const heading = element("h2", { id: "keys-title", class: "grow" }, "Keys");
  const body = element("div", { class: "body" }, element("div", { class: "row" }, heading, close), list);
  const dialog = element("dialog", { id: "keys", "aria-labelledby": "keys-title" }, body);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * A link's words without the count beside them.
 * @param {Element} link
 */
export function pageName(link) {
  return [...link.childNodes]
    .filter((node) => !(node instanceof HTMLElement && node.matches(".count, .unseen, kbd")))
    .map((node) => node.textContent ?? "").join("").trim();
}

/** @param {Element | null} at */
function isTyping(at) {
  if (!(at instanceof HTMLElement)) return false;
  if (at instanceof HTMLInputElement) {
    return !["checkbox", "radio", "button", "submit", "range", "file"].includes(at.type);
  }
  return at.matches("textarea, select") || at.isContentEditable;
}

/** @param {() => void} showPalette */
export function startKeys(showPalette) {
  let wentG = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const at = document.activeElement;
    const what = meaning({
      key: event.key,
      isTyping: isTyping(at),
      isInDialog: document.querySelector("dialog[open]") !== null,
      hasModifier: event.ctrlKey || event.metaKey,
      isRow: at instanceof HTMLTableRowElement,
      afterG: event.timeStamp - wentG < afterGMilliseconds,
    });
    wentG = what === "g" ? event.timeStamp : -Infinity;
    switch (what) {
      case "": return;
      case "palette": showPalette(); break;
      case "search": if (!enter("#search")) return; break;
      case "filter":
        if (!enter("main .toolbar input:not([type=hidden])")) return;
        break;
      case "keys": showKeys(); break;
      case "next": move(1); break;
      case "previous": move(-1); break;
      case "open": openRow(at, false); break;
      case "go": go(event.key); break;
      case "leave": leave(); return;
      case "g": return;
    }
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || !(event.target instanceof Element)) return;
    if (event.target.closest("a, button, input, label, select, textarea, summary, meter")) return;
    if (String(getSelection())) return;
    openRow(event.target.closest("tr[data-href]"), event.ctrlKey || event.metaKey);
  });
}
