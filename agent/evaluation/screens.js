// Where elements can be seen, for labels of a screenshot. Given the numbers of elements and their
// corners; gives of each its corners as drawn, or null where it cannot be seen, and the rectangles
// of the other texts.
(agent, [numbers, places]) => {
  const elements = numbers.map(n => agent.element(n));
  const SHARES = [.15, .5, .85], LEAST = .6;
  const clear = colour => /, 0\)$|^transparent$/.test(colour);
  // Whether an element draws a box of its own; of others only their content can be seen.
  const boxed = el => {
    const s = getComputedStyle(el);
    const edged = ["Top", "Right", "Bottom", "Left"].filter(side =>
      parseFloat(s[`border${side}Width`]) && !clear(s[`border${side}Color`])).length > 1;
    return ["input", "select", "textarea"].includes(el.localName) || edged ||
      !clear(s.backgroundColor) || s.backgroundImage !== "none" || s.boxShadow !== "none";
  };
  const rects = el => {
    const range = document.createRange();
    range.selectNodeContents(el);
    return [...range.getClientRects()].filter(r => r.width > 1 && r.height > 1);
  };
  const bounds = some => [Math.min(...some.map(r => r.left)), Math.min(...some.map(r => r.top)),
    Math.max(...some.map(r => r.right)), Math.max(...some.map(r => r.bottom))];
  const area = ([x0, y0, x1, y1]) => Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
  const inView = ([x0, y0, x1, y1]) =>
    [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, innerWidth), Math.min(y1, innerHeight)];
  const shown = (el, some) => {
    let hits = 0, all = 0;
    for (const r of some) for (const u of SHARES) for (const v of SHARES) {
      const hit = document.elementFromPoint(r.left + u * r.width, r.top + v * r.height);
      all += 1;
      hits += !!hit && (el.contains(hit) || [...(el.labels || [])].some(l => l.contains(hit)));
    }
    return hits > all * LEAST;
  };
  const seen = elements.map((el, at) => {
    const [x0, y0, x1, y1] = places[at];
    const inner = boxed(el) ? [] : rects(el);
    const some = inner.length ? inner : [new DOMRect(x0, y0, x1 - x0, y1 - y0)];
    const whole = bounds(some), part = inView(whole);
    return area(part) > LEAST * area(whole) && shown(el, some) ? part : null;
  });
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, el = node.parentElement;
    if (!/\S/.test(node.data) || elements.some(one => one.contains(el)) || !el.checkVisibility())
      continue;
    for (const r of rects(node).filter(r => shown(el, [r]))) texts.push(inView(bounds([r])));
  }
  return [seen, texts];
}
