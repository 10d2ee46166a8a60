/** What is compared: the networks as points, those that fit the limits, their front. */

import { category, cost, exceeded, isCompared, paretoFront, shape } from "./catalogue.js";
import { accuracy, percent, quantity } from "./format.js";

/** @import { Catalogue, Device, Network, Point, PublishedPoint, State } from "./types" */

const COLOURS = 8;

/** The colours of the page: one for each alpha of MobileNets, and each other network. */
export class Colours {
  /** @param {Catalogue} catalogue */
  constructor({ networks, published }) {
    const names = [...new Set([...networks.map(category), ...published.map(publishedCategory)])];
    const mobilenets = names.filter((name) => name.startsWith("alpha")).sort();
    const others = names.filter((name) => !mobilenets.includes(name)).sort();
    this.names = [...mobilenets, ...others];
  }

  /** @param {string} name */
  number(name) {
    return this.names.indexOf(name) % COLOURS;
  }
}

/**
 * @typedef {object} Compared
 * @property {Point[]} points
 * @property {Network[]} front The Pareto front of those that fit, the cheapest first.
 * @property {number} fitting How many networks are within the limits.
 * @property {number} compared Of how many.
 */

export class Comparison {
  /**
   * @param {Catalogue} catalogue
   * @param {Colours} colours
   */
  constructor(catalogue, colours) {
    this.catalogue = catalogue;
    this.colours = colours;
    this.basis = "";
    this.limited = "";
    /** @type {Network[]} */
    this.compared = [];
    /** @type {{network: Network, point: Point}[]} */
    this.all = [];
    /** @type {Compared} */
    this.result = { points: [], front: [], fitting: 0, compared: 0 };
  }

  /**
   * The points and their front; the same ones as before while only another network is
   * chosen, which is what the sliders of knobs do.
   * @param {Network[]} networks All of the data set.
   * @param {State} state
   * @param {{key: string, unit: string}} axis
   * @param {Device | undefined} device
   */
  of(networks, { dataset, limits, pretrained }, axis, device) {
    const basis = JSON.stringify([dataset, pretrained, axis.key, device?.name]);
    if (basis !== this.basis) {
      this.basis = basis;
      this.limited = "";
      this.compared = networks.filter((network) => isCompared(network, pretrained));
      this.all = this.compared.flatMap((network) => {
        const x = cost(network, axis.key, device);
        return x ? [{ network, point: this.#point(network, x, axis.unit) }] : [];
      });
    }
    const limited = JSON.stringify(limits);
    if (limited !== this.limited) {
      this.limited = limited;
      const fitting = new Set(
        this.compared.filter((network) => !exceeded(network, limits, device).length),
      );
      const front = paretoFront([...fitting], (network) => cost(network, axis.key, device));
      const points = this.all.map(({ network, point }) => {
        if (fitting.has(network)) return point;
        return { ...point, fits: false, description: `${point.description}; exceeds a limit` };
      });
      const compared = this.compared.length;
      this.result = { points, front, fitting: fitting.size, compared };
    }
    return this.result;
  }

  /**
   * @param {Network} network
   * @param {number} x
   * @param {string} unit
   * @returns {Point}
   */
  #point(network, x, unit) {
    const knobs = network.knobs;
    return {
      id: network.id,
      label: network.label,
      x,
      y: network.mean,
      spread: network.spread,
      colour: this.colours.number(category(network)),
      shape: shape(network, this.catalogue),
      fits: true,
      description:
        `${network.label}: ${accuracy(network)}, ${quantity(x, unit)}; ` +
        `recipe ${knobs.recipe}, ${knobs.epochs} epochs`,
    };
  }
}

/**
 * The papers' networks as points, with the costs that are known of them.
 * @param {Catalogue} catalogue
 * @param {Colours} colours
 * @param {{key: string, unit: string}} axis
 * @param {Device | undefined} device
 * @returns {Point[]}
 */
export function publishedPoints({ published: entries }, colours, axis, device) {
  return entries.flatMap((published, index) => {
    const x = cost(published, axis.key, device);
    if (!x) return [];
    const note = published.note ? ` (${published.note})` : "";
    return [
      {
        id: String(index),
        label: published.label,
        x,
        y: published.top1,
        spread: null,
        colour: colours.number(publishedCategory(published)),
        shape: /** @type {const} */ ("circle"),
        fits: true,
        description: `${published.label}, ${published.table}: ${percent(
          published.top1,
        )}, ${quantity(x, axis.unit)}${note}`,
      },
    ];
  });
}

/** @param {PublishedPoint} published */
export function publishedCategory({ alpha, network }) {
  return category({ knobs: { alpha, network } });
}
