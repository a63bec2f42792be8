// Copying: a number that is shown rounded is copied in full, and code has its button.
import { element, say } from "./element.js";

/**
 * The text of a copied piece of the page: numbers in full, tables as lines with tabs.
 * @param {DocumentFragment | Element} piece changed by this
 * @returns {string}
 */
export function fullText(piece) {
  for (const number of piece.querySelectorAll("data.q[value]")) {
    number.textContent = number.getAttribute("value");
  }
  for (const unseen of piece.querySelectorAll(".unseen, svg, meter, .copy")) unseen.remove();
  for (const second of piece.querySelectorAll(".soft")) second.prepend(" ");
  const lines = piece.querySelectorAll("tr");
  if (lines.length === 0) return (piece.textContent ?? "").trim();
  return [...lines].map((line) =>
    [...line.children].map((cell) => tidied(cell.textContent ?? "")).join("\t")
  ).join("\n");
}

/** @param {string} text */
export function tidied(text) {
  return text.replace(/\s+/g, " ").trim();
}

/** @param {ClipboardEvent} event */
function copySelection(event) {
  const selection = getSelection();
  if (!selection || selection.isCollapsed || !event.clipboardData) return;
  const range = selection.getRangeAt(0);
  const around = range.commonAncestorContainer;
  const holder = around instanceof Element ? around : around.parentElement;
  const number = holder?.closest("data.q[value]");
  const piece = range.cloneContents();
  let text = "";
  if (number) {
    // A part of a number is copied as that part; all of it, in full.
    if (String(selection).trim() !== (number.textContent ?? "").trim()) return;
    text = number.getAttribute("value") ?? "";
  } else {
    if (!piece.querySelector("data.q[value]")) return;
    text = fullText(piece);
  }
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
}

/**
 * What a copy button copies: the element named by data-copy, else the code beside it.
 * @param {HTMLElement} button
 */
function copied(button) {
  const name = button.dataset.copy;
  const target = name
    ? document.querySelector(name.startsWith("#") ? name : `#${CSS.escape(name)}`)
    : button.closest(".code-wrap")?.querySelector("pre, .json-view")
      ?? button.closest("pre") ?? button.previousElementSibling;
  if (!target) return "";
  if (target instanceof HTMLElement && target.dataset.text) return target.dataset.text;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement) {
    return target.value;
  }
  const twin = target.cloneNode(true);
  return twin instanceof Element ? fullText(twin) : "";
}

export function startCopy() {
  document.addEventListener("copy", copySelection);
  document.addEventListener("click", async (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button[data-copy]");
    if (!(button instanceof HTMLElement)) return;
    event.preventDefault();
    const label = button.textContent ?? "";
    try {
      await navigator.clipboard.writeText(copied(button));
      button.textContent = "Copied";
      button.classList.add("is-done");
      say("Copied");
    } catch {
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => {
      button.textContent = label;
      button.classList.remove("is-done");
    }, 1600);
  });
}

/**
 * Gives each piece of code without a copy button one.
 * @param {ParentNode} root
 */
export function offerCopies(root) {
  for (const code of root.querySelectorAll("pre.code, pre.json")) {
    if (code.closest(".code-wrap") || code.querySelector("[data-copy]")) continue;
    if (code.nextElementSibling?.matches("[data-copy]")) continue;
    const button = element("button", { type: "button", class: "copy", "data-copy": "" }, "Copy");
    const wrap = element("div", { class: "code-wrap" });
    code.replaceWith(wrap);
    wrap.append(code, button);
  }
}
