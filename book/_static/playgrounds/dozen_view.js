/* A dozen points: what is seen and pressed. The mathematics stands in dozen.js. */
(function (probmcl) {
  "use strict";

  const { NAMES, STEPS, positives, descent, meanCosines } = probmcl.dozen;

  const SECONDS = 4; // from the start to rest
  const RADIUS = 1.5;
  const DOT = 0.14;
  const SAME_SPOT = 0.19; // radians: points closer than this are drawn in one stack, inwards
  const ARROW = 1.5; // length of an arrow for a slope of 1
  const AT_REST = 1e-3;

  /* What a descent depends on: the same positives under another name are the same descent. */
  const key = (state) => JSON.stringify([positives(state), state.tau, state.seed]);

  /* Changes that begin another descent begin it at its start. */
  function anew(state, changes) {
    return key({ ...state, ...changes }) === key(state) ? changes : { ...changes, step: 0 };
  }

  const FIELDS = {
    rule: probmcl.choice("any", ["any", "exact", "threshold"], { put: (rule, state) => anew(state, { rule }) }),
    alpha: probmcl.number(0.5, 0.01, 1, { put: (alpha, state) => anew(state, { rule: "threshold", alpha }) }),
    tau: probmcl.number(0.5, 0.1, 2, { put: (tau, state) => anew(state, { tau }) }),
    seed: probmcl.whole(1, 1, 999, { put: (seed, state) => anew(state, { seed }) }),
    step: probmcl.whole(STEPS, 0, STEPS),
    anchor: probmcl.whole(2, 0, NAMES.length - 1),
  };

  /* Where to draw the points: on the circle, and on one spot one above the other. */
  function places(angles) {
    const levels = [];
    for (const [i, angle] of angles.entries()) {
      const near = levels.filter((_, j) => Math.cos(angle - angles[j]) > Math.cos(SAME_SPOT));
      levels.push(angles.findIndex((_, level) => !near.includes(level)));
    }
    return angles.map((angle, i) => {
      const radius = RADIUS - 2 * DOT * levels[i];
      return { x: radius * Math.cos(angle), y: -radius * Math.sin(angle) }; // up is positive
    });
  }

  class View {
    constructor(root) {
      this.root = root;
      this.circle = root.querySelector("[data-circle]");
      this.paint = probmcl.painter(() => this.draw());
      this.player = new probmcl.Player(root, { last: STEPS, seconds: SECONDS, moved: (step) => this.playground.set({ step }) });
      const names = NAMES.map((name, i) => new Option(`${name}, ${i % 2 ? "second" : "first"} row`, i));
      root.querySelector("[data-name=anchor]").replaceChildren(...names);
      this.playground = new probmcl.Playground(root, { fields: FIELDS, render: (state) => this.render(state) });
      this.listen();
    }

    listen() {
      this.root.querySelector("[data-action=another]").addEventListener("click", () => {
        const { state } = this.playground;
        this.playground.set(anew(state, { seed: (state.seed % 999) + 1 }));
      });
      this.circle.addEventListener("click", (event) => {
        const dot = event.target.closest("[data-point]");
        if (dot) this.playground.set({ anchor: Number(dot.dataset.point) });
      });
      const steps = () => ({ from: 0, to: STEPS });
      probmcl.draggable(this.root.querySelector(".pg-drag"), steps, (step) => this.playground.set({ step: Math.round(step) }));
    }

    render(state) {
      const begins = this.key !== undefined && this.key !== key(state) && state.step === 0;
      if (this.key !== key(state)) this.path = descent((this.positives = positives(state)), state.tau, state.seed);
      this.key = key(state);
      this.player.at(state.step);
      const { angles, loss, gradient } = this.path[state.step];
      const moving = gradient.some((slope) => Math.abs(slope) > AT_REST);
      const groups = Object.entries(meanCosines(angles)).map(([name, cosine]) => [name, probmcl.decimals(cosine)]);
      probmcl.write(this.root, {
        ...Object.fromEntries(groups),
        loss: probmcl.decimals(loss), step: state.step, moving: moving ? "still moving" : "at rest",
        same: this.sameAs(state), python: python(state, angles),
      });
      this.showPoints(angles, gradient);
      this.paint();
      if (begins) this.player.play();
    }

    /* Which threshold the rule is, and how far that threshold can move. */
    sameAs({ rule, alpha }) {
      const found = [[1 / 3, "up to ⅓, which is any shared label"], [1 / 2, "above ⅓, up to ½"], [1, "above ½, which is exact match"]];
      const read = { any: 1 / 3, exact: 1 }[rule] ?? alpha;
      return found.find(([end]) => positives({ rule: "threshold", alpha: end }).join() === positives({ rule: "threshold", alpha: read }).join())[1];
    }

    showPoints(angles, gradient) {
      const rows = NAMES.map((name, i) => {
        const texts = [name, this.positives[i].filter(Boolean).length, probmcl.decimals(angles[i]), probmcl.decimals(gradient[i])];
        const row = document.createElement("tr");
        row.append(...texts.map((text, k) => Object.assign(document.createElement(k ? "td" : "th"), { textContent: text })));
        return row;
      });
      this.root.querySelector("[data-points]").replaceChildren(...rows);
    }

    draw() {
      const { step, anchor } = this.playground.state;
      const { angles, gradient } = this.path[step];
      const at = places(angles);
      const make = probmcl.svgElement;
      this.circle.replaceChildren();
      make(this.circle, "circle", { class: "pg-ring", r: RADIUS });
      for (const [j, positive] of this.positives[anchor].entries())
        if (positive) make(this.circle, "line", { class: "pg-pair pg-green", x1: at[anchor].x, y1: at[anchor].y, x2: at[j].x, y2: at[j].y });
      for (const [i, { x, y }] of at.entries()) {
        const length = -ARROW * gradient[i]; // along the circle, downhill
        const [dx, dy] = [-length * Math.sin(angles[i]), -length * Math.cos(angles[i])];
        make(this.circle, "line", { class: "pg-arrow", x1: x, y1: y, x2: x + dx, y2: y + dy });
      }
      for (const [i, { x, y }] of at.entries()) this.drawDot(i, x, y, i === anchor);
      this.circle.setAttribute("aria-label", inWords(angles));
      this.drawLoss(step);
    }

    /* A ring, half in the colour of the first label and half in that of the last. */
    drawDot(i, x, y, chosen) {
      const dot = probmcl.svgElement(this.circle, "g", { class: chosen ? "pg-point pg-chosen" : "pg-point", transform: `translate(${x} ${y})`, "data-point": i });
      probmcl.svgElement(dot, "circle", { r: DOT });
      for (const [letter, sweep] of [[NAMES[i][0], 0], [NAMES[i].at(-1), 1]])
        probmcl.svgElement(dot, "path", { class: `pg-class-${letter.toLowerCase()}`, d: `M0 ${-DOT + 0.03}A${DOT - 0.03} ${DOT - 0.03} 0 0 ${sweep} 0 ${DOT - 0.03}` });
      probmcl.svgElement(dot, "text", { "text-anchor": "middle", y: 0.037 }, NAMES[i]);
    }

    drawLoss(step) {
      const svg = this.root.querySelector(".pg-drag");
      const losses = this.path.map(({ loss }) => loss);
      const top = Math.ceil(Math.max(...losses) * 1.05);
      const ticks = (end, count) => Array.from({ length: count + 1 }, (_, i) => [(end * i) / count, probmcl.short((end * i) / count)]);
      const plot = new probmcl.Plot(svg, {
        x: { from: 0, to: STEPS, ticks: ticks(STEPS, 4), label: "step" },
        y: { from: 0, to: top, ticks: ticks(top, Math.min(top, 4)) },
      });
      plot.cursor(step);
      plot.line(losses.map((loss, at) => [at, loss]), "pg-pink");
      plot.dot(step, losses[step], "pg-pink");
      svg.setAttribute("aria-label", `The loss over ${STEPS} steps falls from ${losses[0].toFixed(2)} to ${losses.at(-1).toFixed(2)}.`);
    }
  }

  /* The order on the circle, counter-clockwise from the first A. */
  function inWords(angles) {
    const turn = (i) => (((angles[i] - angles[0]) % (2 * Math.PI)) + 2 * Math.PI + 1e-6) % (2 * Math.PI);
    const order = NAMES.map((_, i) => i).sort((i, j) => turn(i) - turn(j));
    const degrees = (i) => Math.round((turn(i) * 180) / Math.PI);
    return `Twelve points on a circle, in degrees from the first A: ${order.map((i) => `${NAMES[i]} ${degrees(i)}`).join(", ")}.`;
  }

  function python({ rule, alpha, tau }, angles) {
    return [
      "import torch",
      "from probmcl.loss import contrastive_loss, positive_weights",
      "",
      `names = "${NAMES.join(" ")}".split()`,
      'labels = torch.tensor([[int(k in name) for k in "ABC"] for name in names])',
      `angles = torch.tensor([\n${angles.map((angle) => `    ${angle},`).join("\n")}\n], dtype=torch.float64, requires_grad=True)`,
      "z = torch.stack([angles.cos(), angles.sin()], dim=1)",
      `weights = positive_weights(labels, "${rule}"${rule === "threshold" ? `, threshold=${alpha}` : ""})`,
      `loss = contrastive_loss(z @ z.T / ${tau}, weights)`,
      "loss.backward()",
      "print(loss.item(), angles.grad.tolist())",
    ].join("\n");
  }

  probmcl.start("dozen", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
