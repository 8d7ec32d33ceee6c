/** The ABC of the piece that is shown, which can be edited. */

import { request } from "./api.js";
import { checkWhileTyping } from "./check.js";
import { byId } from "./dom.js";

/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Notation} Notation */

const LONGEST = 20_000; // characters, as the server reads at most

export class Text {
  /** @type {Piece | null} */
  #piece = null;

  #asked = 0;

  /**
   * @param {(notation: Notation) => void} preview shows a text that is not a piece yet
   * @param {(abc: string) => void} hear makes it one
   */
  constructor(preview, hear) {
    /** @type {HTMLTextAreaElement} */
    this.field = byId("abc");
    this.button = byId("hear");
    this.preview = preview;
    const checked = (/** @type {boolean} */ ok) => {
      this.button.disabled = !ok || !this.edited;
      if (ok && this.edited) this.engrave(this.field.value);
    };
    checkWhileTyping(this.field, byId("abc-error"), () => ({ body: { abc: this.field.value }, before: 0 }), checked);
    this.field.addEventListener("paste", (event) => this.#pasted(event));
    this.button.addEventListener("click", () => {
      this.field.focus({ preventScroll: true }); // the button is disabled once the text is a piece
      hear(this.field.value);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (this.edited) hear(this.field.value);
    });
  }

  /** Refuse what would take the browser minutes to lay out. @param {ClipboardEvent} event */
  #pasted(event) {
    const { length } = event.clipboardData?.getData("text") ?? "";
    if (length <= LONGEST) return;
    event.preventDefault();
    byId("abc-error").textContent = `The ${length.toLocaleString("en")} characters that were pasted are too many; a tune may have ${LONGEST.toLocaleString("en")}.`;
  }

  /** @returns {boolean} whether the text is another than the piece's */
  get edited() {
    return this.#piece !== null && this.field.value !== (this.#piece.abc ?? "");
  }

  /** @param {Piece | null} piece */
  show(piece) {
    if (piece === this.#piece && piece) return;
    this.#piece = piece;
    this.#asked++; // an earlier preview must not replace this piece's notation
    this.#write(piece?.abc ?? "", !piece || piece.abc === null);
  }

  /** A tune that is being written. @param {string} abc */
  grow(abc) {
    this.#piece = null;
    this.#write(abc, false);
    this.field.readOnly = true;
    this.field.scrollTop = this.field.scrollHeight;
  }

  /** @param {string} abc @param {boolean} hidden */
  #write(abc, hidden) {
    byId("text").hidden = hidden;
    this.field.value = abc;
    this.field.scrollTop = 0;
    this.field.readOnly = false;
    this.field.setAttribute("aria-invalid", "false");
    byId("abc-error").textContent = "";
    this.button.disabled = true;
  }

  /** Draw a text; only the last one asked for is shown. @param {string} abc */
  async engrave(abc) {
    const asked = ++this.#asked;
    try {
      const notation = await request("notation", { json: { abc } });
      if (asked === this.#asked) this.preview(notation);
    } catch {
      // A tune that grows cannot always be drawn; the piece that it becomes says why.
    }
  }
}
