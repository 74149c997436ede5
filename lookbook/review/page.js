"use strict";
// The decisions on the pictures of this page: kept in the browser, saved as a patch.
const { set, version } = document.body.dataset;
const articles = [...document.querySelectorAll("article")];
const store = `lookbook review ${set}`;
const past = [];  // [article, the decision before]
const decisions = new Map();  // article: { action, label }
let current = -1;

const key = ({ dataset }) => `${dataset.id} ${dataset.given}`;

function remember() {
  const all = recalled();
  for (const article of articles) {
    if (decisions.has(article)) all[key(article)] = decisions.get(article);
    else delete all[key(article)];
  }
  try {
    localStorage.setItem(store, JSON.stringify(all));
  } catch {
    document.getElementById("counts").dataset.warning = "This browser keeps nothing: save the patch.";
  }
}

function recalled() {
  try {
    return JSON.parse(localStorage.getItem(store)) || {};
  } catch {
    return {};
  }
}

function show(article) {
  const decision = decisions.get(article);
  article.classList.remove("keep", "change", "drop", "skip");
  if (decision) article.classList.add(decision.action);
  const words = { keep: "kept", change: `changed to \u2068${decision?.label}\u2069`, drop: "dropped", skip: "skipped" };
  article.querySelector("output").value = decision ? words[decision.action] : "";
}

function count() {
  const actions = [...decisions.values()].map(({ action }) => action);
  const of = (action) => actions.filter((one) => one === action).length;
  const counts = document.getElementById("counts");
  const decided = actions.length - of("skip");
  counts.textContent = `${decided} of ${articles.length} decided: ${of("keep")} kept, `
    + `${of("change")} changed, ${of("drop")} dropped. ${counts.dataset.warning || ""}`;
  const bar = document.querySelector("progress");
  bar.max = Math.max(articles.length, 1);
  bar.value = actions.length;
  document.getElementById("save").disabled = !decided;
  document.getElementById("undo").disabled = !past.length;
}

function go(place) {
  if (!articles.length) return;
  articles[current]?.classList.remove("current");
  current = Math.min(Math.max(place, 0), articles.length - 1);
  const article = articles[current];
  article.classList.add("current");
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "nearest" });
}

function put(article, decision) {
  if (decision) decisions.set(article, decision);
  else decisions.delete(article);
  show(article);
  remember();
  count();
}

function decide(article, action, label = "") {
  if (action === "change" && label === article.dataset.given) action = "keep";
  past.push([article, decisions.get(article)]);
  put(article, { action, label: action === "change" ? label : "" });
  const next = articles.findIndex((one, place) => place > articles.indexOf(article) && !decisions.has(one));
  go(next < 0 ? articles.indexOf(article) : next);
}

function undo() {
  const [article, before] = past.pop() || [];
  if (!article) return;
  put(article, before);
  go(articles.indexOf(article));
}

function save() {
  // No spreadsheet computes a cell, as lookbook/foundation/names.py has it.
  const marked = (text) => (/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cell = (text) => quoted(marked(text));
  const lines = [["set", "data", "id", "given", "action", "label"]];
  for (const article of articles) {
    const decision = decisions.get(article);
    if (!decision || decision.action === "skip") continue;
    const { id, given } = article.dataset;
    lines.push([set, version, id, given, decision.action, decision.label]);
  }
  const text = lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = `${set}-labels.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const kept = recalled();
const template = document.getElementById("actions");
const classes = [...template.content.querySelectorAll("option")].map((option) => option.value);
for (const article of articles) {
  const actions = article.querySelector(".actions");
  actions.append(template.content.cloneNode(true));
  const select = actions.querySelector("select");
  const decision = kept[key(article)];
  if (decision && (decision.action !== "change" || classes.includes(decision.label))) {
    decisions.set(article, decision);
  }
  select.value = decision?.label || article.dataset.suggested;
  actions.addEventListener("click", ({ target }) => {
    const { action } = target.dataset;
    if (action) decide(article, action, select.value);
  });
  select.addEventListener("change", () => decide(article, "change", select.value));
  article.addEventListener("pointerdown", () => go(articles.indexOf(article)));
  show(article);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const article = articles[current];
  if (!article) return;
  const chosen = () => article.querySelector("select").value;
  const number = classes[Number(event.key) - 1];
  const does = {
    k: () => decide(article, "keep"),
    c: () => decide(article, "change", chosen()),
    d: () => decide(article, "drop"),
    s: () => decide(article, "skip"),
    u: undo,
    ArrowDown: () => go(current + 1),
    ArrowRight: () => go(current + 1),
    ArrowUp: () => go(current - 1),
    ArrowLeft: () => go(current - 1),
  }[event.key] || (/^[1-9]$/.test(event.key) && number && (() => decide(article, "change", number)));
  if (!does) return;
  event.preventDefault();
  does();
});
document.getElementById("undo").addEventListener("click", undo);
document.getElementById("save").addEventListener("click", save);
document.documentElement.classList.add("live");
count();
go(Math.max(articles.findIndex((one) => !decisions.has(one)), 0));
