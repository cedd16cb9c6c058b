// OpenRaster (.ora), the layered format of Krita, GIMP and MyPaint.

import { utf8 } from "./bytes.js";
import { png } from "./png.js";
import { zip } from "./zip.js";

const BLENDS = { normal: "svg:src-over", multiply: "svg:multiply" };
const THUMBNAIL = 256; // the specification's limit

/**
 * Layers as an OpenRaster file.
 * @param {AsyncIterable<import("./layers.js").Layer>} layers from the bottom to the top
 * @param {ImageData} merged all of them together
 * @returns {Promise<Blob>}
 */
export async function openraster(layers, merged) {
  const lines = [];
  /** @type {[string, Uint8Array][]} */
  const pictures = [];
  for await (const layer of layers) {
    const src = `data/layer${pictures.length}.png`;
    pictures.push([src, await png(layer.pixels, layer.width, layer.height, 4)]);
    lines.unshift(
      `<layer name="${layer.name}" src="${src}" x="${layer.x}" y="${layer.y}" opacity="1.0" ` +
        `visibility="visible" composite-op="${BLENDS[layer.blend]}"/>`,
    );
  }
  const { width, height, data } = merged;
  const stack = `<?xml version="1.0" encoding="UTF-8"?>
<image version="0.0.3" w="${width}" h="${height}"><stack>
${lines.join("\n")}
</stack></image>
`;
  const small = await thumbnail(merged);
  /** @type {[string, Uint8Array][]} */
  const entries = [
    ["mimetype", utf8("image/openraster")], // first, as it is
    ["stack.xml", utf8(stack)],
    ...pictures,
    ["mergedimage.png", await png(data, width, height, 4)],
    ["Thumbnails/thumbnail.png", await png(small.data, small.width, small.height, 4)],
  ];
  return zip(entries);
}

async function thumbnail(picture) {
  const scale = Math.min(1, THUMBNAIL / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const bitmap = await createImageBitmap(picture, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "high",
  });
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
