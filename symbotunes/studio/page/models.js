/** Menus of models, each with what its models were trained on. */

import { element } from "./dom.js";

/** @typedef {import("./types.js").Model} Model */

/** @param {HTMLFormElement} form @returns {Model | undefined} the one chosen in its menu */
export function chosenModel(form) {
  return menus.get(form)?.find((model) => model.id === form.elements.model.value);
}

/** @type {WeakMap<HTMLFormElement, Model[]>} */
const menus = new WeakMap();

/**
 * @param {HTMLFormElement} form with a menu `model` and a paragraph [data-about]
 * @param {Model[]} models
 * @param {(model: Model | undefined) => void} changed called now and with every choice; undefined: there is no model
 */
export function fillMenu(form, models, changed) {
  menus.set(form, models);
  const menu = form.elements.model;
  menu.replaceChildren(...models.map((model) => element("option", { value: model.id }, `${model.name} (${model.kind})`)));
  menu.disabled = !models.length;
  const about = /** @type {HTMLElement} */ (form.querySelector("[data-about]"));
  const show = () => {
    const model = chosenModel(form);
    about.textContent = model ? aboutOf(model) : "None of the models here can do this; train one, or start the studio with play.models.";
    changed(model);
  };
  menu.addEventListener("change", show);
  show();
}

/** @param {Model} model @returns {string} */
function aboutOf(model) {
  return [`Trained on ${model.trained_on}`, model.likelihood].filter(Boolean).join("; ") + ".";
}
