/* The asymmetric loss of one label and its gradients. The mathematics of probmcl/loss/asymmetric.py.
 *
 * With p the predicted probability and q = max(p - margin, 0):
 *
 *   present label:  -(1 - p)^gammaPositive log p
 *   absent label:   -q^gammaNegative log(1 - q)
 *
 * Each function returns {value, byLogit, byProbability}. Since dp/ds = p (1 - p) for the logit s, the two
 * gradients differ by that factor.
 */
(function (probmcl) {
  "use strict";

  function sigmoid(s) {
    return s >= 0 ? 1 / (1 + Math.exp(-s)) : Math.exp(s) / (1 + Math.exp(s));
  }

  function logit(p) {
    return Math.log(p) - Math.log1p(-p);
  }

  function withGradients(value, byProbability, p) {
    return { value, byProbability, byLogit: byProbability * p * (1 - p) };
  }

  function present(p, { gammaPositive }) {
    const weight = (1 - p) ** gammaPositive;
    const slope = gammaPositive === 0 ? 0 : gammaPositive * (1 - p) ** (gammaPositive - 1); // of -weight
    return withGradients(-weight * Math.log(p), slope * Math.log(p) - weight / p, p);
  }

  function absent(p, { gammaNegative, margin }) {
    const q = p - margin;
    if (q <= 0) return withGradients(0, 0, p); // an easy one: dropped
    const weight = q ** gammaNegative;
    const slope = gammaNegative === 0 ? 0 : gammaNegative * q ** (gammaNegative - 1);
    return withGradients(-weight * Math.log1p(-q), weight / (1 - q) - slope * Math.log1p(-q), p);
  }

  const CROSS_ENTROPY = { gammaPositive: 0, gammaNegative: 0, margin: 0 };

  probmcl.asymmetric = { sigmoid, logit, present, absent, CROSS_ENTROPY };
})((window.probmcl = window.probmcl || {}));
