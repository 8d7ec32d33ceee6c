/** What a model writes at the moment: one task at a time, which can be stopped. */

import { follow, request } from "./api.js";
import { byId } from "./dom.js";

/** @typedef {import("./types.js").Task} Task */
/** @typedef {import("./types.js").Piece} Piece */

/**
 * @typedef {object} Listener
 * @property {(index: number, abc: string) => void} [text] whole bars of a tune that grows
 * @property {(index: number, piece: Piece) => void} piece
 */

export class Writer {
  /** @type {AbortController | null} of the task that runs, or that the server is being asked for */
  #running = null;

  constructor() {
    this.bar = byId("task");
    this.text = this.bar.querySelector("[data-text]");
    byId("stop").addEventListener("click", () => this.stop());
  }

  /**
   * Have something written; what is being written before is stopped.
   *
   * @param {Task} task
   * @param {Listener} listener
   * @returns {Promise<boolean>} whether it was finished; false: it was stopped
   * @throws {Error} with one line for the user, if it fails
   */
  async write(task, listener) {
    this.stop();
    const running = (this.#running = new AbortController());
    const opener = document.activeElement;
    this.bar.classList.remove("idle");
    this.#say("Asking the studio …");
    this.bar.scrollIntoView({ block: "nearest" }); // on a phone, the form fills the window
    let end = "Failed.";
    try {
      const { task: id } = await request("tasks", { json: task });
      const finished = await this.#follow(id, listener, running.signal);
      end = finished ? "Finished." : "Stopped.";
      return finished;
    } finally {
      if (this.#running === running) this.#rest(end, opener);
    }
  }

  /** Stop what is being written; what is finished stays. */
  stop() {
    this.#running?.abort();
  }

  /**
   * @param {string} id of the task
   * @param {Listener} listener
   * @param {AbortSignal} signal cancels the task
   * @returns {Promise<boolean>} whether it was finished
   */
  #follow(id, listener, signal) {
    return new Promise((resolve, reject) => {
      let close = () => {};
      const cancel = () => {
        close();
        // It may have just ended; and the page may be closing, which must not take the request with it.
        request(`tasks/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true }).catch(() => {});
        resolve(false);
      };
      if (signal.aborted) return cancel();
      signal.addEventListener("abort", cancel, { once: true });
      close = follow(id, (name, data) => {
        if (signal.aborted) return;
        if (name === "queued") this.#say(data.position ? `Waiting for ${data.position} before this one …` : "Starting …");
        if (name === "loading") this.#say(`Loading ${data.model} …`);
        if (name === "text") this.#say("Writing …");
        if (name === "text") listener.text?.(data.index, data.abc);
        if (name === "piece") listener.piece(data.index, data.piece);
        if (["done", "cancelled", "failed"].includes(name)) signal.removeEventListener("abort", cancel);
        if (name === "done" || name === "cancelled") resolve(name === "done");
        if (name === "failed") reject(new Error(data.error));
      });
    });
  }

  /** @param {string} end what is said to those who do not see the page @param {Element | null} opener had the focus */
  #rest(end, opener) {
    this.#running = null;
    this.#say(end);
    const focused = this.bar.contains(document.activeElement);
    this.bar.classList.add("idle");
    if (focused && opener instanceof HTMLElement) opener.focus({ preventScroll: true });
  }

  /** @param {string} line */
  #say(line) {
    if (this.text.textContent !== line) this.text.textContent = line;
  }
}
