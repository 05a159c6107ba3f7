/* What a pen leaves on a scene. A stroke is a list of places [x, y], in whole half pixels from 0 to 63.
 *
 * Strokes are written as text, two letters a place and a dot between strokes, so that an address can hold them.
 */
(function (probmcl) {
  "use strict";

  const { SIDE } = probmcl.encoder;

  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const RADIUS = 0.7; // pixels
  const INK = 235; // of 255
  const MOST = 2000; // places: an address has an end

  function writeStrokes(strokes) {
    return strokes.map((places) => places.map(([x, y]) => LETTERS[x] + LETTERS[y]).join("")).join(".");
  }

  function readStrokes(text) {
    if (!/^[\w-]*(\.[\w-]+)*$/.test(text) || text.length > 3 * MOST) return undefined;
    const strokes = text ? text.split(".") : [];
    if (strokes.some((stroke) => stroke.length % 2)) return undefined;
    return strokes.map((stroke) => stroke.match(/../g).map((pair) => [...pair].map((letter) => LETTERS.indexOf(letter))));
  }

  /* Distance of (x, y) from the straight line between two places, in pixels. */
  function distance(x, y, [ax, ay], [bx, by]) {
    const [dx, dy] = [bx - ax, by - ay];
    const share = dx || dy ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
    return Math.hypot(x - ax - share * dx, y - ay - share * dy) / 2;
  }

  /* The grey values of `scene` with all strokes drawn over it. */
  function inked(scene, strokes) {
    const pixels = Uint8Array.from(scene);
    for (const places of strokes)
      places.forEach((place, i) => {
        const before = places[Math.max(0, i - 1)];
        for (let at = 0; at < pixels.length; at++) {
          const away = distance(2 * (at % SIDE) + 1, 2 * Math.floor(at / SIDE) + 1, before, place);
          const ink = Math.round(INK * Math.min(1, Math.max(0, RADIUS + 0.5 - away)));
          pixels[at] = Math.max(pixels[at], ink);
        }
      });
    return pixels;
  }

  probmcl.pen = { MOST, writeStrokes, readStrokes, inked };
})((window.probmcl = window.probmcl || {}));
