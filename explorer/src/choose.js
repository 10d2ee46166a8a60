/** The view that compares the networks and shows the chosen one. */

import { category, exceeded, isCompared, turn } from "./catalogue.js";
import { Colours, Comparison, publishedCategory, publishedPoints } from "./comparison.js";
import { fill, Knobs, Limits } from "./controls.js";
import { DetailsPanel } from "./details.js";
import { byId, make, setText } from "./elements.js";
import { FrontTable } from "./front.js";
import { Scatter } from "./scatter.js";
import { best } from "./state.js";

/** @import { Catalogue, Details, Device, Network, Point, State } from "./types" */

const BOARD_LIMITS = /** @type {const} */ (["arena_bytes", "flash_bytes"]);

export class Choose {
  /**
   * @param {Catalogue} catalogue
   * @param {() => State} state
   * @param {(changes: Partial<State>) => void} change
   */
  constructor(catalogue, state, change) {
    this.catalogue = catalogue;
    this.state = state;
    this.change = change;
    this.colours = new Colours(catalogue);
    this.comparison = new Comparison(catalogue, this.colours);
    this.ours = new Scatter(byId("ours"), "Our networks; the arrow keys choose one", (id) =>
      this.#choose(id),
    );
    this.papers = new Scatter(byId("papers"), "The papers' networks", null);
    this.knobs = new Knobs(catalogue, (key, value) => this.#turn(key, value));
    this.limits = new Limits(catalogue, (key, limit) => this.#limit({ [key]: limit }));
    this.details = new DetailsPanel(catalogue);
    this.front = new FrontTable((id) => this.#choose(id));
    this.published = { basis: "", points: /** @type {Point[]} */ ([]) };
    this.legend = "";
    this.#lists();
  }

  /** @param {Details} details */
  setDetails(details) {
    this.details.details = details;
    this.change({});
  }

  draw() {
    const state = this.state();
    const { catalogue } = this;
    const networks = catalogue.networks.filter(({ dataset }) => dataset === state.dataset);
    const chosen = networks.find(({ id }) => id === state.network) ?? networks[0];
    const device = catalogue.devices.find(({ name }) => name === state.device);
    const axis = catalogue.costs.find(({ key }) => key === state.x) ?? catalogue.costs[0];
    byId("device-control").hidden = !catalogue.devices.length;
    this.#select("dataset", state.dataset);
    this.#select("x", axis.key);
    this.#select("device", state.device);
    const board = catalogue.boards.find((other) =>
      BOARD_LIMITS.every((key) => other[key] === state.limits[key]),
    );
    this.#select("board", board?.name ?? "");
    this.knobs.show(networks, chosen);
    this.limits.show(networks, state, device);
    this.details.show(chosen, state, device);

    byId("pretrained-control").hidden = networks.every((network) => isCompared(network, false));
    /** @type {HTMLInputElement} */ (byId("pretrained")).checked = state.pretrained;
    const { points, front, fitting, compared } = this.comparison.of(
      networks,
      state,
      axis,
      device,
    );
    const dataset = catalogue.datasets.find(({ name }) => name === state.dataset);
    this.ours.draw({
      points,
      front: front.flatMap(({ id }) => points.find((point) => point.id === id) ?? []),
      chosen: chosen.id,
      xTitle: `${axis.title}, as trained`,
      unit: axis.unit,
    });
    setText(
      byId("ours-title"),
      `Ours: ${state.dataset}, ${dataset?.images.toLocaleString("en")} images`,
    );
    this.#drawPapers(chosen, axis, device);
    this.#drawLegend(networks);
    this.front.draw(front, axis, device, chosen.id);
    const unknown = compared - points.length;
    const count = `${fitting} of ${compared} networks within the limits`;
    setText(byId("count"), unknown ? `${count}; of ${unknown} the ${axis.title} is not known` : count);
    /** @type {HTMLButtonElement} */ (byId("best")).disabled = !fitting;
  }

  /**
   * @param {Network} chosen
   * @param {{key: string, title: string, unit: string}} axis
   * @param {Device | undefined} device
   */
  #drawPapers(chosen, axis, device) {
    const basis = `${axis.key} ${device?.name}`;
    if (basis !== this.published.basis) {
      const points = publishedPoints(this.catalogue, this.colours, axis, device);
      this.published = { basis, points };
    }
    const { points } = this.published;
    const same = this.catalogue.published.findIndex(
      ({ network, alpha, rho }) =>
        network === chosen.knobs.network &&
        alpha === chosen.knobs.alpha &&
        rho === chosen.knobs.rho,
    );
    byId("papers-figure").hidden = !points.length;
    if (!points.length) return;
    const xTitle = `${axis.title}, 1000 classes`;
    this.papers.draw({ points, front: [], chosen: String(same), xTitle, unit: axis.unit });
  }

  /** @param {Network[]} networks */
  #drawLegend(networks) {
    const shown = [...networks.map(category), ...this.catalogue.published.map(publishedCategory)];
    const categories = this.colours.names.filter((name) => shown.includes(name));
    const legend = categories.join();
    if (legend === this.legend) return;
    this.legend = legend;
    byId("legend").replaceChildren(
      ...categories.map((name) => {
        const colour = `dot colour${this.colours.number(name)}`;
        return make("li", {}, make("span", { class: colour, "aria-hidden": "true" }), name);
      }),
    );
  }

  #lists() {
    const { datasets, costs, devices, boards } = this.catalogue;
    const named = (/** @type {{name: string}[]} */ entries) =>
      entries.map(({ name }) => ({ value: name, text: name }));
    fill(byId("dataset"), named(datasets));
    fill(byId("x"), costs.map(({ key, title }) => ({ value: key, text: title })));
    fill(byId("device"), named(devices));
    fill(byId("board"), [{ value: "", text: "any" }, ...named(boards)]);
    this.#onChange("dataset", (dataset) => {
      const networks = this.catalogue.networks.filter((network) => network.dataset === dataset);
      this.change({ dataset, network: best(networks).id, limits: {} });
    });
    this.#onChange("x", (x) => this.change({ x }));
    this.#onChange("device", (device) => this.change({ device }));
    this.#onChange("board", (name) => {
      const board = boards.find((other) => other.name === name);
      this.#limit(Object.fromEntries(BOARD_LIMITS.map((key) => [key, board?.[key] ?? null])));
    });
    byId("pretrained").addEventListener("change", (event) => {
      const pretrained = /** @type {HTMLInputElement} */ (event.target).checked;
      this.change({ pretrained });
    });
    byId("best").addEventListener("click", () => this.#chooseBest());
    byId("reset").addEventListener("click", () => this.change({ limits: {} }));
  }

  #chooseBest() {
    const { dataset, limits, device: name, pretrained } = this.state();
    const device = this.catalogue.devices.find((other) => other.name === name);
    const fitting = this.catalogue.networks.filter(
      (network) =>
        network.dataset === dataset &&
        isCompared(network, pretrained) &&
        !exceeded(network, limits, device).length,
    );
    this.#choose(fitting.reduce((a, b) => (b.mean > a.mean ? b : a)).id);
  }

  /**
   * @param {string} id
   * @param {(value: string) => void} act
   */
  #onChange(id, act) {
    /** @type {HTMLSelectElement} */
    const list = byId(id);
    list.addEventListener("change", () => act(list.value));
  }

  /**
   * @param {string} id
   * @param {string} value
   */
  #select(id, value) {
    /** @type {HTMLSelectElement} */
    const list = byId(id);
    if (list.value !== value) list.value = value;
  }

  /** @param {string} network */
  #choose(network) {
    this.change({ network });
    const label = this.catalogue.networks.find(({ id }) => id === network)?.label;
    setText(byId("status"), `Chosen: ${label}.`);
  }

  /**
   * @param {string} key
   * @param {number | string} value
   */
  #turn(key, value) {
    const { dataset, network: id } = this.state();
    const networks = this.catalogue.networks.filter((network) => network.dataset === dataset);
    const from = networks.find((network) => network.id === id) ?? networks[0];
    const { network, changed } = turn(networks, from, key, value);
    const pretrained = this.state().pretrained || !isCompared(network, false);
    this.change({ network: network.id, pretrained });
    const titles = this.catalogue.knobs
      .filter((knob) => changed.includes(knob.key))
      .map(({ title }) => title);
    const also = titles.length ? ` No record with this change alone; also changed: ${titles.join(", ")}.` : "";
    setText(byId("status"), `Chosen: ${network.label}.${also}`);
  }

  /** @param {Record<string, number | null>} changes */
  #limit(changes) {
    const limits = { ...this.state().limits };
    for (const [key, limit] of Object.entries(changes)) {
      if (limit === null) delete limits[key];
      else limits[key] = limit;
    }
    this.change({ limits });
  }
}
