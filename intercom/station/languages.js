// The languages of the house: which one this device speaks, and its sentences. Page and worker share this file; the
// worker loads no modules, so it exports nothing and leaves `languages` to both.

const LANGUAGES = ["en", "de", "fr", "es", "it", "nl"];

const primary = (tag) => tag.toLowerCase().split("-")[0];

class Sentences {
  #sentences;
  #locale;

  constructor(sentences, locale) {
    this.#sentences = sentences;
    this.#locale = locale;
  }

  /** Return whether there is a sentence of this key. */
  has(key) {
    return Object.hasOwn(this.#sentences, key);
  }

  /** Return the sentence of this key with its {names} filled in; `count` chooses its plural where it has one. */
  say(key, values = {}) {
    const found = this.#sentences[key] ?? key;
    const sentence = typeof found === "string" ? found : found[new Intl.PluralRules(this.#locale).select(values.count)] ?? found.other;
    return sentence.replace(/\{(\w+)\}/g, (_, name) => this.#shown(values[name]));
  }

  #shown(value) {
    return typeof value === "number" ? new Intl.NumberFormat(this.#locale).format(value) : String(value ?? "");
  }
}

globalThis.languages = {
  all: LANGUAGES,

  /**
   * Return {language, locale}: the chosen language, else the first of the browser's that the house speaks, else English;
   * the locale is the browser's own of that language, which knows the country's dates.
   */
  choose(chosen, preferred = navigator.languages) {
    const spoken = preferred.filter((tag) => LANGUAGES.includes(primary(tag)));
    const language = LANGUAGES.includes(chosen) ? chosen : spoken.length ? primary(spoken[0]) : "en";
    return { language, locale: spoken.find((tag) => primary(tag) === language) ?? language };
  },

  /** Return the sentences of {language, locale} out of a response with its catalogue. */
  async read(response, { locale }) {
    return new Sentences(await response.json(), locale);
  },
};
