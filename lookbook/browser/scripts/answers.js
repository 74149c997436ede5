"use strict";
// What a model answers, by the rules and in the words of lookbook/inference: answers.py, classifier.py.

const WORDS = { unsure: "unsure", stranger: "none of these" };  // in place of a class

/** Return a share as people read it; never all where it is not. */
function percent(share) {
  const whole = `${rounded(100 * share)} %`;
  return whole === "100 %" && share < 1 - 1e-6 ? "over 99 %" : whole;
}

/** Return what a model says of a picture, from its three outputs; classes by their places. */
function predictionOf({ probabilities, calibrated, strangeness }, card) {
  const names = card.class_names;
  const places = names.map((_, place) => place);
  const likely = places.filter((place) => calibrated[place] >= Math.fround(card.least_probability));
  const best = (shares) => places.reduce((one, other) => (shares[other] > shares[one] ? other : one));
  const likeliest = best(probabilities);
  let kind = likely.length === 1 ? "class" : "unsure";
  if (strangeness > Math.fround(card.most_strangeness)) kind = "stranger";
  const because = reasonOf(kind, calibrated, likeliest, likely, card);
  return {
    kind,
    answer: WORDS[kind] || names[best(calibrated)],
    likeliest,
    probability: calibrated[likeliest],
    probabilities: Array.from(calibrated),
    in_question: likely,
    strangeness,
    because,
    reason: because.map((part) => part.name ?? part).join(""),
  };
}

/** Return the words that speak for an answer, in parts: a class is { name }. */
function reasonOf(kind, calibrated, likeliest, likely, card) {
  const share = (place) => [{ name: card.class_names[place] }, ` (${percent(calibrated[place])})`];
  if (kind === "stranger") {
    return [`stranger than about ${percent(card.kept)} of the pictures that it was checked with`];
  }
  if (kind === "class") return share(likeliest);
  if (!likely.length) return ["no class is likely enough, ", ...share(likeliest), " the most"];
  const order = [...likely].sort((one, other) => calibrated[other] - calibrated[one]);
  return order.flatMap((place, at) => [at ? " or " : "", ...share(place)]);
}
