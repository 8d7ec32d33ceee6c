/** Piano roll on a canvas: a click jumps there, dragging chooses a span. */

/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Note} Note */

// The palette of the other pages (symbotunes/render/palette.py).
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9"];
const MARGIN = 8; // pixels above and below the notes
const DRAG = 6; // pixels from which a click is a drag
const STEP = 1; // seconds of an arrow key

/** Announces `seek` with seconds, and `span` with [start, end] in seconds or null. */
export class Roll extends EventTarget {
  /** @type {[number, number] | null} */
  span = null;

  /** @type {Note[]} */
  #notes = [];

  /** @type {number[]} */
  #bars = [];

  #duration = 1;
  #now = 0;

  /** @param {HTMLElement} paper with a canvas and .cursor */
  constructor(paper) {
    super();
    this.paper = paper;
    this.canvas = /** @type {HTMLCanvasElement} */ (paper.querySelector("canvas"));
    this.cursor = /** @type {HTMLElement} */ (paper.querySelector(".cursor"));
    this.canvas.addEventListener("pointerdown", (event) => this.#drag(event));
    paper.addEventListener("keydown", (event) => this.#pressed(event));
    new ResizeObserver(() => this.#draw()).observe(paper);
  }

  /**
   * @param {Note[]} notes
   * @param {{duration: number, bars?: number[]}} about the length and the starts of bars in seconds
   */
  show(notes, { duration, bars }) {
    this.#notes = notes;
    this.#duration = Math.max(duration, 0.1, ...notes.map((note) => note.end));
    this.#bars = bars ?? [];
    this.span = null;
    const pitches = new Set(notes.map((note) => note.pitch));
    this.canvas.setAttribute("aria-label", `Piano roll: ${notes.length} notes of ${pitches.size} pitches`);
    this.#draw();
  }

  /** Mark a span. @param {[number, number] | null} span in seconds */
  mark(span) {
    this.span = span;
    this.#draw();
  }

  /** Move the cursor. @param {number} seconds */
  at(seconds) {
    this.#now = seconds;
    this.cursor.hidden = !this.#notes.length;
    this.cursor.style.transform = `translateX(${(seconds / this.#duration) * this.canvas.clientWidth}px)`;
    this.cursor.style.height = `${this.canvas.clientHeight}px`;
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const context = this.canvas.getContext("2d");
    if (!context || !width) return;
    this.canvas.width = width * devicePixelRatio;
    this.canvas.height = height * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    const x = (/** @type {number} */ seconds) => (seconds / this.#duration) * width;
    context.fillStyle = "#ece7db";
    for (const start of this.#bars) context.fillRect(x(start), 0, 1, height);
    if (this.span) {
      context.fillStyle = "rgba(27, 101, 128, 0.15)";
      context.fillRect(x(this.span[0]), 0, x(this.span[1] - this.span[0]), height);
    }
    const pitches = this.#notes.map((note) => note.pitch);
    const [low, high] = [Math.min(...pitches), Math.max(...pitches)];
    const row = (height - 2 * MARGIN) / Math.max(12, high - low + 1);
    for (const { start, end, pitch, track, given } of this.#notes) {
      // What was given is paler than what the model wrote, as in the listening page's rolls.
      context.globalAlpha = given ? 0.4 : 1;
      context.fillStyle = COLORS[track % COLORS.length];
      context.fillRect(x(start), MARGIN + (high - pitch) * row, Math.max(1.5, x(end - start) - 1), Math.max(2, row - 1));
    }
    this.at(this.#now);
  }

  /** @param {PointerEvent} event */
  #secondsOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.#duration;
  }

  /** @param {PointerEvent} down */
  #drag(down) {
    const from = this.#secondsOf(down);
    const controller = new AbortController();
    const { signal } = controller;
    this.canvas.setPointerCapture(down.pointerId);
    const spanTo = (/** @type {PointerEvent} */ event) => {
      const to = this.#secondsOf(event);
      return Math.abs(event.clientX - down.clientX) < DRAG ? null : /** @type {[number, number]} */ ([Math.min(from, to), Math.max(from, to)]);
    };
    this.canvas.addEventListener("pointermove", (event) => this.mark(spanTo(event)), { signal });
    this.canvas.addEventListener("pointercancel", () => controller.abort(), { signal });
    this.canvas.addEventListener("pointerup", (event) => {
      controller.abort();
      this.mark(spanTo(event));
      this.dispatchEvent(new CustomEvent("span", { detail: this.span }));
      if (!this.span) this.dispatchEvent(new CustomEvent("seek", { detail: from }));
    }, { signal });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.dispatchEvent(new CustomEvent("seek", { detail: Math.min(this.#duration, Math.max(0, this.#now + by)) }));
  }
}
