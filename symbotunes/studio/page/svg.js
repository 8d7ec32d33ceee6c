/** Drawings of the server, of which only shapes get into the page. */

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set([
  "svg", "g", "defs", "symbol", "use", "path", "polygon", "polyline", "rect", "line", "ellipse", "circle", "text", "tspan",
]);
const ATTRIBUTES = new Set([
  "id", "class", "viewBox", "transform", "d", "points", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "rx", "ry", "r",
  "width", "height", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray",
  "font-size", "font-family", "font-style", "font-weight", "text-anchor", "color", "overflow", "opacity",
]);

/**
 * Built anew from an allowlist, not imported: the server cleans drawings as well, but titles in them are foreign.
 *
 * @param {string} source
 * @returns {SVGElement | null} null if it is not SVG
 */
export function drawing(source) {
  // The page's policy would report style elements even in a document that is only parsed.
  const plain = source.replace(/<style[^>]*>[^]*?<\/style>/g, "");
  const root = new DOMParser().parseFromString(plain, "image/svg+xml").documentElement;
  return root.namespaceURI === SVG && root.localName === "svg" ? /** @type {SVGElement} */ (copy(root)) : null;
}

/** @param {Element} source @returns {Element} */
function copy(source) {
  const node = document.createElementNS(SVG, source.localName);
  for (const { name, localName, value } of source.attributes) {
    if (localName === "href" && value.startsWith("#")) node.setAttribute("href", value);
    else if (ATTRIBUTES.has(name) && !value.includes("url(")) node.setAttribute(name, value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) node.append(child.nodeValue ?? "");
    else if (child instanceof Element && child.namespaceURI === SVG && SHAPES.has(child.localName)) node.append(copy(child));
  }
  return node;
}

/** @param {Element} group @returns {SVGElement} a rectangle behind what the group draws */
export function groundOf(group) {
  const { x, y, width, height } = /** @type {SVGGraphicsElement} */ (group).getBBox();
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width, height })) ground.setAttribute(name, String(value));
  ground.setAttribute("class", "ground");
  return ground;
}
