// A folding view of JSON. It reads the text itself: `JSON.parse` would round long numbers, and what
// is shown here is what was received, to the last digit.
import { element } from "./element.js";

/**
 * @typedef {{ kind: "object" | "array", parts: { name: string, value: Json }[] }
 *   | { kind: "text" | "number" | "word", raw: string }} Json
 */

const depthMax = 128;
const wordPattern = /(?:true|false|null)\b/y;
const numberPattern = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const textPattern = /"(?:[^"\\]|\\.)*"/y;

/**
 * Reads JSON; null where it is none.
 * @param {string} text
 * @returns {Json | null}
 */
export function readJson(text) {
  let at = 0;
  const blanks = () => { while (/\s/.test(text[at] ?? "")) at += 1; };
  /** @param {RegExp} pattern @returns {string | null} */
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return null;
    at += found[0].length;
    return found[0];
  };
  /** @param {number} depth @returns {Json | null} */
  const value = (depth) => {
    blanks();
    if (depth > depthMax) return null;
    if (text[at] === "{" || text[at] === "[") return collection(depth);
    let raw = take(textPattern);
    if (raw !== null) return { kind: "text", raw };
    raw = take(numberPattern);
    if (raw !== null) return { kind: "number", raw };
    raw = take(wordPattern);
    return raw === null ? null : { kind: "word", raw };
  };
  /** @param {number} depth @returns {Json | null} */
  const collection = (depth) => {
    const isObject = text[at] === "{";
    const end = isObject ? "}" : "]";
    /** @type {{ name: string, value: Json }[]} */
    const parts = [];
    at += 1;
    blanks();
    if (text[at] === end) {
      at += 1;
      return { kind: isObject ? "object" : "array", parts };
    }
    for (;;) {
      let name = String(parts.length);
      if (isObject) {
        blanks();
        const raw = take(textPattern);
        if (raw === null) return null;
        name = unquoted(raw);
        blanks();
        if (text[at] !== ":") return null;
        at += 1;
      }
      const read = value(depth + 1);
      if (read === null) return null;
      parts.push({ name, value: read });
      blanks();
      const mark = text[at];
      at += 1;
      if (mark === end) return { kind: isObject ? "object" : "array", parts };
      if (mark !== ",") return null;
    }
  };
  const read = value(0);
  blanks();
  return read !== null && at === text.length ? read : null;
}

/** @param {string} raw */
function unquoted(raw) {
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw.slice(1, -1);
  }
}

/**
 * The path of a part, as expressions write it: `$.data.items[0]`, `$.data['a b']`.
 * @param {string} path
 * @param {string} name
 * @param {boolean} isElement
 * @returns {string}
 */
export function pathOf(path, name, isElement) {
  if (isElement) return `${path}[${name}]`;
  if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)) return `${path}.${name}`;
  return `${path}['${name.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']`;
}

/**
 * The parts of the JSON that stand in for it while it is folded: "3 fields", "1 element".
 * @param {Json} json
 */
export function folded(json) {
  if (!("parts" in json)) return json.raw;
  const [count, noun] = [json.parts.length, json.kind === "object" ? "field" : "element"];
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * @param {Json} json
 * @param {string} path
 * @param {Set<string>} marked
 * @param {number} depth
 * @param {Node[]} label
 * @param {string} comma what follows
 * @returns {HTMLElement}
 */
function view(json, path, marked, depth, label, comma) {
  if (!("parts" in json)) return element("span", {}, ...label, scalar(json), comma);
  const [open, end] = json.kind === "object" ? ["{", "}"] : ["[", "]"];
  const close = end + comma;
  if (json.parts.length === 0) return element("span", {}, ...label, open + close);
  const fold = element("span", { class: "fold" }, ` ${folded(json)} ${close}`);
  const details = element("details", {}, element("summary", {}, ...label, open, fold));
  let isBuilt = false;
  const build = () => {
    if (isBuilt) return;
    isBuilt = true;
    const list = element("ul");
    json.parts.forEach((part, place) => {
      const isElement = json.kind === "array";
      const inner = pathOf(path, part.name, isElement);
      const key = element("span", { class: "key", title: inner }, JSON.stringify(part.name));
      const child = view(part.value, inner, marked, depth + 1, isElement ? [] : [
        key, document.createTextNode(": "),
      ], place < json.parts.length - 1 ? "," : "");
      const item = element("li", {}, child);
      if (marked.has(inner)) item.classList.add("is-marked");
      list.append(item);
    });
    details.append(list, close);
  };
  details.addEventListener("toggle", () => { if (details.open) build(); });
  const holdsMark = [...marked].some((mark) => mark.startsWith(path) && mark !== path);
  if ((depth < 3 && json.parts.length <= 100) || holdsMark) {
    build();
    details.open = true;
  }
  return details;
}

/** @param {{ kind: string, raw: string }} json */
function scalar(json) {
  return element("span", { class: json.kind }, json.raw);
}

/**
 * Turns each `pre.json` into a folding view; `data-mark` names the paths to be marked, one a line.
 * @param {ParentNode} root
 */
export function foldJson(root) {
  for (const source of root.querySelectorAll("pre.json")) {
    const text = source.textContent ?? "";
    const json = readJson(text);
    if (!json || !(source instanceof HTMLElement)) continue;
    const marks = (source.dataset.mark ?? "").split("\n").map((each) => each.trim());
    const shown = element("div", { class: "json-view" });
    shown.dataset.text = text;
    shown.append(view(json, "$", new Set(marks.filter(Boolean)), 0, [], ""));
    if (source.id) shown.id = source.id;
    source.replaceWith(shown);
  }
}
