"use strict";
// The table of claims: rows that open, and filters.
for (const opener of $$(".opener")) {
  opener.addEventListener("click", () => {
    const open = opener.getAttribute("aria-expanded") !== "true";
    opener.setAttribute("aria-expanded", String(open));
    document.getElementById(opener.getAttribute("aria-controls")).hidden = !open;
    opener.closest("tr").classList.toggle("open", open);
  });
}

const filters = $("#filters");

function filterClaims() {
  const asked = Object.fromEntries(new FormData(filters));
  const words = asked.words.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = $$("tr.claim");
  let shown = 0;
  for (const row of rows) {
    const more = row.nextElementSibling;
    const text = `${row.textContent} ${more.textContent}`.toLowerCase();
    const fits = ["paper", "form", "verdict"].every((name) => !asked[name] || row.dataset[name] === asked[name])
      && words.every((word) => text.includes(word));
    row.hidden = !fits;
    more.hidden = !fits || $(".opener", row).getAttribute("aria-expanded") !== "true";
    shown += fits;
  }
  $("#claim-count").textContent = `${shown} of ${rows.length} claims`;
  $("#no-claims").hidden = shown > 0;
}

if (filters) {
  filters.addEventListener("input", filterClaims);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(filterClaims));
}
