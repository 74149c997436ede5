// Ask an exported model in Node: the runtime and the scripts are those of `lookbook page`.
//
//     node docs/examples/classify.mjs models/export/train_cnn.tflite photo.ppm
//
// Node reads no JPEG by itself: the picture is a PGM or PPM file, as `magick photo.jpg photo.ppm`
// makes it. Prints what the model says, as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";

const BROWSER = new URL("../../lookbook/browser/", import.meta.url);
const SHAPE_SIGNATURE = 7;  // a tensor's field, by LiteRT's schema

/** Return what there is to know of a model: card.json, which a zip archive at its end holds. */
function cardOf(file) {
  const directory = file.readUInt32LE(file.length - 22 + 16);
  const size = file.readUInt32LE(directory + 20), header = file.readUInt32LE(directory + 42);
  const start = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
  return JSON.parse(file.subarray(start, start + size));
}

/** Let a model take one picture at a time, which is what this runtime wants: -1 becomes 1. */
function forOnePicture(file) {
  const behind = (at) => at + file.readUInt32LE(at);
  const field = (table, number) => {
    const known = table - file.readInt32LE(table), at = 4 + 2 * number;
    const place = at < file.readUInt16LE(known) ? file.readUInt16LE(known + at) : 0;
    return place && behind(table + place);
  };
  const items = (vector) => Array.from(
    { length: vector && file.readUInt32LE(vector) }, (_, place) => vector + 4 + 4 * place,
  );
  for (const graph of items(field(behind(0), 2))) {
    for (const tensor of items(field(behind(graph), 0))) {
      for (const size of items(field(behind(tensor), SHAPE_SIGNATURE))) {
        if (file.readInt32LE(size) === -1) file.writeInt32LE(1, size);
      }
    }
  }
  return new Uint8Array(file);
}

/** Return the pixels of a PGM or PPM file as red, green, blue and opacity. */
function picture(file) {
  const form = /^P([56])\s+(\d+)\s+(\d+)\s+255\s/;
  const [head, kind, width, height] = form.exec(file.toString("latin1", 0, 50));
  const bytes = file.subarray(head.length), data = new Uint8ClampedArray(4 * width * height);
  const channels = kind === "5" ? 1 : 3;
  for (let at = 0; at < width * height; at += 1) {
    for (let channel = 0; channel < 4; channel += 1) {
      data[4 * at + channel] = channel === 3 ? 255 : bytes[channels * at + channel % channels];
    }
  }
  return { data, width: Number(width), height: Number(height) };
}

// What the runtime expects of Node, and of a browser.
Object.assign(globalThis, {
  self: globalThis, __dirname: ".", require: createRequire(import.meta.url),
});

/** What of a browser's canvas is used: a part of a picture is drawn and read again. */
globalThis.OffscreenCanvas = class {
  getContext() { return this; }
  fillRect() {}
  drawImage(...given) { this.given = given; }
  getImageData(left, top, width, height) {
    const [{ data, width: row }, x, y] = this.given, part = new Uint8ClampedArray(4 * width * height);
    for (let line = 0; line < height; line += 1) {
      const from = 4 * ((y + line) * row + x);
      part.set(data.subarray(from, from + 4 * width), 4 * line * width);
    }
    return { data: part, width, height };
  }
};

/** Return what a script defines under a name. */
function defined(script, name) {
  return new Function(`${script}\nreturn ${name};`)();
}

const read = (name) => readFileSync(new URL(name, BROWSER));
const scripts = ["rounding", "pictures", "answers"].map((name) => read(`scripts/${name}.js`));
const { prepared, predictionOf } = defined(scripts.join("\n"), "{ prepared, predictionOf }");
globalThis.Module = { wasmBinary: gunzipSync(read("runtime/litert.wasm.gz")), printErr() {} };
const LiteRT = defined(gunzipSync(read("runtime/litert.js.gz")), "LiteRT");

const file = readFileSync(process.argv[2]), card = cardOf(file);
await LiteRT.loadLiteRt("");
const model = await LiteRT.loadAndCompile(forOnePicture(file), { accelerator: "wasm" });
const { image_size: side, channels } = card;
const pixels = prepared(picture(readFileSync(process.argv[3])), card);
const outputs = await model.run({ pixels: new LiteRT.Tensor(pixels, [1, side, side, channels]) });
const [probabilities, calibrated, [strangeness]] = ["probabilities", "calibrated", "strangeness"]
  .map((name) => outputs[name].toTypedArray());
const said = predictionOf({ probabilities, calibrated, strangeness }, card);
console.log(JSON.stringify({
  ...said,
  likeliest: card.class_names[said.likeliest],
  in_question: said.in_question.map((place) => card.class_names[place]),
}, null, 2));
