/** Numbers as people read them. */

const UNITS = /** @type {const} */ ({
  bytes: [[1e6, "MB"], [1e3, "kB"], [1, "bytes"]],
  M: [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]],
  ms: [[1e3, "s"], [1, "ms"]],
});

/**
 * A cost with its unit, in three digits.
 * @param {number} value
 * @param {string} unit "bytes", "M" or "ms".
 */
export function quantity(value, unit) {
  const scales = UNITS[/** @type {keyof typeof UNITS} */ (unit)];
  const [scale, name] =
    scales.find(([least]) => value >= least) ?? scales[scales.length - 1];
  return `${digits(value / scale)} ${name}`.trim();
}

/** @param {number} value Three significant digits, without an exponent. */
export function digits(value) {
  return value >= 1000
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}

/** @param {number} share As percent, with one decimal. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * Accuracy with its spread over the seeds.
 * @param {{mean: number, spread: number | null, seeds: number[]}} network
 */
export function accuracy({ mean, spread, seeds }) {
  if (spread === null) return `${percent(mean)}, 1 seed`;
  return `${(100 * mean).toFixed(1)} ± ${(100 * spread).toFixed(1)} %, ${seeds.length} seeds`;
}

/**
 * The value of a knob; multiples of 1/7, as rho has, as fractions.
 * @param {string} key
 * @param {import("./types").KnobValue} value
 */
export function knobValue(key, value) {
  if (value === null) return "none";
  if (typeof value === "string") return value.replaceAll("_", " ");
  const sevenths = Math.round(value * 7);
  if (key === "rho" && sevenths % 7 && Math.abs(value - sevenths / 7) < 1e-6) {
    return `${sevenths}/7`;
  }
  return String(Number(value.toPrecision(4)));
}
