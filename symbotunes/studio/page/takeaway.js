/** Files of the piece that is shown, and the command that writes it again. */

import { fileAddress, request } from "./api.js";
import { byId, element } from "./dom.js";

/** @typedef {import("./types.js").Piece} Piece */

const FORMS = { abc: "ABC", mid: "MIDI", wav: "WAV", mp3: "MP3", svg: "SVG", png: "PNG", musicxml: "MusicXML" };

/** @param {Piece} piece */
export function showTakeaway(piece) {
  const forms = Object.entries(FORMS).filter(([form]) => form !== "abc" || piece.abc !== null);
  byId("downloads").replaceChildren(...forms.map(([form, name]) =>
    element("a", { href: fileAddress(piece.id, form), download: `${fileName(piece.title)}.${form}` }, name)));
  showCommand(piece);
}

/** @param {string} title @returns {string} without what file systems refuse */
function fileName(title) {
  return title.replace(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "_").slice(0, 60) || "tune";
}

/** @param {Piece} piece */
async function showCommand(piece) {
  const box = byId("command");
  box.hidden = true;
  box.dataset.piece = piece.id;
  const { commands } = await request("session").catch(() => ({ commands: {} })); // the links work without it
  const command = commands[piece.id];
  if (box.dataset.piece !== piece.id || !command) return;
  box.querySelector("pre").textContent = command;
  box.hidden = false;
}

export function initTakeaway() {
  const box = byId("command");
  const [text, button] = [box.querySelector("pre"), box.querySelector("button")];
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    } catch {
      getSelection()?.selectAllChildren(text); // without the permission, the text is at least marked
    }
  });
}
