import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ownAddress } from "../../Sources/Console/Assets/element.js";
import { tidied } from "../../Sources/Console/Assets/copy.js";
import { addressOf, afterAddress, fieldName, grouped } from "../../Sources/Console/Assets/live.js";

const folder = new URL("../../Sources/Console/Assets/", import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
const text = (/** @type {string} */ name) => readFileSync(new URL(name, folder), "utf8");

test("a link out of data leads nowhere but to us", () => {
  const here = "http://127.0.0.1:8337/console/meters";
  assert.equal(ownAddress("/console/events?a=b", here), "/console/events?a=b");
  for (const address of ["javascript:alert(1)", "//evil.example/x", "https://evil.example", "data:,x",
    "\\\\evil.example", "", null, undefined, "http://[", "JaVaScRiPt://127.0.0.1:8337/%0aalert(1)"]) {
    assert.equal(ownAddress(address, here), null, String(address));
  }
});

test("a filter's address holds what is filled in, and no token", () => {
  assert.equal(addressOf("/console/meters?old=1", [["q", "a b"], ["type", ""], ["csrf", "secret"]]),
    "/console/meters?q=a+b");
  assert.equal(addressOf("/console/meters", []), "/console/meters");
});

test("a stream that is opened again goes on after what came last", () => {
  assert.equal(afterAddress("/console/live?tail=1&after=3&subject=a%26b", "12"),
    "/console/live?tail=1&after=12&subject=a%26b");
});

test("live figures keep every digit", () => {
  assert.equal(fieldName("events-per-minute"), "eventsPerMinute");
  assert.equal(grouped("12345678901234567890.12345"), "12,345,678,901,234,567,890.12345");
  assert.equal(grouped("-1000"), "-1,000");
  assert.equal(grouped("<b>"), "<b>");
});

test("copied cells are one line each", () => assert.equal(tidied(" a\n  b\t"), "a b"));

/** As the server sends them: without comments and indentation. */
const served = (/** @type {string} */ source) => source.replace(/\/\*\*[\s\S]*?\*\//g, "")
  .split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("//")).join("\n");
const packed = (/** @type {string} */ source) => gzipSync(source, { level: 9 }).length;

test("all script is under 20 KB packed, the style sheet under 14 KB", () => {
  const sizes = scripts.map((name) => packed(served(text(name))));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(all < 20 * 1024, `${all} bytes of script`);
  assert.ok(packed(text("console.css")) < 14 * 1024);
});

test("no module makes HTML or code out of text, and no style needs an exception", () => {
  for (const name of scripts) {
    assert.doesNotMatch(text(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/,
      name);
    assert.doesNotMatch(text(name), /new Function|setAttribute\("style"|https?:\/\/(?!www\.w3\.org)/,
      name);
  }
  assert.doesNotMatch(text("console.css"), /url\(|@import/);
});
