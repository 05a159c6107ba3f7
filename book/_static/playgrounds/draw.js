/* A drawn or taken scene beside the test scenes: what the network says of it, its positives and its neighbours. */
(function (probmcl) {
  "use strict";

  const { SIDE, featureOf, mixtureOf, scoresOf } = probmcl.encoder;
  const { LABELS, SIMILARITIES, scenes, labels } = probmcl.neighbours;
  const { inCommon, nearestFraction, overlap, overlapsEnough, size } = probmcl.positiveSets;

  const thresholds = probmcl.tensors.values(probmcl.weights, "thresholds");
  const EMPTY = new Uint8Array(SIDE * SIDE);

  /* Pixels, feature, scores and mixture of strokes on scene 1, 2, ..., or on an empty canvas, 0. */
  function look({ scene, strokes }) {
    const pixels = probmcl.pen.inked(scene ? scenes[scene - 1] : EMPTY, strokes);
    const feature = featureOf(pixels);
    return { pixels, feature, scores: scoresOf(feature), mixture: mixtureOf(feature) };
  }

  /* The labels that count: those a reader has set, those of an untouched test scene, or those the classifier reads,
   * by the thresholds that were chosen on validation scenes; and which of these it is. */
  function labelsOf({ scene, strokes, own }, scores) {
    if (own) return { set: [...own].map(Number), from: "set by you" };
    if (scene && !strokes.length) return { set: labels[scene - 1], from: "of the test scene" };
    return { set: [...scores].map((score, k) => Number(score >= thresholds[k])), from: "read by the classifier" };
  }

  /* Every test scene but the scene itself: {scene, likeness, overlap, positive}, the most alike first. */
  function compare({ scene, strokes, alpha, near }, looked, set) {
    const threshold = nearestFraction(alpha);
    const likeness = SIMILARITIES[near](looked);
    const found = labels.map((other, i) => {
      const [c, a, b] = [inCommon(set, other), size(set), size(other)];
      const positive = overlapsEnough(c, a, b, "jaccard", threshold);
      return { scene: i + 1, likeness: likeness[i], overlap: overlap(c, a, b, "jaccard"), positive };
    });
    const itself = strokes.length ? 0 : scene;
    return found.filter((other) => other.scene !== itself).sort((a, b) => b.likeness - a.likeness);
  }

  probmcl.draw = { LABELS, SCENES: scenes.length, look, labelsOf, compare };
})((window.probmcl = window.probmcl || {}));
