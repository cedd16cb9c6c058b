// Calls functions of the studio's engine for a test: a line of JSON each, an answer each. Arrays
// travel as base64; what a call gives is kept, and later calls may name it.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(`${process.argv[2]}/`);
const kept = [];

function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== "object") return value;
  if ("kept" in value) return kept[value.kept];
  if ("array" in value) {
    const bytes = new Uint8Array(Buffer.from(value.data, "base64"));
    return new globalThis[value.array](bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decoded(one)]));
}

function encoded(value) {
  if (Array.isArray(value)) return value.map(encoded);
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { array: value.constructor.name, data: bytes.toString("base64") };
  }
  if (value instanceof Map) return [...value].map(encoded);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encoded(one)]));
}

async function answered({ module, on, name, given, shown }) {
  const owner = on === null ? await import(new URL(`${module}.js`, folder)) : kept[on];
  const isClass = /^[A-Z]/.test(name);
  const all = given.map(decoded);
  const value = isClass ? new owner[name](...all) : await owner[name](...all);
  kept.push(value);
  return { kept: kept.length - 1, value: shown ? (encoded(value) ?? null) : null };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await answered(JSON.parse(line)).catch((error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
