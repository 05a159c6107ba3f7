/* Watch it learn: what is seen and pressed. What was recorded stands in watch.js. */
(function (probmcl) {
  "use strict";

  const { METHODS, SIDE, STEPS, scenes, labels, looks, steps, lookAt, placesAt, weightsAt, used, positives } = probmcl.watch;

  const SECONDS = 8;
  const REACH = 0.08; // how near to a point a pointer chooses it
  const COLOURS = { supcon: "pg-blue", first: "pg-orange", cured: "pg-pink" };
  const FIELDS = {
    method: probmcl.choice("supcon", METHODS),
    step: probmcl.whole(0, 0, STEPS),
    scene: probmcl.whole(4, 1, scenes.length),
    alpha: probmcl.number(0.5, 0.01, 1),
  };

  class View {
    constructor(root) {
      this.root = root;
      this.plane = root.querySelector("[data-points]");
      this.paint = probmcl.painter(() => this.draw());
      this.dots = scenes.map(() => probmcl.svgElement(this.plane, "circle", { r: 0.017 }));
      this.bars = Array.from({ length: 10 }, (_, k) => this.layBar(k));
      this.player = new probmcl.Player(root, { last: STEPS, seconds: SECONDS, moved: (step) => this.playground.set({ step }) });
      this.playground = new probmcl.Playground(root, { fields: FIELDS, render: (state) => this.render(state) });
      for (const event of ["pointermove", "pointerdown"]) this.plane.addEventListener(event, (moved) => this.choose(moved));
      const axis = () => ({ from: 0, to: STEPS });
      probmcl.draggable(root.querySelector(".pg-drag"), axis, (step) => this.playground.set({ step: Math.round(step) }));
    }

    layBar(k) {
      const row = document.createElement("tr");
      row.innerHTML = `<th scope="row">${k + 1}</th><td><span class="pg-bar"></span><span></span></td>`;
      this.root.querySelector("[data-weights]").append(row);
      const [bar, text] = row.querySelectorAll("span");
      return { bar, text };
    }

    /* The scene nearest to a pointer, if it is near. */
    choose(event) {
      const box = this.plane.getBoundingClientRect();
      const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((share) => 2.1 * share - 1.05);
      const away = this.places.map(([x, y]) => Math.hypot(x - at[0], -y - at[1]));
      const nearest = away.indexOf(Math.min(...away));
      if (away[nearest] < REACH && nearest + 1 !== this.playground.state.scene) this.playground.set({ scene: nearest + 1 });
    }

    render(state) {
      const { method, step, scene, alpha } = state;
      this.player.at(step);
      this.places = placesAt(method, step);
      this.positives = positives(scene - 1, alpha);
      const words = [...labels[scene - 1].keys()].filter((k) => labels[scene - 1][k]).join(" ");
      const components = used(method, step);
      probmcl.write(this.root, {
        step, labels: words, positive: this.positives.filter(Boolean).length,
        look: steps[lookAt(step)], overlap: looks[method].overlap[lookAt(step)].toFixed(3),
        used: components === undefined ? "no mixture" : `${components.toFixed(2)} of 10 components in use`,
        python: python(state),
      });
      this.showWeights(weightsAt(method, step, scene - 1));
      this.paint();
    }

    showWeights(weights) {
      this.root.querySelector("[data-mixture]").hidden = !weights;
      for (const [k, { bar, text }] of this.bars.entries()) {
        bar.style.width = `${100 * (weights?.[k] ?? 0)}%`;
        text.textContent = weights ? weights[k].toFixed(3) : "";
      }
    }

    draw() {
      const { scene } = this.playground.state;
      for (const [i, [x, y]] of this.places.entries()) {
        const role = i === scene - 1 ? "pg-anchor" : this.positives[i] ? "pg-positive" : "pg-other";
        this.dots[i].setAttribute("class", role);
        this.dots[i].setAttribute("cx", x.toFixed(4));
        this.dots[i].setAttribute("cy", (-y).toFixed(4)); // up is positive
      }
      probmcl.paintGrey(this.root.querySelector("[data-image]"), scenes[scene - 1], SIDE);
      this.drawOverlap();
    }

    drawOverlap() {
      const { method, step } = this.playground.state;
      const svg = this.root.querySelector(".pg-drag");
      const ticks = (values) => values.map((value) => [value, String(value)]);
      const plot = new probmcl.Plot(svg, {
        x: { from: 0, to: STEPS, ticks: ticks([0, 30, 60, 90, 120]), label: "step" },
        y: { from: 0.3, to: 0.5, ticks: ticks([0.3, 0.35, 0.4, 0.45, 0.5]) },
      });
      plot.cursor(step);
      for (const name of METHODS) plot.line(looks[name].overlap.map((overlap, look) => [steps[look], overlap]), `${COLOURS[name]} ${name === method ? "" : "pg-thin"}`);
      plot.dot(steps[lookAt(step)], looks[method].overlap[lookAt(step)], COLOURS[method]);
      const ends = METHODS.map((name) => `${name} ${looks[name].overlap.at(-1).toFixed(2)}`);
      svg.setAttribute("aria-label", `Overlap of the labels of five nearest scenes over ${STEPS} steps, from ${looks[method].overlap[0].toFixed(2)} for all; at the end ${ends.join(", ")}.`);
    }
  }

  function python({ method, step, scene, alpha }) {
    return [
      "# in a checkout of the repository, with its folder tools on the path",
      "from pictures import read",
      "from probmcl.loss import overlaps_enough",
      "",
      'seen, labels = read("training"), read("scenes")["labels"]',
      `look = ${lookAt(step)}  # at step ${steps[lookAt(step)]}`,
      `places = seen["${method}.places"].view(-1, 200, 2) * seen["${method}.places.scale"]`,
      `positives = overlaps_enough(labels[[${scene - 1}]], labels, threshold=${alpha})[0]`,
      `overlap = seen["${method}.overlap"][look]`,
      `print(places[look, ${scene - 1}], positives.sum() - 1, overlap)`,
    ].join("\n");
  }

  probmcl.start("watch", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
