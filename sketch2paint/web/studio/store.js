// What is kept in the browser: the drawings as they were opened, and what was said of them.

const NAME = "sketch2paint studio";
const STORES = ["pictures", "edits", "settings"];

/** @returns {Promise<Store | null>} null where the browser keeps nothing */
export async function openStore() {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    return new Store(await answered(request));
  } catch {
    return null;
  }
}

export class Store {
  constructor(database) {
    this.database = database;
  }

  /** Keep a value, as a structured clone. */
  put(store, key, value) {
    return this.#done(store, "readwrite", (place) => place.put(value, key));
  }

  get(store, key) {
    return this.#done(store, "readonly", (place) => place.get(key));
  }

  remove(store, key) {
    return this.#done(store, "readwrite", (place) => place.delete(key));
  }

  #done(store, mode, act) {
    const transaction = this.database.transaction(store, mode);
    return answered(act(transaction.objectStore(store)));
  }
}

function answered(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}
