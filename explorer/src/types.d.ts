/** What `data.json`, `details.json` and `networks.json` hold; see schema.json. */

export type KnobValue = number | string | null;

export interface Knob {
  key: string;
  title: string;
  about: string;
  /** The value of networks that do not list the knob. */
  default: KnobValue;
}

export interface NetworkEntry {
  id: string;
  label: string;
  dataset: string;
  side: number;
  seeds: number[];
  /** Accuracy of each seed, as a fraction. */
  top1: number[];
  knobs: Record<string, KnobValue>;
  costs: Record<string, number>;
  /** Keys of `costs` that are counted rather than measured. */
  estimated: string[];
}

/** A network with all knobs, and mean and spread over its seeds. */
export interface Network extends NetworkEntry {
  mean: number;
  /** Sample standard deviation; null for one seed. */
  spread: number | null;
}

export interface PublishedPoint {
  label: string;
  table: string;
  top1: number;
  network: string;
  alpha: number | null;
  rho: number | null;
  note: string;
  costs: Record<string, number>;
}

/** Latencies that others published. */
export interface LatencyList {
  source: string;
  /** Of the network of each architecture that was run. */
  mult_adds: Record<string, number>;
  /** Name, and milliseconds of each of these networks; null where none are published. */
  devices: [string, ...(number | null)[]][];
}

/** A device with the mult-adds of the networks that it ran. */
export interface Device {
  name: string;
  references: Record<string, { milliseconds: number; mult_adds: number }>;
}

export interface Board {
  name: string;
  chip: string;
  arena_bytes: number;
  flash_bytes: number;
  source: string;
}

export interface Data {
  version: number;
  datasets: { name: string; images: number; classes: number; split: string }[];
  knobs: Knob[];
  costs: { key: string; title: string; unit: string }[];
  networks: NetworkEntry[];
  published: PublishedPoint[];
  latencies: LatencyList[];
  boards: Board[];
}

export interface Catalogue extends Omit<Data, "networks"> {
  networks: Network[];
  devices: Device[];
}

export interface Detail {
  table: string;
  /** What the table says that it stands in: an index of texts. */
  remark: number;
  /** Its words: indices of texts. */
  command: number[] | null;
  /** Its lines: indices of texts. */
  python: number[] | null;
  commits: string[];
  /** An index of texts. */
  device: number;
  minutes: number;
  /** Names, kinds, mult-adds, weights and activations: indices of columns. */
  layers: number[] | null;
}

export interface Details {
  version: number;
  networks: Record<string, Detail>;
  /** A number for each layer; of names and kinds, an index of texts. */
  columns: number[][];
  /** What several networks share. */
  texts: string[];
}

/** Everything that the page shows follows from it; a link holds it. */
export interface State {
  view: "choose" | "try";
  dataset: string;
  network: string;
  x: string;
  device: string;
  /** Whether networks that began with pre-trained weights are compared too. */
  pretrained: boolean;
  /** Upper limits of costs by their key. */
  limits: Record<string, number>;
}

export interface Point {
  id: string;
  label: string;
  x: number;
  y: number;
  spread: number | null;
  /** Number of the colour. */
  colour: number;
  shape: "circle" | "square" | "triangle";
  fits: boolean;
  description: string;
}

export interface ModelFile {
  file: string;
  bytes: number;
  sha256: string;
  /** "float32" or "int8". */
  format: string;
}

export interface Exported {
  name: string;
  /** What the weights were trained on. */
  origin: string;
  /** Id of the record in data.json, if it has one. */
  record: string | null;
  side: number;
  labels: string[];
  files: ModelFile[];
}

export interface Manifest {
  version: number;
  networks: Exported[];
  samples: { file: string; title: string }[];
}
