// The page: reads the stream of states, shows each, and begins again when the stream ends.

import { ask, hasToken, useToken, watch } from "./api.js";
import { Chart } from "./charts.js";
import { offer, showClusters } from "./clusters.js";
import { wireExplain } from "./explain.js";
import { showFailures } from "./failures.js";
import { at, count, make, setText, time, warn } from "./page.js";

const rates = new Chart("rate-chart", "rate-most", ["requests per second", "failed"], count);
const latencies = new Chart("latency-chart", "latency-most", ["median", "99 of 100 below"], time);
const tiles = new Map();
let kept = -1;          // how many failures were there when they were read

function showTile(title, value, unit = "", isBad = false) {
  if (!tiles.has(title)) {
    const tile = { value: make("span"), unit: make("small") };
    tile.root = make("div", {}, make("dt", {}, title), make("dd", {}, tile.value, " ", tile.unit));
    at("tiles").append(tile.root);
    tiles.set(title, tile);
  }
  const tile = tiles.get(title);
  setText(tile.value, value);
  setText(tile.unit, unit);
  tile.root.classList.toggle("bad", isBad);
}

function age(since, now) {
  const minutes = Math.floor((new Date(now) - new Date(since)) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

function show(state) {
  warn(null);
  const { traffic } = state;
  const isReady = state.not_ready.length === 0;
  at("readiness").className = `badge ${isReady ? "good" : "bad"}`;
  setText(at("readiness"), isReady ? "ready" : `not ready: ${state.not_ready.join(", ").replaceAll("_", " ")}`);
  setText(at("about"), `${state.version} · up ${age(state.started, state.time)} · configuration ${state.generation}`
    + (state.runtime_changes ? `, ${state.runtime_changes} changed at run time` : ""));

  showTile("Requests", count(traffic.per_second), "/s");
  showTile("Failed", count(traffic.failures_per_second), "/s", traffic.failures_per_second > 0);
  showTile("Retries", count(state.retries_per_second), "/s");
  showTile("Median", time(traffic.latency_p50_ms));
  showTile("99 of 100 below", time(traffic.latency_p99_ms));
  showTile("Our own median", time(state.overhead_p50_ms));
  showTile("In flight", count(state.in_flight));
  showTile("Client connections", count(state.clients));
  rates.add(traffic.per_second, traffic.failures_per_second);
  latencies.add(traffic.latency_p50_ms, traffic.latency_p99_ms);
  showClusters(state);
  document.body.dataset.time = state.time;
  if (state.errors_kept !== kept) {
    kept = state.errors_kept;
    ask("GET", "errors").then(showFailures, failure => warn(failure.message));
  }
}

async function run() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
    try {
      offer((await ask("GET", "algorithm")).available);
      await watch(state => {
        wait = 500;
        show(state);
      });
    } catch (failure) {
      if (failure.status === 401) {
        await askForToken(hasToken());
        continue;
      }
      warn(`No answer from the gateway (${failure.message}); what is shown may be old. Trying again.`);
    }
    at("readiness").className = "badge warn";
    setText(at("readiness"), "connecting");
    await new Promise(resolve => setTimeout(resolve, wait));
  }
}

function askForToken(wasWrong) {
  const dialog = at("token");
  if (wasWrong) setText(at("token-why"), "That token is not the gateway's. Enter what admin.token_file holds.");
  at("token-value").value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => {
    if (dialog.returnValue === "use") useToken(at("token-value").value.trim());
    resolve();
  }, { once: true }));
}

function wireTheme() {
  const root = document.documentElement;
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => setText(at("theme"), isDark() ? "Light" : "Dark");
  if (localStorage.getItem("theme")) root.dataset.theme = localStorage.getItem("theme");
  label();
  at("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    label();
  });
}

wireTheme();
wireExplain();
at("token-open").addEventListener("click", () => askForToken(false));
run();
