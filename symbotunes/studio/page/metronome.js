/** Clicks on the beats of what the audio element plays, by the Web Audio API. */

/** @typedef {import("./types.js").Piece} Piece */

const AHEAD = 0.15; // seconds that are scheduled in advance: timers of a page are late by tens of milliseconds
const EVERY = 40; // ms between looks at the clock

/** @typedef {{seconds: number, first: boolean}} Beat `first`: of a bar */

/** @param {Piece} piece @returns {{count: number, quarters: number}} beats of a bar, and the length of one in quarters */
export function meterOf(piece) {
  const meter = /^M:\s*(\d+)\/(\d+)/m.exec(piece.abc ?? "");
  const [count, unit] = meter ? [Number(meter[1]), Number(meter[2])] : [4, 4];
  const isCompound = unit === 8 && count % 3 === 0;
  return isCompound ? { count: count / 3, quarters: 1.5 } : { count, quarters: 4 / unit };
}

/**
 * @param {Piece} piece
 * @param {number[]} bars their starts in seconds, in the order in which they sound; none: one long bar
 * @param {number} end in seconds
 * @returns {Beat[]}
 */
export function beatsOf(piece, bars, end) {
  const { count, quarters } = meterOf(piece);
  const beat = (60 / piece.quarters_per_minute) * quarters;
  if (!Number.isFinite(beat) || beat <= 0) return [];
  const full = beat * count;
  const starts = bars.length ? bars : [0];
  return starts.flatMap((start, index) => {
    const stop = starts[index + 1] ?? end;
    const upbeat = index === 0 && bars.length > 1 && stop - start < 0.9 * full;
    const beats = [];
    // An upbeat ends with a beat, every other bar begins with one.
    if (upbeat) for (let at = stop - beat; at > start - 0.01; at -= beat) beats.unshift({ seconds: at, first: false });
    else for (let at = start; at < stop - beat / 4; at += beat) beats.push({ seconds: at, first: bars.length > 0 && at === start });
    return beats;
  });
}

export class Metronome {
  /** @type {Beat[]} */
  beats = [];

  /** @type {AudioContext | null} made at the first use, since browsers allow it only after a click */
  #context = null;

  #timer = 0;
  #until = 0; // seconds of the piece up to which clicks are scheduled

  /** @param {HTMLAudioElement} audio */
  constructor(audio) {
    this.audio = audio;
  }

  /** @param {boolean} on */
  turn(on) {
    clearInterval(this.#timer);
    if (!on) return;
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#until = this.audio.currentTime;
    this.#timer = setInterval(() => this.#schedule(), EVERY);
  }

  #schedule() {
    const { currentTime, paused, playbackRate } = this.audio;
    const horizon = currentTime + AHEAD * playbackRate;
    // After a jump, or in a loop, everything from here on is new.
    if (paused || this.#until > horizon || this.#until < currentTime - AHEAD) this.#until = currentTime;
    if (paused || !this.#context) return;
    for (const beat of this.beats) {
      if (beat.seconds < this.#until || beat.seconds >= horizon) continue;
      this.#click(this.#context.currentTime + Math.max(0, beat.seconds - currentTime) / playbackRate, beat.first);
    }
    this.#until = horizon;
  }

  /** @param {number} at of the context's clock @param {boolean} first */
  #click(at, first) {
    const context = /** @type {AudioContext} */ (this.#context);
    const tone = new OscillatorNode(context, { frequency: first ? 1760 : 1175 });
    const volume = new GainNode(context, { gain: 0.3 });
    volume.gain.setValueAtTime(0.3, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.05);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.06);
  }
}
