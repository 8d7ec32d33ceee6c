/** Elements of the page. Text becomes text nodes, so that no title or name can be read as HTML. */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | EventListener>} attributes those named `on...` are listeners;
 *   `false` leaves one out
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** @param {string} id @returns {any} the element of the page with this id */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no #${id}`);
  return node;
}

/** @param {number} seconds @returns {string} such as 1:05 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {() => void} action @param {number} wait in ms @returns {() => void} runs the action once calls have paused */
export function settled(action, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
}
