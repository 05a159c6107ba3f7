/* What the playgrounds share: controls tied to a state, the state in the address, numbers in words.
 *
 * A playground is an element with inputs that carry data-name, outputs that carry data-out, and buttons that
 * carry data-preset or data-action="reset". A field says how the value of one name is written in the address
 * and read back:
 *
 *   start           value at first and after a reset (left out: the field is derived from others)
 *   read(text)      value, or undefined if the text is none
 *   write(value)    text for the address, exact
 *   show(value)     text for the inputs (default: write)
 *   get(state)      value (default: state[name])
 *   put(value, state)  what changes with it (default: {[name]: value})
 */
(function (probmcl) {
  "use strict";

  const WAIT = 200; // milliseconds without a change before the address is written
  const NOISE = 1e-12; // sums whose terms cancel are not known better in double precision

  function readNumber(text) {
    const fraction = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text);
    if (fraction) return Number(fraction[1]) / Number(fraction[2]);
    return text.trim() === "" ? NaN : Number(text.trim().replace("−", "-").replace(",", "."));
  }

  function number(start, low, high, more = {}) {
    const read = (text) => {
      const value = readNumber(text);
      return value >= low && value <= high ? value : undefined;
    };
    const show = (value) => String(Number(value.toPrecision(6)));
    return { start, read, write: String, show, ...more };
  }

  function whole(start, low, high, more = {}) {
    const field = number(start, low, high);
    const read = (text) => (Number.isInteger(field.read(text)) ? field.read(text) : undefined);
    return { ...field, read, ...more };
  }

  function choice(start, values, more = {}) {
    return { start, read: (text) => (values.includes(text) ? text : undefined), write: String, ...more };
  }

  function flag(start) {
    return { start, read: (text) => ({ true: true, false: false })[text], write: String };
  }

  class Playground {
    /* fields: as above; presets: changes by name; render(state): called after every change;
     * sound(state): the state that is meant when its parts do not fit each other. */
    constructor(root, { fields, presets = {}, sound = (state) => state, render }) {
      Object.assign(this, { root, fields, presets, sound, render });
      for (const field of Object.values(fields)) field.show ??= field.write;
      this.page = root.dataset.page; // set where a chapter embeds the playground: the address is the chapter's
      this.state = this.start();
      root.addEventListener("input", (event) => this.edited(event.target));
      root.addEventListener("change", (event) => this.edited(event.target, true));
      for (const button of root.querySelectorAll("[data-preset]"))
        button.addEventListener("click", () => this.set(presets[button.dataset.preset]));
      root.querySelector("[data-action=reset]").addEventListener("click", () => this.set(this.start()));
      if (!this.page) window.addEventListener("hashchange", () => this.load());
      this.load();
      root.dataset.ready = "";
    }

    start() {
      const kept = Object.entries(this.fields).filter(([, field]) => field.start !== undefined);
      return Object.fromEntries(kept.map(([name, field]) => [name, structuredClone(field.start)]));
    }

    get(name) {
      const { get } = this.fields[name];
      return get ? get(this.state) : this.state[name];
    }

    set(changes, typing = null) {
      this.state = this.sound({ ...this.state, ...structuredClone(changes) });
      this.showState(typing);
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.save(), WAIT);
    }

    showState(typing = null) {
      this.render(this.state);
      for (const input of this.root.querySelectorAll("[data-name]")) {
        if (input === typing) continue; // never rewrite what is being typed
        const value = this.get(input.dataset.name);
        if (input.type === "checkbox") input.checked = value;
        else input.value = this.fields[input.dataset.name].show(value);
        input.removeAttribute("aria-invalid");
      }
      for (const button of this.root.querySelectorAll("[data-preset]")) {
        const changes = Object.entries(this.presets[button.dataset.preset]);
        const holds = changes.every(([name, value]) => JSON.stringify(this.state[name]) === JSON.stringify(value));
        button.setAttribute("aria-pressed", holds);
      }
    }

    edited(input, finished = false) {
      const field = this.fields[input.dataset.name];
      if (!field) return;
      const value = field.read(input.type === "checkbox" ? String(input.checked) : input.value);
      if (value === undefined) {
        input.setAttribute("aria-invalid", "true");
        if (finished) this.showState(); // an impossible value does not stay
        return;
      }
      input.removeAttribute("aria-invalid");
      this.set(field.put ? field.put(value, this.state) : { [input.dataset.name]: value }, finished ? null : input);
    }

    address() {
      const kept = Object.keys(this.state).map((name) => [name, this.fields[name].write(this.state[name])]);
      return `#${kept.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join("&")}`;
    }

    save() {
      const link = this.root.querySelector("[data-link]");
      if (link) link.href = this.page + this.address();
      if (!this.page) history.replaceState(null, "", this.address());
    }

    load() {
      const found = this.start();
      const inside = this.page ? new URLSearchParams() : new URLSearchParams(location.hash.slice(1));
      for (const [name, text] of inside) {
        const value = Object.hasOwn(found, name) ? this.fields[name].read(text) : undefined;
        if (value !== undefined) found[name] = value;
      }
      this.state = this.sound(found);
      this.showState();
    }
  }

  /* Counts from 0 to `last` in so many seconds and calls moved(count); at once, where a reader wants no motion.
   * The button data-action="play" begins and pauses. The playground says at(count) whatever is shown: a count
   * that is not the player's own stops it. What data-spoken holds is read out only where nothing moves. */
  class Player {
    constructor(root, { last, seconds, moved }) {
      Object.assign(this, { root, last, seconds, moved, count: last, running: 0 });
      this.button = root.querySelector("[data-action=play]");
      this.button.addEventListener("click", () => (this.running ? this.stop() : this.play(this.count < last ? this.count : 0)));
      this.stop();
    }

    play(from = 0) {
      this.stop();
      const begin = performance.now();
      const tick = (now) => {
        this.running = requestAnimationFrame(tick);
        this.count = Math.min(this.last, from + Math.max(0, Math.floor(((now - begin) / 1000 / this.seconds) * this.last)));
        this.moved(this.count);
        if (this.count === this.last) this.stop();
      };
      this.show(true);
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) tick(Infinity);
      else this.running = requestAnimationFrame(tick);
    }

    stop() {
      cancelAnimationFrame(this.running);
      this.running = 0;
      this.show(false);
    }

    show(runs) {
      this.button.textContent = runs ? "Pause" : "Play";
      this.root.querySelector("[data-spoken]").setAttribute("aria-live", runs ? "off" : "polite");
    }

    at(count) {
      if (count !== this.count && this.running) this.stop();
      this.count = count;
    }
  }

  /* Call draw before the next frame, once for many requests, and again when the theme changes. */
  function painter(draw) {
    let asked = false;
    const request = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        draw();
      });
    };
    new MutationObserver(request).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return request;
  }

  /* Six decimals, so that a number can be compared with the package's; very small ones in powers of ten.
   * What is left below `noise` is rounding and shows as 0. Products and exponentials have no noise: theirs is 0. */
  function decimals(value, noise = NOISE) {
    const size = Math.abs(value);
    if (size <= noise) return (0).toFixed(6);
    const text = size < 1e-4 ? value.toExponential(6) : value.toFixed(6);
    return text.replace(/-/g, "−");
  }

  /* The same without trailing zeros. */
  function short(value) {
    return String(Number(value.toFixed(6))).replace("-", "−");
  }

  function write(root, outputs) {
    for (const [name, text] of Object.entries(outputs)) root.querySelector(`[data-out="${name}"]`).textContent = text;
  }

  /* Start a playground wherever the page holds one. */
  function start(name, make) {
    const begin = () => document.querySelectorAll(`[data-playground="${name}"]`).forEach(make);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
    else begin();
  }

  Object.assign(probmcl, { Playground, Player, number, whole, choice, flag, painter, decimals, short, write, start });
})((window.probmcl = window.probmcl || {}));
