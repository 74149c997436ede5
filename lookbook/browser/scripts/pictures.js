"use strict";
// One picture: from a decoded bitmap to pixels in the model's form, by the same whole numbers as
// lookbook/pictures: decoding.py says what is cut and averaged, resizing.py how it is resized.

const TILE = 2 ** 21;  // pixels that are read from a canvas at a time
const WIDEST = 4096;  // pixels of a canvas, which some browsers do not allow to be much wider

/** Return what of a picture is used, the size that it gets, and the boxes that are averaged first. */
function cutOf(size, { image_size: side, resize }) {
  const shorter = Math.min(...size), longer = Math.max(...size);
  const used = resize === "crop" ? [shorter, shorter] : size;
  const target = resize !== "pad" ? [side, side]
    : used.map((length) => Math.max(1, rounded(length * side / longer)));
  const fits = used.map((length, axis) => Math.max(1, Math.floor(length / target[axis])));
  const coarse = [8, 4, 2, 1].find((scale) => scale === 1 || Math.min(...fits) >= 2 * scale);
  const toCoarse = (length) => Math.floor(length / coarse) * coarse;
  return {
    corner: size.map((length, axis) => toCoarse(Math.floor((length - used[axis]) / 2))),
    used,
    target,
    box: fits.map(toCoarse),
  };
}

/** Return the part of a bitmap that is used, averaged over boxes of pixels: Pillow's reduce. */
function averaged(bitmap, { corner, used, box }, channels) {
  const [across, down] = box;
  const width = Math.ceil(used[0] / across), height = Math.ceil(used[1] / down);
  const reduced = { width, height, channels, data: new Uint8Array(width * height * channels) };
  const columns = Math.min(width, Math.max(1, Math.floor(WIDEST / across)));
  const rows = Math.min(height, Math.max(1, Math.floor(TILE / (columns * across) / down)));
  const canvas = new OffscreenCanvas(columns * across, rows * down);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";  // on which a person sees what is transparent
  for (let row = 0; row < height; row += rows) {
    for (let column = 0; column < width; column += columns) {
      const left = column * across, top = row * down;
      const wide = Math.min(columns * across, used[0] - left);
      const high = Math.min(rows * down, used[1] - top);
      context.fillRect(0, 0, wide, high);
      context.drawImage(bitmap, corner[0] + left, corner[1] + top, wide, high, 0, 0, wide, high);
      const tile = context.getImageData(0, 0, wide, high);
      if (channels === 1) toGrey(tile.data);
      averageTile(tile, box, reduced, column, row);
    }
  }
  return reduced;
}

/** Put a pixel's brightness in place of its red, by the whole numbers of Pillow's conversion. */
function toGrey(rgba) {
  for (let at = 0; at < rgba.length; at += 4) {
    rgba[at] = (rgba[at] * 19595 + rgba[at + 1] * 38470 + rgba[at + 2] * 7471 + 0x8000) >>> 16;
  }
}

/** Average the boxes of a tile into the reduced picture, whose first is at a column and row. */
function averageTile(tile, [across, down], reduced, column, row) {
  const { channels } = reduced;
  const columns = Math.ceil(tile.width / across);
  const sums = new Uint32Array(columns * channels);
  for (let top = 0; top < tile.height; top += down, row += 1) {
    const bottom = Math.min(top + down, tile.height);
    sums.fill(0);
    for (let y = top; y < bottom; y += 1) addRow(sums, tile, y, across, channels);
    const into = (row * reduced.width + column) * channels;
    for (let place = 0; place < columns; place += 1) {
      const count = Math.min(across, tile.width - place * across) * (bottom - top);
      const times = Math.floor(Math.fround(2 ** 32 / Math.fround(256 * count)));
      for (let channel = 0; channel < channels; channel += 1) {
        const sum = sums[place * channels + channel] + (count >>> 1);
        reduced.data[into + place * channels + channel] = Math.floor(sum * times / 2 ** 24);
      }
    }
  }
}

function addRow(sums, { data, width }, y, across, channels) {
  let at = 4 * y * width;
  for (let left = 0, place = 0; left < width; left += across, place += channels) {
    const end = at + 4 * Math.min(across, width - left);
    let red = 0, green = 0, blue = 0;
    if (channels === 1) {
      for (; at < end; at += 4) red += data[at];
    } else {
      for (; at < end; at += 4) {
        red += data[at];
        green += data[at + 1];
        blue += data[at + 2];
      }
      sums[place + 1] += green;
      sums[place + 2] += blue;
    }
    sums[place] += red;
  }
}

/** Return, for each value of a new row, its two neighbours' places and the second's share of 256. */
function neighbours(old, fresh) {
  const first = new Int32Array(fresh), second = new Int32Array(fresh), share = new Int32Array(fresh);
  for (let place = 0; place < fresh; place += 1) {
    const at = (place + 0.5) * (1 / (fresh / old)) - 0.5;
    const whole = Math.floor(at);
    const isOutside = whole < 0 || whole >= old - 1;
    share[place] = isOutside ? 0 : rounded((at - whole) * 256);
    first[place] = Math.min(Math.max(whole, 0), old - 1);
    second[place] = Math.min(first[place] + 1, old - 1);
  }
  return { first, second, share };
}

/** Return a picture at another size: OpenCV's INTER_LINEAR_EXACT. */
function resized({ width, height, channels, data }, [wide, high]) {
  if (width === wide && height === high) return data;
  const across = neighbours(width, wide), down = neighbours(height, high);
  const row = wide * channels;
  const along = new Uint16Array(height * row);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const left = (y * width + across.first[x]) * channels;
      const right = (y * width + across.second[x]) * channels;
      for (let channel = 0; channel < channels; channel += 1) {
        along[y * row + x * channels + channel] = data[left + channel] * (256 - across.share[x])
          + data[right + channel] * across.share[x];
      }
    }
  }
  const fresh = new Uint8Array(high * row);
  for (let y = 0; y < high; y += 1) {
    const above = down.first[y] * row, below = down.second[y] * row, share = down.share[y];
    for (let x = 0; x < row; x += 1) {
      fresh[y * row + x] = (along[above + x] * (256 - share) + along[below + x] * share + 0x8000) >>> 16;
    }
  }
  return fresh;
}

/** Return a bitmap's pixels in the model's form: image_size x image_size x channels bytes. */
function prepared(bitmap, form) {
  const { image_size: side, channels } = form;
  const cut = cutOf([bitmap.width, bitmap.height], form);
  const inner = resized(averaged(bitmap, cut, channels), cut.target);
  if (form.resize !== "pad") return inner;
  const [wide, high] = cut.target;
  const left = Math.floor((side - wide) / 2), top = Math.floor((side - high) / 2);
  const padded = new Uint8Array(side * side * channels);
  for (let y = 0; y < high; y += 1) {
    const from = y * wide * channels;
    padded.set(inner.subarray(from, from + wide * channels), ((top + y) * side + left) * channels);
  }
  return padded;
}
