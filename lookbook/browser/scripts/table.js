"use strict";
// The answers as a table: the columns and the form of lookbook/predicting/tables.py.

const DIGITS = 6;  // of figures, after the point

/** Return the whole table as the text of a CSV file. */
function csvOf(pictures, { card, stamp }) {
  const shares = card.class_names.map((name) => `p_${name}`);
  const columns = ["path", "answer", "probability", "in_question", ...shares, "strangeness",
    "model", "data", "revision", "error"];
  const rows = pictures.map(({ name, said }) => {
    const cells = { path: name, ...stamp };
    if (said.fault) return { ...cells, error: said.fault };
    card.class_names.forEach((_, place) => {
      cells[shares[place]] = short(said.probabilities[place]);
    });
    return {
      ...cells,
      answer: said.answer,
      probability: short(said.probability),
      in_question: said.in_question.map((place) => card.class_names[place]).join(";"),
      strangeness: short(said.strangeness),
    };
  });
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))];
  return lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
}

const short = (value) => String(Number(value.toFixed(DIGITS)));

/** Return a cell that no spreadsheet computes, as lookbook/foundation/names.py has it. */
function cell(value) {
  const text = /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Give the person a text as a file. */
function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
