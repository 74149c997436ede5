"use strict";
// What kind of file a picture is, by its first bytes, and how large it will be once decoded: what
// is no picture, cut off, or too large gets its sentence before a decoder is asked.

const MEGAPIXELS = 60;  // at most; decoded, a pixel takes four bytes, twice
const MOST_BYTES = 2 ** 28;  // as lookbook/inference
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/** A picture that could not be had: the reason, as tables have it, and what to do about it. */
class Fault extends Error {
  constructor(reason, remedy) {
    super(reason);
    this.remedy = remedy;
  }
}

const FAULTS = {
  empty: () => new Fault("empty", "It has 0 bytes: copy it again."),
  gone: () => new Fault("not a file that can be read", "Look whether it is still there."),
  heavy: () => new Fault(`over ${MOST_BYTES.toLocaleString("en")} bytes`, "Save it smaller."),
  large: (count) => new Fault("too many pixels", `It has ${Math.ceil(count / 1e6)} megapixels, and `
    + `this page reads ${MEGAPIXELS}: save it smaller.`),
  damaged: () => new Fault("truncated or damaged", "Copy it again from where it came from."),
  unknown: () => new Fault("not a picture", "Choose a JPEG, PNG, GIF, BMP, WebP or AVIF file."),
  svg: () => new Fault("SVG, which is no picture of pixels", "Save it as PNG."),
  pdf: () => new Fault("PDF, which is no picture", "Save its page as PNG or JPEG."),
  tiff: () => new Fault("TIFF, which browsers do not read", "Save it as PNG or JPEG."),
  heic: () => new Fault("HEIC, which this browser does not read", "Save it as JPEG, or share it from "
    + "the phone as “most compatible”."),
};

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** Return what a file's bytes say of it: {kind, width, height, moves}; sizes may be unknown. */
function examined(bytes) {
  if (!bytes.length) throw FAULTS.empty();
  const kind = kindOf(bytes);
  if (FAULTS[kind] && kind !== "heic") throw FAULTS[kind]();
  try {
    const found = { kind, moves: false, ...READERS[kind]?.(bytes, new DataView(bytes.buffer)) };
    if (found.width * found.height > MEGAPIXELS * 1e6) throw FAULTS.large(found.width * found.height);
    return found;
  } catch (error) {
    if (error instanceof RangeError) throw FAULTS.damaged();  // a header that ends too early
    throw error;
  }
}

function kindOf(bytes) {
  const start = text(bytes, 0, 12);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("GIF8")) return "gif";
  if (start.startsWith("BM")) return "bmp";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "webp";
  if (start.startsWith("%PDF")) return "pdf";
  if (start.startsWith("II*\0") || start.startsWith("MM\0*")) return "tiff";
  if (start.slice(4, 8) === "ftyp") {
    const brand = start.slice(8);
    if (brand === "avif" || brand === "avis") return "avif";
    if (HEIC.includes(brand)) return /avi[fs]/.test(text(bytes, 0, 64)) ? "avif" : "heic";
  }
  return /<svg[\s>]/i.test(text(bytes, 0, 4096)) ? "svg" : "unknown";
}

const READERS = {
  jpeg(bytes, view) {
    let size = {};
    for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
      while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1;  // which fill up
      if (view.getUint8(at) !== 0xff) throw FAULTS.damaged();
      const marker = view.getUint8(at + 1);
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      if (marker === 0xd9) throw FAULTS.damaged();
      if (marker === 0xda) {
        if (!endsAfter(bytes, at)) throw FAULTS.damaged();
        return size;
      }
    }
  },
  png(bytes, view) {
    const size = { width: view.getUint32(16), height: view.getUint32(20) };
    let moves = false;
    for (let at = 8; ; at += 12 + view.getUint32(at)) {
      const name = text(bytes, at + 4, at + 8);
      if (name === "acTL") moves = view.getUint32(at + 8) > 1;
      if (name === "IEND") return { ...size, moves };
    }
  },
  gif(bytes, view) {
    const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    const colours = (flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
    let at = 13 + colours(bytes[10]), pictures = 0;
    const skipBlocks = () => {
      while (bytes[at]) at += 1 + bytes[at];
      at += 1;
    };
    while (at < bytes.length && pictures < 2) {
      if (bytes[at] === 0x21) at += 2;
      else if (bytes[at] === 0x2c) {
        at += 11 + colours(bytes[at + 9]);
        pictures += 1;
      } else break;
      skipBlocks();
    }
    return { ...size, moves: pictures > 1 };
  },
  bmp: (_, view) => ({ width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) }),
  webp(bytes, view) {
    if (view.getUint32(4, true) + 8 > bytes.length) throw FAULTS.damaged();
    const kind = text(bytes, 12, 16);
    if (kind === "VP8X") {
      const three = (at) => 1 + bytes[at] + 256 * bytes[at + 1] + 65536 * bytes[at + 2];
      return { width: three(24), height: three(27), moves: (bytes[20] & 2) > 0 };
    }
    if (kind === "VP8L") {
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  },
  avif(bytes, view) {
    const at = text(bytes, 0, 1024).indexOf("ispe");
    const size = at < 0 ? {} : { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    return { ...size, moves: text(bytes, 8, 12) === "avis" };
  },
};

/** Return whether a JPEG has its end marker after a place: without, it is cut off. */
function endsAfter(bytes, place) {
  for (let at = bytes.indexOf(0xff, place + 2); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xd9) return true;
  }
  return false;
}
