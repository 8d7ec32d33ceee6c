/** The panel for files: accompany a track, fill a span, harmonize a melody. */

import { element } from "./dom.js";
import { chosenModel, fillMenu } from "./models.js";
import { initSeed } from "./seed.js";

/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Task} Task */

const PLANS = ["accompany", "infill", "harmonize"];

export class Files {
  /** @type {Piece | null} */
  #piece = null;

  /**
   * @param {HTMLFormElement} form
   * @param {Model[]} models
   * @param {(task: Task) => void} write
   */
  constructor(form, models, write) {
    this.form = form;
    this.tracks = /** @type {HTMLElement} */ (form.querySelector("#tracks"));
    initSeed(form);
    const fitting = models.filter((model) => !model.abc && model.abilities.some((ability) => PLANS.includes(ability)));
    fillMenu(form, fitting, () => this.#enable());
    for (const button of this.#buttons()) {
      button.addEventListener("click", () => form.reportValidity() && write(this.#task(button.dataset.plan ?? "")));
    }
    for (const name of ["start", "end"]) form.elements[name].addEventListener("input", () => this.#enable());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {Piece | null} piece the one that is shown */
  show(piece) {
    if (piece === this.#piece) return;
    this.#piece = piece;
    const tracks = piece?.tracks ?? [];
    this.tracks.hidden = !tracks.length;
    const legend = /** @type {Node} */ (this.tracks.querySelector("legend"));
    this.tracks.replaceChildren(legend, ...tracks.map(({ index, name, notes }, place) =>
      element("label", { class: "check" },
        element("input", { type: "radio", name: "track", value: index, checked: place === 0 }),
        `${name || `Track ${index}`} (${notes} notes)`)));
    this.span(null);
  }

  /** @param {[number, number] | null} span in seconds, chosen in the roll */
  span(span) {
    this.form.elements.start.value = span ? span[0].toFixed(1) : "";
    this.form.elements.end.value = span ? span[1].toFixed(1) : "";
    this.#enable();
  }

  /** @returns {HTMLButtonElement[]} */
  #buttons() {
    return [...this.form.querySelectorAll("[data-plan]")];
  }

  #enable() {
    const abilities = chosenModel(this.form)?.abilities ?? [];
    const { start, end } = this.form.elements;
    const span = start.value !== "" && Number(end.value) > Number(start.value);
    for (const button of this.#buttons()) {
      const plan = button.dataset.plan ?? "";
      button.disabled = !this.#piece || !abilities.includes(plan) || (plan === "infill" && !span);
    }
  }

  /** @param {string} plan @returns {Task} */
  #task(plan) {
    const { elements } = this.form;
    const task = { model: elements.model.value, plan, piece: this.#piece?.id, num: Number(elements.num.value), seed: Number(elements.seed.value), options: {} };
    if (plan === "accompany") return { ...task, track: Number(new FormData(this.form).get("track")) };
    return plan === "infill" ? { ...task, span: [Number(elements.start.value), Number(elements.end.value)] } : task;
  }
}
