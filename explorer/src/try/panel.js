/** The view that runs networks. */

export class TryPanel {
  /** @param {string} network */
  open(network) {
    void network;
  }
}
