// Lists that follow the typing, forms that ask the server for a part of themselves again, and parts
// that look after themselves until their work is done. All of them fetch the page's own address and
// swap parts by id: without JavaScript the same address is the same page.
import { say, settled, swap } from "./element.js";

const typingMilliseconds = 140;

/**
 * The address of a form that is sent by GET, without empty fields and tokens.
 * @param {string} action
 * @param {Iterable<[string, FormDataEntryValue]>} fields
 * @returns {string}
 */
export function addressOf(action, fields) {
  const query = new URLSearchParams();
  for (const [name, value] of fields) {
    if (typeof value === "string" && value !== "" && name !== "csrf") query.append(name, value);
  }
  const text = query.toString();
  return action.split("?")[0] + (text ? `?${text}` : "");
}

/** @type {AbortController | null} */
let running = null;

/**
 * @param {string} address
 * @param {string[]} ids
 * @returns {Promise<boolean>} whether it is what was asked last, and answered
 */
async function refresh(address, ids) {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  for (const id of ids) document.getElementById(id)?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "text/html" } });
    swap(await answer.text(), ids);
    return true;
  } catch (fault) {
    if (mine.signal.aborted) return false;
    for (const id of ids) document.getElementById(id)?.removeAttribute("aria-busy");
    say("The server did not answer");
    return false;
  }
}

/** @param {HTMLFormElement} form */
function follow(form) {
  const ids = (form.dataset.instant || "results").split(/\s+/);
  const ask = async () => {
    const address = addressOf(form.action, new FormData(form));
    history.replaceState(history.state, "", address);
    if (!(await refresh(address, ids))) return;
    const words = document.querySelector("[data-count]")?.textContent?.trim();
    if (words) say(words);
  };
  const asked = settled(ask, typingMilliseconds);
  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement) asked();
  });
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) asked();
  });
}

/** @param {HTMLFormElement} form */
function refreshable(form) {
  form.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLElement)) return;
    const ids = event.target.closest("[data-refresh]")?.getAttribute("data-refresh");
    if (ids) refresh(addressOf(location.pathname, new FormData(form)), ids.split(/\s+/));
  });
}

/** Looks again at each part with data-poll (seconds), until the server leaves the attribute away. */
function poll() {
  const part = document.querySelector("[data-poll][id]");
  if (!(part instanceof HTMLElement)) return;
  const seconds = Math.max(1, Number(part.dataset.poll) || 2);
  setTimeout(async () => {
    if (!document.hidden) {
      try {
        swap(await (await fetch(location.href)).text(), [part.id]);
      } catch {
        // The server is away for a moment; the next look may find it.
      }
    }
    poll();
  }, seconds * 1000);
}

export function startInstant() {
  for (const form of document.querySelectorAll("form[data-instant]")) {
    if (form instanceof HTMLFormElement) follow(form);
  }
  for (const form of document.querySelectorAll("form:has([data-refresh])")) {
    if (form instanceof HTMLFormElement) refreshable(form);
  }
  poll();
}
