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
  /** @type {{id: string, stop: () => void} | null} */
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
    await this.stop();
    this.#say("Asking the studio …");
    this.bar.scrollIntoView({ block: "nearest" }); // on a phone, the form fills the window
    try {
      const { task: id } = await request("tasks", { json: task });
      return await new Promise((resolve, reject) => this.#follow(id, listener, resolve, reject));
    } finally {
      if (!this.#running) this.bar.hidden = true;
    }
  }

  /** Stop what is being written; what is finished stays. */
  async stop() {
    const running = this.#running;
    if (!running) return;
    running.stop();
    await request(`tasks/${encodeURIComponent(running.id)}`, { method: "DELETE" }).catch(() => {}); // it has just ended
  }

  /**
   * @param {string} id
   * @param {Listener} listener
   * @param {(finished: boolean) => void} resolve
   * @param {(error: Error) => void} reject
   */
  #follow(id, listener, resolve, reject) {
    const close = follow(id, (name, data) => {
      if (this.#running?.id !== id) return;
      if (name === "queued") this.#say(data.position ? `Waiting for ${data.position} before this one …` : "Starting …");
      if (name === "loading") this.#say(`Loading ${data.model} …`);
      if (name === "text") this.#say("Writing …");
      if (name === "text") listener.text?.(data.index, data.abc);
      if (name === "piece") listener.piece(data.index, data.piece);
      if (["done", "cancelled", "failed"].includes(name)) this.#running = null;
      if (name === "done" || name === "cancelled") resolve(name === "done");
      if (name === "failed") reject(new Error(data.error));
    });
    const stop = () => {
      this.#running = null;
      close();
      resolve(false);
    };
    this.#running = { id, stop };
  }

  /** @param {string} line */
  #say(line) {
    this.bar.hidden = false;
    if (this.text.textContent !== line) this.text.textContent = line;
  }
}
