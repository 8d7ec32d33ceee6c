/**
 * What the server sends, as types of JSDoc; there is no code here.
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {string} name
 * @property {string} kind such as Folk-RNN
 * @property {string} trained_on
 * @property {string | null} likelihood with its unit
 * @property {string[]} abilities the plans that it can carry out
 * @property {boolean} abc whether it writes ABC
 * @property {Record<string, unknown>} defaults of options
 *
 * @typedef {object} Track
 * @property {number} index
 * @property {string} name
 * @property {number} program
 * @property {number} notes how many
 *
 * @typedef {object} Piece
 * @property {string} id
 * @property {string} title
 * @property {string | null} model that wrote it
 * @property {string | null} plan by which it was written
 * @property {number | null} seed
 * @property {Record<string, unknown>} options
 * @property {string | null} abc
 * @property {string[]} remarks
 * @property {number} bars
 * @property {number} seconds
 * @property {number} quarters_per_minute
 * @property {string | number | null} instrument
 * @property {Track[]} tracks
 * @property {string | null} parent the piece from which it was made
 * @property {[number, number][] | null} given spans in seconds that no model wrote
 * @property {number[] | null} new_bars numbers of the bars that a model wrote into a given tune
 *
 * @typedef {object} Moment a time at which notes begin or end
 * @property {number} seconds
 * @property {string[]} on ids of notes
 * @property {string[]} off ids of notes
 * @property {number} bar its number as engraved
 *
 * @typedef {object} Note
 * @property {string} id
 * @property {number} start in seconds
 * @property {number} end in seconds
 * @property {number} pitch as in MIDI
 * @property {number} track
 * @property {boolean} given whether no model wrote it
 *
 * @typedef {object} Notation
 * @property {string[]} svg pages; none if the piece cannot be engraved
 * @property {Moment[]} timemap
 * @property {{number: number, ids: string[]}[]} bars with the ids of their measures in the drawing
 * @property {Note[]} notes
 *
 * @typedef {object} Task what a model is asked to write
 * @property {string} model
 * @property {string} plan
 * @property {number} [num]
 * @property {number} seed
 * @property {string} [piece]
 * @property {string} [bars]
 * @property {[number, number]} [span] in seconds
 * @property {number} [track]
 * @property {string} [a]
 * @property {string} [b]
 * @property {Record<string, unknown>} options
 */
export {};
