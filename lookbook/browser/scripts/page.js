"use strict";
// The page: takes pictures, has a worker look at them one at a time, and shows what it says.

const SHOWN = 1000;  // rows of the table; all are saved
const MOST_BARS = 12, LIKELIEST = 5;
const NEEDED = ["DecompressionStream", "OffscreenCanvas", "Worker", "WebAssembly", "createImageBitmap"];

const byId = (id) => document.getElementById(id);
const about = JSON.parse(byId("about-model").textContent);
const { card } = about;
const pictures = [];  // {name, file, said}, in the order in which they were given
const waiting = [];  // {name, file}
const asked = new Map();  // what the worker was asked and has not answered
let worker, asks = 0, others = 0, isReady = false, isWorking = false, hasFailed = false;

function made(tag, content = "", name = "") {
  const element = document.createElement(tag);
  element.append(...[content].flat());
  if (name) element.className = name;
  return element;
}

const counted = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

// ---- the worker ----

async function start() {
  const lacking = NEEDED.filter((name) => !(name in window));
  if (lacking.length) throw new Error(`it has no ${lacking.join(", ")}`);
  const taken = (id) => {
    const element = byId(id), content = element.textContent;
    element.remove();  // some megabytes
    return content;
  };
  const source = [await unpacked(taken("runtime")), taken("worker")];
  const address = URL.createObjectURL(new Blob(source, { type: "text/javascript" }));
  worker = new Worker(address);
  worker.addEventListener("message", ({ data: { id, said, error } }) => {
    const { resolve, reject } = asked.get(id);
    asked.delete(id);
    if (error) reject(new Error(error));
    else resolve(said);
  });
  worker.addEventListener("error", ({ message }) => {
    for (const { reject } of asked.values()) reject(new Error(message));
    asked.clear();
  });
  await ask("load", { program: taken("program"), model: taken("model"), card });
  URL.revokeObjectURL(address);
  isReady = true;
  performance.mark("ready");
  tell("Ready.");
  work();
  if (drawing.isNew) await lookAt(drawing.ink);
}

function ask(task, given) {
  const id = asks;
  asks += 1;
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject });
    worker.postMessage({ id, task, ...given });
  });
}

function tell(words, kind = "") {
  const status = byId("status");
  status.textContent = words;
  status.className = kind;
}

function failed(error) {
  hasFailed = true;
  waiting.length = 0;
  tell(`The model does not run in this browser (${error.message}). Bring it up to date, or take another.`, "fault");
}

// ---- pictures ----

function take({ files, leftOut }) {
  if (hasFailed) return;
  if (!files.length) {
    tell(leftOut ? `There was no picture among ${counted(leftOut, "file")}.`
      : "There was no file in it. Save the picture first, then choose or drop its file.", "fault");
    return;
  }
  waiting.push(...files);
  others += leftOut;
  if (!isReady) tell(`Loading the model; ${counted(waiting.length, "picture")} to be looked at …`);
  work();
}

async function work() {
  if (isWorking || !isReady || !waiting.length) return;
  isWorking = true;
  let done = 0;
  try {
    while (waiting.length) {
      showProgress(done, done + waiting.length);
      const picture = waiting.shift();
      const { pixels, thumbnail, ...said } = await ask("classify", { file: picture.file });
      pictures.push({ ...picture, said });
      if (!done) show({ ...picture, said, pixels });
      addRow(pictures.at(-1), thumbnail);
      done += 1;
    }
    tell(others ? `Ready. ${counted(others, "other file")} left out, no pictures by their names.` : "Ready.");
  } catch (error) {
    failed(error);
  }
  [isWorking, others] = [false, 0];
  showProgress(0, 0);
  count(done);
}

function showProgress(done, all) {
  byId("progress").hidden = all < 2;
  byId("status").hidden = all > 1;
  const bar = byId("progress").firstElementChild;
  [bar.max, bar.value] = [all || 1, done];
}

// ---- one answer ----

const nothing = [...byId("answer").childNodes];

function showNothing() {
  byId("answer").replaceChildren(...nothing);
  delete byId("answer").dataset.kind;
  byId("said").textContent = "";
}

/** Show what the model says of one picture; a drawing has no file. */
function show({ name, file, said, pixels }) {
  const answer = byId("answer");
  answer.replaceChildren();
  answer.dataset.kind = said.fault ? "fault" : said.kind;
  const seen = made("div", "", "seen");
  if (file && !said.fault) seen.append(pictured(name, file));
  if (pixels) seen.append(asSeen(pixels));
  const words = made("div", "", "words");
  words.append(made("p", named(name), "source"), made("h2", said.fault ? "cannot be read" : named(said.answer)));
  words.append(made("p", why(said)));
  if (said.moves) words.append(made("p", "It moves: its first picture was looked at.", "faint"));
  answer.append(seen, words);
  if (!said.fault) answer.append(...bars(said));
  const told = said.fault ? [" cannot be read. "] : [": ", named(said.answer), ", "];
  byId("said").replaceChildren(named(name), ...told, ...why(said));
}

/** Return what speaks for an answer, in parts: of a class that is named already its share alone. */
function why(said) {
  if (said.fault) return [`${said.fault[0].toUpperCase()}${said.fault.slice(1)}. ${said.remedy}`];
  if (said.kind === "class") return [percent(said.probability)];
  return said.because.map((part) => (typeof part === "string" ? part : named(part.name)));
}

function pictured(name, file) {
  const image = made("img");
  image.alt = inLine(name);
  image.src = URL.createObjectURL(file);
  for (const event of ["load", "error"]) {
    image.addEventListener(event, () => URL.revokeObjectURL(image.src), { once: true });
  }
  return image;
}

/** Return the pixels that the model was given, as a person can see them. */
function asSeen(pixels) {
  const { image_size: side, channels } = card;
  const canvas = made("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let at = 0; at < side * side; at += 1) {
    const first = channels * at;
    const colour = channels === 1 ? [pixels[first], pixels[first], pixels[first]] : pixels.slice(first, first + 3);
    image.data.set([...colour, 255], 4 * at);
  }
  context.putImageData(image, 0, 0);
  const figure = made("figure", canvas);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The picture at ${side} by ${side} pixels`);
  figure.append(made("figcaption", "as the model sees it"));
  return figure;
}

/** Return the likeliest classes with their shares: those in question, and some more. */
function bars({ kind, probabilities, in_question: likely }) {
  const order = card.class_names.map((_, place) => place);
  order.sort((one, other) => probabilities[other] - probabilities[one]);
  const few = order.length > MOST_BARS ? Math.max(LIKELIEST, likely.length) : order.length;
  const list = made("ol", "", "bars");
  list.style.setProperty("--least", Math.min(Math.max(card.least_probability, 0), 1));
  for (const place of order.slice(0, few)) {
    const row = made("li", "", likely.includes(place) && kind !== "stranger" ? "likely" : "");
    const bar = made("span", made("i"), "bar");
    bar.firstChild.style.width = `${100 * probabilities[place]}%`;
    row.append(made("span", named(card.class_names[place]), "name"), bar, made("span", percent(probabilities[place]), "share"));
    list.append(row);
  }
  const words = [kind === "stranger" ? "How likely each class would be, if it had to be one of them."
    : "A class is in question from the mark on."];
  if (few < order.length) words.push(`The other ${order.length - few} are less likely.`);
  return [list, made("p", words.join(" "), "faint")];
}

// ---- several answers ----

function addRow({ name, file, said }, thumbnail) {
  if (pictures.length > SHOWN) return;
  const row = byId("row").content.firstElementChild.cloneNode(true);
  const [image, button] = row.querySelectorAll("img, button");
  row.dataset.kind = said.fault ? "fault" : said.kind;
  if (thumbnail) {
    image.src = URL.createObjectURL(thumbnail);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  } else image.remove();
  button.append(named(name));
  button.addEventListener("click", () => again(name, file).catch(failed));
  row.querySelector(".said").append(said.fault ? "cannot be read" : named(said.answer));
  row.querySelector(".reason").append(...why(said), said.moves ? " (its first picture)" : "");
  byId("pictures").querySelector("tbody").append(row);
}

/** Show a picture of the table again; what it looks like is not kept. */
async function again(name, file) {
  const { pixels, thumbnail: _, ...said } = await ask("classify", { file });
  show({ name, file, said, pixels });
  byId("answer").scrollIntoView({ block: "nearest" });
}

/** Say how many pictures got which answer, in sight and to those who listen. */
function count(fresh) {
  byId("pictures").hidden = pictures.length < 2;
  const tally = new Map();
  for (const { said } of pictures) {
    const answer = said.fault ? "cannot be read" : said.answer;
    tally.set(answer, (tally.get(answer) || 0) + 1);
  }
  const parts = [...tally].sort((one, other) => other[1] - one[1]).slice(0, MOST_BARS);
  const said = () => parts.flatMap(([answer, number], at) => [`${at ? ", " : ""}${number.toLocaleString("en")} `, named(answer)]);
  byId("counts").textContent = counted(pictures.length, "picture");
  const rest = pictures.length > SHOWN ? ` The table shows the first ${SHOWN.toLocaleString("en")}.` : "";
  byId("more").replaceChildren(...said(), `.${rest}`);
  if (fresh > 1) byId("said").replaceChildren(`${counted(fresh, "picture")} looked at: `, ...said(), ".");
}

function forget() {
  pictures.length = 0;
  showNothing();
  byId("pictures").querySelector("tbody").replaceChildren();
  count(0);
}

// ---- a drawing ----

const drawing = { ink: null, isNew: false, isAsking: false };

/** Have the latest drawing looked at, as soon as the one before it was; null is an empty paper. */
async function lookAt(ink) {
  Object.assign(drawing, { ink, isNew: true });
  if (drawing.isAsking || !isReady) return;
  drawing.isAsking = true;
  while (drawing.isNew) {
    drawing.isNew = false;
    const { pixels, ...said } = drawing.ink ? await ask("ink", { ink: drawing.ink }) : {};
    if (drawing.isNew) continue;
    if (pixels) show({ name: "Your drawing", said, pixels });
    else showNothing();
  }
  drawing.isAsking = false;
}

function startDrawing() {
  if (!byId("draw")) return;
  const strokes = drawOn(byId("paper"), (ink) => lookAt(ink).catch(failed));
  const turn = (isDrawing, focused) => {
    byId("drop").hidden = isDrawing;
    byId("drawing").hidden = !isDrawing;
    byId(focused).focus();
  };
  byId("draw").addEventListener("click", () => turn(true, "paper"));
  byId("photos").addEventListener("click", () => turn(false, "draw"));
  byId("undo").addEventListener("click", strokes.undo);
  byId("clear").addEventListener("click", strokes.clear);
}

// ---- what a person does ----

function listen() {
  for (const [button, input] of [["choose", "files"], ["take", "camera"], ["folder", "directory"]]) {
    byId(button).addEventListener("click", () => byId(input).click());
    byId(input).addEventListener("change", () => take(chosen(byId(input))));
  }
  const over = (isOver) => byId("drop").classList.toggle("over", isOver);
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  window.addEventListener("dragleave", ({ relatedTarget }) => over(Boolean(relatedTarget)));
  window.addEventListener("drop", async (event) => {
    event.preventDefault();
    over(false);
    take(await gathered(event.dataTransfer));
  });
  window.addEventListener("paste", async ({ clipboardData }) => take(await gathered(clipboardData)));
  byId("stop").addEventListener("click", () => {
    waiting.length = 0;
  });
  byId("save").addEventListener("click", () => save(csvOf(pictures, about), "answers.csv"));
  byId("forget").addEventListener("click", forget);
}

document.documentElement.classList.add("live");
listen();
startDrawing();
document.addEventListener("DOMContentLoaded", () => start().catch(failed));
