// What is kept in the browser: the drawings as they were opened, and what was said of them.

const NAME = "sketch2paint studio";
const STORES = ["pictures", "edits", "settings"];

/**
 * What is kept, for one window at a time: two would write over each other.
 * @returns {Promise<Store | null>} null where the browser keeps nothing, or another window has it
 */
export async function openStore() {
  try {
    if (!(await isOnly())) return null;
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    return new Store(await answered(request));
  } catch {
    return null;
  }
}

/** Whether no other window has the studio open; held until this one is closed. */
function isOnly() {
  if (!navigator.locks) return true; // a page without https
  return new Promise((tell) => {
    navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      tell(lock !== null);
      return new Promise(() => {});
    });
  });
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
