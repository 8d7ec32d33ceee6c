/** The pieces of the session, those shown now, and what undo and redo return to. */

/** @typedef {import("./types.js").Piece} Piece */
/**
 * @typedef {object} View
 * @property {string[]} candidates ids of pieces, side by side
 * @property {string | null} current id of the piece that is shown
 * @property {number[]} locked bars that are not regenerated
 */

/** Announces every change by an event `change`. */
export class Session extends EventTarget {
  /** @type {Map<string, Piece>} by id, the oldest first */
  pieces = new Map();

  /** @type {View} */
  view = { candidates: [], current: null, locked: [] };

  /** @type {View[]} */
  #past = [];

  /** @type {View[]} */
  #future = [];

  /** @returns {Piece | null} the piece that is shown */
  get piece() {
    return this.pieces.get(this.view.current ?? "") ?? null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** @param {Piece} piece */
  add(piece) {
    this.pieces.set(piece.id, piece);
  }

  /** A step that undo takes back. @param {Partial<View>} view */
  step(view) {
    this.#past.push(this.view);
    this.#future = [];
    this.amend(view);
  }

  /** A change that belongs to the last step, such as another candidate of it. @param {Partial<View>} view */
  amend(view) {
    this.view = { ...this.view, ...view };
    this.dispatchEvent(new Event("change"));
  }

  undo() {
    this.#move(this.#past, this.#future);
  }

  redo() {
    this.#move(this.#future, this.#past);
  }

  /** @param {View[]} from @param {View[]} to */
  #move(from, to) {
    const view = from.pop();
    if (!view) return;
    to.push(this.view);
    this.amend(view);
  }

  /** A piece made from the current one, in its place among the candidates. @param {Piece} piece */
  replace(piece) {
    this.add(piece);
    const { candidates, current } = this.view;
    const others = candidates.includes(current ?? "") ? candidates : [...candidates, current ?? ""];
    this.step({
      candidates: others.map((id) => (id === current ? piece.id : id)).filter(Boolean),
      current: piece.id,
    });
  }

  /** A piece that is not made from another. @param {Piece} piece */
  open(piece) {
    this.add(piece);
    this.step({ candidates: [piece.id], current: piece.id, locked: [] });
  }

  /** The next or the previous candidate. @param {1 | -1} by */
  choose(by) {
    const { candidates, current } = this.view;
    const index = candidates.indexOf(current ?? "") + by;
    if (index >= 0 && index < candidates.length) this.amend({ current: candidates[index] });
  }
}
