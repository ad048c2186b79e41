// Keep an answered call over a reload of the page: sessionStorage outlives the reload, but not the tab.

const STORAGE_KEY = "intercom.call";
const FRESH_MS = 10000; // age limit of a kept call: the space keeps it for five seconds

export function keepCall(record) {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ ...record, at: Date.now() }));
  } catch {
    // storage is forbidden: the call ends with the page
  }
}

/** Return the kept call and forget it; null if there is none. */
export function takeKeptCall() {
  try {
    const record = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    sessionStorage.removeItem(STORAGE_KEY);
    return record !== null && Math.abs(Date.now() - record.at) < FRESH_MS ? record : null;
  } catch {
    return null;
  }
}
