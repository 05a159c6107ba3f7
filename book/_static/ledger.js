// The ledger's table: a click on a column's title sorts by it, a second click turns the order round.
// Without this script the table stands in the order of the rows.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const order = new Intl.Collator("en", { numeric: true }).compare;

  for (const table of document.querySelectorAll("table.ledger-sortable")) {
    const body = table.tBodies[0];
    const titles = [...table.tHead.rows[0].cells];
    titles.forEach((title, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...title.childNodes);
      title.append(button);
      button.addEventListener("click", () => {
        const down = title.getAttribute("aria-sort") === "ascending";
        titles.forEach((other) => other.removeAttribute("aria-sort"));
        title.setAttribute("aria-sort", down ? "descending" : "ascending");
        const text = (row) => row.cells[column].textContent.trim();
        const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * order(text(a), text(b)));
        body.append(...rows);
      });
    });
  }
});
