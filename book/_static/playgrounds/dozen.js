/* A dozen points on the circle, moved by gradient descent until the contrastive loss rests. The mathematics of
 * probmcl/loss/contrastive.py, for unit vectors z = (cos a, sin a) whose logits are cosines divided by tau.
 */
(function (probmcl) {
  "use strict";

  const { inCommon, overlap, positiveSet, size } = probmcl.positiveSets;

  const CLASSES = "ABC";
  const NAMES = ["A", "AB", "B", "BC", "C", "AC"].flatMap((name) => [name, name]); // two rows of each set
  const LABELS = NAMES.map((name) => [...CLASSES].map((letter) => Number(name.includes(letter))));
  const STEPS = 120;
  const LENGTH = 0.15; // of a step, times the temperature: logits and their gradients grow as 1 / tau
  const GROUPS = { equal: (j) => j === 1, overlapping: (j) => j > 0 && j < 1, disjoint: (j) => j === 0 };

  /* Who is positive for whom, as 12 rows of 12 booleans. */
  function positives({ rule, alpha }) {
    if (rule === "any") return LABELS.map((a, i) => LABELS.map((b, j) => i !== j && inCommon(a, b) > 0));
    return positiveSet(LABELS, { index: "jaccard", alpha: rule === "exact" ? 1 : alpha, empty: "match" });
  }

  /* The mean over anchors i of -log softmax_{j != i} (cos(a_i - a_j) / tau), averaged over positives j; and its
   * gradient by the angles a. Every row has another one with equal labels, so no anchor is without positives. */
  function lossAndGradient(angles, positive, tau) {
    const rows = angles.length;
    const gradient = angles.map(() => 0);
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      const weights = angles.map((a, j) => (j === i ? 0 : Math.exp((Math.cos(angles[i] - a) - 1) / tau)));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const count = positive[i].filter(Boolean).length;
      for (let j = 0; j < rows; j++) {
        if (j === i) continue;
        const wanted = positive[i][j] ? 1 / count : 0;
        loss -= (wanted * ((Math.cos(angles[i] - angles[j]) - 1) / tau - Math.log(sum))) / rows;
        const push = (((weights[j] / sum - wanted) / tau) * Math.sin(angles[i] - angles[j])) / rows;
        gradient[i] -= push;
        gradient[j] += push;
      }
    }
    return { loss, gradient };
  }

  /* Angles drawn from a seed, a whole number: mulberry32. */
  function startAngles(seed) {
    let state = seed;
    return NAMES.map(() => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return (2 * Math.PI * ((mixed ^ (mixed >>> 14)) >>> 0)) / 2 ** 32;
    });
  }

  /* The whole descent: {angles, loss, gradient} before each step and after the last one. */
  function descent(positive, tau, seed) {
    const path = [];
    let angles = startAngles(seed);
    for (let step = 0; step <= STEPS; step++) {
      const found = lossAndGradient(angles, positive, tau);
      path.push({ angles, ...found });
      angles = angles.map((a, i) => a - LENGTH * tau * NAMES.length * found.gradient[i]);
    }
    return path;
  }

  /* Mean cosine of two rows with equal, with overlapping and with disjoint label sets. */
  function meanCosines(angles) {
    const pairs = NAMES.flatMap((_, i) => NAMES.slice(0, i).map((_, j) => [i, j]));
    const jaccard = ([i, j]) => overlap(inCommon(LABELS[i], LABELS[j]), size(LABELS[i]), size(LABELS[j]), "jaccard");
    return Object.fromEntries(
      Object.entries(GROUPS).map(([name, belongs]) => {
        const cosines = pairs.filter((pair) => belongs(jaccard(pair))).map(([i, j]) => Math.cos(angles[i] - angles[j]));
        return [name, cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length];
      }),
    );
  }

  probmcl.dozen = { NAMES, LABELS, STEPS, positives, descent, meanCosines };
})((window.probmcl = window.probmcl || {}));
