"use strict";
// What the page can do without scripts it does without: folding, explanations, links. These only
// sort tables and unfold all at once.

const compared = new Intl.Collator("en", { numeric: true });

const numberIn = (text) => {
  const found = text.replace(/,/g, "").match(/^[<−-]?\d+(\.\d+)?/);
  return found ? Number(found[0].replace(/[<]/, "0.").replace("−", "-")) : null;
};

const sortBy = (table, column, descending) => {
  const rows = [...table.tBodies[0].rows];
  const textOf = (row) => row.cells[column].textContent.trim();
  rows.sort((one, other) => {
    const [a, b] = [textOf(one), textOf(other)];
    const [m, n] = [numberIn(a), numberIn(b)];
    const order = m !== null && n !== null ? m - n : compared.compare(a, b);
    return descending ? -order : order;
  });
  table.tBodies[0].append(...rows);
};

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...(table.querySelector("tr.sorts") ?? table.tHead.rows[0]).cells];
  heads.forEach((head, column) => {
    if (head.tagName !== "TH") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    if (head.querySelector("button")) button.setAttribute("aria-label", `Sort by ${head.textContent.trim()}`);
    else button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });
}

const parts = [...document.querySelectorAll("details")];
const more = document.createElement("button");
more.type = "button";
more.className = "more";
more.textContent = "Unfold all";
more.addEventListener("click", () => {
  const open = more.textContent === "Unfold all";
  parts.forEach((part) => { part.open = open; });
  more.textContent = open ? "Fold all" : "Unfold all";
});
document.querySelector("main").append(more);
