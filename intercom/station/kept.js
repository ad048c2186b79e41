// A call that is talked in, kept while the page is loaded anew: sessionStorage outlives that, and not the tab.

const STORAGE_KEY = "intercom.call";
const FRESH_MS = 10000; // the space keeps the call for five seconds; an older one is another day's tab

export function keepCall(record) {
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ ...record, at: Date.now() }));
  } catch {
    // storage is forbidden: the call ends with the page
  }
}

/** The call of the page before, once; null when there was none. */
export function takeKeptCall() {
  try {
    const record = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    sessionStorage.removeItem(STORAGE_KEY);
    return record !== null && Math.abs(Date.now() - record.at) < FRESH_MS ? record : null;
  } catch {
    return null;
  }
}
