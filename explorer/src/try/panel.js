/** The view that runs the exported networks on a photograph. */

import { byId, make, setText } from "../elements.js";
import { quantity } from "../format.js";
import { read, readJson, ReadError } from "../read.js";
import { Camera } from "./camera.js";
import { answer, card, show } from "./cards.js";
import { decode, resized } from "./image.js";

/** @import { Exported, Manifest, ModelFile } from "../types" */
/** @import { Image } from "./image.js" */

const NONE =
  "No networks have been exported. Train some (make reproduce), or pass .keras files or " +
  "published weights to python -m experiments.explorer; then make explorer again.";

export class TryPanel {
  constructor() {
    /** @type {Promise<void> | null} */
    this.opened = null;
    /** @type {{network: Exported, file: ModelFile, box: HTMLInputElement}[]} */
    this.choices = [];
    /** @type {Image | null} */
    this.image = null;
    this.run = 0; // the number of the last run: an earlier one stops
    this.camera = new Camera();
  }

  /**
   * @param {string} record Id of the chosen network, whose files are ticked.
   */
  open(record) {
    this.opened ??= this.#open(record).catch((error) => this.#fail(error));
  }

  /** @param {string} record */
  async #open(record) {
    /** @type {Manifest} */
    const { networks, samples } = await readJson("networks.json");
    if (!networks.length) throw new ReadError(NONE);
    const known = networks.some((network) => network.record === record);
    const first = networks.find((network) => !known || network.record === record);
    byId("try-networks").append(
      ...networks.flatMap((network) =>
        network.files.map((file) => this.#choice(network, file, network === first)),
      ),
    );
    byId("samples").append(...samples.map(({ file, title }) => this.#sample(file, title)));
    this.#listen();
    byId("try-page").hidden = false;
  }

  /**
   * @param {Exported} network
   * @param {ModelFile} file
   * @param {boolean} checked
   */
  #choice(network, file, checked) {
    const box = make("input", { type: "checkbox", id: `run-${file.file}` });
    box.checked = checked;
    box.addEventListener("change", () => this.#classify());
    this.choices.push({ network, file, box });
    const text = `${network.name}, ${file.format}, ${quantity(file.bytes, "bytes")}`;
    return make("p", { class: "check" }, box, make("label", { for: box.id }, text));
  }

  /**
   * @param {string} file
   * @param {string} title
   */
  #sample(file, title) {
    const picture = make("img", { src: file, alt: title, loading: "lazy" });
    const button = make("button", { type: "button", class: "sample" }, picture);
    button.addEventListener("click", () =>
      this.#attempt(async () => this.#use(await (await read(file)).blob(), title)),
    );
    return button;
  }

  #listen() {
    /** @type {HTMLInputElement} */
    const input = byId("file");
    const zone = byId("drop");
    input.addEventListener("change", () => this.#useFile(input.files?.[0]));
    zone.addEventListener("dragover", (event) => event.preventDefault());
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#useFile(event.dataTransfer?.files[0]);
    });
    byId("camera").addEventListener("click", () => this.#attempt(() => this.#photograph()));
  }

  /** @param {File | undefined} file */
  #useFile(file) {
    if (file) this.#attempt(() => this.#use(file, file.name));
  }

  /**
   * @param {Blob} blob
   * @param {string} name
   */
  async #use(blob, name) {
    this.image = null;
    byId("cards").replaceChildren();
    byId("preview").hidden = true;
    this.image = await decode(blob, name);
    this.#preview(name);
    await this.#classify();
  }

  async #photograph() {
    const opening = !this.camera.isOpen;
    if (opening) await this.camera.open();
    else this.image = this.camera.take();
    byId("video").hidden = !opening;
    setText(byId("camera"), opening ? "Take the photograph" : "Use the camera");
    if (opening) return;
    this.#preview("the camera's photograph");
    await this.#classify();
  }

  /** @param {string} name */
  #preview(name) {
    const { image } = this;
    if (!image) return;
    /** @type {HTMLCanvasElement} */
    const canvas = byId("preview");
    canvas.width = image.width;
    canvas.height = image.height;
    const data = new ImageData(image.width, image.height);
    for (let from = 0, to = 0; from < image.rgb.length; from += 3, to += 4) {
      data.data.set([image.rgb[from], image.rgb[from + 1], image.rgb[from + 2], 255], to);
    }
    canvas.getContext("2d")?.putImageData(data, 0, 0);
    canvas.setAttribute("aria-label", name);
    canvas.hidden = false;
  }

  /** Run every ticked network on the image, one after another. */
  async #classify() {
    const { image } = this;
    if (!image) return;
    const run = ++this.run;
    const ticked = this.choices.filter(({ box }) => box.checked);
    const cards = ticked.map(({ network, file }) => card(network, file));
    byId("cards").replaceChildren(...cards);
    for (const [index, { network, file }] of ticked.entries()) {
      try {
        const runtime = await import("./runtime.js");
        const model = await runtime.load(file);
        const pixels = resized(image, network.side);
        const output = await runtime.run(model, pixels);
        const times = await runtime.time(model, pixels);
        if (run !== this.run) return;
        answer(cards[index], output, network.labels, times);
      } catch (error) {
        if (run !== this.run) return;
        show(cards[index], /** @type {Error} */ (error).message, true);
        if (!(error instanceof ReadError)) throw error;
      }
    }
  }

  /** @param {() => Promise<void>} action */
  async #attempt(action) {
    setText(byId("try-message"), "");
    try {
      await action();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    setText(byId("try-message"), /** @type {Error} */ (error).message);
    if (!(error instanceof ReadError)) throw error;
  }
}
