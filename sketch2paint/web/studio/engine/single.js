// Starts the page that is one file, out of what it holds: no server is needed, nothing is fetched.

(async () => {
  const held = (name) => document.getElementById(`held-${name}`)?.textContent;

  const unpacked = (name) => {
    const bytes = Uint8Array.from(atob(held(name)), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };

  const worker = new Blob([JSON.parse(held("worker"))], { type: "text/javascript" });
  const options = { worker: new Worker(URL.createObjectURL(worker)), models: null };
  if (held("about")) {
    const about = JSON.parse(held("about"));
    const names = ["wasm", "read", "reply", ...(about.shading ? ["shade"] : [])];
    const [wasm, read, reply, shade] = await Promise.all(names.map(unpacked));
    options.runtime = { module: null, wasm };
    options.models = { about, read, reply, shade };
  }
  globalThis.sketch2paint.options = options;
  await globalThis.sketch2paint.start();
})();
