/** Candidates side by side, and the history of the session. */

import { byId, clock, element } from "./dom.js";
import { instrumentName } from "./instruments.js";
import { meterOf } from "./metronome.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./types.js").Piece} Piece */

/** @type {Record<string, string>} */
const DONE = {
  sample: "written", continue: "continued", infill: "bars regenerated", accompany: "accompanied", harmonize: "harmonized",
  interpolate: "on the path", attribute: "varied", prior: "drawn", change: "changed", edit: "edited", file: "opened",
};

/** @param {Piece} piece @returns {string} what was done for it */
export function doneFor(piece) {
  return [DONE[piece.plan ?? "file"] ?? piece.plan ?? "", piece.seed === null ? "" : `seed ${piece.seed}`].filter(Boolean).join(", ");
}

/** @param {Piece} piece @returns {string[]} */
export function factsOf(piece) {
  return [
    piece.bars ? `${piece.bars} bars` : "",
    clock(piece.seconds),
    piece.quarters_per_minute ? `${Math.round(piece.quarters_per_minute / meterOf(piece).quarters)} beats per minute` : "",
    instrumentName(piece.instrument),
    piece.model ?? "",
    doneFor(piece),
  ].filter(Boolean);
}

/** @param {Session} session @param {(id: string) => void} choose one of the candidates */
export function showCandidates(session, choose) {
  const { candidates, current } = session.view;
  byId("candidates").hidden = candidates.length < 2;
  const row = byId("candidates").querySelector(".candidates");
  const focused = row.contains(document.activeElement);
  row.replaceChildren(...candidates.map((id, index) => {
    const piece = session.pieces.get(id);
    return element("button", { type: "button", "aria-pressed": String(id === current), onclick: () => choose(id) },
      element("b", {}, `${index + 1}. ${piece?.title ?? ""}`),
      element("span", {}, [`${piece?.bars ?? 0} bars`, clock(piece?.seconds ?? 0)].join(" · ")),
      element("span", {}, piece ? doneFor(piece) : ""));
  }));
  const chosen = row.querySelector('[aria-pressed="true"]');
  if (focused) chosen?.focus({ preventScroll: true });
  if (chosen) row.scrollLeft = chosen.offsetLeft - row.offsetLeft - (row.clientWidth - chosen.clientWidth) / 2;
}

/** @param {Session} session @param {(piece: Piece) => void} open */
export function showHistory(session, open) {
  const pieces = [...session.pieces.values()].reverse();
  byId("history").hidden = !pieces.length;
  const list = byId("history").querySelector("ol");
  const focused = list.contains(document.activeElement);
  list.replaceChildren(...pieces.map((piece) =>
    element("li", {}, element("button", { type: "button", "aria-current": piece.id === session.view.current && "true", onclick: () => open(piece) },
      piece.title, element("span", {}, doneFor(piece)), element("span", {}, piece.model ?? "")))));
  if (focused) list.querySelector("[aria-current]")?.focus({ preventScroll: true });
}
