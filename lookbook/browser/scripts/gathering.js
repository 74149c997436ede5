"use strict";
// Pictures from wherever a person gives them: dropped, pasted, chosen; folders of any depth.

const PICTURES = /\.(jpe?g|jfif|png|gif|bmp|webp|avif|heic|heif)$/i;

/** Return {files: [{name, file}], leftOut} of what was dropped or pasted. */
async function gathered(transfer) {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file")
    .map((item) => item.webkitGetAsEntry?.() || item.getAsFile());
  const found = { files: [], leftOut: 0 };
  for (const entry of entries.filter(Boolean)) await gather(entry, found, false);
  return found;
}

async function gather(entry, found, isInside) {
  if (entry instanceof File) {
    found.files.push({ name: entry.name, file: entry });
  } else if (entry.isDirectory) {
    if (isInside && entry.name.startsWith(".")) return;
    for (const inner of await listed(entry)) await gather(inner, found, true);
  } else if (isInside && !isPicture(entry.name)) {
    found.leftOut += 1;
  } else {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject)).catch(() => null);
    if (file) found.files.push({ name: entry.fullPath.replace(/^\//, ""), file });
    else found.leftOut += 1;
  }
}

const isPicture = (name) => PICTURES.test(name) && !name.startsWith(".");

/** Return what is in a folder, in the order of the names; a browser tells a hundred at a time. */
async function listed(folder) {
  const reader = folder.createReader(), all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all.sort((one, other) => (one.name < other.name ? -1 : 1));
    all.push(...some);
  }
}

/** Return {files, leftOut} of what was chosen: files, or all that is in a folder. */
function chosen(input) {
  const all = [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  input.value = "";  // so that the same file can be chosen again
  const kept = all.filter(({ file }) => !file.webkitRelativePath || isPicture(file.name));
  const files = kept.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { files, leftOut: all.length - files.length };
}
