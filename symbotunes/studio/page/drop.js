/** Files that are dropped on the page or on a part of it. */

/**
 * @param {HTMLElement} target
 * @param {(file: File) => void} take called with each dropped file
 */
export function dropTarget(target, take) {
  target.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // the browser would open the file
    event.stopPropagation();
    target.classList.add("over");
  });
  target.addEventListener("dragleave", () => target.classList.remove("over"));
  target.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("over"); // which may lie around the target
    target.classList.remove("over");
    [...event.dataTransfer.files].forEach(take);
  });
}
