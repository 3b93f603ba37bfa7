// Clusters and their backends. Rows stay the same elements, so that focus and selection survive each second.

import { ask } from "./api.js";
import { at, confirm, count, make, setText, tell, time, warn } from "./page.js";

const Looks = {
  healthy: "good", unhealthy: "bad", ejected: "bad", draining: "warn", on_trial: "warn", unknown: "warn",
};
const Columns = ["Backend", "State and why", "Requests/s", "Failed/s", "Median", "p99", "In flight", "Pool", "Share", "Probes", ""];
const Numbers = new Set(["Requests/s", "Failed/s", "Median", "p99", "In flight", "Pool", "Share"]);

const shown = new Map();        // by name of the cluster
let algorithms = [];

/** Which algorithms there are to choose from. */
export function offer(names) {
  algorithms = names;
}

/** Shows what is now. */
export function showClusters(state) {
  const names = new Set(state.clusters.map(cluster => cluster.name));
  for (const [name, view] of shown) {
    if (names.has(name)) continue;
    view.root.remove();
    shown.delete(name);
  }
  for (const cluster of state.clusters) {
    if (!shown.has(cluster.name)) {
      shown.set(cluster.name, new ClusterView(cluster.name));
      at("clusters").append(shown.get(cluster.name).root);
    }
    shown.get(cluster.name).update(cluster);
  }
}

class ClusterView {
  constructor(name) {
    this.name = name;
    this.rows = new Map();
    this.figures = make("span.figures");
    this.algorithm = make("select", { "aria-label": `Algorithm of ${name}`, onchange: () => this.choose() });
    this.body = make("tbody");
    const head = Columns.map(title => make(Numbers.has(title) ? "th.number" : "th", { scope: "col" },
      title || make("span.unseen", {}, "Actions")));
    this.root = make("section.panel.cluster", { "aria-label": `Cluster ${name}` },
      make("div.cluster-head", {}, make("h2", {}, name), this.figures,
        make("form", { onsubmit: event => event.preventDefault() }, make("span.quiet", {}, "Algorithm"), this.algorithm)),
      make("div.scroll", {}, make("table.backends", {}, make("thead", {}, make("tr", {}, ...head)), this.body)));
  }

  update(cluster) {
    const eligible = cluster.backends.filter(one => one.backend.eligible).length;
    const standingBy = cluster.backends.filter(({ backend }) => backend.backup && !backend.eligible && backend.state === "healthy").length;
    setText(this.figures, `${eligible} of ${cluster.backends.length} eligible${standingBy ? `, ${standingBy} standing by` : ""} · ${count(cluster.traffic.per_second)} requests/s`
      + ` · p99 ${time(cluster.traffic.latency_p99_ms)} · ${cluster.in_flight} in flight`
      + (cluster.waiting ? ` · ${cluster.waiting} wait` : ""));
    if (this.algorithm.options.length !== algorithms.length)
      this.algorithm.replaceChildren(...algorithms.map(name => make("option", { value: name }, name)));
    if (document.activeElement !== this.algorithm) this.algorithm.value = cluster.algorithm;
    this.current = cluster.algorithm;

    const ids = new Set(cluster.backends.map(one => one.backend.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    for (const one of cluster.backends) {
      if (!this.rows.has(one.backend.id)) {
        this.rows.set(one.backend.id, new BackendRow(one.backend));
        this.body.append(this.rows.get(one.backend.id).root);
      }
      this.rows.get(one.backend.id).update(one);
    }
  }

  async choose() {
    const wanted = this.algorithm.value;
    if (wanted === this.current) return;
    this.algorithm.blur();
    if (await confirm(`Use ${wanted}?`, `New requests to ${this.name} are spread by ${wanted} instead of ${this.current}. Nothing that runs is touched.`, "Use it"))
      await order(() => ask("POST", "algorithm", { cluster: this.name, algorithm: wanted }), `${this.name} uses ${wanted}`);
    else
      this.algorithm.value = this.current;
  }
}

class BackendRow {
  constructor(backend) {
    this.id = backend.id;
    this.state = null;
    this.name = make("th", { scope: "row" }, backend.name, make("small.mono", {}, backend.address));
    this.badge = make("span.badge");
    this.why = make("small");
    this.cells = Object.fromEntries([...Numbers].map(title => [title, make("td.number", { "data-title": title })]));
    this.probes = make("td.probes", { "data-title": "Probes" });
    this.button = make("button", { type: "button", onclick: () => this.drainOrResume() });
    this.root = make("tr", {}, this.name, make("td.why", {}, this.badge, this.why), ...Object.values(this.cells), this.probes,
      make("td.actions", {}, this.button));
  }

  update({ backend, traffic, history }) {
    if (this.state !== null && this.state !== backend.state)
      tell(`${backend.id} is ${backend.state.replace("_", " ")}: ${backend.why}`);
    this.state = backend.state;
    this.root.dataset.state = backend.state;
    this.badge.className = `badge ${Looks[backend.state] ?? ""}`;
    setText(this.badge, backend.state.replace("_", " "));
    setText(this.why, backend.why);
    const learned = backend.pool.learned_idle_limit_ms;
    const values = {
      "Requests/s": count(traffic.per_second),
      "Failed/s": count(traffic.failures_per_second),
      "Median": time(traffic.latency_p50_ms),
      "p99": time(traffic.latency_p99_ms),
      "In flight": String(backend.in_flight),
      "Pool": `${backend.pool.open} open, ${backend.pool.idle} idle`,
      "Share": backend.share_reached < 100 ? `${backend.weight} (${backend.share_reached} %)` : String(backend.weight),
    };
    for (const [title, value] of Object.entries(values)) setText(this.cells[title], value);
    this.cells.Pool.title = learned ? `closes idle connections after ${time(learned)}` : "";
    this.showProbes(history);
    this.isDrained = backend.drain;
    setText(this.button, backend.drain ? "Resume" : "Drain");
    this.button.setAttribute("aria-label", `${backend.drain ? "Resume" : "Drain"} ${backend.id}`);
  }

  showProbes(history) {
    const text = history.map(passed => (passed ? "✓" : "✗")).join("");
    if (this.probes.textContent === text) return;
    this.probes.replaceChildren(...history.map(passed => make(passed ? "span.passed" : "span.failed", {}, passed ? "✓" : "✗")));
    this.probes.setAttribute("aria-label", history.length
      ? `${history.filter(passed => passed).length} of the last ${history.length} probes passed` : "not probed");
  }

  async drainOrResume() {
    const path = `backends/${this.id.split("/").map(encodeURIComponent).join("/")}`;
    if (this.isDrained) {
      await order(() => ask("POST", `${path}/resume`, {}), `${this.id} takes new work again`);
      return;
    }
    if (await confirm(`Drain ${this.id}?`, "It gets no new requests and finishes what it has. Its sticky sessions stay until they end.", "Drain"))
      await order(() => ask("POST", `${path}/drain`, {}), `${this.id} drains`);
  }
}

// Carries an order out, and says what became of it.
async function order(act, done) {
  try {
    await act();
    warn(null);
    tell(done);
  } catch (failure) {
    warn(failure.status === 401 ? "That needs the token: enter it with the button above." : failure.message);
  }
}
