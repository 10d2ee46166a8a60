/** The networks: their costs, which of them fit, and how one leads to another. */

/** @import { Catalogue, Data, Device, KnobValue, Network } from "./types" */

// A network that differs in one of these is further away than in any other knob.
const WEIGHTS = /** @type {Record<string, number>} */ ({ network: 8, alpha: 4, rho: 4 });

/**
 * Give every network all its knobs, and its mean and spread; every device the mult-adds of
 * the networks that it ran.
 * @param {Data} data
 * @returns {Catalogue}
 */
export function prepare(data) {
  const defaults = Object.fromEntries(data.knobs.map((knob) => [knob.key, knob.default]));
  const networks = data.networks.map((entry) => {
    const count = entry.top1.length;
    const mean = entry.top1.reduce((sum, value) => sum + value, 0) / count;
    const squares = entry.top1.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const spread = count > 1 ? Math.sqrt(squares / (count - 1)) : null;
    return { ...entry, knobs: { ...defaults, ...entry.knobs }, mean, spread };
  });
  const devices = data.latencies.flatMap((list) =>
    list.devices.map(([name, ...times]) => {
      /** @type {Device["references"]} */
      const references = {};
      Object.entries(list.mult_adds).forEach(([network, count], index) => {
        const milliseconds = times[index];
        if (milliseconds !== null) references[network] = { milliseconds, mult_adds: count };
      });
      return { name, references };
    }),
  );
  return { ...data, networks, devices };
}

/**
 * A cost of a network; undefined where it is not known. The time on a device is the
 * published one of a network of the same kind, scaled by mult-adds.
 * @param {{costs: Record<string, number>, knobs?: Network["knobs"], network?: string}} network
 * @param {string} key
 * @param {Device | undefined} device
 */
export function cost(network, key, device) {
  if (key !== "milliseconds") return network.costs[key];
  const family = network.network ?? network.knobs?.network;
  const reference = device?.references[String(family)];
  if (!reference) return undefined;
  return (network.costs.mult_adds / reference.mult_adds) * reference.milliseconds;
}

/**
 * The keys of the limits that a network exceeds, or may exceed: an unknown cost is no
 * cost that fits.
 * @param {Network} network
 * @param {Record<string, number>} limits
 * @param {Device | undefined} device
 */
export function exceeded(network, limits, device) {
  return Object.keys(limits).filter((key) => {
    const value = cost(network, key, device);
    return value === undefined || value > limits[key];
  });
}

/**
 * Whether a network began with random weights, or pre-trained ones are compared too.
 * @param {Network} network
 * @param {boolean} pretrained
 */
export function isCompared({ knobs }, pretrained) {
  return pretrained || knobs.weights === "random" || knobs.weights === undefined;
}

/**
 * The networks that no other one dominates, the cheapest first: each is more accurate
 * than all that cost as little or less.
 * @param {Network[]} networks
 * @param {(network: Network) => number | undefined} costOf
 */
export function paretoFront(networks, costOf) {
  const known = networks
    .map((network) => ({ network, cost: costOf(network) }))
    .filter((entry) => entry.cost !== undefined)
    .sort(
      (a, b) =>
        Number(a.cost) - Number(b.cost) || b.network.mean - a.network.mean,
    );
  let best = -Infinity;
  const front = [];
  for (const { network } of known) {
    if (network.mean > best) {
      best = network.mean;
      front.push(network);
    }
  }
  return front;
}

/**
 * The distinct values of a knob in order, numbers before texts; null is left out.
 * @param {Network[]} networks
 * @param {string} key
 * @returns {(number | string)[]}
 */
export function valuesOf(networks, key) {
  const values = new Set(networks.map((network) => network.knobs[key]));
  values.delete(null);
  return /** @type {(number | string)[]} */ ([...values]).sort((a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === typeof b) return a < b ? -1 : 1;
    return typeof a === "number" ? -1 : 1;
  });
}

/**
 * The network that is reached by turning one knob: it has the new value, and differs
 * from the present one in as few other knobs as possible; among equals, the most
 * accurate.
 * @param {Network[]} networks Of the same data set.
 * @param {Network} from
 * @param {string} key
 * @param {KnobValue} value
 * @returns {{network: Network, changed: string[]}} With the other knobs that changed.
 */
export function turn(networks, from, key, value) {
  let nearest = from;
  let least = Infinity;
  for (const network of networks) {
    if (network.knobs[key] !== value) continue;
    const distance = differences(from, network).reduce(
      (sum, other) => sum + (other === key ? 0 : (WEIGHTS[other] ?? 1)),
      0,
    );
    if (distance < least || (distance === least && network.mean > nearest.mean)) {
      nearest = network;
      least = distance;
    }
  }
  const changed = differences(from, nearest).filter((other) => other !== key);
  return { network: nearest, changed };
}

/**
 * The knobs in which two networks differ.
 * @param {Network} first
 * @param {Network} second
 */
export function differences(first, second) {
  return Object.keys(first.knobs).filter(
    (key) => first.knobs[key] !== second.knobs[key],
  );
}

/**
 * What the colour of a network stands for: alpha of MobileNets, else the architecture.
 * @param {{knobs: Network["knobs"]}} network
 */
export function category({ knobs }) {
  return knobs.alpha === null ? String(knobs.network) : `alpha ${knobs.alpha}`;
}

const STEPS = ["prune", "cluster", "quantize", "remove_channels", "low_rank"];

/**
 * What the shape of a network's point stands for.
 * @param {Network} network
 * @param {Catalogue} catalogue
 */
export function shape(network, catalogue) {
  if (network.knobs.teacher !== "none" && network.knobs.teacher !== undefined) {
    return "triangle";
  }
  const compressed = catalogue.knobs.some(
    ({ key }) => STEPS.includes(key) && !isUntouched(network.knobs[key]),
  );
  return compressed ? "square" : "circle";
}

/** @param {KnobValue} value Whether a compression step was not applied. */
function isUntouched(value) {
  return value === 0 || value === "none" || value === "float32" || value === null;
}
