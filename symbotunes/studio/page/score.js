/** Notation: bars that can be chosen, and a cursor that moves with the sound. */

import { drawing, groundOf } from "./svg.js";

/** @typedef {import("./types.js").Notation} Notation */

const NOTHING = Object.freeze({ svg: [], timemap: [], bars: [], notes: [] });

/** Announces `select` when other bars are chosen, and `seek` with seconds when one is double-clicked or Enter is pressed. */
export class Score extends EventTarget {
  /** @type {Set<number>} numbers of the chosen bars */
  selected = new Set();

  /** @type {Notation} */
  notation = NOTHING;

  /** @type {Map<string, number>} numbers of bars by the ids of their measures */
  #bars = new Map();

  /** @type {{seconds: number, left: number, top: number, height: number}[]} where notes begin on the paper */
  #stops = [];

  /** @type {Element[]} */
  #sounding = [];

  #moment = -1;
  #anchor = 0; // the bar from which Shift extends
  #head = 0; // the bar to which it does

  /** @param {HTMLElement} paper with .pages and .cursor */
  constructor(paper) {
    super();
    this.paper = paper;
    this.pages = /** @type {HTMLElement} */ (paper.querySelector(".pages"));
    this.cursor = /** @type {HTMLElement} */ (paper.querySelector(".cursor"));
    this.pages.addEventListener("click", (event) => this.#clicked(event));
    this.pages.addEventListener("dblclick", (event) => this.#seek(this.#barOf(event.target)));
    paper.addEventListener("keydown", (event) => this.#pressed(event));
    new ResizeObserver(() => (this.#stops = [])).observe(this.pages);
  }

  /** @param {Notation | null} notation null: none @param {number[]} [fresh] bars that a model wrote into given music */
  show(notation, fresh = []) {
    this.notation = notation ?? NOTHING;
    this.#stops = [];
    this.#sounding = [];
    this.#moment = -1;
    this.cursor.hidden = true;
    this.pages.replaceChildren(...this.notation.svg.map(drawing).filter((page) => page !== null));
    this.paper.hidden = !this.pages.children.length;
    this.#bars = new Map(this.notation.bars.flatMap(({ number, ids }) => ids.map((id) => [id, number])));
    for (const measure of this.#measures()) {
      measure.prepend(groundOf(measure));
      measure.classList.toggle("new", fresh.includes(this.#bars.get(measure.id) ?? -1));
    }
    const known = new Set(this.#bars.values());
    this.select([...this.selected].filter((bar) => known.has(bar)));
  }

  /** @param {Iterable<number>} bars */
  select(bars) {
    this.selected = new Set(bars);
    this.#mark("selected", this.selected);
    this.dispatchEvent(new Event("select"));
  }

  /** @param {Iterable<number>} bars */
  lock(bars) {
    this.#mark("locked", new Set(bars));
  }

  /** Move the cursor. @param {number} seconds */
  at(seconds) {
    const { timemap } = this.notation;
    if (!timemap.length || this.paper.hidden) return;
    if (!this.#stops.length) this.#measureStops();
    const next = this.#stops.findIndex((stop) => stop.seconds > seconds);
    const stop = this.#stops[next < 0 ? this.#stops.length - 1 : Math.max(0, next - 1)];
    if (!stop) return;
    const following = next > 0 ? this.#stops[next] : undefined;
    const share = following ? (seconds - stop.seconds) / (following.seconds - stop.seconds) : 0;
    // It glides to the next note in the same line only.
    const right = following && following.top === stop.top && following.left > stop.left ? following.left : stop.left;
    const left = stop.left + share * (right - stop.left);
    this.cursor.hidden = false;
    this.cursor.style.transform = `translate(${left}px, ${stop.top}px)`;
    this.cursor.style.height = `${stop.height}px`;
    this.#light(seconds);
  }

  /** Where notes begin, relative to the paper. Read in one go, since each reading after a writing costs a layout. */
  #measureStops() {
    const origin = this.paper.getBoundingClientRect();
    const [x, y] = [this.paper.scrollLeft - origin.left, this.paper.scrollTop - origin.top];
    for (const { seconds, on } of this.notation.timemap) {
      const note = on.length ? document.getElementById(on[0]) : null;
      const system = note?.closest("g.staff, g.measure");
      if (!note || !system) continue;
      const [box, line] = [(note.querySelector(".notehead") ?? note).getBoundingClientRect(), system.getBoundingClientRect()];
      const whole = note.closest("g.system")?.getBoundingClientRect() ?? line;
      this.#stops.push({ seconds, left: box.left + box.width / 2 + x, top: whole.top + y, height: whole.height });
    }
  }

  /** Color the notes that sound. @param {number} seconds */
  #light(seconds) {
    const { timemap } = this.notation;
    const next = timemap.findIndex((moment) => moment.seconds > seconds);
    const moment = (next < 0 ? timemap.length : next) - 1;
    if (moment === this.#moment) return;
    this.#moment = moment;
    this.#sounding.forEach((note) => note.classList.remove("sounding"));
    const ids = this.notation.notes.filter(({ start, end }) => start <= seconds + 1e-3 && end > seconds + 1e-3).map(({ id }) => id);
    this.#sounding = ids.map((id) => document.getElementById(id)).filter((note) => note !== null);
    this.#sounding.forEach((note) => note.classList.add("sounding"));
    const system = this.#sounding[0]?.closest("g.system");
    if (system && this.paper.scrollWidth > this.paper.clientWidth) this.#sounding[0].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @returns {Element[]} */
  #measures() {
    return [...this.pages.querySelectorAll("g.measure")];
  }

  /** @param {string} name of a class @param {Set<number>} bars */
  #mark(name, bars) {
    for (const measure of this.#measures()) measure.classList.toggle(name, bars.has(this.#bars.get(measure.id) ?? -1));
  }

  /** @param {EventTarget | null} target @returns {number | undefined} */
  #barOf(target) {
    return target instanceof Element ? this.#bars.get(target.closest("g.measure")?.id ?? "") : undefined;
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const bar = this.#barOf(event.target);
    if (bar === undefined) this.select([]);
    else if (event.shiftKey) this.#extend(bar);
    else if (event.ctrlKey || event.metaKey) this.select(this.selected.has(bar) ? [...this.selected].filter((other) => other !== bar) : [...this.selected, bar]);
    else this.#choose(this.selected.size === 1 && this.selected.has(bar) ? undefined : bar);
  }

  /** @param {number | undefined} bar undefined: none */
  #choose(bar) {
    if (bar !== undefined) this.#anchor = this.#head = bar;
    this.select(bar === undefined ? [] : [bar]);
  }

  /** @param {number} bar */
  #extend(bar) {
    if (!this.selected.size) this.#anchor = bar;
    this.#head = bar;
    const [first, last] = [Math.min(this.#anchor, bar), Math.max(this.#anchor, bar)];
    this.select(this.#numbers().filter((number) => number >= first && number <= last));
  }

  /** @returns {number[]} of all bars, in order */
  #numbers() {
    return [...new Set(this.#bars.values())].sort((a, b) => a - b);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const numbers = this.#numbers();
    const index = numbers.indexOf(this.#head);
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -numbers.length, End: numbers.length }[event.key];
    if (event.key === "Escape") this.select([]);
    else if (event.key === "Enter") this.#seek(this.selected.size ? Math.min(...this.selected) : undefined);
    else if (by === undefined || !numbers.length) return;
    else {
      const start = this.selected.size ? index + by : by > 0 && by < numbers.length ? 0 : index + by;
      const bar = numbers[Math.max(0, Math.min(numbers.length - 1, start))];
      if (event.shiftKey && this.selected.size) this.#extend(bar);
      else this.#choose(bar);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number | undefined} bar */
  #seek(bar) {
    const moment = this.notation.timemap.find((candidate) => candidate.bar === bar);
    if (moment) this.dispatchEvent(new CustomEvent("seek", { detail: moment.seconds }));
  }
}
