/* Asymmetric loss: what is seen and moved. The mathematics stands in asymmetric.js. */
(function (probmcl) {
  "use strict";

  const { sigmoid, logit, present, absent, CROSS_ENTROPY } = probmcl.asymmetric;

  const ENDS = { p: [0.001, 0.999], logit: [-6.9, 6.9] };
  const POINTS = 240;
  const PRESETS = {
    cross_entropy: CROSS_ENTROPY,
    focal: { gammaPositive: 2, gammaNegative: 2, margin: 0 },
    asymmetric: { gammaPositive: 0, gammaNegative: 4, margin: 0.05 },
  };

  const FIELDS = {
    gammaPositive: probmcl.number(0, 0, 8),
    gammaNegative: probmcl.number(4, 0, 8),
    margin: probmcl.number(0.05, 0, 0.5),
    p: probmcl.number(0.8, ...ENDS.p),
    logit: probmcl.number(undefined, ...ENDS.logit, {
      get: ({ p }) => logit(p),
      put: (s) => ({ p: sigmoid(s) }),
      show: (s) => String(Number(s.toFixed(4))),
    }),
    over: probmcl.choice("p", ["p", "logit"]),
  };

  /* What the three parameters amount to. */
  function specialCase({ gammaPositive, gammaNegative, margin }) {
    if (margin > 0) return "";
    if (gammaPositive === 0 && gammaNegative === 0) return "This is binary cross-entropy.";
    return gammaPositive === gammaNegative ? `This is the focal loss with γ = ${probmcl.short(gammaPositive)}.` : "";
  }

  class View {
    constructor(root) {
      this.root = root;
      this.paint = probmcl.painter(() => this.draw());
      this.playground = new probmcl.Playground(root, { fields: FIELDS, presets: PRESETS, render: (s) => this.render(s) });
      for (const svg of root.querySelectorAll(".pg-drag")) probmcl.draggable(svg, () => this.x(), (x) => this.moveTo(x));
    }

    x() {
      const label = { p: "predicted probability p", logit: "logit s" };
      const { over } = this.playground.state;
      if (over === "p") return { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1].map((p) => [p, String(p)]), label: label.p };
      return { from: -6, to: 6, ticks: [-6, -3, 0, 3, 6].map((s) => [s, String(s).replace("-", "−")]), label: label.logit };
    }

    moveTo(x) {
      const p = this.playground.state.over === "p" ? x : sigmoid(x);
      this.playground.set({ p: Math.min(ENDS.p[1], Math.max(ENDS.p[0], Number(p.toFixed(3)))) });
    }

    render(state) {
      const { p } = state;
      const found = {
        present: present(p, state),
        absent: absent(p, state),
        "present-plain": present(p, CROSS_ENTROPY),
        "absent-plain": absent(p, CROSS_ENTROPY),
      };
      const outputs = {
        p: probmcl.short(p),
        case: specialCase(state),
        "push-present": found.present.byLogit.toFixed(3).replace("-", "−"),
        "push-absent": found.absent.byLogit.toFixed(3),
        python: python(state),
      };
      for (const [name, numbers] of Object.entries(found))
        for (const [kind, value] of Object.entries(numbers)) outputs[`${name}-${kind}`] = probmcl.decimals(value, 0);
      probmcl.write(this.root, outputs);
      this.paint();
    }

    draw() {
      const loss = { from: 0, to: 4, ticks: [0, 1, 2, 3, 4].map((y) => [y, String(y)]) };
      const gradient = { from: -1.5, to: 1.5, ticks: [-1.5, -1, -0.5, 0, 0.5, 1, 1.5].map((y) => [y, String(y).replace("-", "−")]) };
      const [left, right] = this.root.querySelectorAll(".pg-plot");
      this.curves(left, loss, "value");
      this.curves(right, gradient, "byLogit");
    }

    curves(svg, y, kind) {
      const { state } = this.playground;
      const x = this.x();
      const plot = new probmcl.Plot(svg, { x, y });
      const places = Array.from({ length: POINTS + 1 }, (_, i) => x.from + ((x.to - x.from) * i) / POINTS);
      const inside = places.map((place) => Math.min(1 - 1e-6, Math.max(1e-6, state.over === "p" ? place : sigmoid(place))));
      const draw = (loss, parameters, colour) => plot.line(places.map((place, i) => [place, loss(inside[i], parameters)[kind]]), colour);
      const here = state.over === "p" ? state.p : logit(state.p);
      plot.cursor(here);
      draw(present, CROSS_ENTROPY, "pg-grey pg-dashed");
      draw(absent, CROSS_ENTROPY, "pg-grey pg-dashed");
      draw(present, state, "pg-green");
      draw(absent, state, "pg-orange");
      plot.dot(here, present(state.p, state)[kind], "pg-green");
      plot.dot(here, absent(state.p, state)[kind], "pg-orange");
      const strongest = inside.reduce((most, p) => (absent(p, state).byLogit > absent(most, state).byLogit ? p : most), 0.5);
      const title = svg.parentElement.querySelector(".pg-title").textContent;
      svg.setAttribute("aria-label", `${title} of a present and an absent label over ${x.label}; an absent label pushes most at p = ${strongest.toFixed(2)}.`);
    }
  }

  function python({ gammaPositive, gammaNegative, margin, p }) {
    return [
      "import torch",
      "from probmcl.loss import asymmetric_loss",
      "",
      `parameters = dict(gamma_positive=${gammaPositive}, gamma_negative=${gammaNegative}, margin=${margin})`,
      "values, gradients = [], []",
      "for label in (1, 0):",
      `    logit = torch.tensor([[${p}]], dtype=torch.float64).logit().requires_grad_()`,
      "    loss = asymmetric_loss(logit, torch.tensor([[label]]), **parameters)",
      "    loss.backward()",
      "    values.append(loss.item())",
      "    gradients.append(logit.grad.item())",
      "print(values, gradients)",
    ].join("\n");
  }

  probmcl.start("asymmetric", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
