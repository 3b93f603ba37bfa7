// What failed or was slow lately, and every attempt of it.

import { at, make, time } from "./page.js";

const ShownMax = 50;

/** Shows what the gateway keeps. */
export function showFailures({ exchanges, not_kept }) {
  at("failures").replaceChildren(...exchanges.slice(0, ShownMax).map(rowOf));
  at("failures-table").hidden = exchanges.length === 0;
  const none = at("failures-none");
  const more = exchanges.length + not_kept - Math.min(exchanges.length, ShownMax);
  none.hidden = exchanges.length > 0 && more === 0;
  none.textContent = exchanges.length === 0
    ? "Nothing failed, and nothing took a second to answer." : `${more} more are not shown.`;
}

function rowOf(exchange) {
  const attempts = exchange.attempts.map(attempt =>
    make("div", {}, make("span.mono", {}, attempt.backend), ` ${attempt.reason || attempt.status} ${time(attempt.duration_ms)}`));
  return make("tr", {},
    make("td", {}, make("time", { datetime: exchange.time }, new Date(exchange.time).toLocaleTimeString()),
      make("small", {}, exchange.client_ip)),
    make("td.mono", {}, `${exchange.method} ${exchange.host}${exchange.path}`),
    make("td", {}, make(exchange.status >= 500 ? "span.badge.bad" : "span.badge", {}, String(exchange.status)),
      make("small", {}, exchange.reason || (exchange.attempts.length > 1 ? "answered after a retry" : "slow"))),
    make("td", {}, ...(attempts.length ? attempts : [exchange.backend || "none"])),
    make("td.number", {}, time(exchange.latency_ms)),
    make("td.mono", {}, exchange.request_id));
}
