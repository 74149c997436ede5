"use strict";
// Whole numbers, as Python and OpenCV round them.

/** Return the nearest whole number; of a half the even one. */
function rounded(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
