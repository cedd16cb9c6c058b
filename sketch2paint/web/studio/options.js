// What the engine is started with, see engine/README.md. `studio.py` writes this file anew where a
// model goes with the page; by itself the page fills regions without one.

export const options = { models: null };
