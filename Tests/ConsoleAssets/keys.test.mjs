import assert from "node:assert/strict";
import { test } from "node:test";
import { meaning, stepped } from "../../Sources/Console/Assets/keys.js";

const press = (/** @type {string} */ key, more = {}) => meaning({
  key, isTyping: false, isInDialog: false, hasModifier: false, isRow: false, afterG: false, ...more,
});

test("keys mean what ? says", () => {
  assert.deepEqual(["/", "f", "?", "g", "j", "k", "Escape"].map((key) => press(key)),
    ["search", "filter", "keys", "g", "next", "previous", "leave"]);
});

test("g and a letter is a page, and the letter alone is not", () => {
  assert.equal(press("m", { afterG: true }), "go");
  assert.equal(press("j", { afterG: true }), "go");
  assert.equal(press("m"), "");
  assert.equal(press("Enter", { afterG: true }), "");
});

test("who types is left alone but for Escape and Ctrl+K", () => {
  for (const key of ["/", "j", "k", "g", "?", "f", "Enter"]) {
    assert.equal(press(key, { isTyping: true }), "");
  }
  assert.equal(press("Escape", { isTyping: true }), "leave");
  assert.equal(press("k", { isTyping: true, hasModifier: true }), "palette");
});

test("a dialog has its own keys, the browser its own chords", () => {
  assert.equal(press("Escape", { isInDialog: true }), "");
  assert.equal(press("j", { isInDialog: true }), "");
  assert.equal(press("g", { hasModifier: true }), "");
  assert.equal(press("f", { hasModifier: true }), "");
});

test("Enter and arrows are a row's only on a row", () => {
  assert.equal(press("Enter"), "");
  assert.equal(press("Enter", { isRow: true }), "open");
  assert.equal(press("ArrowDown"), "");
  assert.equal(press("ArrowDown", { isRow: true }), "next");
});

test("a step stays within the list", () => {
  assert.deepEqual([stepped(-1, 1, 3), stepped(-1, -1, 3), stepped(0, -1, 3), stepped(2, 1, 3)],
    [0, 2, 0, 2]);
  assert.equal(stepped(0, 1, 0), -1);
});
