"use strict";
// Charts that a slider moves. A chart is rows in columns, choices, a slider and a drawing; which rows
// are drawn is decided here, so that a new chart is data alone.
const MANY = 1500; // marks that SVG would be slow with

function chartConfig(colour) {
  const range = ["--predicted", "--measured", "--bound", "--c4", "--c5", "--c6", "--c7", "--c8"].map(colour);
  const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
  return {
    background: null,
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line, tickColor: line,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelFont: "system-ui, sans-serif", titleFont: "system-ui, sans-serif" },
    legend: { labelColor: ink, labelFontSize: 12, labelFont: "system-ui, sans-serif" },
    range: { category: range },
    mark: { color: range[0] },
  };
}

const byName = (name) => `var(${name})`; // SVG follows the theme by itself
const byValue = (name) => getComputedStyle(root).getPropertyValue(name).trim();

class MovingChart {
  constructor(section, data, spec) {
    Object.assign(this, { section, data, spec });
    const names = Object.keys(data.columns);
    this.rows = data.columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, data.columns[name][i]])));
    this.selects = data.choices.map((name) => $(`[data-choice="${CSS.escape(name)}"]`, section));
    this.range = $("input[type=range]", section);
    this.value = null;
    for (const select of this.selects) select.addEventListener("change", () => this.choose(select));
    this.range.addEventListener("input", () => this.move());
    this.choose(null);
  }

  // A place below zero is none: such rows are drawn wherever the slider is.
  // Rows that fit the first `count` choices.
  fitting(count) {
    return this.rows.filter((row) => this.data.choices.slice(0, count).every((name, i) => row[name] === this.selects[i].value));
  }

  choose(changed) {
    const first = changed === null ? 0 : this.selects.indexOf(changed) + 1;
    for (let i = first; i < this.selects.length; i += 1) {
      const select = this.selects[i], before = select.value;
      const values = [...new Set(this.fitting(i).map((row) => row[this.data.choices[i]]))];
      select.replaceChildren(...values.map((value) => made("option", value, { value })));
      if (values.includes(before)) select.value = before;
    }
    this.all = this.fitting(this.selects.length);
    const places = this.all.map((row) => row[this.data.slider]).filter((value) => value !== null && value >= 0);
    this.places = [...new Set(places)].sort((a, b) => a - b);
    this.range.closest("label").hidden = this.places.length === 0;
    this.range.max = String(Math.max(this.places.length - 1, 0));
    const near = this.places.map((place) => Math.abs(place - this.value));
    this.range.value = String(this.value === null ? Math.floor(this.places.length / 2) : near.indexOf(Math.min(...near)));
    this.move(true);
  }

  move(chosen = false) {
    const place = this.places[Number(this.range.value)] ?? null;
    if (place !== null) this.value = place;
    this.shown = this.all.filter((row) => row[this.data.slider] === place);
    const text = place === null ? "" : numberText(place);
    $("output", this.range.parentElement).textContent = text;
    this.range.setAttribute("aria-valuetext", `${this.data.unit} = ${text}`);
    this.number();
    this.drawn = this.draw(chosen);
  }

  async draw(chosen) {
    if (!this.view || this.canvas !== this.all.length > MANY) return this.embed();
    if (chosen) this.view.data("all", this.all.map((row) => ({ ...row })));
    this.view.data("shown", this.shown.map((row) => ({ ...row })));
    return this.view.runAsync();
  }

  async embed() {
    this.canvas = this.all.length > MANY;
    const copy = (rows) => rows.map((row) => ({ ...row }));
    const spec = { ...this.spec, datasets: { all: copy(this.all), shown: copy(this.shown) } };
    const config = chartConfig(this.canvas ? byValue : byName);
    const place = $(".drawing", this.section);
    const done = await vegaEmbed(place, spec, { actions: false, ast: true, renderer: this.canvas ? "canvas" : "svg", config });
    this.view = done.view;
  }

  number() {
    const head = $(".numbers thead", this.section);
    if (!head) return;
    const columns = Object.entries(this.data.shown);
    const names = made("tr");
    names.append(...columns.map(([, label]) => made("th", label, { scope: "col" })));
    head.replaceChildren(names);
    $(".numbers tbody", this.section).replaceChildren(...this.shown.map((row) => {
      const line = made("tr");
      line.append(...columns.map(([name]) => made("td", numberText(row[name]))));
      return line;
    }));
  }
}

const charts = {};

async function startCharts() {
  for (const section of $$(".chart")) {
    const name = section.dataset.chart;
    const spec = JSON.parse(document.getElementById(`spec:${name}`).textContent);
    charts[name] = new MovingChart(section, await unpackedJson(`chart:${name}`), spec);
    await charts[name].drawn;
  }
  root.dataset.charts = "ready";
}

document.addEventListener("theme", () => {
  for (const chart of Object.values(charts)) if (chart.canvas) chart.embed();
});
addEventListener("load", startCharts);
