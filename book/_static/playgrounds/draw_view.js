/* Draw a scene: what is seen and pressed. What it amounts to stands in draw.js. */
(function (probmcl) {
  "use strict";

  const { LABELS, SCENES, look, labelsOf, compare } = probmcl.draw;
  const { MOST, writeStrokes, readStrokes } = probmcl.pen;
  const { SIDE } = probmcl.encoder;

  const SHOWN = 12; // scenes of each row
  const FINE = 2 * SIDE - 1; // places of the pen run from 0 to here
  const MIDDLE = [SIDE + 1, SIDE + 1]; // the middle of a pixel, as all odd places

  const bits = (text) => (/^([01]{10})?$/.test(text) ? text : undefined);
  const FIELDS = {
    scene: probmcl.whole(4, 0, SCENES, { put: (scene) => ({ scene, strokes: [], own: "" }) }),
    strokes: { start: [], read: readStrokes, write: writeStrokes },
    own: { start: "", read: bits, write: String },
    alpha: probmcl.number(0.5, 0.01, 1),
    near: probmcl.choice("mixtures", ["mixtures", "features", "pixels"]),
  };

  const words = (set) => [...set.keys()].filter((k) => set[k]).join(" ") || "none";

  const pixel = (place) => Math.floor(place / 2) + 1;

  class View {
    constructor(root) {
      this.root = root;
      this.pen = { at: MIDDLE, down: false };
      this.canvas = root.querySelector("[data-canvas]");
      this.digits = Array.from({ length: LABELS }, (_, k) => this.layDigit(k));
      this.playground = new probmcl.Playground(root, { fields: FIELDS, render: (state) => this.render(state) });
      this.listen();
    }

    listen() {
      for (const button of this.root.querySelectorAll("[data-change]"))
        button.addEventListener("click", () => this.change(button.dataset.change));
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      this.canvas.addEventListener("pointerdown", (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        this.begin(this.placeOf(event));
      });
      this.canvas.addEventListener("pointermove", (event) => {
        if (this.canvas.hasPointerCapture(event.pointerId)) this.go(this.placeOf(event));
      });
      this.root.addEventListener("click", (event) => {
        const taken = event.target.closest("[data-take]");
        if (taken) this.playground.set(FIELDS.scene.put(Number(taken.dataset.take)));
      });
    }

    change(what) {
      const { scene, strokes } = this.playground.state;
      const changes = {
        empty: () => FIELDS.scene.put(0),
        next: () => FIELDS.scene.put((scene % SCENES) + 1),
        undo: () => ({ strokes: strokes.slice(0, -1) }),
      };
      this.pen.down = false;
      this.playground.set(changes[what]());
    }

    placeOf(event) {
      const box = this.canvas.getBoundingClientRect();
      const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      return share.map((part) => Math.min(FINE, Math.max(0, Math.floor(part * 2 * SIDE))));
    }

    /* A new stroke begins at a place; the pen goes to another one, and draws if it is down. */
    begin(place) {
      this.pen.at = place;
      this.playground.set({ strokes: [...this.playground.state.strokes, [place]] });
    }

    go(place) {
      const { strokes } = this.playground.state;
      if (place.join() === this.pen.at.join() || strokes.flat().length >= MOST) return;
      this.pen.at = place;
      this.playground.set({ strokes: [...strokes.slice(0, -1), [...strokes.at(-1), place]] });
    }

    /* Arrow keys move the pen by a pixel, Space puts it down or lifts it, Backspace takes a stroke back. */
    key(event) {
      const step = { ArrowUp: [0, -2], ArrowDown: [0, 2], ArrowLeft: [-2, 0], ArrowRight: [2, 0] }[event.key];
      if (!step && ![" ", "Backspace"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Backspace") return this.change("undo");
      if (event.key === " ") {
        this.pen.down = !this.pen.down;
        if (this.pen.down) this.begin(this.pen.at);
      } else {
        const place = this.pen.at.map((from, axis) => Math.min(FINE, Math.max(0, from + step[axis])));
        if (this.pen.down) this.go(place);
        else this.pen.at = place;
      }
      this.showPen();
    }

    /* One row of the table: a button that sets the label, the score, the mixture's weight and sigma. */
    layDigit(k) {
      const row = document.createElement("tr");
      row.innerHTML = `<th scope="row"><button type="button">${k}</button></th>${'<td><span class="pg-bar"></span><span></span></td>'.repeat(2)}<td></td>`;
      this.root.querySelector("[data-digits]").append(row);
      const button = row.querySelector("button");
      button.setAttribute("aria-label", `label ${k}`);
      button.addEventListener("click", () => {
        const own = this.labels.set.map((label, other) => (other === k ? 1 - label : label)).join("");
        this.playground.set({ own });
      });
      return { button, bars: row.querySelectorAll(".pg-bar"), texts: row.querySelectorAll(".pg-bar + span, td:last-child") };
    }

    render(state) {
      const drawing = JSON.stringify([state.scene, state.strokes]);
      if (this.drawing !== drawing) this.looked = look(state);
      this.drawing = drawing;
      this.labels = labelsOf(state, this.looked.scores);
      const others = compare(state, this.looked, this.labels.set);
      const positives = others.filter((other) => other.positive);
      const nearest = others.slice(0, SHOWN);
      probmcl.write(this.root, {
        set: words(this.labels.set), from: this.labels.from, positive: positives.length, others: others.length,
        among: nearest.filter((other) => other.positive).length, python: python(state, this.looked.pixels),
      });
      this.showDigits();
      probmcl.paintGrey(this.canvas, this.looked.pixels, SIDE);
      this.showPen();
      this.showScenes("near", nearest);
      this.showScenes("positives", [...positives].sort((a, b) => b.overlap - a.overlap).slice(0, SHOWN));
    }

    showDigits() {
      const { scores, mixture } = this.looked;
      const weights = mixture.logWeights.map(Math.exp);
      for (const [k, { button, bars, texts }] of this.digits.entries()) {
        button.setAttribute("aria-pressed", this.labels.set[k] === 1);
        [scores[k], weights[k]].forEach((share, i) => (bars[i].style.width = `${(100 * share).toFixed(1)}%`));
        [scores[k], weights[k], mixture.sigmas[k]].forEach((value, i) => {
          texts[i].textContent = value.toFixed(3);
          texts[i].dataset.value = value; // all digits
        });
      }
    }

    showPen() {
      const [x, y] = this.pen.at.map((place) => `${(100 * place) / (2 * SIDE)}%`);
      const mark = this.root.querySelector("[data-pen]");
      Object.assign(mark.style, { left: x, top: y });
      mark.classList.toggle("pg-down", this.pen.down);
      probmcl.write(this.root, { pen: `Pen ${this.pen.down ? "down" : "up"} in column ${pixel(this.pen.at[0])}, row ${pixel(this.pen.at[1])}.` });
    }

    /* Small pictures of test scenes; a press takes one onto the canvas. */
    showScenes(place, found) {
      const items = found.map((other) => {
        const names = words(probmcl.neighbours.labels[other.scene - 1]);
        const item = document.createElement("li");
        const button = Object.assign(document.createElement("button"), { type: "button", className: other.positive ? "pg-scene pg-match" : "pg-scene" });
        Object.assign(button.dataset, { take: other.scene, likeness: other.likeness });
        button.setAttribute("aria-label", `scene ${other.scene}, labels ${names}, overlap ${other.overlap.toFixed(2)}${other.positive ? ", positive" : ""}`);
        const picture = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
        probmcl.paintGrey(picture, probmcl.neighbours.scenes[other.scene - 1], SIDE);
        const caption = Object.assign(document.createElement("span"), { textContent: names });
        button.append(picture, caption);
        item.append(button);
        return item;
      });
      this.root.querySelector(`[data-scenes=${place}]`).replaceChildren(...items);
    }
  }

  function python({ near }, pixels) {
    return [
      "# in a checkout of the repository, with its folder tools on the path",
      "from base64 import b64decode",
      "",
      "import torch",
      "from pictures import network, read",
      "from probmcl.data import plain_view",
      "",
      "parts = network(read(\"weights\"))  # the rounded ones of this page",
      `pixels = bytearray(b64decode("${btoa(String.fromCharCode(...pixels))}"))`,
      "image = torch.frombuffer(pixels, dtype=torch.uint8).view(1, 1, 32, 32)",
      "with torch.no_grad():",
      '    feature = parts["encoder"](plain_view()(image))',
      '    mixture = parts["head"](feature).mixture',
      '    scores = parts["classifier"](feature).sigmoid()',
      "print(scores, mixture.log_weights.exp(), mixture.sigmas)",
    ].join("\n");
  }

  probmcl.start("draw", (root) => new View(root));
})((window.probmcl = window.probmcl || {}));
