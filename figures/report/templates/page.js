"use strict";
// Light and dark, what is packed in the page, figures, and small helpers for the other scripts.
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

function made(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

async function unpacked(id, type) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Blob([await new Response(stream).arrayBuffer()], { type });
}

const unpackedJson = async (id) => JSON.parse(await (await unpacked(id, "text/plain")).text());

function numberText(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace(/-/g, "−");
}

function saveAs(blob, name) {
  const link = made("a", "", { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// --- light and dark: as the system has it, until somebody chooses; paper is light.
const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;

function showTheme() {
  const dark = (chosen ?? (systemDark.matches ? "dark" : "light")) === "dark";
  root.dataset.theme = dark ? "dark" : "light";
  $("#theme").setAttribute("aria-pressed", String(dark));
  document.dispatchEvent(new Event("theme"));
}

$("#theme").addEventListener("click", () => {
  chosen = root.dataset.theme === "dark" ? "light" : "dark";
  showTheme();
});
systemDark.addEventListener("change", showTheme);
addEventListener("beforeprint", () => { root.dataset.theme = "light"; });
addEventListener("afterprint", showTheme);
showTheme();

// --- figures: unpacked once each, as the reader comes to them or all before a print.
const pictures = new Map();

function picture(name) {
  if (!pictures.has(name)) {
    pictures.set(name, unpacked(`svg:${name}`, "image/svg+xml").then((blob) => URL.createObjectURL(blob)));
  }
  return pictures.get(name);
}

async function fill(image) {
  if (!image.src) image.src = await picture(image.dataset.figure);
}

async function fillAll() {
  for (const image of $$("img[data-figure]")) await fill(image);
  root.dataset.figures = "ready";
}

const caption = (name) => $("figcaption b", document.getElementById(`figure-${name}`)).textContent;

for (const button of $$(".thumbs .view")) {
  $("span", button).textContent = `${caption(button.dataset.figure)} (${button.dataset.figure})`;
}
for (const button of $$("button.view")) {
  button.addEventListener("click", async () => {
    const { figure } = button.dataset;
    const alt = $("img", document.getElementById(`figure-${figure}`)).alt;
    $("#viewer-title").textContent = caption(figure);
    $("#viewer-text").textContent = alt;
    $("#viewer-image").alt = alt;
    $("#viewer-image").src = await picture(figure);
    $("#viewer").showModal();
  });
}
$("#viewer-close").addEventListener("click", () => $("#viewer").close());

for (const [kind, type] of [["csv", "text/csv"], ["svg", "image/svg+xml"]]) {
  for (const button of $$(`button.link.${kind}`)) {
    const { figure } = button.dataset;
    button.addEventListener("click", async () => saveAs(await unpacked(`${kind}:${figure}`, type), `${figure}.${kind}`));
  }
}

for (const button of $$("button.copy")) {
  button.addEventListener("click", async () => {
    const code = $("code", button.parentElement);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // not allowed here: ready to be copied by hand
      button.textContent = "Selected";
    }
  });
}

addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(fillAll));
