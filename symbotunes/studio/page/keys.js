/** Keys of the whole page, where no field has them. */

/**
 * @param {{toggle: () => void, choose: (by: 1 | -1) => void, undo: () => void, redo: () => void}} actions
 */
export function initKeys({ toggle, choose, undo, redo }) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const typing = target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=file])");
    if (typing && target.getAttribute("type") !== "range") return;
    const key = event.key.toLowerCase();
    const control = event.ctrlKey || event.metaKey;
    if (control && key === "z") event.shiftKey ? redo() : undo();
    else if (control && key === "y") redo();
    else if (control || event.altKey) return;
    else if (key === " " && !target.matches("button, a, summary, input[type=checkbox], input[type=radio]")) toggle();
    else if ((key === "arrowleft" || key === "arrowright") && !typing && !target.matches("[type=radio]")) choose(key === "arrowleft" ? -1 : 1);
    else return;
    event.preventDefault();
  });
}
