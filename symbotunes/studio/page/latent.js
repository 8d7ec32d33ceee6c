/** The panel for latent models: a path between two windows, and more or less of an attribute. */

import { upload } from "./api.js";
import { dropTarget } from "./drop.js";
import { fillMenu } from "./models.js";
import { roll } from "./seed.js";

/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Task} Task */

const STRENGTHS = [-2, -1, 0, 1, 2];

/**
 * @typedef {object} Studio what the panel asks of the page
 * @property {() => Piece | null} current the piece that is shown
 * @property {(task: Task) => Promise<string[]>} write ids of what was written, which become the candidates
 * @property {(task: Task) => Promise<Piece | null>} draw one piece, which does not
 * @property {(id: string) => void} hear one of the candidates
 * @property {(error: unknown) => void} fail
 */

export class Latent {
  /** @type {Record<string, Piece | null>} the windows at the ends of the path */
  #ends = { a: null, b: null };

  /** @type {Record<string, string[]>} ids of the pieces along each slider */
  #along = { path: [], strength: [] };

  /**
   * @param {HTMLFormElement} form
   * @param {Model[]} models
   * @param {Studio} studio
   */
  constructor(form, models, studio) {
    this.form = form;
    this.studio = studio;
    fillMenu(form, models.filter((model) => model.abilities.includes("interpolate")), () => this.#enable());
    for (const end of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-end]"))) this.#initEnd(end);
    for (const name of ["path", "strength"]) {
      form.elements[name].addEventListener("input", () => studio.hear(this.#along[name][Number(form.elements[name].value)]));
    }
    form.querySelector("[data-attribute]")?.addEventListener("click", () => form.reportValidity() && this.#vary());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#interpolate();
    });
  }

  /** Move the sliders to the piece that is shown. @param {Piece | null} piece */
  show(piece) {
    for (const [name, ids] of Object.entries(this.#along)) {
      const index = ids.indexOf(piece?.id ?? "");
      const slider = this.form.elements[name];
      if (index >= 0) slider.value = String(index);
      slider.setAttribute("aria-valuetext", `${Number(slider.value) + 1} of ${Math.max(1, ids.length)}`);
    }
    this.#enable();
  }

  /** @param {HTMLElement} end */
  #initEnd(end) {
    const take = async (/** @type {File} */ file) => {
      try {
        this.#set(end, await upload(file));
      } catch (error) {
        this.studio.fail(error);
      }
    };
    dropTarget(end, take);
    const input = /** @type {HTMLInputElement} */ (end.querySelector('input[type="file"]'));
    input.addEventListener("change", () => input.files?.[0] && take(input.files[0]));
    end.querySelector("[data-use]")?.addEventListener("click", () => this.#set(end, this.studio.current()));
    end.querySelector("[data-draw]")?.addEventListener("click", async () => {
      this.#set(end, await this.studio.draw(this.#task("prior", { temperature: this.#temperature })));
    });
  }

  get #temperature() {
    return Number(this.form.elements.temperature.value);
  }

  /** @param {HTMLElement} end @param {Piece | null} piece */
  #set(end, piece) {
    if (!piece) return;
    this.#ends[end.dataset.end ?? ""] = piece;
    const title = /** @type {HTMLElement} */ (end.querySelector("[data-title]"));
    title.textContent = piece.title;
    this.#enable();
  }

  /** @param {string} plan @param {Record<string, unknown>} options @returns {Task} */
  #task(plan, options) {
    return { model: this.form.elements.model.value, plan, num: 1, seed: roll(), options };
  }

  async #interpolate() {
    const { a, b } = this.#ends;
    if (!a || !b) return;
    const steps = Number(this.form.elements.steps.value);
    const task = this.#task("interpolate", { steps, temperature: this.#temperature });
    await this.#fill("path", { ...task, a: a.id, b: b.id });
  }

  async #vary() {
    const options = { attribute: this.form.elements.attribute.value, strengths: STRENGTHS, temperature: this.#temperature };
    await this.#fill("strength", { ...this.#task("attribute", options), piece: this.studio.current()?.id });
  }

  /** @param {string} name of a slider @param {Task} task whose pieces lie along it */
  async #fill(name, task) {
    const ids = await this.studio.write(task);
    if (!ids.length) return;
    this.#along[name] = ids;
    const slider = this.form.elements[name];
    slider.max = String(ids.length - 1);
    slider.disabled = false;
    this.show(this.studio.current());
  }

  #enable() {
    const model = !this.form.elements.model.disabled;
    const submit = /** @type {HTMLButtonElement} */ (this.form.querySelector('[type="submit"]'));
    submit.disabled = !model || !this.#ends.a || !this.#ends.b;
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (this.form.querySelectorAll("[data-draw]"))) button.disabled = !model;
    const vary = /** @type {HTMLButtonElement} */ (this.form.querySelector("[data-attribute]"));
    vary.disabled = !model || !this.studio.current();
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (this.form.querySelectorAll("[data-use]"))) button.disabled = !this.studio.current();
  }
}
