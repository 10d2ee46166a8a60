/** Accuracy over a cost on a log axis: points, error bars, the Pareto front. */

import { axisBottom, axisLeft, scaleLinear, scaleLog, select } from "./d3.js";
import { setText } from "./elements.js";
import { quantity } from "./format.js";

/** @import { Point } from "./types" */

const HEIGHT = 340;
const MARGIN = { top: 12, right: 16, bottom: 44, left: 46 };
const SHAPES = {
  circle: "M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0Z",
  square: "M-4.5,-4.5H4.5V4.5H-4.5Z",
  triangle: "M0,-6L5.5,4.5H-5.5Z",
};
const PIXELS_PER_TICK = 70;

/**
 * @typedef {object} Drawing
 * @property {Point[]} points The same array means that nothing of them has changed.
 * @property {Point[]} front The points that a line joins, from left to right.
 * @property {string | null} chosen Id of the point that is marked.
 * @property {string} xTitle
 * @property {string} unit Of x; see `quantity`.
 */

/**
 * A point in the document, and how it was drawn last.
 * @typedef {{node: SVGGElement, place: string, bar: number, marked: string, point: Point}} Mark
 */

export class Scatter {
  /**
   * @param {HTMLElement} holder Where it is drawn, over the whole width.
   * @param {string} name For screen readers.
   * @param {((id: string) => void) | null} onChoose Called with the id of a point that
   *   is clicked or reached by the arrow keys; null makes a picture of it.
   */
  constructor(holder, name, onChoose) {
    this.holder = holder;
    this.onChoose = onChoose;
    /** @type {Drawing | null} */
    this.drawing = null;
    this.axes = "";
    /** @type {Point[]} */
    this.points = [];
    /** @type {string | null} */
    this.chosen = null;
    /** @type {Map<string, Mark>} */
    this.drawn = new Map();
    this.svg = select(holder).append("svg").attr("height", HEIGHT).attr("aria-label", name);
    this.svg.attr("role", onChoose ? "radiogroup" : "group");
    this.xAxis = this.svg.append("g").attr("class", "axis").attr("aria-hidden", "true");
    this.yAxis = this.svg.append("g").attr("class", "axis").attr("aria-hidden", "true");
    this.xTitle = this.svg.append("text").attr("class", "axis-title").attr("aria-hidden", "true");
    this.line = this.svg.append("path").attr("class", "front").attr("aria-hidden", "true");
    this.marks = this.svg.append("g");
    this.svg.on("keydown", (event) => this.#onKey(event));
    this.width = holder.clientWidth; // kept: to ask for it in a frame costs a layout
    new ResizeObserver(() => this.#resize()).observe(holder);
  }

  #resize() {
    if (this.holder.clientWidth === this.width) return;
    this.width = this.holder.clientWidth;
    if (this.drawing) this.draw(this.drawing);
  }

  /** @param {Drawing} drawing */
  draw(drawing) {
    this.drawing = drawing;
    if (!this.width) return; // hidden; the observer draws it when it appears
    const { x, y, axes } = this.#scales(drawing, this.width);
    this.line.attr("d", path(drawing.front.map((point) => [x(point.x), y(point.y)])));
    if (drawing.points !== this.points || axes !== this.axes) {
      this.points = drawing.points;
      this.axes = axes;
      this.#place(x, y);
    }
    if (drawing.chosen === this.chosen) return;
    const before = this.chosen;
    this.chosen = drawing.chosen;
    for (const id of [before, drawing.chosen]) {
      const mark = this.drawn.get(String(id));
      if (mark) this.#mark(mark);
    }
  }

  /**
   * Make, move and remove points; most of them stay as they are.
   * @param {import("d3").ScaleLogarithmic<number, number>} x
   * @param {import("d3").ScaleLinear<number, number>} y
   */
  #place(x, y) {
    const marks = this.marks
      .selectAll("g")
      .data(this.points, (point) => /** @type {Point} */ (point).id)
      .join((enter) => this.#enter(/** @type {any} */ (enter)));
    /** @type {Map<string, Mark>} */
    const drawn = new Map();
    marks.each((point, index, nodes) => {
      const node = /** @type {SVGGElement} */ (nodes[index]);
      const place = `translate(${round(x(point.x))},${round(y(point.y))})`;
      const mark = this.drawn.get(point.id) ?? { node, place: "", bar: 0, marked: "", point };
      drawn.set(point.id, mark);
      mark.point = point;
      if (mark.place !== place) node.setAttribute("transform", place);
      mark.place = place;
      const bar = point.spread === null ? 0 : round(y(point.y - point.spread) - y(point.y));
      if (bar !== mark.bar) {
        const line = node.querySelector("line");
        line?.setAttribute("y1", String(-bar));
        line?.setAttribute("y2", String(bar));
      }
      mark.bar = bar;
      this.#mark(mark);
    });
    this.drawn = drawn;
  }

  /**
   * Show whether a point is chosen, and whether it fits the limits.
   * @param {Mark} mark
   */
  #mark(mark) {
    const { node, point } = mark;
    const chosen = point.id === this.chosen;
    const marked = `${classes(point, chosen)} ${point.description}`;
    if (mark.marked === marked) return;
    mark.marked = marked;
    node.setAttribute("class", classes(point, chosen));
    node.setAttribute("aria-label", point.description);
    if (node.lastElementChild) setText(node.lastElementChild, point.description);
    if (!this.onChoose) return;
    node.setAttribute("aria-checked", String(chosen));
    node.setAttribute("tabindex", chosen ? "0" : "-1");
  }

  /**
   * The scales of a drawing; the axes are drawn again only if these have changed.
   * @param {Drawing} drawing
   * @param {number} width
   */
  #scales({ points, xTitle, unit }, width) {
    const costs = points.map((point) => point.x);
    const lows = points.map((point) => point.y - (point.spread ?? 0));
    const highs = points.map((point) => point.y + (point.spread ?? 0));
    const [least, most] = points.length ? [Math.min(...costs), Math.max(...costs)] : [1, 10];
    const [low, high] = points.length ? [Math.min(...lows), Math.max(...highs)] : [0, 1];
    const room = (high - low) * 0.06 + 0.005;
    const right = width - MARGIN.right;
    const bottom = HEIGHT - MARGIN.bottom;
    const x = scaleLog([least / 1.2, most * 1.2], [MARGIN.left, right]);
    const y = scaleLinear([low - room, high + room], [bottom, MARGIN.top]);
    const axes = JSON.stringify([x.domain(), y.domain(), width, xTitle, unit]);
    if (axes === this.axes) return { x, y, axes };
    this.svg.attr("width", width);
    const ticks = logTicks(x.domain(), (right - MARGIN.left) / PIXELS_PER_TICK);
    const bottomAxis = axisBottom(x).tickValues(ticks);
    const leftAxis = axisLeft(y).ticks(6).tickSize(MARGIN.left - right);
    this.xAxis
      .attr("transform", `translate(0,${bottom})`)
      .call(bottomAxis.tickFormat((value) => quantity(Number(value), unit)));
    this.yAxis
      .attr("transform", `translate(${MARGIN.left},0)`)
      .call(leftAxis.tickFormat((value) => `${Math.round(100 * Number(value))} %`));
    this.xTitle
      .attr("x", (MARGIN.left + right) / 2)
      .attr("y", HEIGHT - 6)
      .text(xTitle);
    return { x, y, axes };
  }

  /** @param {import("d3").Selection<any, Point, any, any>} enter */
  #enter(enter) {
    const marks = enter.append("g");
    marks.filter((point) => point.spread !== null).append("line");
    marks.append("path").attr("d", (point) => SHAPES[point.shape]);
    marks.append("title");
    const choose = this.onChoose;
    if (choose) {
      marks.attr("role", "radio").on("click", (_, point) => choose(point.id));
    } else {
      marks.attr("role", "img");
    }
    return marks;
  }

  /**
   * The arrow keys lead from point to point, from left to right.
   * @param {KeyboardEvent} event
   */
  #onKey(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!this.onChoose || !this.drawing || !step) return;
    event.preventDefault();
    const ordered = [...this.drawing.points].sort((a, b) => a.x - b.x || a.y - b.y);
    const present = ordered.findIndex((point) => point.id === this.drawing?.chosen);
    const next = ordered[Math.min(Math.max(present + step, 0), ordered.length - 1)];
    this.onChoose(next.id);
    const node = this.marks.selectAll("g").filter((point) => point === next).node();
    /** @type {SVGGElement | null} */ (node)?.focus();
  }
}

/**
 * Round values of a log axis: 1, 2 and 5 of each power of ten, or fewer.
 * @param {number[]} domain
 * @param {number} count At most so many, where there is a choice.
 */
export function logTicks([low, high], count) {
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
      ticks.push(...steps.map((step) => step * 10 ** power));
    }
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length <= count) return inside;
  }
  return scaleLog([low, high]).ticks(count);
}

/** @param {number[][]} corners */
function path(corners) {
  return corners.length ? `M${corners.map((corner) => corner.map(round).join(",")).join("L")}` : "";
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}

/**
 * @param {Point} point
 * @param {boolean} chosen
 */
function classes(point, chosen) {
  return `point colour${point.colour}${point.fits ? "" : " outside"}${chosen ? " chosen" : ""}`;
}
