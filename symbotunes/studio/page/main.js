/** The studio: its parts, and what each tells the others. */

import { address, fileAddress, notationOf, request, upload } from "./api.js";
import { barStarts, spanOf } from "./bars.js";
import { factsOf, showCandidates, showHistory } from "./candidates.js";
import { byId, element } from "./dom.js";
import { dropTarget } from "./drop.js";
import { Edit } from "./edit.js";
import { Files } from "./files.js";
import { initKeys } from "./keys.js";
import { Latent } from "./latent.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { Score } from "./score.js";
import { roll as rollSeed } from "./seed.js";
import { Session } from "./session.js";
import { initTabs } from "./tabs.js";
import { initTakeaway, showTakeaway } from "./takeaway.js";
import { Text } from "./text.js";
import { initTunes } from "./tunes.js";
import { Writer } from "./writer.js";

/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Task} Task */
/** @typedef {import("./types.js").Notation} Notation */

const session = new Session();
const writer = new Writer();
const score = new Score(byId("score"));
const roll = new Roll(byId("roll"));
const names = ["audio", "play", "position", "clock", "loop", "metronome", "speed"];
const player = new Player(/** @type {any} */ (Object.fromEntries(names.map((name) => [name, byId(name)]))));
const text = new Text(preview, (abc) => attempt(() => editText(abc)));
const edit = new Edit(session, score, {
  regenerate: (bars) => fromCurrent({ plan: "infill", bars }),
  goOn: (bars) => fromCurrent({ plan: "continue", bars }),
  change: (change) => attempt(() => changePiece(change)),
});
/** @type {Piece | null} the one whose notation and sound are on the page */
let shown = null;
/** @type {AbortController | null} */
let loading = null;

/** @param {unknown} error */
function fail(error) {
  byId("alert").querySelector("[data-text]").textContent = error instanceof Error ? error.message : String(error);
  byId("alert").hidden = false;
  byId("alert").scrollIntoView({ block: "nearest" });
}

/** Do something; if it fails, say so. @template T @param {() => Promise<T>} action @returns {Promise<T | undefined>} */
async function attempt(action) {
  byId("alert").hidden = true;
  try {
    return await action();
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** Draw a text that is not a piece yet. @param {Notation} notation */
function preview(notation) {
  score.show(notation);
  roll.show(notation.notes, { duration: notation.timemap.at(-1)?.seconds ?? 1, bars: barStarts(notation) });
}

/**
 * Have a model write candidates, which are shown as they come.
 *
 * @param {Task} task
 * @param {{kept?: string[], atOnce?: boolean, locked?: number[]}} [options] candidates before the new ones, whether the
 *   first new one is played, and locked bars
 * @returns {Promise<string[]>} ids of what was written
 */
async function write(task, { kept = [], atOnce = true, locked = [] } = {}) {
  /** @type {string[]} */
  const written = [];
  await attempt(() => writer.write(task, {
    text: (index, abc) => {
      if (index === 0 && !written.length) grow(abc);
    },
    piece: (index, piece) => {
      session.add(piece);
      const first = !Object.keys(written).length;
      written[index] = piece.id;
      const candidates = [...kept, ...Object.values(written)];
      if (first) session.step({ candidates, current: piece.id, locked });
      else session.amend({ candidates });
      if (first && atOnce) player.play();
    },
  }));
  if (!Object.keys(written).length) show(); // what grew is gone
  return Object.values(written);
}

/** Write from the piece that is shown, by the model of the first panel. @param {Partial<Task>} part */
async function fromCurrent(part) {
  const piece = session.piece;
  if (!piece) return;
  const { model, temperature, min_p } = byId("tunes").elements;
  const options = Object.fromEntries([temperature, min_p].filter((field) => field.checkValidity()).map((field) => [field.name, Number(field.value)]));
  const task = { model: model.value, seed: rollSeed(), num: 1, piece: piece.id, options, ...part };
  await write(/** @type {Task} */ (task), { kept: [piece.id], locked: session.view.locked });
}

/** A tune that is being written: its text now, its notation as fast as it can be drawn. @param {string} abc */
function grow(abc) {
  shown = null;
  byId("piece").hidden = false;
  byId("nothing").hidden = true;
  byId("title").textContent = "Writing …";
  byId("facts").replaceChildren();
  byId("remarks").hidden = true;
  player.load(null, "");
  roll.show([], { duration: 1 });
  text.grow(abc);
  growing = abc;
  if (!drawing) drawGrowing();
}

let [growing, drawing] = ["", false];

async function drawGrowing() {
  drawing = true;
  while (growing) {
    const abc = growing;
    growing = "";
    await text.engrave(abc);
  }
  drawing = false;
}

/** @param {string} abc */
async function editText(abc) {
  session.replace(await request("pieces", { json: { abc, parent: session.piece?.id } }));
  player.play();
}

/** @param {Record<string, unknown>} change */
async function changePiece(change) {
  const id = session.piece?.id ?? "";
  session.replace(await request(`pieces/${encodeURIComponent(id)}/change`, { json: change }));
  player.play();
}

/** @param {string} id one of the candidates */
function hear(id) {
  if (!id) return;
  session.amend({ current: id });
  player.play();
}

/** Show the piece of the session's view, and play it if another was playing. */
function show() {
  const piece = session.piece;
  showSteps();
  byId("zip").hidden = !session.pieces.size;
  showCandidates(session, (id) => session.amend({ current: id }));
  showHistory(session, (other) => session.step({ candidates: [other.id], current: other.id, locked: [] }));
  byId("piece").hidden = !piece;
  byId("nothing").hidden = Boolean(piece);
  if (piece !== shown) showPiece(piece);
  edit.show();
}

/** What can be undone and redone. A button that becomes disabled hands its focus to the other one. */
function showSteps() {
  const [undo, redo] = [byId("undo"), byId("redo")];
  const focused = document.activeElement;
  undo.disabled = !session.canUndo;
  redo.disabled = !session.canRedo;
  if (focused === undo && undo.disabled) redo.focus();
  if (focused === redo && redo.disabled) undo.focus();
}

/** @param {Piece | null} piece */
function showPiece(piece) {
  const playing = player.playing;
  shown = piece;
  growing = "";
  loading?.abort();
  edit.reset();
  text.show(piece);
  files.show(piece);
  latent.show(piece);
  player.load(piece, piece ? fileAddress(piece.id, "wav") : "");
  if (!piece) return;
  if (playing) player.play();
  byId("title").textContent = piece.title;
  byId("facts").replaceChildren(...factsOf(piece).map((fact) => element("li", {}, fact)));
  byId("remarks").replaceChildren(...piece.remarks.map((remark) => element("li", {}, remark)));
  byId("remarks").hidden = !piece.remarks.length;
  showTakeaway(piece);
  roll.show([], { duration: piece.seconds });
  attempt(() => showNotation(piece));
}

/** @param {Piece} piece */
async function showNotation(piece) {
  loading = new AbortController();
  const { signal } = loading;
  byId("piece").setAttribute("aria-busy", "true"); // until then, the notation is an earlier one
  try {
    const notation = await notationOf(piece.id, signal);
    if (signal.aborted) return;
    score.show(notation, piece.new_bars ?? []);
    score.lock(session.view.locked);
    roll.show(notation.notes, { duration: piece.seconds, bars: barStarts(notation) });
    player.follow(notation);
    edit.show();
  } catch (error) {
    if (signal.aborted) return;
    score.show(null);
    throw error;
  } finally {
    if (!signal.aborted) byId("piece").removeAttribute("aria-busy");
  }
}

/** @param {File} file */
async function open(file) {
  await attempt(async () => session.open(await upload(file)));
}

const models = (await attempt(() => request("models"))) ?? [];
const files = new Files(byId("files"), models, (task) => write(task, { kept: task.piece ? [task.piece] : [] }));
const latent = new Latent(byId("latent"), models, {
  current: () => session.piece,
  write: (task) => write(task, { atOnce: false }),
  draw: async (task) => {
    /** @type {Piece | null} */
    let drawn = null;
    await attempt(() => writer.write(task, { piece: (_, piece) => { drawn = piece; session.add(piece); } }));
    return drawn;
  },
  hear,
  fail,
});
initTunes(byId("tunes"), models, (task, atOnce) => write(task, { atOnce }));
initTabs(/** @type {HTMLElement} */ (document.querySelector('[role="tablist"]')));
initTakeaway();
initKeys({
  toggle: () => player.toggle(),
  choose: (by) => session.choose(by),
  undo: () => session.undo(),
  redo: () => session.redo(),
});
dropTarget(document.body, open);
byId("file").addEventListener("change", () => {
  [...byId("file").files].forEach(open);
  byId("file").value = ""; // so that the same file can be opened again
});
byId("zip").href = address("session.zip");
byId("undo").addEventListener("click", () => session.undo());
byId("redo").addEventListener("click", () => session.redo());
byId("alert").querySelector("button").addEventListener("click", () => {
  byId("main").focus({ preventScroll: true });
  byId("alert").hidden = true;
});
session.addEventListener("change", show);
player.addEventListener("time", () => {
  score.at(player.seconds);
  roll.at(player.seconds);
});
player.addEventListener("broken", () => fail("The sound of this piece cannot be played."));
score.addEventListener("select", () => {
  player.span = score.selected.size && shown ? spanOf(score.notation, [...score.selected], player.duration) : null;
  roll.mark(player.span);
});
for (const part of [score, roll]) part.addEventListener("seek", (event) => player.seek(/** @type {CustomEvent} */ (event).detail));
roll.addEventListener("span", (event) => {
  player.span = /** @type {CustomEvent} */ (event).detail;
  files.span(player.span);
});
window.addEventListener("pagehide", () => writer.stop());

const earlier = await attempt(() => request("session")); // the page was reloaded, or opened in another tab
for (const piece of earlier?.pieces ?? []) session.add(piece);
const last = earlier?.pieces?.at(-1);
if (last) session.amend({ candidates: [last.id], current: last.id });
byId("main").removeAttribute("aria-busy");
