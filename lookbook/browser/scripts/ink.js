"use strict";
// A drawing, fitted to what models learn from: bright ink on black. The two sets of handwriting keep
// it in two manners; a drawing is fitted in both, and the one that is less strange to the model counts.
// Figures are measured on the training pictures of the sets.

const FRAME = 112;  // pixels of the square that ink is brought to: whole multiples of 28 and 8
const DARK = 128;  // from which on a pixel is ink
const PASSES = 2;  // strokes that become wider or thinner change how large the ink is

/** MNIST: the longer side is 20 of 28 pixels, the centre of mass in the middle, strokes about 3. */
const MNIST = { cells: 28, side: 20 / 28, middle: 14.5 / 28, thinnest: 2.4 / 28, widest: 3.6 / 28 };

/**
 * The digits of UCI and scikit-learn, 8x8: upright, as high as the picture, the spread (standard
 * deviation) of the ink across much the same, and so is how much ink there is.
 */
const DIGITS = { cells: 8, levels: 16, spread: 4.2 / 28, widest: 7.5 / 8, stretch: 1.2, share: 0.306 };

/** Return a drawing in each manner, as pixels in the model's form. */
function fittings(ink, { image_size: side }) {
  return [likeMnist(ink), likeDigits(ink)].map((cells) => resized(cells, [side, side]));
}

function likeMnist(ink) {
  const { box, mass } = measured(ink, 0);
  let wider = 0, distances;  // how much each edge of a stroke moves outwards, in pixels of the frame
  for (let pass = 0; pass < PASSES; pass += 1) {
    const scale = (FRAME * MNIST.side - 2 * wider) / Math.max(box.width, box.height);
    distances = edges(warped(ink, { from: mass, to: MNIST.middle, scale: [scale, scale], slant: 0 }));
    const stroke = strokeOf(distances);
    wider = (clamped(stroke, FRAME * MNIST.thinnest, FRAME * MNIST.widest) - stroke) / 2;
  }
  return averagedTo(MNIST.cells, drawnAgain(distances, wider));
}

function likeDigits(ink) {
  const slant = slantOf(ink);
  const { box, spread } = measured(ink, slant);
  const from = [box.left + box.width / 2, box.top + box.height / 2];
  let wider = 0, distances;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const high = (FRAME - 2 * wider) / box.height;
    const across = Math.min(FRAME * DIGITS.spread / spread, DIGITS.stretch * high,
      (FRAME * DIGITS.widest - 2 * wider) / box.width);
    distances = edges(warped(ink, { from, to: 0.5, scale: [across, high], slant }));
    const order = distances.slice().sort();
    wider = clamped(-order[Math.floor(order.length * (1 - DIGITS.share))], -FRAME / 20, FRAME / 15);
  }
  const cells = averagedTo(DIGITS.cells, drawnAgain(distances, wider));
  const level = (value) => Math.round(value * DIGITS.levels / 255);
  cells.data = cells.data.map((value) => Math.floor((level(value) * 255 + DIGITS.levels / 2) / DIGITS.levels));
  return cells;
}

const clamped = (value, least, most) => Math.min(Math.max(value, least), most);

/** Call `visit(x, y)` for each pixel that is ink. */
function eachInk({ width, height, data }, visit) {
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) if (data[at] >= DARK) visit(x + 0.5, y + 0.5);
  }
}

/** Return by how much ink leans to the right for each pixel down, along its axis. */
function slantOf(ink) {
  const [x, y] = measured(ink, 0).mass;
  let both = 0, down = 0;
  eachInk(ink, (across, below) => {
    both += (across - x) * (below - y);
    down += (below - y) ** 2;
  });
  return down ? both / down : 0;
}

/** Return the box, centre of mass and spread across of ink, after a slant is taken from it. */
function measured(ink, slant) {
  let count = 0, sumX = 0, sumY = 0, squares = 0;
  const least = [Infinity, Infinity], most = [-Infinity, -Infinity];
  const middle = ink.height / 2;
  eachInk(ink, (x, y) => {
    const across = x - slant * (y - middle);
    count += 1;
    sumX += across;
    sumY += y;
    squares += across ** 2;
    [across, y].forEach((value, axis) => {
      least[axis] = Math.min(least[axis], value - 0.5);
      most[axis] = Math.max(most[axis], value + 0.5);
    });
  });
  const mass = [sumX / count, sumY / count];
  return {
    mass,
    spread: Math.sqrt(Math.max(squares / count - mass[0] ** 2, 1 / 12)),
    box: { left: least[0], top: least[1], width: most[0] - least[0], height: most[1] - least[1] },
  };
}

/** Return ink in the frame: a place of it comes to a share of the frame, scaled, upright. */
function warped(ink, { from, to, scale, slant }) {
  const frame = new Float32Array(FRAME * FRAME);
  for (let row = 0, at = 0; row < FRAME; row += 1) {
    const y = (row + 0.5 - FRAME * to) / scale[1] + from[1];
    for (let column = 0; column < FRAME; column += 1, at += 1) {
      const x = (column + 0.5 - FRAME * to) / scale[0] + from[0];
      frame[at] = between(ink, x + slant * (y - ink.height / 2) - 0.5, y - 0.5);
    }
  }
  return frame;
}

/** Return how much ink there is between four pixels. */
function between({ width, height, data }, x, y) {
  const left = Math.floor(x), top = Math.floor(y);
  const ofPixel = (column, row) => (
    column < 0 || row < 0 || column >= width || row >= height ? 0 : data[row * width + column]);
  const along = (row) => (
    ofPixel(left, row) * (left + 1 - x) + ofPixel(left + 1, row) * (x - left));
  return along(top) * (top + 1 - y) + along(top + 1) * (y - top);
}

/** Return how far each pixel of the frame is from the edge of the ink; inside more than 0. */
function edges(frame) {
  const isInk = frame.map((value) => (value >= DARK ? 1 : 0));
  const outside = distancesTo(isInk, 0), inside = distancesTo(isInk, 1);
  return outside.map((value, at) => (isInk[at] ? value - 0.5 : 0.5 - inside[at]));
}

/**
 * Return how far each pixel is from the nearest one of a kind.
 *
 * First along rows, then down columns (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012);
 * a column is looked through as far as something nearer could be.
 */
function distancesTo(pixels, kind) {
  const far = 4 * FRAME;
  const along = new Float32Array(pixels.length).fill(far);
  for (let row = 0; row < FRAME; row += 1) {
    for (const step of [1, -1]) {
      let last = far;
      for (let count = 0, x = step > 0 ? 0 : FRAME - 1; count < FRAME; count += 1, x += step) {
        const at = row * FRAME + x;
        last = pixels[at] === kind ? 0 : last + 1;
        along[at] = Math.min(along[at], last);
      }
    }
  }
  return along.map((value, at) => {
    const x = at % FRAME, row = (at - x) / FRAME;
    let best = value ** 2;
    for (let away = 1; away * away < best && away < FRAME; away += 1) {
      for (const other of [row - away, row + away]) {
        if (other >= 0 && other < FRAME) {
          best = Math.min(best, along[other * FRAME + x] ** 2 + away ** 2);
        }
      }
    }
    return Math.sqrt(best);
  });
}

/** Return how wide strokes are: of a bar the mean distance to its edge is a quarter of its width. */
function strokeOf(distances) {
  const inside = distances.filter((value) => value > 0);
  return 4 * inside.reduce((sum, value) => sum + value + 0.5, 0) / inside.length;
}

/** Return ink of 0-255 with its edges moved outwards. */
const drawnAgain = (distances, wider) => (
  distances.map((value) => 255 * clamped(value + wider + 0.5, 0, 1)));

/** Return the frame averaged to fewer pixels, as a picture of one channel. */
function averagedTo(cells, frame) {
  const size = FRAME / cells, data = new Uint8Array(cells * cells);
  for (let at = 0; at < data.length; at += 1) {
    const left = (at % cells) * size, top = Math.floor(at / cells) * size;
    let sum = 0;
    for (let y = top; y < top + size; y += 1) {
      for (let x = left; x < left + size; x += 1) sum += frame[y * FRAME + x];
    }
    data[at] = Math.round(sum / size ** 2);
  }
  return { width: cells, height: cells, channels: 1, data };
}
