// What changes by itself: figures of the overview and the tail of events, one stream each, closed
// while nobody looks; lists that follow the typing, forms that ask the server for a part of
// themselves again, and parts that look after themselves until their work is done. The latter fetch
// the page's own address and swap parts by id: without JavaScript the same address is the same page.
import { element, ownAddress, say, settled, swap } from "./element.js";
import { ago, tellTimes } from "./times.js";

const rowsMax = 200;
const heldMax = 1000;

/**
 * The name of a figure in the stream: events-per-minute is eventsPerMinute.
 * @param {string} name
 */
export function fieldName(name) {
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

/**
 * A number's text with its thousands apart; every digit stays.
 * @param {string} text
 */
export function grouped(text) {
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!parts) return text;
  return parts[1] + parts[2].replace(/\B(?=(\d{3})+$)/g, ",") + (parts[3] ?? "");
}

/**
 * The address of a stream that goes on after a position.
 * @param {string} address
 * @param {string} position
 */
export function afterAddress(address, position) {
  return address.replace(/([?&]after=)\d+/, `$1${position}`);
}

/**
 * Listens as long as the page is seen; opened again, it goes on after the last id.
 * @param {string} address
 * @param {Record<string, (data: any) => void>} hearers
 * @returns {() => void} ends it
 */
function listen(address, hearers) {
  /** @type {EventSource | null} */
  let source = null;
  let last = "";
  const open = () => {
    if (source) return;
    source = new EventSource(last ? afterAddress(address, last) : address);
    source.addEventListener("open", () => document.body.classList.remove("is-stale"));
    source.addEventListener("error", () => document.body.classList.add("is-stale"));
    for (const [name, hear] of Object.entries(hearers)) {
      source.addEventListener(name, (event) => {
        last = event.lastEventId || last;
        try {
          hear(JSON.parse(event.data));
        } catch {
          // Half a message: the next one is whole.
        }
      });
    }
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const follow = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", follow);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    window.removeEventListener("pageshow", follow);
    close();
  };
}

/** @param {Record<string, unknown>} figures */
function tell(figures) {
  for (const place of document.querySelectorAll("[data-live]")) {
    const value = figures[fieldName(place.getAttribute("data-live") ?? "")];
    if (typeof value !== "string") continue;
    if (place instanceof HTMLTimeElement) {
      place.dateTime = value;
      delete place.dataset.told;
      if (place.dataset.ago !== undefined) {
        place.textContent = ago((Date.now() - Date.parse(value)) / 1000);
      }
      continue;
    }
    const shown = grouped(value);
    if (place.textContent !== shown) place.textContent = shown;
    if (place instanceof HTMLDataElement) place.value = value;
  }
  tellTimes(document);
}

/**
 * A row of the tail: its cells are what the table's head asks for by data-field.
 * @param {HTMLTableElement} table
 * @param {Record<string, unknown>} event
 */
function row(table, event) {
  const made = element("tr", { class: "is-fresh" });
  const href = ownAddress(typeof event.href === "string" ? event.href : null);
  if (href) made.dataset.href = href;
  for (const head of table.tHead?.rows[0]?.cells ?? []) {
    const field = head.dataset.field ?? "";
    const text = typeof event[field] === "string" ? String(event[field]) : "";
    const cell = element("td", head.classList.contains("num") ? { class: "num" } : {});
    if (field === "time" || field === "arrival") {
      const words = `${text.slice(0, 19).replace("T", " ")} UTC`;
      cell.append(element("time", { datetime: text }, words));
    } else if (field === "id" && href) {
      cell.append(element("a", { href }, text));
    } else {
      cell.textContent = text;
    }
    made.append(cell);
  }
  return made;
}

/** @param {HTMLTableElement} table */
function tail(table) {
  const body = table.tBodies[0];
  const button = document.querySelector("button[data-tail-toggle]");
  const address = ownAddress(table.dataset.tail);
  if (!body || !address) return;
  /** @type {(() => void) | null} */
  let end = null;
  let isPaused = table.dataset.tailOn === undefined;
  /** @type {Record<string, unknown>[]} */
  let held = [];
  let lost = 0;
  const show = () => {
    for (const event of held) {
      const made = row(table, event);
      for (const note of document.querySelectorAll("#main .empty")) (note.closest("tr") ?? note).remove();
      body.prepend(made);
      tellTimes(made);
    }
    held = [];
    if (lost) {
      const cell = body.insertRow(0).insertCell();
      cell.colSpan = table.tHead?.rows[0]?.cells.length ?? 1;
      cell.textContent = `${grouped(String(lost))} positions passed over`;
    }
    lost = 0;
    while (body.rows.length > rowsMax) body.rows[body.rows.length - 1].remove();
  };
  const label = () => {
    if (!(button instanceof HTMLButtonElement)) return;
    button.setAttribute("aria-pressed", String(!isPaused));
    const more = lost ? `, ${lost} positions passed over` : "";
    const waiting = held.length || lost ? ` (${held.length} waiting${more})` : "";
    button.textContent = isPaused ? `Follow live${waiting}` : "Pause";
  };
  const turn = () => {
    if (!isPaused) {
      end ??= listen(address, { event: hear, behind });
      show();
    }
    label();
  };
  const hear = (/** @type {Record<string, unknown>} */ event) => {
    held.push(event);
    if (held.length > heldMax && held.shift()) lost += 1;
    turn();
  };
  const behind = (/** @type {{ positions: string }} */ told) => {
    lost += Number(told.positions);
    turn();
  };
  turn();
  if (button instanceof HTMLButtonElement) button.hidden = false;
  button?.addEventListener("click", () => {
    isPaused = !isPaused;
    say(isPaused ? "Paused" : "Following live");
    turn();
  });
}

function startStreams() {
  if (document.querySelector("[data-live]")) listen("/console/live", { overview: tell });
  const table = document.querySelector("table[data-tail]");
  if (table instanceof HTMLTableElement) tail(table);
}

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

function startLists() {
  for (const form of document.querySelectorAll("form[data-instant]")) {
    if (form instanceof HTMLFormElement) follow(form);
  }
  for (const form of document.querySelectorAll("form:has([data-refresh])")) {
    if (form instanceof HTMLFormElement) refreshable(form);
  }
  poll();
}

export function startLive() {
  startStreams();
  startLists();
}
