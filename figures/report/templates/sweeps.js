"use strict";
// The table of sweeps: sorted, filtered and turned page by page over compact columns.
const PAGE = 25;

class SweepTable {
  constructor(columns) {
    this.columns = columns;
    this.count = columns[0].values.length;
    this.order = [...Array(this.count).keys()];
    this.texts = this.order.map((i) => columns.map((column) => this.text(column, i)).join(" ").toLowerCase());
    this.sorted = null;
    this.down = false;
    this.page = 0;
    const head = made("tr");
    for (const column of columns) {
      const cell = made("th", "", { scope: "col", "aria-sort": "none" });
      const button = made("button", column.name, { type: "button" });
      button.addEventListener("click", () => this.sort(column));
      cell.append(button);
      head.append(cell);
    }
    $("#sweep-table thead").append(head);
    $("#sweep-words").addEventListener("input", () => this.show(0));
    $("#sweep-back").addEventListener("click", () => this.show(this.page - 1));
    $("#sweep-on").addEventListener("click", () => this.show(this.page + 1));
    $("#sweep-csv").addEventListener("click", () => saveAs(new Blob([this.csv()], { type: "text/csv" }), "sweeps.csv"));
    this.show(0);
  }

  value(column, i) {
    return column.kind === "text" ? column.words[column.values[i]] : column.values[i];
  }

  text(column, i) {
    return numberText(this.value(column, i));
  }

  sort(column) {
    this.down = this.sorted === column && !this.down;
    this.sorted = column;
    const sign = this.down ? -1 : 1;
    this.order.sort((a, b) => {
      const [left, right] = [this.value(column, a), this.value(column, b)];
      if (left === null || right === null) return (left === null) - (right === null); // unknown last
      return sign * (left < right ? -1 : left > right ? 1 : 0);
    });
    this.columns.forEach((one, i) => {
      const way = one === column ? (this.down ? "descending" : "ascending") : "none";
      $$("#sweep-table thead th")[i].setAttribute("aria-sort", way);
    });
    this.show(0);
  }

  show(page) {
    const words = $("#sweep-words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.order.filter((i) => words.every((word) => this.texts[i].includes(word)));
    const last = Math.max(Math.ceil(rows.length / PAGE) - 1, 0);
    this.page = Math.min(Math.max(page, 0), last);
    const from = this.page * PAGE;
    $("#sweep-table tbody").replaceChildren(...rows.slice(from, from + PAGE).map((i) => this.row(i)));
    $("#sweep-count").textContent = `${rows.length ? from + 1 : 0} to ${Math.min(from + PAGE, rows.length)} of ${rows.length} rows`;
    $("#sweep-back").disabled = this.page === 0;
    $("#sweep-on").disabled = this.page === last;
  }

  row(i) {
    const line = made("tr");
    for (const column of this.columns) {
      const cell = made("td", this.text(column, i));
      if (column.low && column.low[i] !== null && column.low[i] !== column.high[i]) {
        cell.append(made("span", ` [${numberText(column.low[i])}, ${numberText(column.high[i])}]`, { class: "limits" }));
      }
      line.append(cell);
    }
    return line;
  }

  csv() {
    const quoted = (value) => (value === null ? "" : `"${String(value).replace(/"/g, '""')}"`);
    const names = this.columns.flatMap((c) => (c.low ? [c.name, `${c.name}, low`, `${c.name}, high`] : [c.name]));
    const lines = this.order.map((i) => this.columns.flatMap((c) => {
      const value = this.value(c, i);
      return c.low ? [value, c.low[i], c.high[i]] : [value];
    }));
    return [names, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n");
  }
}

addEventListener("load", async () => {
  if (document.getElementById("sweep-columns")) {
    window.sweepTable = new SweepTable(await unpackedJson("sweep-columns"));
    root.dataset.sweeps = "ready";
  }
});
