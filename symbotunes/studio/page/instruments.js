/** Some instruments of General MIDI, by their programs from 0. */

/** @type {[number, string][]} */
export const INSTRUMENTS = [
  [40, "Violin"], [41, "Viola"], [42, "Cello"], [110, "Fiddle"], [73, "Flute"], [72, "Piccolo"], [74, "Recorder"],
  [68, "Oboe"], [71, "Clarinet"], [56, "Trumpet"], [60, "French horn"], [65, "Alto sax"], [0, "Piano"], [6, "Harpsichord"],
  [19, "Church organ"], [21, "Accordion"], [22, "Harmonica"], [24, "Nylon guitar"], [25, "Steel guitar"], [105, "Banjo"],
  [46, "Harp"], [11, "Vibraphone"], [13, "Xylophone"], [48, "Strings"], [52, "Choir"], [109, "Bagpipe"],
];

/** @param {string | number | null} instrument a program or a name @returns {string} */
export function instrumentName(instrument) {
  if (typeof instrument !== "number") return instrument ?? "";
  return INSTRUMENTS.find(([program]) => program === instrument)?.[1] ?? `Program ${instrument}`;
}
