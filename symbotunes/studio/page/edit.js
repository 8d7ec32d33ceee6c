/** Editing the piece that is shown: its bars, its pitch, tempo and instrument. */

import { formatBars, parseBars } from "./bars.js";
import { byId, element } from "./dom.js";
import { INSTRUMENTS } from "./instruments.js";

/** @typedef {import("./score.js").Score} Score */
/** @typedef {import("./session.js").Session} Session */

/**
 * @typedef {object} Actions what the page does
 * @property {(bars: string) => void} regenerate
 * @property {(bars: string) => void} goOn keeping these bars
 * @property {(change: Record<string, unknown>) => void} change
 */

export class Edit {
  /**
   * @param {Session} session
   * @param {Score} score
   * @param {Actions} actions
   */
  constructor(session, score, actions) {
    this.session = session;
    this.score = score;
    this.actions = actions;
    /** @type {HTMLFormElement} */
    this.form = byId("edit");
    this.fields = this.form.elements;
    this.fields.instrument.append(element("option", { value: "" }, "as it is"), ...INSTRUMENTS.map(([program, name]) => element("option", { value: program }, name)));
    score.addEventListener("select", () => this.#selected());
    this.fields.bars.addEventListener("input", () => this.#typed());
    this.fields.bars.addEventListener("change", () => this.#selected());
    this.#button("regenerate").addEventListener("click", () => actions.regenerate(formatBars(this.#toRegenerate())));
    this.#button("lock").addEventListener("click", () => this.#lock());
    this.#button("continue").addEventListener("click", () => actions.goOn(formatBars(this.#kept())));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change();
    });
  }

  /** Show what can be done with the piece that is shown. */
  show() {
    this.score.lock(this.session.view.locked);
    this.#enable();
  }

  /** Forget what was to be changed in an earlier piece. */
  reset() {
    this.fields.transpose.value = "0";
    this.fields.tempo.value = "";
    this.fields.instrument.value = "";
  }

  /** @param {string} name @returns {HTMLButtonElement} */
  #button(name) {
    return /** @type {HTMLButtonElement} */ (this.form.querySelector(`[data-do="${name}"]`));
  }

  /** @returns {number[]} all bars, in order */
  get #all() {
    return this.score.notation.bars.map(({ number }) => number);
  }

  /** @returns {number[]} the chosen bars, or all, without the locked ones */
  #toRegenerate() {
    const { locked } = this.session.view;
    const chosen = this.score.selected.size ? [...this.score.selected] : locked.length ? this.#all : [];
    return chosen.filter((bar) => !locked.includes(bar));
  }

  /** @returns {number[]} the bars up to the last chosen one */
  #kept() {
    const last = Math.max(...this.score.selected);
    return this.#all.filter((bar) => bar >= 1 && bar <= last); // an upbeat comes along
  }

  #selected() {
    const bars = formatBars(this.score.selected);
    // While someone types, the field is theirs.
    if (document.activeElement !== this.fields.bars && this.#asTyped() !== bars) {
      this.fields.bars.value = bars;
      this.#complain("");
    }
    byId("chosen").textContent = bars ? `Bars ${bars} are chosen` : "";
    this.#enable();
  }

  /** @returns {string | null} the bars of the field in their usual form */
  #asTyped() {
    const bars = parseBars(this.fields.bars.value);
    return bars && formatBars(bars);
  }

  #typed() {
    const bars = parseBars(this.fields.bars.value);
    const known = bars?.filter((bar) => this.#all.includes(bar));
    let error = "";
    if (!bars) error = "Write numbers of bars such as 3-4,7.";
    else if (known?.length !== bars.length) error = `There are the bars ${formatBars(this.#all)} here.`;
    this.#complain(error);
    this.score.select(known ?? []);
  }

  /** @param {string} error about the field of bars; empty: none */
  #complain(error) {
    byId("bars-error").textContent = error;
    this.fields.bars.setAttribute("aria-invalid", String(Boolean(error)));
  }

  #enable() {
    const { locked } = this.session.view;
    const chosen = [...this.score.selected];
    const lock = this.#button("lock");
    lock.disabled = !chosen.length;
    lock.textContent = chosen.length && chosen.every((bar) => locked.includes(bar)) ? "Unlock" : "Lock";
    this.#button("regenerate").disabled = !this.#toRegenerate().length;
    this.#button("regenerate").textContent = !chosen.length && locked.length ? "Regenerate all but the locked bars" : "Regenerate";
    this.#button("continue").disabled = !chosen.length;
  }

  #lock() {
    const { locked } = this.session.view;
    const chosen = [...this.score.selected];
    const unlock = chosen.every((bar) => locked.includes(bar));
    const others = locked.filter((bar) => !chosen.includes(bar));
    this.session.step({ locked: unlock ? others : [...others, ...chosen] });
  }

  #change() {
    const { transpose, tempo, instrument } = this.fields;
    const change = {};
    if (Number(transpose.value)) change.transpose = Number(transpose.value);
    if (tempo.value) change.tempo = Number(tempo.value);
    if (instrument.value) change.instrument = Number(instrument.value);
    if (Object.keys(change).length) this.actions.change(change);
  }
}
