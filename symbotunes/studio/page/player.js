/** Sound: an audio element with loop and speed, which tells where it is. */

import { barStarts } from "./bars.js";
import { clock } from "./dom.js";
import { Metronome, beatsOf } from "./metronome.js";

/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Notation} Notation */

/** Announces `time` with every frame while it plays and after every jump. */
export class Player extends EventTarget {
  /** @type {[number, number] | null} what is repeated, in seconds; null: all */
  span = null;

  /** @type {Piece | null} */
  #piece = null;

  /**
   * @param {Record<"audio" | "play" | "position" | "clock" | "loop" | "metronome" | "speed", any>} parts of the page
   */
  constructor(parts) {
    super();
    this.parts = parts;
    /** @type {HTMLAudioElement} */
    this.audio = parts.audio;
    this.metronome = new Metronome(this.audio);
    for (const name of ["play", "pause", "seeked", "loadedmetadata"]) this.audio.addEventListener(name, () => this.#moved());
    this.audio.addEventListener("ended", () => this.#ended());
    this.audio.addEventListener("timeupdate", () => this.#moved()); // frames stop where a page is in the background
    parts.play.addEventListener("click", () => this.toggle());
    parts.position.addEventListener("input", () => this.seek(Number(parts.position.value)));
    parts.speed.addEventListener("change", () => this.#setSpeed());
    parts.metronome.addEventListener("change", () => this.metronome.turn(parts.metronome.checked));
  }

  get seconds() {
    return this.audio.currentTime;
  }

  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : (this.#piece?.seconds ?? 0);
  }

  get playing() {
    return !this.audio.paused;
  }

  /**
   * @param {Piece | null} piece null: none
   * @param {string} source address of its sound
   */
  load(piece, source) {
    this.#piece = piece;
    this.span = null;
    this.metronome.beats = piece ? beatsOf(piece, [], piece.seconds) : [];
    this.parts.play.disabled = this.parts.position.disabled = !piece;
    if (piece) this.audio.src = source;
    else this.audio.removeAttribute("src");
    this.#setSpeed(); // a new source resets it
    this.#moved();
  }

  /** The bars of the piece, for the metronome. @param {Notation} notation */
  follow(notation) {
    if (this.#piece) this.metronome.beats = beatsOf(this.#piece, barStarts(notation), this.duration);
  }

  async play() {
    try {
      await this.audio.play();
    } catch (error) {
      // AbortError: another piece was chosen meanwhile; NotAllowedError: nothing was clicked yet.
      if (!["AbortError", "NotAllowedError"].includes(/** @type {Error} */ (error).name)) {
        this.dispatchEvent(new CustomEvent("broken"));
      }
    }
  }

  toggle() {
    if (this.playing) this.audio.pause();
    else if (this.#piece) {
      if (this.span && (this.seconds < this.span[0] || this.seconds >= this.span[1])) this.seek(this.span[0]);
      this.play();
    }
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.audio.currentTime = Math.max(0, seconds);
    this.#moved();
  }

  #setSpeed() {
    this.audio.playbackRate = this.audio.defaultPlaybackRate = Number(this.parts.speed.value);
  }

  #ended() {
    if (!this.parts.loop.checked) return;
    this.seek(this.span?.[0] ?? 0);
    this.play();
  }

  #moved() {
    const { play, position, clock: shown, loop } = this.parts;
    if (this.playing && loop.checked && this.span && this.seconds >= this.span[1]) this.audio.currentTime = this.span[0];
    play.textContent = this.playing ? "Pause" : "Play";
    position.max = String(this.duration || 1);
    position.value = String(this.seconds);
    position.setAttribute("aria-valuetext", `${clock(this.seconds)} of ${clock(this.duration)}`);
    shown.textContent = `${clock(this.seconds)} / ${clock(this.duration)}`;
    this.dispatchEvent(new Event("time"));
    if (this.playing && !this.pending) {
      this.pending = requestAnimationFrame(() => {
        this.pending = 0;
        this.#moved();
      });
    }
  }
}
