// The browser of trades: a row of the table is chosen, its chart and what was done are drawn. Without network.
(() => {
  "use strict";
  const page = JSON.parse(document.getElementById("trade-data").textContent);
  const box = document.getElementById("trade-table");
  const chart = document.getElementById("trade-chart");
  const history = document.querySelector("#trade-history table");
  const body = box.querySelector("tbody");
  const drawable = () => [...body.querySelectorAll("tr[data-chart]")];

  function cells(values, tag) {
    const row = document.createElement("tr");
    for (const value of values) {
      const one = document.createElement(tag);
      one.textContent = value;
      row.append(one);
    }
    return row;
  }

  // scrolls the table alone: the page, with the chart above it, stays where it is
  function reveal(row) {
    const top = row.offsetTop - box.querySelector("th").offsetHeight;
    const bottom = row.offsetTop + row.offsetHeight - box.clientHeight;
    box.scrollTop = Math.min(top, Math.max(bottom, box.scrollTop));
  }

  function show(row) {
    if (!row) return;
    body.querySelectorAll("tr.shown").forEach((one) => one.classList.remove("shown"));
    row.classList.add("shown");
    reveal(row);
    const { data, layout, history: lines } = page.charts[row.dataset.chart];
    Plotly.react(chart, data, { ...layout, template: page.template }, { displaylogo: false, responsive: true });
    history.replaceChildren(cells(["seconds from the decision", "what", "why"], "th"), ...lines.map((line) => cells(line, "td")));
  }

  function step(by) {
    const rows = drawable();
    show(rows[rows.findIndex((row) => row.classList.contains("shown")) + by]);
  }

  // what is no number goes to the end, whichever way the others are sorted
  function sort(column, down) {
    const key = (row) => {
      const text = row.cells[column].textContent;
      const number = Number(text.replaceAll(",", ""));
      return Number.isNaN(number) ? text : number;
    };
    const compare = (a, b) => {
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
      const order = typeof a === "number" ? a - b : a.localeCompare(b);
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
  }

  box.querySelectorAll("th").forEach((head, column) => {
    head.addEventListener("click", () => {
      const down = head.ariaSort === "ascending";
      box.querySelectorAll("th").forEach((one) => { one.ariaSort = null; });
      head.ariaSort = down ? "descending" : "ascending";
      sort(column, down);
    });
  });
  body.addEventListener("click", (event) => show(event.target.closest("tr[data-chart]")));
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  });
  document.getElementById("trade-before").addEventListener("click", () => step(-1));
  document.getElementById("trade-after").addEventListener("click", () => step(1));
  show(drawable()[0]);
})();
