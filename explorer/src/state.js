/** The state of the page, and its form in a link. */

import { isCompared } from "./catalogue.js";

/** @import { Catalogue, Network, State } from "./types" */

const WAIT_MS = 250; // browsers refuse to change the address many times a second

/**
 * The state that a link describes; what it does not say, or says wrongly, is as at first.
 * @param {string} hash Such as "#network=0260a7ae21&limit.arena_bytes=98304".
 * @param {Catalogue} catalogue
 * @returns {State}
 */
export function fromLink(hash, catalogue) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  /**
   * @param {string} key
   * @param {string[]} legal The first one is what the page starts with.
   */
  const choice = (key, legal) => {
    const value = given.get(key) ?? "";
    return legal.includes(value) ? value : legal[0];
  };
  const { networks, datasets } = catalogue;
  const asked = networks.find((network) => network.id === given.get("network"));
  const sizes = datasets.map(({ name }) => ({
    name,
    count: networks.filter((network) => network.dataset === name).length,
  }));
  sizes.sort((a, b) => b.count - a.count);
  const dataset = asked?.dataset ?? choice("data", sizes.map(({ name }) => name));
  const first = best(networks.filter((network) => network.dataset === dataset));
  const pretrained =
    given.get("pretrained") === "true" || (asked && !isCompared(asked, false)) || false;
  /** @type {State["limits"]} */
  const limits = {};
  for (const { key } of catalogue.costs) {
    const limit = Number(given.get(`limit.${key}`));
    if (limit > 0) limits[key] = limit;
  }
  return {
    view: given.get("view") === "try" ? "try" : "choose",
    dataset,
    network: (asked ?? first).id,
    x: choice("x", catalogue.costs.map(({ key }) => key)),
    device: choice("device", catalogue.devices.map(({ name }) => name)),
    pretrained,
    limits,
  };
}

/**
 * The link of a state.
 * @param {State} state
 */
export function toLink({ limits, dataset, ...others }) {
  const limit = Object.entries(limits).map(([key, value]) => [`limit.${key}`, String(value)]);
  const simple = Object.entries(others).map(([key, value]) => [key, String(value)]);
  return `#${new URLSearchParams([...simple, ["data", dataset], ...limit])}`;
}

/**
 * The most accurate network, of those with random first weights if there are any.
 * @param {Network[]} networks At least one.
 */
export function best(networks) {
  const random = networks.filter((network) => isCompared(network, false));
  return (random.length ? random : networks).reduce((a, b) => (b.mean > a.mean ? b : a));
}

let timer = 0;

/**
 * Put the state into the address bar, after the last of a series of changes.
 * @param {State} state
 */
export function remember(state) {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, "", toLink(state)), WAIT_MS);
}
