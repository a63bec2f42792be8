import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesOf, written } from "../../Sources/Console/Assets/filter.js";

/** What one types, and what the expression says. */
const pairs = [
  [["$.data.status", "!=", "error"], '$.data.status != "error"'],
  [["$.data.tokens.input", ">", "12.50"], "$.data.tokens.input > 12.50"],
  [["$.data.ok", "==", "true"], "$.data.ok == true"],
  [["$.data.code", "==", '"200"'], '$.data.code == "200"'],
  [["$.data['a b']", "==", "x y"], "$.data['a b'] == \"x y\""],
  [["$.data.items[0].qty", ">=", "-1e6"], "$.data.items[0].qty >= -1e6"],
  [["$.data.model", "in", "large, small"], '$.data.model in ["large", "small"]'],
  [["$.data.model", "not in", '1, "2", "a,b"'], '$.data.model not in [1, "2", "a,b"]'],
  [["$.data.path", "startsWith", "/v1/"], '$.data.path startsWith "/v1/"'],
  [["$.data.path", "contains", "200"], '$.data.path contains "200"'],
  [["$.data.path", "matches", "^\\d+$"], '$.data.path matches "^\\\\d+$"'],
  [["$.data.a", "exists", ""], "exists($.data.a)"],
  [["$.data.a", "not exists", ""], "not exists($.data.a)"],
  [["subject", "==", "acme"], 'subject == "acme"'],
  [["$.data.a", "==", ""], '$.data.a == ""'],
];

test("a rule is written as an expression", () => {
  for (const [[path, is, value], text] of pairs) {
    assert.equal(written({ join: "and", rules: [{ path, is, value }] }), text);
  }
});

test("an expression that rules can say is read back as what says it again", () => {
  for (const [, text] of pairs) {
    const rules = rulesOf(text);
    assert.ok(rules, text);
    assert.equal(written(rules), text);
  }
});

test("conditions are joined by all of one word", () => {
  const text = '$.data.a == 1 and $.data.b != "x" and exists($.data.c)';
  assert.equal(rulesOf(text)?.rules.length, 3);
  assert.equal(written(/** @type {any} */ (rulesOf(text))), text);
  assert.equal(rulesOf("$.a == 1 or $.b == 2")?.join, "or");
  assert.equal(written(/** @type {any} */ (rulesOf("$.a == 1 && $.b == 2"))), "$.a == 1 and $.b == 2");
});

test("what rules cannot say stays text", () => {
  for (const text of [
    "$.a == 1 and $.b == 2 or $.c == 3", "$.a + 1 > 2", "not ($.a == 1)", "$.a == $.b",
    "($.a == 1)", "lower($.a) == \"x\"", "$.a ==", "$.a == 1 and", "== 1", "$.a == 1 $.b == 2",
    "$.a in $.b", "$.a in [1, $.b]", "$.a in [1", "#", "not $.a == 1", "$.a startsWith 5",
  ]) assert.equal(rulesOf(text), null, text);
});

test("no text is no rules, and rules without a field are no text", () => {
  assert.deepEqual(rulesOf("  "), { join: "and", rules: [] });
  assert.equal(written({ join: "and", rules: [{ path: " ", is: "==", value: "1" }] }), "");
});

test("single quotes and escapes are read as what they mean", () => {
  assert.equal(rulesOf("$.a == 'it\\'s'")?.rules[0].value, "it's");
  assert.equal(rulesOf('$.a == "say \\"x\\""')?.rules[0].value, '"say \\"x\\""');
});
