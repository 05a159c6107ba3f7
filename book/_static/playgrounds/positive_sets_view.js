/* Positive sets: what is seen and pressed. The mathematics stands in positive_sets.js. */
(function (probmcl) {
  "use strict";

  const sets = probmcl.positiveSets;

  const PHOTOGRAPHS = ["person", "dog", "car", "boat", "bird"];
  const FINDINGS = ["effusion", "atelectasis", "infiltration", "mass"];
  const NAMES = { photographs: PHOTOGRAPHS, chest: FINDINGS };
  const DATA = {
    photographs: "11000/11100/10000/00100/10100/01000/00011/00001",
    // the first ten training scenes of probmcl.data.digit_scenes
    scenes:
      "0100110101/0110101010/0010010100/0101000101/0110100010/" +
      "1000100001/0110100000/0010101000/0110000010/0011010000",
    chest: "1000/1100/0000/0000/0010/0000/0000/0110/0000/0000",
    nested: "1000000/1100000/1110000/1111000/1111100/1111110/1111111",
  };
  const READABLE = 12; // more rows than this are drawn small, without numbers in the cells

  const labelsOf = (data) => sets.readLabels(DATA[data]).labels;

  /* A threshold or an overlap as one would write it: 0.35, 2/3, 0.816. */
  function fraction(value, digits = 4) {
    if (Number(value.toFixed(2)) === value) return String(value);
    const [p, q] = sets.nearestFraction(value, 100);
    return Math.abs(p / q - value) < 1e-11 ? `${p}/${q}` : value.toFixed(digits);
  }

  function cellText(value) {
    const [p, q] = sets.nearestFraction(value, 100);
    if (Math.abs(p / q - value) > 1e-11) return value.toFixed(2).replace("0.", ".");
    return p === 0 ? "·" : q === 1 ? String(p) : `${p}/${q}`;
  }

  const FIELDS = {
    data: probmcl.choice("photographs", Object.keys(DATA), { put: (data) => ({ data, labels: labelsOf(data) }) }),
    labels: {
      start: labelsOf("photographs"),
      read: (text) => sets.readLabels(text).labels,
      write: sets.writeLabels,
    },
    index: probmcl.choice("jaccard", sets.INDICES),
    empty: probmcl.choice("match", sets.POLICIES),
    alpha: probmcl.number(0.5, 0, 1, { show: (value) => fraction(value, 6) }),
    views: probmcl.flag(false),
  };

  function make(tag, text = "", attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function row(...cells) {
    const made = make("tr");
    made.append(...cells);
    return made;
  }

  /* The batch that the state describes: rows, the image of each, and the options of the rule. */
  function batchOf({ labels, index, empty, alpha, views }) {
    const batch = views ? sets.twoViews(labels) : { labels, images: labels.map((_, i) => i) };
    return { labels: batch.labels, options: { index, alpha, empty, images: batch.images } };
  }

  const rowName = (i, images) => `${images[i] + 1}${i >= images.length / 2 && images[i] !== i ? "′" : ""}`;

  class View {
    constructor(root) {
      this.root = root;
      this.at = { i: 0, k: 0 }; // the label cell that Tab reaches
      this.cells = root.querySelector("[data-labels]");
      this.paint = probmcl.painter(() => this.draw());
      this.playground = new probmcl.Playground(root, { fields: FIELDS, render: (state) => this.render(state) });
      this.listen();
    }

    listen() {
      for (const button of this.root.querySelectorAll("[data-change]"))
        button.addEventListener("click", () => this.change(button.dataset.change));
      this.cells.addEventListener("keydown", (event) => this.move(event));
      this.cells.addEventListener("click", (event) => {
        if (event.detail === 0 && event.target.dataset.i) this.put(event.target); // by keyboard or assistive technology
      });
      this.cells.addEventListener("pointerdown", (event) => this.brush(event, true));
      this.cells.addEventListener("pointermove", (event) => this.brush(event, false));
      for (const event of ["pointerup", "pointercancel"])
        window.addEventListener(event, () => (this.brushing = undefined));
      for (const svg of this.root.querySelectorAll(".pg-drag"))
        probmcl.draggable(svg, () => ({ from: 0, to: 1 }), (x) => this.playground.set({ alpha: Number(x.toFixed(2)) }));
    }

    /* Set a label: the other value, or `value` while a pointer draws. */
    put(button, value) {
      const labels = structuredClone(this.playground.state.labels);
      this.at = { i: Number(button.dataset.i), k: Number(button.dataset.k) };
      labels[this.at.i][this.at.k] = value ?? 1 - labels[this.at.i][this.at.k];
      this.playground.set({ labels });
    }

    brush(event, begins) {
      const button = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-i]");
      if (!button || !this.cells.contains(button) || (!begins && this.brushing === undefined)) return;
      const set = Number(button.getAttribute("aria-pressed") === "true");
      if (begins) {
        this.brushing = 1 - set;
        event.target.releasePointerCapture(event.pointerId); // a finger would else stay with its first cell
      }
      if (set !== this.brushing) this.put(button, this.brushing);
    }

    move(event) {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const { labels } = this.playground.state;
      this.at.i = Math.min(labels.length - 1, Math.max(0, this.at.i + step[0]));
      this.at.k = Math.min(labels[0].length - 1, Math.max(0, this.at.k + step[1]));
      for (const button of this.cells.querySelectorAll("button")) button.tabIndex = this.isAt(button) ? 0 : -1;
      this.cells.querySelector("button[tabindex='0']").focus();
    }

    isAt(button) {
      return Number(button.dataset.i) === this.at.i && Number(button.dataset.k) === this.at.k;
    }

    change(what) {
      const { labels } = this.playground.state;
      const changed = {
        "row+": () => [...labels, labels[0].map(() => 0)],
        "row-": () => labels.slice(0, -1),
        "column+": () => labels.map((line) => [...line, 0]),
        "column-": () => labels.map((line) => line.slice(0, -1)),
        load: () => sets.readLabels(this.root.querySelector("[data-text]").value).labels,
      }[what]();
      if (changed && sets.readLabels(sets.writeLabels(changed)).labels) this.playground.set({ labels: changed });
      else if (what === "load") {
        const { error } = sets.readLabels(this.root.querySelector("[data-text]").value);
        probmcl.write(this.root, { problem: error });
      }
    }

    render(state) {
      const { labels, options } = batchOf(state);
      const positives = sets.positiveSet(labels, options);
      const { mean, alone, share, counts } = sets.statistics(positives);
      const [p, q] = sets.nearestFraction(state.alpha);
      const read = q > 1000 ? String(p / q) : `${p}/${q}`;
      probmcl.write(this.root, {
        mean: probmcl.short(mean), alone, share: probmcl.short(share), rows: counts.length,
        fraction: read, problem: "", python: python(state),
      });
      this.root.querySelector("[data-text]").value = state.labels.map((line) => line.join(" ")).join("\n");
      this.showLabels(state);
      this.showPositives(labels, options, positives, counts);
      this.plateaus = sets.plateaus(labels, options);
      this.showPlateaus(state.alpha);
      this.paint();
    }

    showLabels({ labels, data }) {
      const names = NAMES[data]?.length === labels[0].length ? NAMES[data] : labels[0].map((_, k) => String(k));
      const shape = `${labels.length} ${names}`;
      if (shape !== this.shape) this.layLabels(labels.length, names);
      this.shape = shape;
      for (const button of this.cells.querySelectorAll("button"))
        button.setAttribute("aria-pressed", labels[button.dataset.i][button.dataset.k] === 1);
    }

    layLabels(rows, names) {
      this.at = { i: Math.min(this.at.i, rows - 1), k: Math.min(this.at.k, names.length - 1) };
      const long = names.some((name) => name.length > 2) ? "pg-long" : "";
      const head = row(make("td"), ...names.map((name) => make("th", name, { scope: "col", class: long })));
      const body = Array.from({ length: rows }, (_, i) => {
        const cells = names.map((name, k) => {
          const button = make("button", "", { type: "button", "aria-label": `image ${i + 1}, ${name}` });
          Object.assign(button.dataset, { i, k });
          button.tabIndex = this.isAt(button) ? 0 : -1;
          const cell = make("td", "", { role: "gridcell" });
          cell.append(button);
          return cell;
        });
        return row(make("th", i + 1, { scope: "row" }), ...cells);
      });
      this.cells.replaceChildren(head, ...body);
    }

    showPositives(labels, { index, images }, positives, counts) {
      const sizes = labels.map(sets.size);
      const small = labels.length > READABLE;
      const cell = (i, j) => {
        if (i === j) return make("td", "", { class: "pg-self" });
        const value = sets.overlap(sets.inCommon(labels[i], labels[j]), sizes[i], sizes[j], index);
        const text = sizes[i] === 0 && sizes[j] === 0 ? "∅" : cellText(value);
        const made = make("td", small ? "" : text, { class: positives[i][j] ? "pg-positive" : "" });
        if (positives[i][j]) made.append(make("span", small ? "positive" : " positive", { class: "pg-unseen" }));
        return made;
      };
      const table = this.root.querySelector("[data-positives]");
      table.classList.toggle("pg-small", small);
      const names = labels.map((_, i) => rowName(i, images));
      const head = row(make("td"), ...names.map((name) => make("th", name, { scope: "col" })), make("th", "#", { scope: "col" }));
      const body = labels.map((_, i) => {
        const cells = labels.map((_, j) => cell(i, j));
        const count = make("td", counts[i], { class: counts[i] ? "pg-count" : "pg-count pg-alone" });
        return row(make("th", names[i], { scope: "row" }), ...cells, count);
      });
      table.replaceChildren(head, ...body);
    }

    showPlateaus(alpha) {
      const current = sets.plateauAt(this.plateaus, alpha);
      const rows = this.plateaus.map((plateau) => {
        const { low, high, mean, share } = plateau;
        const texts = [fraction(low), fraction(high), probmcl.short(mean), probmcl.short(share)];
        const line = row(...texts.map((text) => make("td", text)));
        if (plateau === current) line.setAttribute("aria-current", "true");
        return line;
      });
      this.root.querySelector("[data-plateaus]").replaceChildren(...rows);
    }

    draw() {
      const { alpha, labels, views } = this.playground.state;
      const most = labels.length * (views ? 2 : 1) - 1;
      const [mean, share] = this.root.querySelectorAll(".pg-plot");
      const x = { from: 0, to: 1, ticks: [[0, "0"], [0.25, "¼"], [0.5, "½"], [0.75, "¾"], [1, "1"]], label: "threshold α" };
      const step = Math.ceil(most / 4);
      const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => [i * step, String(i * step)]);
      this.steps(mean, { x, y: { from: 0, to: most, ticks } }, "mean", "pg-green", alpha);
      const percent = [0, 0.25, 0.5, 0.75, 1].map((value) => [value, `${100 * value}%`]);
      this.steps(share, { x, y: { from: 0, to: 1, ticks: percent } }, "share", "pg-pink", alpha);
    }

    steps(svg, axes, name, colour, alpha) {
      const plot = new probmcl.Plot(svg, axes);
      plot.cursor(alpha);
      plot.steps(this.plateaus.map(({ low, high, [name]: value }) => ({ low, high, value })), colour);
      const current = sets.plateauAt(this.plateaus, alpha);
      if (current) plot.dot(alpha, current[name], colour);
      const title = svg.parentElement.querySelector(".pg-title").textContent;
      const words = this.plateaus.map(({ high, [name]: value }) => `${value.toFixed(2)} up to ${fraction(high)}`);
      svg.setAttribute("aria-label", `${title}: ${words.join(", ")}.`);
    }
  }

  function python({ labels, index, empty, alpha, views }) {
    const number = fraction(alpha, 17).includes("/") ? fraction(alpha) : String(alpha);
    const matrix = labels.map((line) => `    [${line.join(", ")}],`).join("\n");
    const options = `index="${index}", threshold=${number}, empty="${empty}", image_ids=images`;
    const batch = views ? "labels, images = two_view_labels(labels)" : "images = torch.arange(len(labels))";
    return [
      "import torch",
      `from probmcl.loss import positive_set${views ? ", two_view_labels" : ""}`,
      "",
      `labels = torch.tensor([\n${matrix}\n])`,
      batch,
      `positives = positive_set(labels, ${options})`,
      "counts = positives.sum(1)",
      "print(positives.int(), counts.double().mean(), (counts == 0).double().mean())",
    ].join("\n");
  }

  probmcl.start("positive_sets", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
