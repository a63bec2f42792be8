// How modules make and swap parts of the page. Text is always set as text: what comes from events
// never passes through HTML.

/**
 * Makes an element with attributes and children; a text child becomes a text node.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * Makes an element of SVG.
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * The address as one of this site, or null: a link out of data leads nowhere else.
 * @param {string | null | undefined} address
 * @param {string} [here]
 * @returns {string | null}
 */
export function ownAddress(address, here = location.href) {
  if (!address) return null;
  try {
    const url = new URL(address, here);
    return url.origin === new URL(here).origin ? url.pathname + url.search + url.hash : null;
  } catch {
    return null;
  }
}

/**
 * Says something to those who cannot see the page change.
 * @param {string} words
 */
export function say(words) {
  let voice = document.getElementById("voice");
  if (!voice) {
    voice = element("p", { id: "voice", class: "unseen", role: "status" });
    document.body.append(voice);
  }
  voice.textContent = words;
}

/**
 * A function that runs once its calls have paused for a while.
 * @param {() => void} work
 * @param {number} milliseconds
 * @returns {() => void}
 */
export function settled(work, milliseconds) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}

/**
 * Puts the parts with these ids out of a page's text in the place of ours. Focus and what was typed
 * stay where the focused part keeps its id. Scripts of the text do not run.
 * @param {string} html
 * @param {string[]} ids
 * @param {Document} [page]
 */
export function swap(html, ids, page = document) {
  const other = new DOMParser().parseFromString(html, "text/html");
  const kinds = "a, button, input, select, textarea, summary, tr[data-href]";
  for (const id of ids) {
    const [mine, theirs] = [page.getElementById(id), other.getElementById(id)];
    if (!mine || !theirs) continue;
    // The focus stays on the part in the same place.
    const place = [...mine.querySelectorAll(kinds)].findIndex((each) => each === page.activeElement);
    const made = page.importNode(theirs, true);
    mine.replaceWith(made);
    page.dispatchEvent(new CustomEvent("console:swapped", { detail: id }));
    const next = made.querySelectorAll(kinds)[place];
    if (next instanceof HTMLElement) next.focus();
  }
}
