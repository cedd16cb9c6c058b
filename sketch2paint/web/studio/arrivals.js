// Files as they come: chosen, dropped, pasted.

import { byId } from "./dom.js";

/**
 * Listen to all ways by which files come.
 * @param {import("./studio.js").Studio} studio
 */
export function listenToFiles(studio) {
  const add = (files) => files.length && studio.inTurn(() => studio.addFiles(files));
  const reference = (files) => files.length && studio.inTurn(() => studio.addReference(files[0]));
  for (const [id, take] of Object.entries({ files: add, camera: add, referenceFile: reference })) {
    byId(id).onchange = ({ target }) => {
      take([...target.files]);
      target.value = ""; // so that the same file can be chosen again
    };
  }
  const { classList } = document.body;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    classList.add("dropping");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    classList.remove("dropping");
    add([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => add([...event.clipboardData.files]));
}
