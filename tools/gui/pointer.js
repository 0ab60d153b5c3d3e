// Where an element can be pointed at, what lies in the way, and a guard against what moves there.
// --- the hit test ---------------------------------------------------------------------------
const deepest = (x, y) => {
  let el = document.elementFromPoint(x, y);
  while (el?.shadowRoot) {
    const inner = el.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === el) break;
    el = inner;
  }
  return el;
};
const takes = (el, hit) => !!hit && (within(hit, el) ||
  [...(el.labels || [])].some(l => within(hit, l) && !hit.closest("a, button")));
const SHARES = [.5, .25, .75, .1, .9];
const points = shown => {
  const out = [];
  const pieces = [...shown.getClientRects()].sort((a, b) => b.width * b.height - a.width * a.height);
  for (const r of pieces.slice(0, 4)) {
    const x0 = Math.max(r.left, 0), y0 = Math.max(r.top, 0);
    const x1 = Math.min(r.right, innerWidth), y1 = Math.min(r.bottom, innerHeight);
    if (x1 - x0 < 1 || y1 - y0 < 1) continue;
    for (const v of SHARES) for (const u of SHARES) out.push([x0 + u * (x1 - x0), y0 + v * (y1 - y0)]);
  }
  return out;
};
const open = (el, shown) => points(shown).find(([x, y]) => takes(el, deepest(x, y)));
const still = async shown => {  // two frames at the same place, at most half a second
  const frame = () => new Promise(go => { setTimeout(go, 50); requestAnimationFrame(() => go()); });
  let before = shown.getBoundingClientRect();
  for (let i = 0; i < 30; i++) {
    await frame();
    const now = shown.getBoundingClientRect();
    if (Math.abs(now.x - before.x) + Math.abs(now.y - before.y) < .5) return;
    before = now;
  }
};
const overlay = (hit, el) => {  // the largest thing around the hit that does not hold the target
  for (let node = hit; node; node = up(node)) {
    if (node.nodeType !== 1) continue;
    if (within(el, node)) break;
    hit = node;
  }
  return hit;
};
const controls = root => {
  const out = [];
  const walk = el => {
    if (out.length >= 12 || gone(el)) return;
    const role = roleOf(el);
    if (["button", "link"].includes(role) && visible(el) && area(el) && !off(el)) out.push(row(el, role));
    for (const child of inside(el)) if (child.nodeType === 1) walk(child);
  };
  walk(root);
  return out;
};
const about = el => [number(el), roleOf(el) || el.localName, named(el, roleOf(el)) || short(words(el))];
const cover = (el, hit) => {
  const top = hit && overlay(hit, el);
  return { failure: "covered", by: top ? about(top) : null, controls: top ? controls(top) : [] };
};
// Where a person would point at an element, once it stands still; or what prevents it. One that is
// disabled cannot be used, but it can be scrolled and hovered.
const aim = async (n, using) => {
  const el = find(n);
  if (!el) return { failure: "stale" };
  const shown = standIn(el);
  if (!shown || !area(shown)) return { failure: "hidden" };
  await still(shown);
  let spot = open(el, shown);
  if (!spot) {
    shown.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    await still(shown);
    spot = open(el, shown);
  }
  if (using && off(el)) return { failure: "disabled" };
  if (spot) return { spot };
  const middle = points(shown)[0];
  return middle ? cover(el, deepest(...middle)) : { failure: "hidden" };
};
// Whether a frame lets the pointer through to its content at a point of this document.
const through = (frame, x, y) => {
  const hit = deepest(x, y);
  return hit === frame ? null : cover(frame, hit);
};
const at = (x, y) => {
  const hit = deepest(x, y);
  if (!hit) return null;
  for (let el = hit; el; el = up(el))
    if (el.nodeType === 1 && el !== document.body && roleOf(el)) return row(el, roleOf(el));
  return row(hit, hit.localName);
};

// --- the guard: a press that would land elsewhere is stopped ----------------------------------
// Without an element to guard (0: it is in another document) every press lands elsewhere.
const KINDS = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "dblclick", "auxclick", "contextmenu"];
let guarded = null, landed = null;
const judge = event => {
  if (!event.isTrusted) return;  // of a script: it says nothing of the pointer
  if (landed === null) {
    const hit = event.composedPath()[0];
    landed = guarded && takes(guarded, hit) ? true : about(hit.nodeType === 1 ? hit : document.documentElement);
  }
  if (landed !== true) { event.preventDefault(); event.stopImmediatePropagation(); }
};
const guard = n => {
  guarded = n ? find(n) : null; landed = null;
  for (const kind of KINDS) window.addEventListener(kind, judge, { capture: true, passive: false });
  return !!guarded;
};
const release = () => {
  for (const kind of KINDS) window.removeEventListener(kind, judge, { capture: true });
  return landed;
};

// --- what Python may call ---------------------------------------------------------------------
return {
  snapshot, clues, held, number, aim, at, through, frameBox, guard, release, facts, lacks, again, reveal, onward, rewind,
  begin: (first, wide) => { next = Math.max(next, first); most = wide ? WIDE : LONG; },
  next: () => next,
  viewport: () => [innerWidth, innerHeight],
  mark: () => { changes = 0; },
  element: n => find(n),
  about: n => { const el = find(n); return el && row(el, roleOf(el) || "text"); },
  value: n => {
    const el = find(n), secret = el?.type === "password" || veils.has(el);
    return el && [secret ? el.value : valueOf(el), stateOf(el), secret];
  },
  veil: (n, label) => { if (label) veils.set(find(n), label); else veils.delete(find(n)); },
  active: n => {
    const el = find(n), now = el && (el.getRootNode().activeElement || document.body);
    return !!el && within(now, el) && (now !== document.body || el === now);
  },
  text: n => { const el = n ? find(n) : document.body; return el ? words(el, 200000) : ""; },
  // Resolves when nothing changed for a while, or the time is up.
  quiet: (calm, most) => new Promise(go => {
    const begun = performance.now();
    const look = () => {
      const now = performance.now();
      if (now - Math.max(changedAt, begun) >= calm || now - begun >= most) go(true);
      else setTimeout(look, 10);
    };
    look();
  }),
};
