// A long list of which only the part in view is in the document: ten thousand rows cost as much as twenty.
//
// Every row's height is known beforehand, so that a place in the list is a number of pixels. The row with the focus
// stays in the document wherever the list is scrolled to.

const BEYOND_PX = 600; // height drawn above and below what is seen: a quick finger and the Tab key find it there

export class Rows {
  #scroller;
  #list;
  #make;
  #fill;
  #items = [];
  #tops = [0];
  #places = new Map();
  #count = 0;
  #nodes = new Map();
  #due = false;

  /** make(): returns an empty row, an <li>. fill(row, item): shows an item in it. seen(): called when the list was scrolled. */
  constructor(scroller, list, { make, fill, seen }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#make = make;
    this.#fill = fill;
    scroller.addEventListener("scroll", () => {
      if (this.#due) return;
      this.#due = true;
      requestAnimationFrame(() => {
        this.#due = false;
        this.#draw();
        seen();
      });
    }, { passive: true });
    new ResizeObserver(() => this.#draw()).observe(scroller);
  }

  /** Whether the end of the known items is in view, or close. */
  get atEnd() {
    const { scrollTop, clientHeight } = this.#scroller;
    return scrollTop + clientHeight + BEYOND_PX >= this.#tops.at(-1);
  }

  /** Show these items, {key, height, …}, and leave room for `unknown` more, each `height` high. What is seen stays where it is. */
  show(items, unknown = 0, height = 0) {
    const { scrollTop } = this.#scroller;
    const anchor = scrollTop > 0 ? this.#items[this.#at(scrollTop)]?.key : undefined;
    const before = this.#tops[this.#places.get(anchor)];
    this.#items = items;
    this.#places = new Map(items.map(({ key }, i) => [key, i]));
    this.#tops = [0];
    for (const item of items) this.#tops.push(this.#tops.at(-1) + item.height);
    this.#count = items.length + unknown;
    this.#list.style.height = `${this.#tops.at(-1) + unknown * height}px`;
    if (this.#places.has(anchor)) this.#scroller.scrollTop = scrollTop + this.#tops[this.#places.get(anchor)] - before;
    this.#draw();
  }

  /** Move the focus to what `selector` finds in a row, which comes into view for it. */
  focus(key, selector) {
    if (!this.#nodes.has(key)) {
      this.#scroller.scrollTop = this.#tops[this.#places.get(key)] - this.#scroller.clientHeight / 2;
      this.#draw();
    }
    this.#nodes.get(key)?.node.querySelector(selector).focus();
  }

  scrollToStart() {
    this.#scroller.scrollTop = 0;
    this.#draw();
  }

  #draw() {
    const wanted = this.#wanted();
    for (const [key, { node }] of this.#nodes) {
      if (wanted.has(key)) continue;
      node.remove();
      this.#nodes.delete(key);
    }
    let next = this.#list.firstElementChild;
    for (const [key, place] of wanted) {
      const node = this.#show(key, place);
      if (node === next) next = next.nextElementSibling;
      else this.#list.insertBefore(node, next);
    }
  }

  // Return the items to draw, {key: place}, in their order.
  #wanted() {
    const { scrollTop, clientHeight } = this.#scroller;
    const last = this.#at(scrollTop + clientHeight + BEYOND_PX);
    const places = [];
    for (let i = this.#at(scrollTop - BEYOND_PX); i <= last && i < this.#items.length; i += 1) places.push(i);
    const focused = this.#places.get([...this.#nodes].find(([, { node }]) => node.contains(document.activeElement))?.[0]);
    if (focused !== undefined && !places.includes(focused)) places.push(focused);
    return new Map(places.sort((a, b) => a - b).map((i) => [this.#items[i].key, i]));
  }

  #show(key, place) {
    const item = this.#items[place];
    const known = this.#nodes.get(key);
    const node = known?.node ?? this.#make();
    if (known?.item !== item) this.#fill(node, item);
    this.#nodes.set(key, { node, item });
    node.style.transform = `translateY(${this.#tops[place]}px)`;
    node.setAttribute("aria-posinset", String(place + 1));
    node.setAttribute("aria-setsize", String(this.#count));
    return node;
  }

  // Return the place of the item at a height, by halving.
  #at(y) {
    let [low, high] = [0, Math.max(0, this.#items.length - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
