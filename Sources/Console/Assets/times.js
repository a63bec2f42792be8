// Times in the viewer's zone, with UTC and the meter's zone in the title; no digit is lost.

/**
 * An instant as "2026-11-01 13:00:00.25 +01:00" in a zone; the fraction is the text's own.
 * @param {string} instant RFC 3339
 * @param {string} zone IANA name
 * @returns {string | null} null where the text or the zone is none
 */
export function spelled(instant, zone) {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(instant);
  if (!parts) return null;
  const date = new Date(parts[1] + parts[3]);
  if (Number.isNaN(date.getTime())) return null;
  try {
    /** @type {Record<string, string>} */
    const part = {};
    for (const { type, value } of formatter(zone).formatToParts(date)) part[type] = value;
    const day = `${part.year.padStart(4, "0")}-${part.month}-${part.day}`;
    const offset = part.timeZoneName.replace("GMT", "");
    const clock = `${part.hour}:${part.minute}:${part.second}${parts[2] ?? ""}`;
    return `${day} ${clock} ${zone === "UTC" ? "UTC" : offset || "+00:00"}`;
  } catch {
    return null;
  }
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formatters = new Map();

/** @param {string} zone */
function formatter(zone) {
  let found = formatters.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23",
      year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "longOffset",
    });
    formatters.set(zone, found);
  }
  return found;
}

/**
 * How long ago, in the largest unit that says something.
 * @param {number} seconds
 * @returns {string}
 */
export function ago(seconds) {
  const past = Math.max(0, Math.round(seconds));
  if (past < 60) return `${past} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  const days = Math.floor(past / 86400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

/**
 * What a time element says after the change.
 * @param {string} instant
 * @param {string} shown what the server wrote
 * @param {string} viewer
 * @param {string} [metered] the meter's zone
 * @returns {{ text: string, title: string } | null}
 */
export function retold(instant, shown, viewer, metered) {
  const [here, universal] = [spelled(instant, viewer), spelled(instant, "UTC")];
  if (!here || !universal) return null;
  const lines = [universal];
  const there = metered && metered !== "UTC" ? spelled(instant, metered) : null;
  if (there) lines.push(`${there} ${metered}, the meter's zone`);
  if (viewer !== "UTC" && viewer !== metered) lines.push(`${here} ${viewer}, your zone`);
  // A day or a month is the meter's, not an instant of the viewer's.
  const isInstant = /\d\d:\d\d/.test(shown);
  const short = shown.includes(".") ? here : here.replace(/\.\d+/, "");
  return { text: isInstant ? short : shown, title: lines.join("\n") };
}

/** The viewer's zone, as the browser knows it. */
export function viewerZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** @param {ParentNode} root */
export function tellTimes(root) {
  const viewer = viewerZone();
  for (const time of root.querySelectorAll("time[datetime]:not([data-told])")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const shown = time.textContent ?? "";
    const told = retold(time.dateTime, shown, viewer, time.dataset.zone);
    if (!told) continue;
    time.dataset.told = "";
    time.title = told.title;
    const isWindow = time.closest(".twin") !== null || time.dataset.asIs !== undefined;
    if (time.dataset.ago === undefined && !isWindow) time.textContent = told.text;
  }
  for (const place of root.querySelectorAll("[data-zone-here]")) place.textContent = viewer;
  tellAges(root);
}

/** @param {ParentNode} root */
export function tellAges(root) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const at = Date.parse(time.dateTime.replace(/(\.\d{3})\d+/, "$1"));
    if (!Number.isNaN(at)) time.textContent = ago((Date.now() - at) / 1000);
  }
}
