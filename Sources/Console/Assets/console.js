// The Console's entry: what every page has, and the modules that this page asks for by its markup.
// Every page works without it, but for what is live.
import { offerCopies, startCopy } from "./copy.js";
import { startKeys } from "./keys.js";
import { tellAges, tellTimes } from "./times.js";

/**
 * Makes the parts below a root ready; called again for parts that were swapped in.
 * @param {ParentNode} root
 */
function prepare(root) {
  tellTimes(root);
  offerCopies(root);
  for (const row of root.querySelectorAll("tr[data-href]:not([tabindex])")) {
    row.setAttribute("tabindex", "-1");
  }
  for (const table of root.querySelectorAll("table.data:not(.twin, .narrow, .folds)")) label(table);
  for (const wrap of root.querySelectorAll(".table-wrap, pre.code")) reach(wrap);
  if (root.querySelector("figure[data-chart]")) {
    import("./chart.js").then(({ drawCharts }) => drawCharts(root));
  }
  if (root.querySelector("pre.json")) import("./json.js").then(({ foldJson }) => foldJson(root));
}

/**
 * Tells the cells of a wide table their columns: where there is no room, each is a line.
 * @param {Element} table
 */
function label(table) {
  const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent?.trim() ?? "");
  if (heads.length < 3) return;
  table.classList.add("folds");
  for (const row of table.querySelectorAll("tbody tr, tfoot tr")) {
    [...row.children].forEach((cell, place) => {
      if (cell.matches("td:not([colspan])")) cell.setAttribute("data-label", heads[place] ?? "");
    });
  }
}

/**
 * What scrolls is reached by the keyboard too.
 * @param {Element} box
 */
function reach(box) {
  if (!(box instanceof HTMLElement) || box.tabIndex === 0) return;
  if (box.scrollWidth <= box.clientWidth + 1 && box.scrollHeight <= box.clientHeight + 1) return;
  box.tabIndex = 0;
  if (box.hasAttribute("aria-label")) return;
  const named = box.querySelector("caption") ?? box.closest("section")?.querySelector("h2");
  const name = `${named?.textContent?.trim() || "Table"}, scrolls`;
  const count = document.querySelectorAll(`[aria-label^="${CSS.escape(name)}"]`).length;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", count ? `${name} ${count + 1}` : name);
}

/** In a narrow window the pages are a strip; the current one is to be seen. */
function showCurrent() {
  const [side, current] = ["nav.side", "nav.side [aria-current]"].map((each) => document.querySelector(each));
  if (side && current instanceof HTMLElement && side.scrollWidth > side.clientWidth) {
    side.scrollLeft = current.offsetLeft - side.clientWidth / 2 + current.offsetWidth / 2;
  }
}

/** @param {string} selector */
function holds(selector) {
  return document.querySelector(selector) !== null;
}

const palette = async () => (await import("./palette.js")).showPalette();
// Fetched before it is asked for, so that what is typed right after Ctrl+K arrives in it.
setTimeout(() => import("./palette.js"), 300);

startCopy();
startKeys(palette);
prepare(document);
document.addEventListener("console:swapped", () => prepare(document));
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-palette-open]")) palette();
});
// Rows of a table know no address: a narrow window makes some scroll that did not before.
addEventListener("resize", () => {
  prepare(document);
  showCurrent();
});
if (holds("time[data-ago]")) setInterval(() => { if (!document.hidden) tellAges(document); }, 1000);
if (holds("[data-live], table[data-tail], form[data-instant], [data-refresh], [data-poll]")) {
  import("./live.js").then((live) => live.startLive());
}
if (holds("[data-filter], [data-pick], form[data-preview]")) {
  import("./builder.js").then((builder) => builder.startBuilder());
}
showCurrent();
// After a refused form the reader is taken to what was wrong.
const wrong = document.querySelector("main [aria-invalid=true], main .notice--bad[tabindex]");
if (wrong instanceof HTMLElement) wrong.focus();
