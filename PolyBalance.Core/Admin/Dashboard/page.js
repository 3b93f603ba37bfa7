// Small things that every part of the page needs. Text from outside only ever becomes text, never markup.

/** The element with an id. */
export const at = id => document.getElementById(id);

/** An element: its tag with classes as in CSS, attributes, and what is in it. */
export function make(tag, attributes = {}, ...inside) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...inside.filter(one => one !== null && one !== undefined));
  return element;
}

/** Changes a text only if it is another one, so that a selection and what is read aloud stay. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number as people read it: 0, 3.2, 48, 12.5k. */
export function count(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** Milliseconds as people read them. */
export function time(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${Math.round(value * 1000)} µs`;
  if (value < 1000) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  return `${(value / 1000).toFixed(1)} s`;
}

/** Says something to everybody, also to those who do not see the page. */
export function tell(text) {
  setText(at("news"), text);
}

/** Shows what went wrong, or nothing. */
export function warn(text) {
  const notice = at("notice");
  setText(notice, text ?? "");
  notice.hidden = !text;
}

/** Asks whether that is really meant. Resolves with yes or no. */
export function confirm(title, text, yes) {
  const dialog = at("confirm");
  setText(at("confirm-title"), title);
  setText(at("confirm-text"), text);
  setText(at("confirm-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
