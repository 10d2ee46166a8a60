/** The parts of D3 that index.html loads, as a module. */

/** @type {typeof import("d3")} */
const d3 = /** @type {any} */ (globalThis).d3;

export const { axisBottom, axisLeft, scaleLinear, scaleLog, select } = d3;
