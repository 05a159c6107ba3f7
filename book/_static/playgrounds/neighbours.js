/* How alike a scene is to the test scenes: by mixtures (probmcl/loss/similarity.py), features or pixels. */
(function (probmcl) {
  "use strict";

  const { SIDE, dot, unit, mixtureOf } = probmcl.encoder;
  const { values, rows } = probmcl.tensors;

  const LABELS = 10;
  const scenes = rows(values(probmcl.scenes, "pixels"), SIDE * SIDE);
  const labels = rows(values(probmcl.scenes, "labels"), LABELS).map((row) => [...row]);
  const features = rows(values(probmcl.weights, "features"), probmcl.weights.features.shape[1]);
  const mixtures = features.map(mixtureOf);

  /* log of the integral of p times q: every component of one meets every component of the other. */
  function logKernel(p, q) {
    const terms = p.means.flatMap((mean, k) =>
      q.means.map((other, l) => {
        const variance = p.sigmas[k] ** 2 + q.sigmas[l] ** 2;
        const distance = 2 - 2 * dot(mean, other); // squared, of unit vectors
        const logNormal = -(mean.length / 2) * Math.log(2 * Math.PI * variance) - distance / (2 * variance);
        return p.logWeights[k] + q.logWeights[l] + logNormal;
      }),
    );
    const top = Math.max(...terms);
    return top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
  }

  const own = mixtures.map((mixture) => logKernel(mixture, mixture));

  /* log Sim = log kappa_pq - (log kappa_pp + log kappa_qq) / 2 with each test scene; above 0 there is only rounding. */
  function logSimilarities(mixture) {
    const self = logKernel(mixture, mixture);
    return mixtures.map((other, i) => Math.min(0, logKernel(mixture, other) - (self + own[i]) / 2));
  }

  /* Cosines with all rows, from which the mean row is subtracted first: else all are close to 1. */
  function cosines(all) {
    const mean = Float64Array.from(all[0], (_, k) => all.reduce((sum, row) => sum + row[k], 0) / all.length);
    const centred = (row) => unit(Float64Array.from(row, (value, k) => value - mean[k]));
    const others = all.map(centred);
    return (row) => others.map((other) => dot(other, centred(row)));
  }

  const [byFeatures, byPixels] = [cosines(features), cosines(scenes)];
  const SIMILARITIES = {
    mixtures: ({ mixture }) => logSimilarities(mixture),
    features: ({ feature }) => byFeatures(feature),
    pixels: ({ pixels }) => byPixels(pixels),
  };

  probmcl.neighbours = { LABELS, SIMILARITIES, scenes, labels };
})((window.probmcl = window.probmcl || {}));
