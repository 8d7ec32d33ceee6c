/** The panel that writes tunes. */

import { checkWhileTyping } from "./check.js";
import { element } from "./dom.js";
import { chosenModel, fillMenu } from "./models.js";
import { initSeed, roll } from "./seed.js";

/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Task} Task */

const TONICS = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/**
 * @param {HTMLFormElement} form
 * @param {Model[]} models
 * @param {(task: Task, atOnce: boolean) => void} write
 */
export function initTunes(form, models, write) {
  const { elements } = form;
  elements.tonic.append(...TONICS.map((tonic) => element("option", { selected: tonic === "D" }, tonic)));
  elements.mode.value = "dor";
  const recheck = checkWhileTyping(elements.notes, /** @type {HTMLElement} */ (document.getElementById("notes-error")), () => {
    const { head, prompt } = promptOf(form);
    return prompt ? { body: { prompt, model: elements.model.value }, before: head.length } : null;
  });
  for (const name of ["meter", "tonic", "mode", "model"]) elements[name].addEventListener("change", recheck);
  initSeed(form);
  fillMenu(form, models.filter((model) => model.abilities.includes("sample")), (model) => setDefaults(form, model));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (elements.fresh.checked && form.dataset.used === elements.seed.value) elements.seed.value = String(roll());
    form.dataset.used = elements.seed.value;
    write(taskOf(form), elements.at_once.checked);
  });
}

/** @param {HTMLFormElement} form @param {Model | undefined} model */
function setDefaults(form, model) {
  const { elements } = form;
  for (const part of form.querySelectorAll(".abc-only")) part.toggleAttribute("hidden", !model?.abc);
  for (const name of ["temperature", "min_p"]) {
    const value = model?.defaults[name];
    if (typeof value === "number") elements[name].value = String(value);
  }
  /** @type {HTMLButtonElement} */ (form.querySelector('[type="submit"]')).disabled = !model;
}

/** @param {HTMLFormElement} form @returns {{head: string, prompt: string}} meter and key, and these with the first notes */
function promptOf({ elements }) {
  const key = elements.tonic.value && `K:${elements.tonic.value}${elements.mode.value}`;
  const meter = elements.meter.value && `M:${elements.meter.value}`;
  const head = [meter, key].filter(Boolean).join(" ");
  const notes = elements.notes.value.trim();
  const before = head && notes ? `${head} ` : head;
  return { head: before, prompt: before + notes };
}

/** @param {HTMLFormElement} form @returns {Task} */
function taskOf(form) {
  const { elements } = form;
  const model = chosenModel(form);
  const options = { temperature: Number(elements.temperature.value), min_p: Number(elements.min_p.value) };
  if (model?.abc) {
    options.prompt = promptOf(form).prompt || null;
    options.constraint = elements.constraint.checked ? "auto" : null;
  }
  return {
    model: elements.model.value,
    plan: "sample",
    num: Number(elements.num.value),
    seed: Number(elements.seed.value),
    options,
  };
}
