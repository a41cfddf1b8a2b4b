"use strict";
// Everything can be read without this: it sorts and filters the overview, and saves the numbers.
(() => {
  const table = document.querySelector("table.overview");
  const tools = document.querySelector(".tools");
  if (!table || !tools) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const status = tools.querySelector("[role=status]");
  const value = (row, place) => row.cells[place].dataset.value ?? row.cells[place].textContent.trim();
  const compare = (place, up) => (left, right) => {
    const [a, b] = [value(left, place), value(right, place)];
    const [x, y] = [Number(a), Number(b)];
    const numeric = heads[place].dataset.sort === "number";
    // What has no number stays last, whichever way.
    if (numeric && (a === "" || b === "")) return (a === "") - (b === "");
    const order = numeric ? (x > y) - (x < y) : a.localeCompare(b, undefined, { numeric: true });
    return up ? order : -order;
  };
  heads.forEach((head, place) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const up = was ? was === "descending" : head.dataset.sort === "text";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...rows.sort(compare(place, up)));
    });
  });
  const search = tools.querySelector("input[type=search]");
  const only = tools.querySelector("input[type=checkbox]");
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted) || (only.checked && !row.dataset.drifted);
      shown += !row.hidden;
    }
    status.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };
  search.addEventListener("input", filter);
  only.addEventListener("change", filter);
  tools.querySelector("button").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([document.getElementById("drift-data").textContent], { type: "application/json" }));
    link.download = "drift.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  tools.hidden = false;
  filter();
})();
