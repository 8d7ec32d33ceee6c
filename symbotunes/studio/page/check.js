/** A field of ABC that the server checks while it is typed; what is wrong is said under it. */

import { request } from "./api.js";
import { settled } from "./dom.js";

const PAUSE = 200; // ms without typing before the text is checked

/**
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 * @param {HTMLElement} message the element under it
 * @param {() => {body: Record<string, string>, before: number} | null} ask what is sent, and how many of its characters
 *   precede those of the field; null: nothing to check
 * @param {(ok: boolean) => void} [checked]
 * @returns {() => void} checks the text as it is now, as typing does
 */
export function checkWhileTyping(field, message, ask, checked = () => {}) {
  /** @type {AbortController | null} */
  let pending = null;
  const show = (/** @type {string} */ line) => {
    message.textContent = line;
    field.setAttribute("aria-invalid", String(Boolean(line)));
    checked(!line);
  };
  const check = settled(async () => {
    pending?.abort(); // an earlier answer must not overtake
    pending = new AbortController();
    const question = ask();
    if (!question) return show("");
    try {
      const { ok, error, position } = await request("check", { json: question.body, signal: pending.signal });
      show(ok ? "" : located(error, field.value, position === null ? null : position - question.before));
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") show(/** @type {Error} */ (error).message);
    }
  }, PAUSE);
  field.addEventListener("input", check);
  return check;
}

/**
 * @param {string} error
 * @param {string} text of the field
 * @param {number | null} position in it, from 0
 * @returns {string} the error with line and column, as editors count them
 */
function located(error, text, position) {
  if (position === null || position < 0) return error;
  const lines = text.slice(0, position).split("\n");
  const column = (lines.at(-1) ?? "").length + 1;
  return text.includes("\n") ? `Line ${lines.length}, column ${column}: ${error}` : `Column ${column}: ${error}`;
}
