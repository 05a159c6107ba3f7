/* Two Gaussian mixtures in the plane and how alike they are. The mathematics of probmcl/loss/similarity.py.
 *
 * A mixture is an array of components {x, y, sigma, weight}: a mean, one standard deviation for both
 * directions, and a share; the mixture weight pi is the share divided by the sum of all shares.
 * Everything is computed from logarithms: far apart, the densities themselves are 0 in floating point.
 */
(function (probmcl) {
  "use strict";

  const DIMENSIONS = 2;

  function weights(mixture) {
    const sum = mixture.reduce((total, part) => total + part.weight, 0);
    return mixture.map((part) => part.weight / sum);
  }

  function logSumExp(values) {
    const largest = Math.max(...values);
    if (largest === -Infinity) return -Infinity;
    return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  }

  function squaredDistance(p, q) {
    return (p.x - q.x) ** 2 + (p.y - q.y) ** 2;
  }

  /* log N(p; q, variance I) in the plane. */
  function logNormal(p, q, variance) {
    return -(DIMENSIONS / 2) * Math.log(2 * Math.PI * variance) - squaredDistance(p, q) / (2 * variance);
  }

  /* Density of the mixture at a point. */
  function density(mixture, point) {
    const pi = weights(mixture);
    return mixture.reduce((sum, part, k) => sum + pi[k] * Math.exp(logNormal(point, part, part.sigma ** 2)), 0);
  }

  /* log of the integral of p times q: every component of one meets every component of the other. */
  function logKernel(p, q) {
    const [piP, piQ] = [weights(p), weights(q)];
    const terms = p.flatMap((a, k) =>
      q.map((b, l) => Math.log(piP[k]) + Math.log(piQ[l]) + logNormal(a, b, a.sigma ** 2 + b.sigma ** 2)),
    );
    return logSumExp(terms);
  }

  /* log Sim = log kappa_pq - (log kappa_pp + log kappa_qq) / 2; above 0 there is only rounding. */
  function logExpectedLikelihood(p, q) {
    return Math.min(0, logKernel(p, q) - (logKernel(p, p) + logKernel(q, q)) / 2);
  }

  /* log sum_k sqrt(pi_k rho_k) BC_k: component k is compared with component k only. */
  function logBhattacharyya(p, q) {
    const [piP, piQ] = [weights(p), weights(q)];
    const terms = p.map((a, k) => {
      const b = q[k];
      const variance = (a.sigma ** 2 + b.sigma ** 2) / 2;
      const logVolume = DIMENSIONS * (Math.log(variance) - Math.log(a.sigma) - Math.log(b.sigma));
      const logCoefficient = -squaredDistance(a, b) / (8 * variance) - logVolume / 2;
      return (Math.log(piP[k]) + Math.log(piQ[k])) / 2 + logCoefficient;
    });
    return logSumExp(terms);
  }

  function mean(mixture) {
    const pi = weights(mixture);
    return {
      x: mixture.reduce((sum, part, k) => sum + pi[k] * part.x, 0),
      y: mixture.reduce((sum, part, k) => sum + pi[k] * part.y, 0),
    };
  }

  /* Cosine of the two means; a mean at the origin has no direction and gives 0. */
  function meanCosine(p, q) {
    const [a, b] = [mean(p), mean(q)];
    const length = (v) => Math.max(Math.hypot(v.x, v.y), 1e-12);
    return (a.x * b.x + a.y * b.y) / (length(a) * length(b));
  }

  /* Each similarity under the package's name: its score, the logit score / tau, and the odds e^(logit - best)
   * in a softmax against a mixture that is equal to the anchor. */
  function scores(p, q, tau) {
    const logSim = logExpectedLikelihood(p, q);
    const logCoefficient = logBhattacharyya(p, q);
    const of = (score, best) => ({ score, logit: score / tau, odds: Math.exp((score - best) / tau) });
    return {
      log_expected_likelihood: of(logSim, 0),
      expected_likelihood: of(Math.exp(logSim), 1),
      log_bhattacharyya: of(logCoefficient, 0),
      bhattacharyya: of(Math.exp(logCoefficient), 1),
      mean_cosine: of(meanCosine(p, q), 1),
    };
  }

  probmcl.mixtures = { weights, density, logKernel, mean, scores };
})((window.probmcl = window.probmcl || {}));
