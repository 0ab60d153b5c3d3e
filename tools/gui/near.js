// What tells apart controls that are called alike, and what stands beside a field without a name:
// the title of a row, of a card, of a question; the words before a field, behind a box.
const TITLE = 40;  // signs that what stands near has at most
const ASIDE = 12;  // rows that are looked through for it on either side
const LEVELS = 4;  // between a field and what stands beside it
const LETTER = /\p{L}/u;
const RANKS = { heading: 0, text: 1, img: 2, link: 2 };
const MARKED = new Set(["checkbox", "radio", "switch"]);
const FIELD = new Set([...MARKED, ...Object.values(INPUT), "textbox", "combobox", "listbox"]);
FIELD.delete("button");
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, [role]";
const holds = (el, others) => [...el.querySelectorAll(CONTROLS)].some(c => !within(others, c) && c !== others);
const nears = rows => {
  const nodes = rows.map(r => find(r[0])), out = rows.map(() => "");
  const groups = new Map();
  rows.forEach(([, role, name], i) => {
    if (!nodes[i] || TELLING.has(role) || ["text", "img", "iframe", "canvas"].includes(role)) return;
    if (!name) { if (FIELD.has(role)) out[i] = beside(nodes[i], role); return; }
    const key = `${role} ${name}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(i);
  });
  for (const group of groups.values())
    if (group.length > 1) titles(rows, nodes, group).forEach((title, k) => { out[group[k]] = title; });
  return out;
};

// --- a field without a name: what is closest in the document, up to the next control ------------
const beside = (el, role) => {
  const said = back => {
    let node = el;
    for (let level = 0; node?.nodeType === 1 && level < LEVELS; level++) {
      for (let s = node; (s = back ? s.previousSibling : s.nextSibling);) {
        if (s.nodeType === 1 && (s.matches(CONTROLS) || s.querySelector(CONTROLS))) return "";
        const text = s.nodeType === 3 ? s.data : s.nodeType === 1 && visible(s) ? words(s) : "";
        if (LETTER.test(text)) return squeeze(text).replace(/[\s:：*]+$/, "");
      }
      node = up(node);
      if (node?.nodeType === 1 && holds(node, el)) return "";  // others are in here, too
    }
    return "";
  };
  // Of fields side by side, the first of which has nothing before it, all have it behind them.
  const all = [...(el.parentElement?.querySelectorAll(":scope > input, :scope > select") || [])];
  const first = all[0], begins = n => n && (LETTER.test(n.textContent) || begins(n.previousSibling));
  const behind = MARKED.has(role) || all.length > 1 && !begins(first.previousSibling);
  const found = said(!behind) || said(behind);
  return found.length <= TITLE ? found : "";
};

// --- controls that are called alike: what stands in the container of one and of no other --------
const titles = (rows, nodes, group) => {
  const held = new Map(), kinds = new Map();
  for (const i of group)
    for (let node = nodes[i]; node; node = up(node)) held.set(node, (held.get(node) || 0) + 1);
  const readable = (i, j) => nodes[j] && rows[j][1] in RANKS && rows[j][2] && rows[j][2] !== rows[i][2];
  const sibling = (i, j) => nodes[j] && up(nodes[j]) === up(nodes[i]);
  const every = group.map((i, k) => {
    let own = nodes[i];
    while (up(own) && held.get(up(own)) === 1) own = up(own);
    const flat = own === nodes[i];
    const kind = flat ? "" : `${own.localName} ${up(own)?.localName}`;
    kinds.set(kind, (kinds.get(kind) || 0) + 1);
    let first = i, last = i;  // of the rows that belong to it
    if (flat && MARKED.has(rows[i][1])) {
      if (sibling(i, i + 1) && readable(i, i + 1)) last = i + 1;
    } else if (flat) {  // what stands between it and the one before it
      const gap = k ? i - group[k - 1] : group[1] - i;
      while (i - first < gap - 1 && i - first < ASIDE && sibling(i, first - 1)) first--;
    } else {
      const inside = j => nodes[j] && within(nodes[j], own);
      while (first && i - first < ASIDE && inside(first - 1)) first--;
      while (last + 1 < rows.length && last - i < ASIDE && inside(last + 1)) last++;
    }
    const said = [];
    for (let j = first; j <= last; j++)
      if (j !== i && readable(i, j) && rows[j][2].length <= TITLE) said.push(j);
    const rank = j => (LETTER.test(rows[j][2]) ? 0 : 3) + RANKS[rows[j][1]];  // names before numbers
    return { flat, kind, said: [...new Set(said.sort((a, b) => rank(a) - rank(b)).map(j => rows[j][2]))] };
  });
  const times = new Map();
  for (const { said } of every) for (const s of said) times.set(s, (times.get(s) || 0) + 1);
  const found = every.map(({ said }) => said.find(s => times.get(s) === 1) || "");
  // Side by side it cannot be known whether what stands between two is of the first or the second,
  // unless it begins with one and ends with none.
  const end = group.at(-1), loose = every.some(({ flat }, k) => flat && !found[k]) ||
    !MARKED.has(rows[end][1]) && sibling(end, end + 1) && readable(end, end + 1);
  return found.map((title, k) => (every[k].flat ? loose : kinds.get(every[k].kind) < 2) ? "" : title);
};
