// A chart of a table: columns of time, value and, as a ghost line, the value of the period before.
// The table is the truth, and says every digit; the picture only compares. Binary floats place
// columns here and nothing else.
import { drawn, element, ownAddress } from "./element.js";

/**
 * @typedef {{ label: string, day: string, clock: string, value: number, shown: string,
 *   previous: number, previousShown: string, href: string | null, isOpen: boolean }} Column
 */

const monthNames = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/**
 * Round numbers for an axis that holds all values and zero.
 * @param {number} least
 * @param {number} most
 * @param {number} [wanted] how many steps, about
 * @returns {number[]} ascending, at least two
 */
export function axis(least, most, wanted = 4) {
  const low = Math.min(0, least);
  const high = low === 0 && most <= 0 ? 1 : Math.max(0, most);
  const span = high - low;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough * 0.999) ?? 10);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const marks = [];
  for (let at = first; at <= Math.max(last, first + 1); at += 1) marks.push(rounded(at * step));
  return marks;
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(12)) || 0;
}

/**
 * A number in few letters for an axis: 1.5k, 20M.
 * @param {number} value
 * @returns {string}
 */
export function short(value) {
  const size = Math.abs(value);
  for (const [unit, letter] of /** @type {[number, string][]} */ (
    [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]
  )) {
    if (size >= unit) return `${rounded(value / unit)}${letter}`;
  }
  return size !== 0 && size < 1e-4 ? value.toExponential() : String(rounded(value));
}

/**
 * What stands below a column: the clock within a day, else the day; the day where it changes.
 * @param {{ day: string, clock: string }[]} columns
 * @returns {string[]}
 */
export function ticks(columns) {
  const hasClock = columns.some(({ clock }) => clock !== "" && clock !== "00:00");
  return columns.map(({ day, clock }, place) => {
    const isFresh = place === 0 || columns[place - 1].day !== day;
    return hasClock && !isFresh ? clock : spokenDay(day);
  });
}

/** @param {string} day */
function spokenDay(day) {
  const parts = /^(\d{4})-(\d\d)(?:-(\d\d))?$/.exec(day);
  if (!parts) return day;
  const month = monthNames[Number(parts[2]) - 1] ?? parts[2];
  return parts[3] ? `${month} ${Number(parts[3])}` : `${month} ${parts[1]}`;
}

/**
 * Reads the rows of a table twin.
 * @param {HTMLTableElement} table
 * @returns {Column[]}
 */
export function columnsOf(table) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const ghost = heads.findIndex((head) => head.dataset.previous !== undefined);
  return [...table.tBodies].flatMap((body) => [...body.rows]).map((row) => {
    const [time, value] = row.cells;
    const previous = row.cells[ghost];
    const label = (time?.textContent ?? "").trim();
    const [, day = label, clock = ""] = /^(\d{4}-\d\d(?:-\d\d)?)(?:[ T](\d\d:\d\d))?/.exec(label) ?? [];
    const link = row.querySelector("a[href]")?.getAttribute("href") ?? row.dataset.href;
    return {
      label, day, clock, ...number(value), href: ownAddress(link),
      previous: number(previous).value, previousShown: number(previous).shown,
      isOpen: row.dataset.open !== undefined,
    };
  });
}

/** @param {Element | undefined} cell */
function number(cell) {
  const shown = (cell?.textContent ?? "").trim();
  const full = cell?.querySelector("data.q")?.getAttribute("value") ?? shown.replace(/,/g, "");
  return { value: /\d/.test(full) ? Number(full) : NaN, shown };
}

const height = 264;
const [above, below] = [8, 24];

/**
 * Where everything goes, for a width in pixels.
 * @param {Column[]} columns
 * @param {number} width
 */
export function layout(columns, width) {
  const values = columns.flatMap(({ value, previous }) => [value, previous])
    .filter((each) => Number.isFinite(each));
  const marks = axis(Math.min(0, ...values), Math.max(0, ...values));
  const left = 12 + 6.6 * Math.max(...marks.map((mark) => short(mark).length));
  const slot = (width - left) / Math.max(1, columns.length);
  const [low, high] = [marks[0], marks[marks.length - 1]];
  const y = (/** @type {number} */ value) =>
    above + (height - above - below) * (1 - (value - low) / (high - low));
  const gap = slot > 6 ? Math.max(2, slot * 0.22) : slot > 2 ? 1 : 0;
  return { marks, left, slot, y, gap, wide: Math.min(slot - gap, 48) };
}

/**
 * @param {Column[]} columns
 * @param {number} width
 */
function picture(columns, width) {
  const { marks, left, slot, y, wide } = layout(columns, width);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const isEmpty = columns.every(({ value, previous }) => !value && !previous);
  if (isEmpty) {
    const at = { class: "none", x: (left + width) / 2, y: (height - below) / 2, "text-anchor": "middle" };
    svg.append(drawn("text", at, "Nothing was used in this time"));
  }
  for (const mark of isEmpty ? [0] : marks) {
    const at = Math.round(y(mark)) + 0.5;
    svg.append(
      drawn("line", { class: mark === 0 ? "base" : "grid", x1: left, x2: width, y1: at, y2: at }),
      drawn("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, short(mark)),
    );
  }
  const words = ticks(columns);
  const every = Math.max(1, Math.ceil(56 / slot));
  columns.forEach((column, place) => {
    const x = left + place * slot;
    if (Number.isFinite(column.value)) {
      const [top, foot] = [y(Math.max(0, column.value)), y(Math.min(0, column.value))];
      svg.append(drawn("rect", {
        class: column.isOpen ? "column is-open" : "column", x: x + (slot - wide) / 2, y: top,
        width: Math.max(0.5, wide), height: Math.max(column.value === 0 ? 0 : 1, foot - top),
        rx: wide > 8 ? 3 : wide > 4 ? 1.5 : 0,
      }));
    }
    if (place % every === 0 && (place === 0 || columns.length - place >= every / 2)) {
      const isFirst = x + slot / 2 - left < 20;
      const anchor = isFirst ? "start" : "middle";
      const at = isFirst ? x : Math.min(x + slot / 2, width - 20);
      svg.append(drawn("text", { x: at, y: height - 4, "text-anchor": anchor }, words[place]));
    }
  });
  svg.append(drawn("path", { class: "ghost", d: ghost(columns, left, slot, y) }));
  columns.forEach((_, place) => svg.append(drawn("rect", {
    class: "hit", x: left + place * slot, y: 0, width: slot, height: height - below + 4, rx: 3,
  })));
  return svg;
}

/**
 * The line of the period before, as steps as wide as the columns; missing values leave gaps.
 * @param {{ previous: number }[]} columns
 * @param {number} left
 * @param {number} slot
 * @param {(value: number) => number} y
 * @returns {string}
 */
export function ghost(columns, left, slot, y) {
  let isDrawing = false;
  return columns.map(({ previous }, place) => {
    if (!Number.isFinite(previous)) {
      isDrawing = false;
      return "";
    }
    const [from, to, at] = [left + place * slot, left + (place + 1) * slot, y(previous)];
    const line = `${isDrawing ? "L" : "M"}${fixed(from)} ${fixed(at)}L${fixed(to)} ${fixed(at)}`;
    isDrawing = true;
    return line;
  }).join("");
}

/** @param {number} value */
function fixed(value) {
  return Number(value.toFixed(1));
}

/**
 * What a column says, on the screen and to a screen reader.
 * @param {Column} column
 * @param {string} unit
 */
export function spoken(column, unit) {
  const value = column.shown || "no value";
  const was = column.previousShown && Number.isFinite(column.previous)
    ? `, before ${column.previousShown}` : "";
  return `${column.label}: ${value}${unit && column.shown ? ` ${unit}` : ""}${was}`;
}

/**
 * Draws the figure out of its table, and again when its width changes.
 * @param {HTMLElement} figure
 * @param {HTMLTableElement} table
 */
function chart(figure, table) {
  const columns = columnsOf(table);
  if (!columns.length) return;
  const unit = figure.dataset.unit ?? "";
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent ?? "");
  const was = table.querySelector("thead th[data-previous]")?.textContent ?? "Before";
  const hasGhost = columns.some(({ previous }) => Number.isFinite(previous));
  const output = element("output", { "aria-live": "off" });
  const legend = element("div", { class: "legend" },
    element("span", {}, figure.dataset.label ?? heads[1] ?? "Value"));
  if (hasGhost) legend.append(element("span", { class: "was" }, was));
  legend.append(output);
  const slider = element("div", {
    role: "slider", tabindex: "0", "aria-valuemin": "1", "aria-orientation": "horizontal",
    "aria-valuemax": String(columns.length), "aria-valuenow": String(columns.length),
    "aria-valuetext": spoken(columns[columns.length - 1], unit),
    "aria-label": figure.getAttribute("aria-label") ?? figure.dataset.label ?? "Chart",
  });
  figure.append(legend, slider);
  let here = -1;

  const point = (/** @type {number} */ place) => {
    here = place;
    for (const name of [".hit", ".column"]) {
      slider.querySelectorAll(name).forEach((each, at) => {
        each.classList.toggle("is-here", at === place);
      });
    }
    const column = columns[place];
    output.textContent = column ? spoken(column, unit) : "";
    if (!column) return;
    slider.setAttribute("aria-valuenow", String(place + 1));
    slider.setAttribute("aria-valuetext", spoken(column, unit));
  };
  const open = () => { if (columns[here]?.href) location.assign(columns[here].href ?? ""); };
  const placeAt = (/** @type {MouseEvent} */ event) => {
    const hits = [...slider.querySelectorAll(".hit")];
    return event.target instanceof Element ? hits.indexOf(event.target) : -1;
  };
  slider.addEventListener("pointermove", (event) => {
    const place = placeAt(event);
    if (place >= 0 && place !== here) point(place);
  });
  slider.addEventListener("pointerleave", () => {
    if (document.activeElement !== slider) point(-1);
  });
  slider.addEventListener("click", (event) => {
    const place = placeAt(event);
    if (place >= 0) {
      point(place);
      open();
    }
  });
  slider.addEventListener("keydown", (event) => {
    const last = columns.length - 1;
    const from = here < 0 ? last + 1 : here;
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: Math.max(0, from - 1), ArrowRight: Math.min(last, here < 0 ? 0 : from + 1),
      ArrowDown: Math.max(0, from - 1), ArrowUp: Math.min(last, here < 0 ? 0 : from + 1),
      Home: 0, End: last, PageUp: Math.min(last, from + 7), PageDown: Math.max(0, from - 7),
    };
    if (event.key === "Enter" && here >= 0) open();
    else if (event.key in places) point(places[event.key]);
    else return;
    event.preventDefault();
  });
  slider.addEventListener("focus", () => { if (here < 0) point(columns.length - 1); });
  slider.addEventListener("blur", () => point(-1));
  let drawnWidth = 0;
  new ResizeObserver(() => {
    const width = Math.floor(slider.clientWidth);
    if (width < 40 || width === drawnWidth) return;
    drawnWidth = width;
    slider.replaceChildren(picture(columns, width));
    if (here >= 0) point(here);
  }).observe(slider);
}

/** @param {ParentNode} root */
export function drawCharts(root) {
  for (const figure of root.querySelectorAll("figure[data-chart]:not(:has(svg))")) {
    if (!(figure instanceof HTMLElement)) continue;
    const named = document.getElementById(figure.dataset.chart ?? "");
    const near = figure.closest("section, .card, main")?.querySelector("table.twin");
    const table = named ?? near;
    if (table instanceof HTMLTableElement) chart(figure, table);
  }
}
