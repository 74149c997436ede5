"use strict";
// A drawing: strokes of bright ink on dark paper. The worker fits it to what the model learnt from.

const PEN = 20;  // pixels of a stroke's width, of the paper's 280
const STEP = 8;  // pixels that a key moves the pen

/** Let a person draw on a canvas, and call `drawn(ink)` after each change; null if it is empty. */
function drawOn(paper, drawn) {
  const context = paper.getContext("2d", { willReadFrequently: true });
  const strokes = [];
  let pointer = null, pen = null;

  const placeOf = ({ clientX, clientY }) => {
    const { left, top, width } = paper.getBoundingClientRect();
    return [(clientX - left) * paper.width / width, (clientY - top) * paper.width / width];
  };

  function show() {
    context.clearRect(0, 0, paper.width, paper.height);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN;
    context.strokeStyle = "white";
    for (const [first, ...others] of strokes) {
      context.beginPath();
      context.moveTo(...first);
      for (const place of [...others, others.at(-1) || first]) context.lineTo(...place);
      context.stroke();
    }
  }

  function changed() {
    show();
    drawn(strokes.length ? inkOf(context) : null);
    if (pen) showPen();
  }

  function showPen() {
    context.beginPath();
    context.lineWidth = 2;
    context.strokeStyle = pen.isDown ? "#f0b429" : "#8fc1f5";
    context.arc(...pen.place, PEN / 2 + 2, 0, 2 * Math.PI);
    context.stroke();
  }

  paper.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    paper.setPointerCapture(event.pointerId);
    [pointer, pen] = [event.pointerId, null];
    strokes.push([placeOf(event)]);
    show();
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    strokes.at(-1).push(...(event.getCoalescedEvents?.() || [event]).map(placeOf));
    show();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    paper.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      changed();
    });
  }
  paper.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    pen ||= { place: [paper.width / 2, paper.height / 2], isDown: false };
    if (move) {
      pen.place = pen.place.map((at, axis) => Math.min(Math.max(at + STEP * move[axis], PEN), paper.width - PEN));
    } else {
      pen.isDown = !pen.isDown;
      if (pen.isDown) strokes.push([]);
    }
    if (pen.isDown) strokes.at(-1).push(pen.place);
    changed();
  });
  paper.addEventListener("blur", () => {
    pen = null;
    show();
  });
  return {
    undo() {
      strokes.pop();
      if (pen) pen.isDown = false;
      changed();
    },
    clear() {
      strokes.length = 0;
      pen = null;
      changed();
    },
  };
}

/** Return how much ink there is at each pixel of a canvas, from 0 to 255. */
function inkOf(context) {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, at) => data[4 * at + 3]) };
}
