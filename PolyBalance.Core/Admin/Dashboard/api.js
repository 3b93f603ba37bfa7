// Talks to the gateway that this page came from, and to nobody else.

let token = sessionStorage.getItem("token") ?? "";

/** Whether a token is in use. */
export const hasToken = () => token !== "";

/** Uses a token from now on, in this tab. */
export function useToken(value) {
  token = value;
  if (value) sessionStorage.setItem("token", value); else sessionStorage.removeItem("token");
}

/** What the gateway refused, in its words. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Asks or orders. Resolves with the JSON of the answer, or null; rejects with Refused or a network error. */
export async function ask(method, path, content) {
  const response = await fetch(`/admin/${path}`, {
    method,
    headers: fields(content !== undefined || method !== "GET"),
    body: content === undefined ? undefined : JSON.stringify(content),
    cache: "no-store",
  });
  const text = await response.text();
  const json = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Refused(response.status, json?.error ?? `the gateway answered ${response.status}`);
  return json;
}

/** Reads the stream of states until it ends; the caller begins again. EventSource could not send the token. */
export async function watch(onState, signal) {
  const response = await fetch("/admin/events", { headers: fields(false), signal, cache: "no-store" });
  if (!response.ok) throw new Refused(response.status, `the gateway answered ${response.status}`);

  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter(line => line.startsWith("data: ")).map(line => line.slice(6)).join("\n");
      if (data) onState(JSON.parse(data));
    }
  }
}

function fields(sends) {
  const all = {};
  if (sends) all["Content-Type"] = "application/json";
  if (token) all.Authorization = `Bearer ${token}`;
  return all;
}
