import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, retold, spelled } from "../../Sources/Console/Assets/times.js";

test("an instant is told in a zone with every digit of its fraction", () => {
  assert.equal(spelled("2026-11-01T12:00:00.25Z", "Europe/Berlin"),
    "2026-11-01 13:00:00.25 +01:00");
  assert.equal(spelled("2026-07-01T12:00:00.123456Z", "Europe/Berlin"),
    "2026-07-01 14:00:00.123456 +02:00");
  assert.equal(spelled("2026-11-01T23:30:00Z", "UTC"), "2026-11-01 23:30:00 UTC");
  assert.equal(spelled("2026-11-01T00:00:00Z", "America/New_York"), "2026-10-31 20:00:00 -04:00");
  assert.equal(spelled("2026-01-01T00:00:00+05:30", "Asia/Kolkata"), "2026-01-01 00:00:00 +05:30");
});

test("what is no instant, or no zone, is left alone", () => {
  assert.equal(spelled("2026-11-01", "UTC"), null);
  assert.equal(spelled("yesterday", "UTC"), null);
  assert.equal(spelled("2026-99-01T12:00:00Z", "UTC"), null);
  assert.equal(spelled("2026-11-01T12:00:00Z", "Mars/Olympus"), null);
});

test("the title holds UTC, the meter's zone and the viewer's", () => {
  const told = retold("2026-11-01T12:00:00.25Z", "2026-11-01 12:00:00 UTC", "America/New_York",
    "Europe/Berlin");
  assert.equal(told?.text, "2026-11-01 07:00:00 -05:00");
  assert.deepEqual(told?.title.split("\n"), [
    "2026-11-01 12:00:00.25 UTC", "2026-11-01 13:00:00.25 +01:00 Europe/Berlin, the meter's zone",
    "2026-11-01 07:00:00.25 -05:00 America/New_York, your zone",
  ]);
});

test("a day stays the meter's day", () => {
  assert.equal(retold("2026-11-01T00:00:00Z", "2026-11-01", "America/New_York")?.text, "2026-11-01");
});

test("an age is told in its largest unit", () => {
  assert.deepEqual([-5, 0, 59, 60, 3600, 86400, 200000].map(ago),
    ["0 s ago", "0 s ago", "59 s ago", "1 min ago", "1 h ago", "1 day ago", "2 days ago"]);
});
