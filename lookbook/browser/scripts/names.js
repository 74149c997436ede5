"use strict";
// Names of files and classes on the page, as lookbook/foundation/names.py has them in a line.

const HARMFUL = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Return a name in which what would turn or hide letters is written out. */
function inLine(name) {
  return name.replace(HARMFUL, (letter) => {
    const code = letter.codePointAt(0).toString(16);
    if (code.length > 4) return `\\U${code.padStart(8, "0")}`;
    return SHORT[letter] || (code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`);
  });
}

/** Return a name as an element, whose direction is its own. */
function named(name) {
  const element = document.createElement("bdi");
  element.append(inLine(name));
  return element;
}
