/* Tensors that a page loads as bytes: {type, shape, bytes}, written by tools/pictures.py. A script, as pages opened
 * from a disk may not fetch files.
 */
(function (probmcl) {
  "use strict";

  const KINDS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };

  /* The whole numbers, or the real ones, that the bytes hold. */
  function stored({ type, bytes }) {
    const text = atob(bytes);
    return new KINDS[type](Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer);
  }

  /* The values of data[name]: whole numbers times the scale of their row, data[name.scale], if there is one. */
  function values(data, name) {
    const found = stored(data[name]);
    if (!data[`${name}.scale`]) return found;
    const scale = stored(data[`${name}.scale`]);
    const row = found.length / scale.length;
    return Float32Array.from(found, (value, i) => value * scale[Math.floor(i / row)]);
  }

  /* An array as rows of `length` numbers each. */
  function rows(array, length) {
    return Array.from({ length: array.length / length }, (_, i) => array.slice(i * length, (i + 1) * length));
  }

  probmcl.tensors = { values, rows };
})((window.probmcl = window.probmcl || {}));
