// What a document shows, as rows in reading order, through open shadow roots.
// --- the observation ------------------------------------------------------------------------
// A control that only wraps another one of the same name is one control.
const once = (out, at) => {
  const outer = out[at], inner = out[at + 1];
  if (out.length !== at + 2 || inner[2] !== outer[2] || !CONTROL.has(inner[1])) return;
  if (outer[1] === "clickable") out.splice(at, 1);
  else if (CONTROL.has(outer[1])) out.splice(at + 1, 1);
};
const CONTROL = new Set(["button", "link", "clickable", "tab", "menuitem", "option", "treeitem"]);
const rows = () => {
  const out = [];
  const walk = (el, told) => {  // told: the text in here belongs to a row that is already out
    if (SILENT.has(el.localName) && el.localName !== "select" && el.localName !== "textarea") return;
    const found = roleOf(el), role = told && ["img", "heading", "shape", "handle"].includes(found) ? "" : found;
    let at = -1;
    const field = el.localName === "input" && standIn(el);
    if (!field && gone(el)) { if (role === "file") out.push(row(el, role)); return; }
    const heard = !["alert", "status"].includes(role) || /\S/.test(words(el));
    if (role && heard && (field || (visible(el) && area(el)))) {
      at = out.push(row(el, role)) - 1;
      const wide = () => drawing(el) || words(el).length > LONG;  // what it holds is told, too
      told = told || !(role.endsWith("dialog") || role === "clickable" && wide());
      if (role === "iframe") return;
    } else if (el.localName === "label" && el.control && standIn(el.control)) {
      told = true;  // its words are the name of the field
    } else if (!told && visible(el)) {
      const kids = [...inside(el)];
      const direct = kids.some(k => k.nodeType === 3 && /\S/.test(k.data));
      if (direct && kids.every(k => k.nodeType !== 1 || INLINE.has(k.localName) || gone(k))) {
        if (area(el)) out.push(row(el, "text"));
        told = true;
      } else if (direct) {
        const own = kids.filter(k => k.nodeType === 3).map(k => k.data).join(" ");
        if (area(el)) { const r = row(el, "text"); r[2] = short(own); out.push(r); }
      }
    }
    for (const child of inside(el)) if (child.nodeType === 1) walk(child, told);
    if (at >= 0) once(out, at);
  };
  if (document.body) walk(document.body, false);
  remember(out);
  return out;
};
const snapshot = iframes => {
  const d = document.scrollingElement || document.documentElement;
  const listed = rows(), beside = nears(listed);
  return JSON.stringify({
    rows: listed.map((r, i) => [...r, beside[i]]), changes, url: location.href, title: document.title,
    size: [innerWidth, innerHeight], scroll: [Math.round(scrollX), Math.round(scrollY)],
    extent: d ? [d.scrollWidth, d.scrollHeight] : [0, 0],
    frames: iframes.map(frameBox),
  });
};
const frameBox = el => {  // where the content of a frame lies: left, top, scale, right, bottom
  const r = el?.isConnected && area(el);
  if (!r) return null;
  const s = getComputedStyle(el), scale = r.width / (el.offsetWidth || r.width);
  const edge = side => (parseFloat(s["border" + side + "Width"]) + parseFloat(s["padding" + side])) * scale;
  return [number(el), r.x + edge("Left"), r.y + edge("Top"), scale,
    r.right - edge("Right"), r.bottom - edge("Bottom")];
};
