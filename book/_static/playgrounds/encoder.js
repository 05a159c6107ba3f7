/* A scene becomes a feature, label scores and a mixture: the small network of probmcl/model/encoders.py, the mixture
 * density head of mixture_head.py and a linear classifier, forward only, with the weights of weights.js.
 */
(function (probmcl) {
  "use strict";

  const { values, rows } = probmcl.tensors;

  const SIDE = 32; // pixels of a scene, in a row and in a column
  const STRIDES = [2, 1, 2, 1, 1];
  const NORMALISER = 1e-5; // what batch normalisation adds to a variance

  const weight = (name) => values(probmcl.weights, name);
  const shape = (name) => probmcl.weights[name].shape;

  /* A convolution and the batch normalisation behind it, as gain and shift of each channel. */
  function readLayer(depth) {
    const [name, norm] = [`encoder.network.${3 * depth}.weight`, `encoder.network.${3 * depth + 1}`];
    const [mean, variance] = [weight(`${norm}.running_mean`), weight(`${norm}.running_var`)];
    const [outputs, inputs] = shape(name);
    const gain = Float64Array.from(weight(`${norm}.weight`), (g, k) => g / Math.sqrt(variance[k] + NORMALISER));
    const shift = Float64Array.from(weight(`${norm}.bias`), (b, k) => b - mean[k] * gain[k]);
    return { inputs, outputs, stride: STRIDES[depth], filters: weight(name), gain, shift };
  }

  /* An affine map. */
  function readLinear(name) {
    const bias = weight(`${name}.bias`);
    const matrix = rows(weight(`${name}.weight`), shape(`${name}.weight`)[1]);
    return (x) => Float64Array.from(matrix, (row, i) => dot(row, x) + bias[i]);
  }

  const layers = STRIDES.map((_, depth) => readLayer(depth));
  const [trunk, last, mu, sigma, pi] = ["trunk.0", "trunk.2", "mu", "sigma", "pi"].map((name) => readLinear(`head.${name}`));
  const classifier = readLinear("classifier");

  function dot(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  }

  function unit(x) {
    const length = Math.sqrt(dot(x, x));
    return Float64Array.from(x, (value) => value / length);
  }

  /* Channels of side x side values, each with a border of zeros around it. */
  function framed(channels, side) {
    return { channels, side, width: side + 2, data: new Float64Array(channels * (side + 2) ** 2) };
  }

  /* A 3 x 3 convolution, normalised, and what is above zero of it. */
  function convolve(x, { outputs, inputs, stride, filters, gain, shift }) {
    const y = framed(outputs, x.side / stride);
    const plane = x.width ** 2;
    const sums = new Float64Array(y.side ** 2);
    for (let o = 0; o < outputs; o++) {
      sums.fill(0);
      for (let c = 0; c < inputs; c++) {
        const w = filters.subarray((o * inputs + c) * 9, (o * inputs + c) * 9 + 9);
        for (let row = 0; row < y.side; row++) {
          const first = c * plane + row * stride * x.width;
          const second = first + x.width;
          const third = second + x.width;
          for (let column = 0; column < y.side; column++) {
            const at = column * stride;
            sums[row * y.side + column] +=
              w[0] * x.data[first + at] + w[1] * x.data[first + at + 1] + w[2] * x.data[first + at + 2] +
              w[3] * x.data[second + at] + w[4] * x.data[second + at + 1] + w[5] * x.data[second + at + 2] +
              w[6] * x.data[third + at] + w[7] * x.data[third + at + 1] + w[8] * x.data[third + at + 2];
          }
        }
      }
      for (let i = 0; i < sums.length; i++) {
        const place = (Math.floor(i / y.side) + 1) * y.width + (i % y.side) + 1;
        y.data[o * y.width ** 2 + place] = Math.max(0, sums[i] * gain[o] + shift[o]);
      }
    }
    return y;
  }

  /* The feature of 32 x 32 grey values from 0 to 255: the largest value of each of the last channels. */
  function featureOf(pixels) {
    let x = framed(1, SIDE);
    pixels.forEach((grey, i) => (x.data[(Math.floor(i / SIDE) + 1) * x.width + (i % SIDE) + 1] = grey / 127.5 - 1));
    for (const layer of layers) x = convolve(x, layer);
    return Float64Array.from(rows(x.data, x.width ** 2), (plane) => plane.reduce((most, value) => Math.max(most, value), 0));
  }

  /* The mixture of a feature: log weights, unit means and standard deviations of its components. */
  function mixtureOf(feature) {
    const scaled = unit(feature).map((value) => value * Math.sqrt(feature.length));
    const t = last(trunk(scaled).map((value) => Math.max(0, value)));
    const logits = pi(t);
    const top = Math.max(...logits);
    const logSum = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
    return {
      logWeights: logits.map((logit) => logit - logSum),
      means: rows(mu(t), t.length).map(unit),
      sigmas: sigma(t).map((s) => (s > 0 ? s + 1 : Math.exp(s)) + probmcl.weights.floor),
    };
  }

  /* The probability of each label, from the linear classifier on the feature. */
  function scoresOf(feature) {
    return classifier(feature).map((logit) => 1 / (1 + Math.exp(-logit)));
  }

  probmcl.encoder = { SIDE, dot, unit, featureOf, mixtureOf, scoresOf };
})((window.probmcl = window.probmcl || {}));
