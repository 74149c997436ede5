"use strict";
// Runs the model, beside the page, which stays quick: pictures in, one at a time; answers out.

const THUMBNAIL = 112;  // pixels of the longer side

let card, model;

const TASKS = {
  async load(given) {
    card = given.card;
    const [wasmBinary, bytes] = await Promise.all([unpacked(given.program), unpacked(given.model)]);
    self.Module = { wasmBinary, print() {}, printErr() {} };
    await LiteRT.loadLiteRt("");
    model = await LiteRT.loadAndCompile(bytes, { accelerator: "wasm" });
    await answered(new Uint8Array(card.image_size ** 2 * card.channels));  // the first takes longer
  },
  async classify({ file }) {
    const start = performance.now();
    const found = examined(await contentOf(file));
    const bitmap = await decoded(file, found);
    try {
      const decode = performance.now() - start;
      const pixels = prepared(bitmap, card);
      const prepare = performance.now() - start - decode;
      const said = await answered(pixels);
      said.milliseconds.decode = decode;
      said.milliseconds.prepare = prepare;
      return { ...said, moves: found.moves, thumbnail: await thumbnailOf(bitmap) };
    } finally {
      bitmap.close();
    }
  },
  async ink({ ink }) {
    const all = [];
    for (const pixels of fittings(ink, card)) all.push(await answered(pixels));
    return all.reduce((one, other) => (other.strangeness < one.strangeness ? other : one));
  },
};

async function contentOf(file) {
  if (file.size > MOST_BYTES) throw FAULTS.heavy();
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw FAULTS.gone();
  }
}

/** Return a file's first picture, turned as it says, its colours as they are. */
async function decoded(file, { kind }) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: "none", premultiplyAlpha: "premultiply", imageOrientation: "from-image",
    });
  } catch {
    throw kind === "heic" ? FAULTS.heic() : FAULTS.damaged();
  }
  if (bitmap.width * bitmap.height <= MEGAPIXELS * 1e6) return bitmap;
  bitmap.close();
  throw FAULTS.large(bitmap.width * bitmap.height);
}

/** Return what the model says of pixels in its form, and how long it took. */
async function answered(pixels) {
  const { image_size: side, channels } = card;
  const start = performance.now();
  const tensor = new LiteRT.Tensor(pixels, [1, side, side, channels]);
  const tensors = await model.run({ pixels: tensor });
  const outputs = {};
  for (const [name, output] of Object.entries(tensors)) {
    outputs[name] = output.toTypedArray();
    output.delete();
  }
  tensor.delete();
  const milliseconds = { model: performance.now() - start };
  const said = predictionOf({ ...outputs, strangeness: outputs.strangeness[0] }, card);
  return { ...said, pixels, milliseconds };
}

async function thumbnailOf(bitmap) {
  const scale = Math.min(1, THUMBNAIL / Math.max(bitmap.width, bitmap.height));
  const size = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(scale * length)));
  const canvas = new OffscreenCanvas(...size);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, ...size);
  context.drawImage(bitmap, 0, 0, ...size);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
}

self.addEventListener("message", async ({ data: { id, task, ...given } }) => {
  try {
    self.postMessage({ id, said: await TASKS[task](given) });
  } catch (error) {
    const said = error instanceof Fault ? { fault: error.message, remedy: error.remedy } : null;
    self.postMessage({ id, said, error: said ? undefined : String(error?.message || error) });
  }
});
