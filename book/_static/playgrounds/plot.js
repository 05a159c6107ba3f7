/* Small line plots as SVG. Colours come from the style sheet, so they follow the theme by themselves. */
(function (probmcl) {
  "use strict";

  const SIZE = { width: 340, height: 230, left: 42, right: 10, top: 12, bottom: 40 };

  /* Make an SVG element inside `parent`. */
  function element(parent, name, attributes = {}, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  }

  /* Empty axes in `svg`. x and y: {from, to, ticks: [[value, text], ...]}; x.label stands below. */
  class Plot {
    constructor(svg, { x, y }) {
      const { width, height, left, right, top, bottom } = SIZE;
      Object.assign(this, { svg, x, y });
      svg.replaceChildren();
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.px = (value) => left + ((value - x.from) / (x.to - x.from)) * (width - left - right);
      this.py = (value) => height - bottom - ((value - y.from) / (y.to - y.from)) * (height - top - bottom);
      for (const [value, text] of y.ticks) {
        element(svg, "line", { class: "pg-grid", x1: left, x2: width - right, y1: this.py(value), y2: this.py(value) });
        element(svg, "text", { class: "pg-tick", x: left - 6, y: this.py(value) + 4, "text-anchor": "end" }, text);
      }
      for (const [value, text] of x.ticks)
        element(svg, "text", { class: "pg-tick", x: this.px(value), y: height - bottom + 17, "text-anchor": "middle" }, text);
      element(svg, "text", { class: "pg-axis", x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, x.label);
      const clip = `${svg.id}-clip`;
      const inside = element(element(svg, "clipPath", { id: clip }), "rect", { x: left, y: top - 2 });
      inside.setAttribute("width", width - left - right);
      inside.setAttribute("height", height - top - bottom + 4);
      this.inside = element(svg, "g", { "clip-path": `url(#${clip})` });
    }

    line(points, className) {
      const path = points.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(2)} ${this.py(y).toFixed(2)}`);
      element(this.inside, "path", { class: `pg-line ${className}`, d: path.join("") });
    }

    /* Steps [{low, high, value}] that follow each other. */
    steps(parts, className) {
      this.line(parts.flatMap(({ low, high, value }) => [[low, value], [high, value]]), className);
    }

    cursor(x) {
      const { height, top, bottom } = SIZE;
      element(this.inside, "line", { class: "pg-cursor", x1: this.px(x), x2: this.px(x), y1: top, y2: height - bottom });
    }

    dot(x, y, className) {
      element(this.inside, "circle", { class: `pg-dot ${className}`, cx: this.px(x), cy: this.py(y), r: 4.5 });
    }
  }

  /* Call moved(x) with the x of the axes wherever a pointer presses or drags in `svg`. */
  function draggable(svg, axes, moved) {
    const { width, left, right } = SIZE;
    const at = (event) => {
      const box = svg.getBoundingClientRect();
      const share = (((event.clientX - box.left) / box.width) * width - left) / (width - left - right);
      const { from, to } = axes();
      moved(from + Math.min(1, Math.max(0, share)) * (to - from));
    };
    svg.addEventListener("pointerdown", (event) => {
      svg.setPointerCapture(event.pointerId);
      at(event);
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) at(event);
    });
  }

  /* Grey values from 0 to 255 onto a canvas of side x side pixels. */
  function paintGrey(canvas, pixels, side) {
    const image = new ImageData(side, side);
    pixels.forEach((grey, i) => image.data.set([grey, grey, grey, 255], 4 * i));
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  Object.assign(probmcl, { Plot, draggable, paintGrey, svgElement: element });
})((window.probmcl = window.probmcl || {}));
