// The way back to an element that was drawn anew, or that is not drawn yet.
// --- identity: what an element is, apart from being this very node -----------------------------
const KEPT = 400;
const ROW = "tr, li, article, fieldset, dialog, [role=row], [role=listitem], [role=dialog], [role=treeitem]";
let keys = new Map();
const keyOf = ([n, role, name]) => {
  const el = find(n), row = el?.closest(ROW), box = el && area(el);
  if (!box) return "";
  const around = row ? squeeze(words(row, 200)).slice(0, 200) : "";
  const own = ["id", "name", "type", "href"].map(key => el.getAttribute(key));
  return JSON.stringify([role, name, around, ...own]);
};
const remember = out => {  // what was listed around the view: older elements that are gone stay known
  let left = KEPT;
  const fresh = new Map();
  for (const one of out) {
    const [n, role, , , , box] = one;
    if (role === "text" || !box || box[3] < -innerHeight || box[1] > 2 * innerHeight) continue;
    if (left-- <= 0) break;
    const key = keyOf(one);
    fresh.set(key, [...(fresh.get(key) || []), n]);
  }
  // Of twins nobody can say later which one was meant.
  for (const [key, all] of fresh) for (const n of all) keys.set(n, all.length === 1 ? key : "");
  if (keys.size > 10 * KEPT) keys = new Map([...keys].slice(-5 * KEPT));
};
const again = n => {  // the one element that is now what n was, or null
  const key = keys.get(n);
  const like = key ? rows().filter(one => one[1] !== "text" && keyOf(one) === key) : [];
  return like.length === 1 ? like[0][0] : null;
};

// --- what is not drawn yet ----------------------------------------------------------------------
const reveal = n => { find(n)?.scrollIntoView({ block: "center", behavior: "instant" }); };
const scrolls = el => el.scrollHeight > el.clientHeight + 1 && el.clientHeight > 40 &&
  (el === document.scrollingElement || /auto|scroll/.test(getComputedStyle(el).overflowY));
let scrolled = null;  // the part of the page that is searched, and where it was
const told = move => new Promise(go => {  // the page hears of a scroll in the next frame, and draws then
  addEventListener("scroll", () => setTimeout(go, 20), { once: true, capture: true });
  setTimeout(go, 1000);
  move();
});
const onward = async first => {  // one screen further in what scrolls most
  if (first) {
    const all = [document.scrollingElement, ...document.querySelectorAll("body *")].filter(el => el && scrolls(el));
    const most = all.sort((a, b) => b.clientWidth * b.clientHeight - a.clientWidth * a.clientHeight)[0];
    scrolled = most ? [most, most.scrollTop] : null;
  }
  if (!scrolled) return false;
  const [el] = scrolled, before = el.scrollTop;
  if (before + el.clientHeight >= el.scrollHeight - 1) return false;
  await told(() => el.scrollBy({ top: .8 * el.clientHeight, behavior: "instant" }));
  return el.scrollTop !== before;
};
const rewind = async () => {
  if (!scrolled || scrolled[0].scrollTop === scrolled[1]) return;
  await told(() => { scrolled[0].scrollTop = scrolled[1]; });
};
