// Starts the page that is one file, out of what it holds: no server is needed, nothing is fetched.

(async () => {
  const BITS = 15; // of a letter
  const FIRST = 0x1000; // the letter that stands for 0

  const held = (name) => document.getElementById(`held-${name}`);

  const bytesOf = ({ textContent: letters, dataset }) => {
    const bytes = new Uint8Array(dataset.bytes);
    let [at, value, bits] = [0, 0, 0];
    for (let n = 0; n < letters.length; n++) {
      value = (value << BITS) | (letters.charCodeAt(n) - FIRST);
      for (bits += BITS; bits >= 8; bits -= 8) bytes[at++] = value >> (bits - 8);
      value &= (1 << bits) - 1;
    }
    return bytes;
  };

  const unpacked = (name) => {
    const bytes = bytesOf(held(name));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };

  const worker = new Blob([await unpacked("worker")], { type: "text/javascript" });
  const options = { worker: new Worker(URL.createObjectURL(worker)), models: null };
  if (held("about")) {
    const about = JSON.parse(held("about").textContent);
    const names = ["wasm", "read", "reply", ...(about.shading ? ["shade"] : [])];
    const [wasm, read, reply, shade] = await Promise.all(names.map(unpacked));
    options.runtime = { module: null, wasm };
    options.models = { about, read, reply, shade };
  }
  globalThis.sketch2paint.options = options;
  await globalThis.sketch2paint.start();
})();
