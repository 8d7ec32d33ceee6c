/** The seed of a form: shown, editable, and rolled anew by a die. */

/** @returns {number} below 2^31 */
export function roll() {
  return crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
}

/** @param {HTMLFormElement} form with an input `seed` and a button [data-dice] */
export function initSeed(form) {
  form.elements.seed.value = String(roll());
  form.querySelector("[data-dice]")?.addEventListener("click", () => {
    form.elements.seed.value = String(roll());
  });
}
