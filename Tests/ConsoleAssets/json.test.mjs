import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, pathOf, readJson } from "../../Sources/Console/Assets/json.js";

/** @param {any} json @returns {string} */
const back = (json) => {
  if (!("parts" in json)) return json.raw;
  const parts = json.parts.map((/** @type {any} */ part) =>
    (json.kind === "object" ? `${JSON.stringify(part.name)}:` : "") + back(part.value));
  return json.kind === "object" ? `{${parts}}` : `[${parts}]`;
};

test("JSON is read and every digit stays", () => {
  for (const text of [
    '{"a":10412.000000000000000001,"b":[1,2,{"c":null}],"d":"x\\"y\\u0041","e":{},"f":[]}',
    "123456789012345678901234567890", "-0.50", "1E-7", '"\\\\"', "true", "[[[]]]",
    '{"__proto__":{"x":1},"constructor":2}',
  ]) assert.equal(back(readJson(text)), text);
});

test("what is no JSON is left as text", () => {
  for (const text of ["", "{", '{"a"}', "[1,]", "{1:2}", "nul", '"open', "1 2", "[1}", '{"a":1,}']) {
    assert.equal(readJson(text), null, text);
  }
  assert.equal(readJson("[".repeat(500) + "]".repeat(500)), null);
});

test("a path is spelled as expressions spell it", () => {
  assert.equal(pathOf("$.data", "tokens", false), "$.data.tokens");
  assert.equal(pathOf("$.data", "a b", false), "$.data['a b']");
  assert.equal(pathOf("$", "it's", false), "$['it\\'s']");
  assert.equal(pathOf("$.items", "0", true), "$.items[0]");
});

test("what is folded says how much there is", () => {
  assert.equal(folded(/** @type {any} */ (readJson('{"a":1}'))), "1 field");
  assert.equal(folded(/** @type {any} */ (readJson("[1,2]"))), "2 elements");
});
