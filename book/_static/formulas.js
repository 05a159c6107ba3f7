// Formulas are typeset piece by piece: first those in view, then the others while nothing else is to be done, so
// that a page with many formulas answers at once. MathJax alone typesets all of them before it lets a page answer.
"use strict";

{
  const loaded = new Promise((done) => addEventListener("load", done, { once: true }));
  const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done, { timeout: 1000 }));

  const isInView = (formula) => {
    const { bottom, top } = formula.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };

  // MathJax looks for this function when it starts; it is loaded after this script.
  (window.MathJax ??= {}).startup = {
    pageReady: async () => {
      const formulas = [...document.querySelectorAll(".math")];
      if (location.hash) return MathJax.typesetPromise(formulas); // formulas above the place would move it
      const first = new Set(formulas.filter(isInView));
      await MathJax.typesetPromise([...first]);
      await loaded;
      const rest = formulas.filter((formula) => !first.has(formula));
      const size = Math.max(20, rest.length / 10); // each piece costs a layout of the page
      while (rest.length) {
        await idle();
        await MathJax.typesetPromise(rest.splice(0, size));
      }
    },
  };
}
