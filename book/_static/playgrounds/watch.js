/* How features of test scenes move while three methods train: the recorded looks of tools/training_pictures.py. */
(function (probmcl) {
  "use strict";

  const { values, rows } = probmcl.tensors;
  const { inCommon, overlapsEnough, nearestFraction, size } = probmcl.positiveSets;

  const METHODS = ["supcon", "first", "cured"];
  const SIDE = 32;
  const data = probmcl.training;
  const scenes = rows(values(probmcl.scenes, "pixels"), SIDE * SIDE);
  const labels = rows(values(probmcl.scenes, "labels"), 10).map((row) => [...row]);

  /* Of each method: places of all scenes at every look, weights of their mixtures (if any), overlap of neighbours. */
  const looks = Object.fromEntries(
    METHODS.map((method) => {
      const overlap = [...values(data, `${method}.overlap`)];
      const places = values(data, `${method}.places`);
      const weights = data[`${method}.weights`] && rows(rows(values(data, `${method}.weights`), 10), scenes.length);
      return [method, { overlap, places: rows(rows(places, 2), scenes.length), weights, reach: places.reduce((most, x) => Math.max(most, Math.abs(x)), 0) }];
    }),
  );
  const STEPS = data.steps.at(-1);

  /* The last look at or before a step. */
  const lookAt = (step) => data.steps.findLastIndex((at) => at <= step);

  /* The places after a step, within -1 and 1; between two looks on a straight line. */
  function placesAt(method, step) {
    const { places, reach } = looks[method];
    const before = lookAt(step);
    const after = Math.min(before + 1, places.length - 1);
    const share = after > before ? (step - data.steps[before]) / (data.steps[after] - data.steps[before]) : 0;
    const between = (i, axis) => (1 - share) * places[before][i][axis] + share * places[after][i][axis];
    return scenes.map((_, i) => [between(i, 0) / reach, between(i, 1) / reach]);
  }

  /* Mixture weights of a scene at that look; undefined for a method without mixtures. */
  function weightsAt(method, step, scene) {
    return looks[method].weights && [...looks[method].weights[lookAt(step)][scene]].map((weight) => weight / 255);
  }

  /* How many components are in use: the exponential of the entropy of the mean weights. */
  function used(method, step) {
    if (!looks[method].weights) return undefined;
    const all = scenes.map((_, scene) => weightsAt(method, step, scene));
    const mean = all[0].map((_, k) => all.reduce((sum, weights) => sum + weights[k], 0) / all.length);
    const total = mean.reduce((sum, weight) => sum + weight, 0);
    return Math.exp(-mean.reduce((sum, weight) => sum + (weight ? (weight / total) * Math.log(weight / total) : 0), 0));
  }

  /* Whether each scene is a positive of one of them. */
  function positives(scene, alpha) {
    const [set, threshold] = [labels[scene], nearestFraction(alpha)];
    return labels.map((other, i) => i !== scene && overlapsEnough(inCommon(set, other), size(set), size(other), "jaccard", threshold));
  }

  probmcl.watch = { METHODS, SIDE, STEPS, scenes, labels, looks, steps: data.steps, lookAt, placesAt, weightsAt, used, positives };
})((window.probmcl = window.probmcl || {}));
