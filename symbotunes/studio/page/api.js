/** Requests to the studio's server. All texts in its answers are data: they are shown, never parsed as HTML. */

/** @typedef {import("./types.js").Piece} Piece */
/** @typedef {import("./types.js").Notation} Notation */

const token = new URLSearchParams(location.search).get("token") ?? "";

/** The server refused a request; the message is one line for the user. */
export class RequestError extends Error {}

/**
 * @param {string} path below /api/
 * @param {{method?: string, json?: unknown, form?: FormData, signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<any>} the answer
 * @throws {RequestError} if it is an error, or there is none
 */
export async function request(path, { method, json, form, signal, keepalive } = {}) {
  const headers = { "X-Token": token };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
  let response;
  try {
    response = await fetch(`api/${path}`, { method: method ?? (body ? "POST" : "GET"), headers, body, signal, keepalive });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RequestError("The studio does not answer; is its command still running?");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new RequestError(answer?.error ?? `The studio answers with status ${response.status}.`);
  return answer;
}

/** @param {string} path below /api/ @returns {string} an address for links and media, which cannot send headers */
export function address(path) {
  return `api/${path}?token=${encodeURIComponent(token)}`;
}

/** @param {string} id of a piece @param {string} form such as mid @returns {string} */
export function fileAddress(id, form) {
  return address(`pieces/${encodeURIComponent(id)}/files/${form}`);
}

/** @param {string} id of a piece @param {AbortSignal} [signal] @returns {Promise<Notation>} */
export function notationOf(id, signal) {
  return request(`pieces/${encodeURIComponent(id)}/notation`, { signal });
}

/** @param {File} file @returns {Promise<Piece>} the piece that the server read from it */
export function upload(file) {
  const form = new FormData();
  form.append("file", file);
  return request("pieces", { form });
}

const EVENTS = ["queued", "loading", "text", "piece", "done", "failed", "cancelled"];

/**
 * Follow the events of a task to its end.
 *
 * @param {string} task its id
 * @param {(name: string, data: any) => void} report
 * @returns {() => void} stops following, which cancels the task
 */
export function follow(task, report) {
  const source = new EventSource(address(`tasks/${encodeURIComponent(task)}/events`));
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      // Closed here, since the browser would connect again to a stream that has ended.
      if (["done", "failed", "cancelled"].includes(name)) source.close();
      report(name, JSON.parse(event.data || "{}"));
    });
  }
  source.addEventListener("error", () => {
    source.close();
    report("failed", { error: "The connection to the studio was lost." });
  });
  return () => source.close();
}
