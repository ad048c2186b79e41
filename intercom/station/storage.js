// Where this device keeps what it remembers. A browser may deny a page its storage, as to one in a frame of another site:
// the page then works, but forgets everything when it is left.

class Forgotten {
  #items = new Map();

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, String(value));
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}

/** Whether the page forgets everything when it is left. */
export const forgets = isDenied("localStorage");

for (const name of ["localStorage", "sessionStorage"]) {
  if (isDenied(name)) Object.defineProperty(globalThis, name, { value: new Forgotten() });
}

function isDenied(name) {
  try {
    return !globalThis[name];
  } catch {
    return true;
  }
}
