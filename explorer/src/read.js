/** Reading the files beside the page, with errors that say what to do. */

const VERSION = 2; // of the form of the files that the page understands

/** An error whose message is for the reader of the page. */
export class ReadError extends Error {}

/**
 * Read a file beside the page.
 * @param {string} path
 * @returns {Promise<Response>}
 */
export async function read(path) {
  let response;
  try {
    response = await fetch(path);
  } catch {
    throw new ReadError(
      `${path} cannot be read: the page must come from a server (make explorer), and the ` +
        "server must still run.",
    );
  }
  if (!response.ok) {
    throw new ReadError(
      `${path} is missing on the server (${response.status}); make explorer makes it again.`,
    );
  }
  return response;
}

/**
 * Read a file of data that `make explorer` wrote.
 * @param {string} path
 */
export async function readJson(path) {
  const response = await read(path);
  let content;
  try {
    content = await response.json();
  } catch {
    throw new ReadError(`${path} is damaged; make explorer makes it again.`);
  }
  if (content?.version !== VERSION) {
    throw new ReadError(
      `${path} must be of version ${VERSION}, got ${content?.version}; make explorer makes ` +
        "it again.",
    );
  }
  return content;
}
