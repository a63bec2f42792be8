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
  for (const wrap of root.querySelectorAll(".table-wrap")) {
    // What scrolls is reached by the keyboard too.
    if (!(wrap instanceof HTMLElement) || wrap.scrollWidth <= wrap.clientWidth + 1) continue;
    wrap.tabIndex = 0;
    wrap.setAttribute("role", "region");
    const named = wrap.querySelector("caption")?.textContent?.trim();
    if (!wrap.hasAttribute("aria-label")) wrap.setAttribute("aria-label", named || "Table");
  }
  if (root.querySelector("figure[data-chart]")) {
    import("./chart.js").then(({ drawCharts }) => drawCharts(root));
  }
  if (root.querySelector("pre.json")) import("./json.js").then(({ foldJson }) => foldJson(root));
}

/** @param {string} selector */
function holds(selector) {
  return document.querySelector(selector) !== null;
}

const palette = async () => (await import("./palette.js")).showPalette();

startCopy();
startKeys(palette);
prepare(document);
document.addEventListener("console:swapped", () => prepare(document));
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-palette-open]")) palette();
});
// Rows of a table know no address: a narrow window makes some scroll that did not before.
addEventListener("resize", () => prepare(document));
if (holds("time[data-ago]")) setInterval(() => { if (!document.hidden) tellAges(document); }, 1000);
if (holds("[data-live], table[data-tail]")) import("./live.js").then((live) => live.startLive());
if (holds("form[data-instant], [data-refresh], [data-poll]")) {
  import("./instant.js").then((instant) => instant.startInstant());
}
if (holds("[data-filter], [data-pick], form[data-preview]")) {
  import("./builder.js").then((builder) => builder.startBuilder());
}
// After a refused form the reader is taken to what was wrong.
const wrong = document.querySelector("main [aria-invalid=true], main .notice--bad[tabindex]");
if (wrong instanceof HTMLElement) wrong.focus();
