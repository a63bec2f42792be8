import assert from "node:assert/strict";
import { test } from "node:test";
import { axis, ghost, layout, short, spoken, ticks } from "../../Sources/Console/Assets/chart.js";

const column = (/** @type {number} */ value, /** @type {number} */ previous = NaN) => ({
  label: "2026-11-01", day: "2026-11-01", clock: "", value, shown: String(value), previous,
  previousShown: "", href: null, isOpen: false,
});

test("an axis has round marks that hold zero and every value", () => {
  assert.deepEqual(axis(0, 97), [0, 25, 50, 75, 100]);
  assert.deepEqual(axis(0, 0), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(axis(-3, 9), [-5, 0, 5, 10]);
  assert.deepEqual(axis(0, 0.0004), [0, 0.0001, 0.0002, 0.0003, 0.0004]);
});

test("an axis holds random values", () => {
  const seed = Date.now() % 1e6;
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let turn = 0; turn < 2000; turn += 1) {
    const [one, other] = [1, 2].map(() => (random() - 0.4) * 10 ** Math.floor(random() * 24 - 6));
    const [least, most] = [Math.min(one, other), Math.max(one, other)];
    const marks = axis(least, most);
    assert.ok(marks.includes(0), `seed ${seed}`);
    const slack = 1e-6 * (Math.max(0, most) - Math.min(0, least));
    assert.ok(marks[0] <= Math.min(0, least) + slack, `seed ${seed}`);
    assert.ok(marks[marks.length - 1] >= Math.max(0, most) - slack, `seed ${seed}`);
    assert.ok(marks.length >= 2 && marks.length <= 9, `seed ${seed}: ${marks}`);
  }
});

test("a mark is told in few letters", () => {
  assert.deepEqual([0, 7, 1500, 2e6, 2.5e9, 1e20, -4000, 0.25, 1e-6].map(short),
    ["0", "7", "1.5k", "2M", "2.5G", "100E", "-4k", "0.25", "1e-6"]);
});

test("days are named, and hours where there are hours", () => {
  const day = (/** @type {string} */ text, clock = "") => ({ day: text, clock });
  assert.deepEqual(ticks([day("2026-11-01"), day("2026-11-02")]), ["Nov 1", "Nov 2"]);
  assert.deepEqual(ticks([day("2026-11"), day("2026-12")]), ["Nov 2026", "Dec 2026"]);
  assert.deepEqual(
    ticks([day("2026-11-01", "22:00"), day("2026-11-01", "23:00"), day("2026-11-02", "00:00")]),
    ["Nov 1", "23:00", "Nov 2"],
  );
});

test("columns stand side by side within the picture, zero on its line", () => {
  const { left, slot, y, marks, wide } = layout([column(1), column(-2, 5), column(NaN)], 640);
  assert.ok(Math.abs(left + 3 * slot - 640) < 1e-6);
  assert.ok(wide > 0 && wide <= slot);
  assert.ok(y(5) < y(0) && y(0) < y(-2));
  assert.ok(marks.includes(0));
});

test("the ghost line leaves a gap where nothing is known", () => {
  const line = ghost([column(0, 1), column(0), column(0, 2)], 0, 10, (value) => value);
  assert.equal(line, "M0 1L10 1M20 2L30 2");
});

test("a column says its time, its value in full words and what was before", () => {
  assert.equal(spoken({ ...column(2, 1), shown: "2.5", previousShown: "1" }, "token"),
    "2026-11-01: 2.5 token, before 1");
  assert.equal(spoken({ ...column(NaN), shown: "" }, "token"), "2026-11-01: no value");
});
