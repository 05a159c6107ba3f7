/* Positive sets: who is positive for whom. The mathematics of probmcl/loss/overlap.py and positives.py.
 *
 * Label matrices are arrays of N rows of K zeros and ones. Overlaps are compared with the threshold in whole
 * numbers, as in the package: in floating point the cosine of two equal sets of five labels falls below 1.
 */
(function (probmcl) {
  "use strict";

  const INDICES = ["jaccard", "dice", "overlap", "cosine", "exact"];
  const POLICIES = ["match", "own_view", "drop"];
  const FINEST = 1000000; // the largest denominator of a threshold
  const LIMITS = { rows: 24, columns: 12 };

  /* The fraction p/q nearest to alpha in [0, 1] with q <= limit, as [p, q]. A floating-point number is itself
   * a fraction, so whole numbers of any size (BigInt) find the nearest one exactly: the continued fraction
   * of alpha is cut where the denominator grows too large. */
  function nearestFraction(alpha, limit = FINEST) {
    let scaled = alpha;
    let denominator = 1n;
    while (!Number.isInteger(scaled)) {
      scaled *= 2;
      denominator *= 2n;
    }
    const most = BigInt(limit);
    let [n, d] = [BigInt(scaled), denominator];
    let [p0, q0, p1, q1] = [0n, 1n, 1n, 0n];
    while (d !== 0n) {
      const whole = n / d;
      if (q0 + whole * q1 > most) {
        const k = (most - q0) / q1; // the last denominator that fits between the two
        if (2n * d * (q0 + k * q1) > denominator) [p1, q1] = [p0 + k * p1, q0 + k * q1];
        break;
      }
      [p0, q0, p1, q1] = [p1, q1, p0 + whole * p1, q0 + whole * q1];
      [n, d] = [d, n - whole * d];
    }
    if (p1 === 0n && alpha > 0) return [1, limit]; // 0 would let every labelled pair through
    return [Number(p1), Number(q1)];
  }

  function size(row) {
    return row.reduce((sum, label) => sum + label, 0);
  }

  function inCommon(first, second) {
    return first.reduce((sum, label, k) => sum + label * second[k], 0);
  }

  /* The overlap of two sets with a and b labels, c of them in common; 0 if one of them has none. */
  function overlap(c, a, b, index) {
    if (index === "exact") return c === a && c === b ? 1 : 0;
    const denominator = { jaccard: a + b - c, dice: (a + b) / 2, overlap: Math.min(a, b), cosine: Math.sqrt(a * b) };
    return denominator[index] > 0 ? c / denominator[index] : 0;
  }

  /* Whether that overlap is at least p/q. Every product below is a whole number under 2^53, so it is exact. */
  function overlapsEnough(c, a, b, index, [p, q]) {
    if (a === 0 || b === 0) return false; // what label-less rows are to each other is a policy
    if (p === 0) return true;
    switch (index) {
      case "jaccard":
        return c * q >= p * (a + b - c);
      case "dice":
        return 2 * c * q >= p * (a + b);
      case "overlap":
        return c * q >= p * Math.min(a, b);
      case "cosine":
        return c * c * q * q >= p * p * a * b;
      default:
        return c === a && c === b;
    }
  }

  /* The positive sets A(i) = {j != i : overlap >= alpha} as N rows of N booleans.
   * images[i] is the image that row i is a view of; the policy "own_view" needs it. */
  function positiveSet(labels, { index, alpha, empty, images }) {
    const threshold = nearestFraction(alpha);
    const sizes = labels.map(size);
    const matched = (i, j) =>
      sizes[i] === 0 && sizes[j] === 0 && (empty === "match" || (empty === "own_view" && images[i] === images[j]));
    return labels.map((first, i) =>
      labels.map(
        (second, j) =>
          i !== j &&
          (overlapsEnough(inCommon(first, second), sizes[i], sizes[j], index, threshold) || matched(i, j)),
      ),
    );
  }

  /* Positives per anchor, their mean, and the anchors that have none. */
  function statistics(positives) {
    const counts = positives.map((row) => row.filter(Boolean).length);
    const alone = counts.filter((count) => count === 0).length;
    return { counts, mean: counts.reduce((a, b) => a + b, 0) / counts.length, alone, share: alone / counts.length };
  }

  /* The batch of two views: row i and row i + N are the views of image i. */
  function twoViews(labels) {
    const images = labels.map((_, i) => i);
    return { labels: [...labels, ...labels], images: [...images, ...images] };
  }

  /* Every value above 0 that the index takes in this batch, ascending: the places where the threshold acts. */
  function attainable(labels, index) {
    const sizes = labels.map(size);
    const values = new Map(); // by their first digits: 2/sqrt(12) and 1/sqrt(3) are one value
    labels.forEach((first, i) =>
      labels.slice(0, i).forEach((second, j) => {
        const value = overlap(inCommon(first, second), sizes[i], sizes[j], index);
        if (value > 0) values.set(value.toFixed(12), value);
      }),
    );
    return [...values.values()].sort((a, b) => a - b);
  }

  /* Thresholds from `low` (left out) to `high` (included) give the same positive sets: one entry a plateau. */
  function plateaus(labels, { index, empty, images }) {
    const ends = attainable(labels, index);
    if (ends.at(-1) !== 1) ends.push(1);
    return ends.map((high, step) => {
      const low = step === 0 ? 0 : ends[step - 1];
      const alpha = (low + high) / 2;
      return { low, high, ...statistics(positiveSet(labels, { index, alpha, empty, images })) };
    });
  }

  /* The plateau that a threshold lies on; there is none at 0. */
  function plateauAt(plateaus, alpha) {
    const [p, q] = nearestFraction(alpha);
    return plateaus.find(({ low, high }) => low < p / q && p / q <= high);
  }

  /* A label matrix from text, rows divided by line ends or "/"; or an error in words. */
  function readLabels(text) {
    const rows = text
      .trim()
      .split(/[\n/]/)
      .map((row) => row.replace(/[\s,;[\]]/g, ""));
    const lengths = new Set(rows.map((row) => row.length));
    if (rows.some((row) => /[^01]/.test(row))) return { error: "Expected zeros and ones only." };
    if (lengths.size > 1) return { error: "Expected rows of the same length." };
    const [columns] = lengths;
    if (rows.length < 2 || rows.length > LIMITS.rows) return { error: `Expected 2 to ${LIMITS.rows} rows.` };
    if (columns < 1 || columns > LIMITS.columns) return { error: `Expected 1 to ${LIMITS.columns} columns.` };
    return { labels: rows.map((row) => [...row].map(Number)) };
  }

  function writeLabels(labels) {
    return labels.map((row) => row.join("")).join("/");
  }

  probmcl.positiveSets = {
    INDICES,
    POLICIES,
    LIMITS,
    nearestFraction,
    size,
    inCommon,
    overlap,
    overlapsEnough,
    positiveSet,
    statistics,
    twoViews,
    plateaus,
    plateauAt,
    readLabels,
    writeLabels,
  };
})((window.probmcl = window.probmcl || {}));
