// Two lines over the last two minutes. What they show is also said in words, for those who do not see them.

import { at } from "./page.js";

const Points = 120;
const Width = 600;
const Height = 140;

/** A chart of two series. `show` makes text of a value. */
export class Chart {
  constructor(id, axisId, names, show) {
    this.svg = at(id);
    this.axis = at(axisId);
    this.names = names;
    this.show = show;
    this.series = [[], []];
  }

  /** Adds a value to each series; null where there is none. */
  add(first, second) {
    for (const [index, value] of [first, second].entries()) {
      this.series[index].push(value);
      if (this.series[index].length > Points) this.series[index].shift();
    }
    this.draw();
  }

  draw() {
    const most = niceAbove(Math.max(...this.series.flat().map(value => value ?? 0)));
    const lines = this.series.map(values => pathOf(values, most));
    const grid = [0.25, 0.5, 0.75].map(part => `M0 ${Height * part}H${Width}`).join("");
    this.svg.replaceChildren(
      path("grid", grid), path("area", areaOf(this.series[0], most)), path("first", lines[0]), path("second", lines[1]));
    this.axis.textContent = `to ${this.show(most)}`;
    const now = this.series.map((values, index) => `${this.names[index]} ${this.show(values.at(-1))}`).join(", ");
    this.svg.setAttribute("aria-label", `Now: ${now}`);
  }
}

// The next of 1, 2, 5, 10, 20 … so that the scale does not dance.
function niceAbove(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1e-3)));
  return [1, 2, 5, 10].map(step => step * unit).find(step => step >= value) ?? 1;
}

const x = (index, length) => (Width * (Points - length + index)) / (Points - 1);
const y = (value, most) => Height - (Height - 6) * (value / most);

function pathOf(values, most) {
  let text = "";
  let isDown = false;
  values.forEach((value, index) => {
    if (value === null || value === undefined) {
      isDown = false;
      return;
    }
    text += `${isDown ? "L" : "M"}${x(index, values.length).toFixed(1)} ${y(value, most).toFixed(1)}`;
    isDown = true;
  });
  return text;
}

function areaOf(values, most) {
  const known = values.map(value => value ?? 0);
  if (known.length < 2) return "";
  const line = known.map((value, index) => `${x(index, known.length).toFixed(1)} ${y(value, most).toFixed(1)}`).join("L");
  return `M${x(0, known.length).toFixed(1)} ${Height}L${line}L${Width} ${Height}Z`;
}

function path(name, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  element.setAttribute("class", name);
  element.setAttribute("d", text);
  return element;
}
