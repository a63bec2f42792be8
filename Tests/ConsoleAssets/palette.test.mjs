import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, fitting, itemsOf } from "../../Sources/Console/Assets/palette.js";

const page = (/** @type {string} */ title) => ({ kind: "Page", title, detail: "", href: `/${title}` });

test("letters fit in their order and nothing else does", () => {
  assert.ok(fit("mt", "Meter types") > 0);
  assert.ok(fit("METER", "Meter types") > 0);
  assert.ok(fit("sm", "Meter types") < 0);
  assert.equal(fit("", "Meters"), 0);
});

test("the better fit stands first", () => {
  const pages = ["Customers", "Meters", "Meter types", "Quarantine"].map(page);
  assert.deepEqual(fitting("met", pages).map(({ title }) => title), ["Meters", "Meter types"]);
  assert.equal(fitting("mt", pages)[0].title, "Meter types");
  assert.equal(fitting("", pages).length, 4);
});

test("an answer is read with suspicion", () => {
  assert.deepEqual(itemsOf(null), []);
  assert.deepEqual(itemsOf({ items: "x" }), []);
  assert.deepEqual(itemsOf({ items: [null, { title: "a" }, { title: "a", href: "/b", kind: 1 }] }),
    [{ kind: "1", title: "a", detail: "", href: "/b" }]);
});
