// A filter as rules and as text. Only what rules can say is read back; everything else stays text.

/** @typedef {{ path: string, is: string, value: string }} Rule */
/** @typedef {{ join: "and" | "or", rules: Rule[] }} Rules */

/** What a rule can say, as the expression writes it, and in words. @type {[string, string][]} */
export const comparisons = [
  ["==", "is"], ["!=", "is not"], ["<", "is less than"], ["<=", "is at most"],
  [">", "is more than"], [">=", "is at least"], ["in", "is one of"], ["not in", "is none of"],
  ["startsWith", "starts with"], ["endsWith", "ends with"], ["contains", "contains"],
  ["matches", "matches"], ["exists", "is there"], ["not exists", "is not there"],
];

const texts = new Set(["startsWith", "endsWith", "contains", "matches"]);
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * A value as it was typed, as a literal: numbers, true, false, null and quoted texts stay.
 * @param {string} typed
 * @param {boolean} isText
 */
function literal(typed, isText) {
  const text = typed.trim();
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return text;
  if (!isText && (numberPattern.test(text) || /^(?:true|false|null)$/.test(text))) return text;
  return JSON.stringify(text);
}

/** @param {string} text */
function listed(text) {
  return text.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((each) => each.trim()).filter(Boolean);
}

/**
 * The rules as an expression; rules without a path say nothing.
 * @param {Rules} rules
 * @returns {string}
 */
export function written({ join, rules }) {
  return rules.filter(({ path }) => path.trim()).map(({ path, is, value }) => {
    const place = path.trim();
    if (is === "exists" || is === "not exists") return `${is}(${place})`;
    if (is === "in" || is === "not in") {
      return `${place} ${is} [${listed(value).map((each) => literal(each, false)).join(", ")}]`;
    }
    return `${place} ${is} ${literal(value, texts.has(is))}`;
  }).join(` ${join} `);
}

const tokenPattern =
  /\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$(?:\.[A-Za-z_][\w-]*|\[(?:\d+|'(?:[^'\\]|\\.)*')\])+|&&|\|\||[=!<>]=|[<>!()[\],]|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z]+/y;

/**
 * @param {string} text
 * @returns {string[] | null}
 */
function tokens(text) {
  const found = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const token = tokenPattern.exec(text)?.[0];
    if (token === undefined) return null;
    if (token.trim()) found.push(token);
  }
  return found;
}

/** @param {string | undefined} token */
function isPlace(token) {
  return token !== undefined
    && (token.startsWith("$") || /^(?:source|type|subject|id|time)$/.test(token));
}

/** @param {string | undefined} token */
function isLiteral(token) {
  return token !== undefined && (/^["']/.test(token) || numberPattern.test(token)
    || /^(?:true|false|null)$/.test(token));
}

/**
 * A literal as one would type it: quotes only where they change what it is.
 * @param {string} token
 */
function typed(token) {
  if (!/^["']/.test(token)) return token;
  const inner = token.startsWith("'")
    ? `"${token.slice(1, -1).replace(/\\'/g, "'").replace(/"/g, '\\"')}"` : token;
  let text;
  try {
    text = String(JSON.parse(inner));
  } catch {
    return token;
  }
  const isAmbiguous = literal(text, false) !== JSON.stringify(text) || /[",]/.test(text)
    || text !== text.trim() || text === "";
  return isAmbiguous ? JSON.stringify(text) : text;
}

/**
 * Reads an expression as rules; null where rules cannot say it.
 * @param {string} text
 * @returns {Rules | null}
 */
export function rulesOf(text) {
  const all = tokens(text);
  if (all === null) return null;
  /** @type {Rule[]} */
  const rules = [];
  /** @type {"and" | "or" | ""} */
  let join = "";
  let at = 0;
  while (at < all.length) {
    const read = ruleAt(all, at);
    if (!read) return null;
    rules.push(read.rule);
    at = read.end;
    if (at === all.length) break;
    const word = { and: "and", "&&": "and", or: "or", "||": "or" }[all[at]];
    if ((word !== "and" && word !== "or") || (join && join !== word)) return null;
    join = word;
    at += 1;
    if (at === all.length) return null;
  }
  return { join: join || "and", rules };
}

/**
 * @param {string[]} all
 * @param {number} at
 * @returns {{ rule: Rule, end: number } | null}
 */
function ruleAt(all, at) {
  const isNot = all[at] === "not" || all[at] === "!";
  const first = isNot ? at + 1 : at;
  if (all[first] === "exists") {
    const [open, path, close] = all.slice(first + 1, first + 4);
    if (open !== "(" || !isPlace(path) || close !== ")") return null;
    return { rule: { path, is: isNot ? "not exists" : "exists", value: "" }, end: first + 4 };
  }
  const path = all[at];
  if (isNot || !isPlace(path)) return null;
  const isNotIn = all[at + 1] === "not" && all[at + 2] === "in";
  const is = isNotIn ? "not in" : all[at + 1];
  let end = at + (isNotIn ? 3 : 2);
  if (is === "in" || is === "not in") {
    if (all[end] !== "[") return null;
    const values = [];
    for (end += 1; all[end] !== "]"; end += 1) {
      if (all[end] === "," && values.length) continue;
      if (!isLiteral(all[end])) return null;
      values.push(typed(all[end]));
    }
    return { rule: { path, is, value: values.join(", ") }, end: end + 1 };
  }
  if (!comparisons.some(([sign]) => sign === is) || !isLiteral(all[end])) return null;
  const value = typed(all[end]);
  const isSame = !texts.has(is) || /^["']/.test(all[end]);
  const kept = texts.has(is) && value.startsWith('"') && !/[",]/.test(value.slice(1, -1))
    && value.slice(1, -1).trim() === value.slice(1, -1) && value.length > 2
    ? value.slice(1, -1) : value;
  return isSame ? { rule: { path, is, value: kept }, end: end + 1 } : null;
}
