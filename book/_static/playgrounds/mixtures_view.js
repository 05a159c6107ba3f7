/* Two mixtures: what is seen and dragged. The mathematics stands in mixtures.js. */
(function (probmcl) {
  "use strict";

  const { density, logKernel, scores, weights } = probmcl.mixtures;

  const EDGE = 3; // the plane runs from -EDGE to EDGE
  const RANGES = { x: [-EDGE, EDGE], y: [-EDGE, EDGE], sigma: [0.05, 2], weight: [0.01, 1] };
  const MOST = 3;
  const EXPONENTIALS = ["expected_likelihood", "bhattacharyya"]; // far apart they are tiny, and not rounding

  const part = (x, y, sigma, weight) => ({ x, y, sigma, weight });
  const ANCHOR = [part(1, 0, 0.3, 0.7), part(0, 1, 0.3, 0.3)];
  const START = [part(0.4, -0.5, 0.5, 0.5), part(-0.8, 0.9, 0.35, 0.5)];
  const example = (b) => ({ k: 2, a: ANCHOR, b });
  const PRESETS = {
    equal: example(ANCHOR),
    reordered: example([ANCHOR[1], ANCHOR[0]]),
    elsewhere: example([part(1, 0.6, 0.3, 0.7), part(0, -0.4, 0.3, 0.3)]),
    wide: example([part(1, 0, 0.9, 0.7), part(0, 1, 0.9, 0.3)]),
    far: example([part(-2, -1.2, 0.3, 0.7), part(-1.2, -2, 0.3, 0.3)]),
  };

  function inRange(name, value) {
    const [low, high] = RANGES[name];
    return Math.min(high, Math.max(low, value));
  }

  /* A mixture as text: x,y,sigma,weight of each component, ";" between components. */
  const writeMixture = (mixture) => mixture.map(({ x, y, sigma, weight }) => [x, y, sigma, weight].join(",")).join(";");

  function readMixture(text) {
    const mixture = text.split(";").map((piece) => part(...piece.split(",").map(Number)));
    const sound = mixture.every((piece) => Object.keys(RANGES).every((name) => inRange(name, piece[name]) === piece[name]));
    return sound && mixture.length <= MOST ? mixture : undefined;
  }

  function resized(mixture, k) {
    const more = [part(-1, -1, 0.4, 0.5), part(1.5, 1.5, 0.4, 0.5)];
    return [...mixture, ...more].slice(0, k);
  }

  /* The component called "A1", "B2", ... and a state in which it is changed. */
  const named = (name) => ({ letter: name[0].toLowerCase(), k: Number(name[1]) - 1 });
  const componentOf = (state, name = state.part) => state[named(name).letter][named(name).k];

  function changed(state, changes, name = state.part) {
    const { letter, k } = named(name);
    return { [letter]: state[letter].map((piece, l) => (l === k ? { ...piece, ...changes } : piece)) };
  }

  const ofComponent = (name) =>
    probmcl.number(undefined, ...RANGES[name], {
      get: (state) => componentOf(state)[name],
      put: (value, state) => changed(state, { [name]: value }),
    });

  const FIELDS = {
    k: {
      start: 2,
      read: (text) => [1, 2, 3].find((k) => String(k) === text),
      write: String,
      put: (k, { a, b }) => ({ k, a: resized(a, k), b: resized(b, k) }),
    },
    a: { start: ANCHOR, read: readMixture, write: writeMixture },
    b: { start: START, read: readMixture, write: writeMixture },
    part: probmcl.choice("B1", ["A1", "A2", "A3", "B1", "B2", "B3"]),
    tau: probmcl.number(0.25, 0.05, 1),
    x: ofComponent("x"),
    y: ofComponent("y"),
    sigma: ofComponent("sigma"),
    weight: ofComponent("weight"),
  };

  /* Both mixtures have k components, and the chosen one is among them. */
  function sound(state) {
    const k = Math.min(state.a.length, state.b.length);
    const part = named(state.part).k < k ? state.part : "A1";
    return { ...state, k, part, a: state.a.slice(0, k), b: state.b.slice(0, k) };
  }

  class View {
    constructor(root) {
      this.root = root;
      this.plane = root.querySelector("[data-plane]");
      this.paint = probmcl.painter(() => this.draw());
      this.playground = new probmcl.Playground(root, { fields: FIELDS, presets: PRESETS, sound, render: (s) => this.render(s) });
    }

    render(state) {
      this.layHandles(state.k);
      for (const handle of this.plane.querySelectorAll("[data-part]")) this.place(handle, state);
      const { a, b, tau } = state;
      const found = scores(a, b, tau);
      const outputs = {
        "words-sim": probmcl.decimals(found.log_expected_likelihood.score),
        "words-logit": probmcl.decimals(found.log_expected_likelihood.logit),
        "kappa-ab": probmcl.decimals(logKernel(a, b)),
        "kappa-aa": probmcl.decimals(logKernel(a, a)),
        "kappa-bb": probmcl.decimals(logKernel(b, b)),
        "weights-a": weights(a).map((pi) => pi.toFixed(3)).join(", "),
        "weights-b": weights(b).map((pi) => pi.toFixed(3)).join(", "),
        python: python(state),
      };
      for (const [name, { score, logit, odds }] of Object.entries(found)) {
        const noise = EXPONENTIALS.includes(name) ? 0 : undefined;
        Object.assign(outputs, {
          [name]: probmcl.decimals(score, noise),
          [`${name}-logit`]: probmcl.decimals(logit, noise),
          [`${name}-odds`]: probmcl.decimals(odds, 0),
        });
      }
      probmcl.write(this.root, outputs);
      this.paint();
    }

    /* One handle a component, and one line of the list of components. */
    layHandles(k) {
      if (this.laid === k) return;
      this.laid = k;
      this.plane.replaceChildren();
      probmcl.svgElement(this.plane, "circle", { class: "pg-unit", r: 1 });
      const names = ["A", "B"].flatMap((letter) => Array.from({ length: k }, (_, i) => `${letter}${i + 1}`));
      const options = names.map((name) => new Option(name, name));
      this.root.querySelector("[data-name=part]").replaceChildren(...options);
      for (const name of names) {
        const handle = probmcl.svgElement(this.plane, "g", {
          class: `pg-handle ${name[0] === "A" ? "pg-blue" : "pg-orange"}`,
          tabindex: 0, role: "slider", "aria-label": `component ${name}`, "aria-valuemin": -EDGE, "aria-valuemax": EDGE,
          "data-part": name,
        });
        probmcl.svgElement(handle, "circle", { class: "pg-sigma" });
        probmcl.svgElement(handle, "circle", { class: "pg-grip", r: 0.22 });
        probmcl.svgElement(handle, "text", { "text-anchor": "middle", y: 0.075 }, name);
        handle.addEventListener("keydown", (event) => this.step(event, name));
        handle.addEventListener("focus", () => this.choose(name));
        handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
        handle.addEventListener("pointermove", (event) => {
          if (handle.hasPointerCapture(event.pointerId)) this.drag(event, name);
        });
      }
    }

    place(handle, state) {
      const name = handle.dataset.part;
      const { x, y, sigma } = componentOf(state, name);
      handle.setAttribute("transform", `translate(${x} ${-y})`); // up is positive
      handle.querySelector(".pg-sigma").setAttribute("r", sigma);
      handle.classList.toggle("pg-chosen", name === state.part);
      handle.setAttribute("aria-valuenow", x);
      handle.setAttribute("aria-valuetext", `x ${x}, y ${y}, sigma ${sigma}`);
    }

    choose(name) {
      if (this.playground?.state.part !== name) this.playground.set({ part: name });
    }

    moveTo(name, x, y) {
      const to = { x: inRange("x", Number(x.toFixed(2))), y: inRange("y", Number(y.toFixed(2))) };
      this.playground.set({ ...changed(this.playground.state, to, name), part: name });
    }

    drag(event, name) {
      const box = this.plane.getBoundingClientRect();
      const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.moveTo(name, (2 * share[0] - 1) * EDGE, (1 - 2 * share[1]) * EDGE);
    }

    step(event, name) {
      const size = event.shiftKey ? 0.5 : 0.05;
      const step = { ArrowUp: [0, size], ArrowDown: [0, -size], ArrowLeft: [-size, 0], ArrowRight: [size, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      const { x, y } = componentOf(this.playground.state, name);
      this.moveTo(name, x + step[0], y + step[1]);
    }

    draw() {
      this.drawDensities();
      this.drawShift();
    }

    /* Both densities on one scale; the root lifts the flanks so that they are seen. */
    drawDensities() {
      const { a, b } = this.playground.state;
      const canvas = this.root.querySelector("canvas");
      const context = canvas.getContext("2d");
      const image = context.createImageData(canvas.width, canvas.height);
      const at = (pixel) => ((pixel + 0.5) / canvas.width) * 2 * EDGE - EDGE;
      const grid = Array.from({ length: canvas.width * canvas.height }, (_, i) => ({
        x: at(i % canvas.width),
        y: -at(Math.floor(i / canvas.width)),
      }));
      const values = [a, b].map((mixture) => grid.map((point) => density(mixture, point)));
      const style = getComputedStyle(this.root);
      const inks = ["--pg-anchor", "--pg-negative"].map((name) => rgb(style.getPropertyValue(name)));
      const tops = values.map((heights) => heights.reduce((most, height) => Math.max(most, height), 0));
      const top = Math.max(...tops);
      grid.forEach((_, i) => {
        const ink = values.map((heights) => 0.85 * Math.sqrt(heights[i] / top));
        const opacity = 1 - (1 - ink[0]) * (1 - ink[1]);
        for (const channel of [0, 1, 2]) {
          const mixed = inks[0][channel] * ink[0] + inks[1][channel] * ink[1];
          image.data[4 * i + channel] = mixed / (ink[0] + ink[1] || 1);
        }
        image.data[4 * i + 3] = 255 * opacity;
      });
      context.putImageData(image, 0, 0);
    }

    drawShift() {
      const { a, b, tau } = this.playground.state;
      const svg = this.root.querySelector("#pg-plot-shift");
      const low = -4 / tau;
      const ticks = [0, 1, 2, 3, 4].map((step) => [-step / tau, probmcl.short(Number((-step / tau).toFixed(1)))]);
      const x = { from: -3, to: 3, ticks: [-3, -2, -1, 0, 1, 2, 3].map((t) => [t, String(t).replace("-", "−")]), label: "shift of B along x" };
      const plot = new probmcl.Plot(svg, { x, y: { from: low, to: -0.04 * low, ticks } });
      const shifts = Array.from({ length: 121 }, (_, i) => -3 + i / 20);
      const found = shifts.map((t) => scores(a, b.map((piece) => ({ ...piece, x: piece.x + t })), tau));
      plot.cursor(0);
      const curve = (name, best, colour) => {
        plot.line(shifts.map((t, i) => [t, found[i][name].logit - best / tau]), colour);
        plot.dot(0, found[60][name].logit - best / tau, colour);
      };
      curve("mean_cosine", 1, "pg-grey");
      curve("expected_likelihood", 1, "pg-green");
      curve("log_expected_likelihood", 0, "pg-pink");
      const best = found.reduce((most, now, i) => (now.expected_likelihood.score > found[most].expected_likelihood.score ? i : most), 0);
      svg.setAttribute("aria-label", `Three logits over a shift of B. Sim is largest at a shift of ${shifts[best].toFixed(2)}; away from it Sim over tau becomes flat and log Sim over tau falls on.`);
    }
  }

  function rgb(colour) {
    return [1, 3, 5].map((start) => parseInt(colour.trim().slice(start, start + 2), 16));
  }

  function python({ a, b, tau }) {
    const list = (values) => `[${values.join(", ")}]`;
    const both = (read) => `[${list(read(a))}, ${list(read(b))}]`;
    return [
      "import torch",
      "from probmcl.loss import SIMILARITIES, similarity_scores",
      "from probmcl.model import GaussianMixture",
      "",
      `share = torch.tensor(${both((m) => m.map((p) => p.weight))}, dtype=torch.float64)`,
      `means = torch.tensor(${both((m) => m.map((p) => list([p.x, p.y])))}, dtype=torch.float64)`,
      `sigmas = torch.tensor(${both((m) => m.map((p) => p.sigma))}, dtype=torch.float64)`,
      "pair = GaussianMixture((share / share.sum(1, keepdim=True)).log(), means, sigmas)",
      "scores = {name: similarity_scores(name, pair)[0, 1].item() for name in SIMILARITIES}",
      `logits = {name: score / ${tau} for name, score in scores.items()}`,
      "print(scores, logits)",
    ].join("\n");
  }

  probmcl.start("mixtures", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
