// Where a request would go now, and why nowhere else.

import { ask } from "./api.js";
import { at, make } from "./page.js";

/** Wires the form. */
export function wireExplain() {
  at("explain").addEventListener("submit", async event => {
    event.preventDefault();
    const words = at("explain-request").value.trim().split(/\s+/);
    const [method, url] = words.length > 1 ? words : ["GET", words[0]];
    const headers = at("explain-fields").value.split("\n").map(line => line.trim()).filter(line => line);
    try {
      show(await ask("POST", "explain", { method, url, headers }));
    } catch (failure) {
      at("explanation").replaceChildren(make("p.notice", {}, failure.message));
    }
  });
}

function show(told) {
  const rows = told.backends.map(backend => make(backend.chosen ? "tr.chosen" : "tr", {},
    make("th", { scope: "row" }, (backend.chosen ? "→ " : "") + backend.id), make("td", {}, backend.state.replace("_", " ")),
    make("td.number", {}, String(backend.in_flight)), make("td", {}, backend.why)));
  at("explanation").replaceChildren(
    make("p", {}, make("strong", {}, sentenceOf(told))),
    make("p.quiet", {}, [
      told.cluster && `cluster ${told.cluster}`, told.algorithm, told.key && `hashed by ${told.key}`,
      told.session && `session: ${told.session}`, told.retries && `retries: ${told.retries}`,
      told.then.length > 0 && `next: ${told.then.join(", ")}`,
      told.drawn && "chance has a part in it",
    ].filter(part => part).join(" · ")),
    rows.length === 0 ? "" : make("div.scroll", {}, make("table", {},
      make("thead", {}, make("tr", {}, ...["Backend", "State", "In flight", "Why"].map(title =>
        make(title === "In flight" ? "th.number" : "th", { scope: "col" }, title)))),
      make("tbody", {}, ...rows))));
}

function sentenceOf(told) {
  if (told.decision === "send") return `It goes to ${told.backend}: ${told.why}.`;
  if (told.decision === "wait") return `It waits: ${told.why}.`;
  return told.reason ? `It is refused with ${told.status} (${told.reason}): ${told.why}.` : `${told.why}.`;
}
