/** Numbers of bars as text, such as 3-4,7, and where they sound. */

/** @typedef {import("./types.js").Notation} Notation */

/** @param {string} text @returns {number[] | null} in order; null if it cannot be read */
export function parseBars(text) {
  const bars = new Set();
  for (const part of text.replaceAll(" ", "").split(",").filter(Boolean)) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (!match) return null;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first) return null;
    for (let bar = first; bar <= last; bar++) bars.add(bar);
  }
  return [...bars].sort((a, b) => a - b);
}

/** @param {Iterable<number>} bars @returns {string} */
export function formatBars(bars) {
  const runs = [];
  for (const bar of [...bars].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && bar === run[1] + 1) run[1] = bar;
    else runs.push([bar, bar]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/**
 * When bars sound for the first time, up to the first other bar after them.
 *
 * @param {Notation} notation
 * @param {number[]} bars
 * @param {number} end of the piece, in seconds
 * @returns {[number, number] | null} in seconds
 */
export function spanOf(notation, bars, end) {
  const first = notation.timemap.findIndex((moment) => bars.includes(moment.bar));
  if (first < 0) return null;
  const last = Math.max(...bars);
  const rest = notation.timemap.slice(first);
  // Bars between the chosen ones are heard too: a loop over 3 and 7 goes from 3 to 7.
  const after = rest.find((moment) => moment.bar > last || moment.bar < notation.timemap[first].bar);
  return [notation.timemap[first].seconds, after?.seconds ?? end];
}

/** Starts of the bars in the order in which they sound. @param {Notation} notation @returns {number[]} in seconds */
export function barStarts(notation) {
  return notation.timemap
    .filter((moment, index, all) => index === 0 || moment.bar !== all[index - 1].bar)
    .map((moment) => moment.seconds);
}
