// Part of the closure that is installed once in every document, out of reach of the page's own
// scripts: what an element is, says and holds. A number stands for an element as long as it lives.
"use strict";
const LONG = 120;
let most = LONG;  // signs of a text that are told: Python takes longer ones to look for secrets
const numbers = new WeakMap(), elements = new Map(), watched = new WeakSet();
let next = 1, changes = 0, changedAt = performance.now();

// --- what changes ---------------------------------------------------------------------------
const changed = () => { changes += 1; changedAt = performance.now(); };
const watch = root => {
  if (watched.has(root)) return;
  watched.add(root);
  new MutationObserver(changed).observe(root,
    { subtree: true, childList: true, attributes: true, characterData: true });
  for (const kind of ["input", "change", "scroll", "focusin", "focusout", "toggle"])
    root.addEventListener(kind, changed, { capture: true, passive: true });
};
watch(document);

// --- elements -------------------------------------------------------------------------------
const number = el => {
  if (!numbers.has(el)) {
    numbers.set(el, next);
    elements.set(next++, new WeakRef(el));
  }
  return numbers.get(el);
};
const find = n => {
  const el = elements.get(n)?.deref();
  return el?.isConnected ? el : null;
};
const up = node => node.assignedSlot || node.parentNode || node.host || null;  // the flat tree
const within = (node, el) => {
  for (; node; node = up(node)) if (node === el) return true;
  return false;
};
const inside = el => {
  if (el.shadowRoot) { watch(el.shadowRoot); return el.shadowRoot.childNodes; }
  const assigned = el.localName === "slot" ? el.assignedNodes() : [];
  return assigned.length ? assigned : el.childNodes;
};
const gone = el => !el.checkVisibility() && getComputedStyle(el).display !== "contents";
const visible = el => el.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const area = el => {
  const r = el.getBoundingClientRect();
  return r.width > 0 && r.height > 0 ? r : null;
};
const squeeze = text => text.replace(/\s+/g, " ").trim();
const short = text => {
  const s = squeeze(text);
  return s.length > most ? s.slice(0, most - 1) + "…" : s;
};
const SILENT = new Set(["script", "style", "noscript", "template", "select", "textarea"]);
const words = (el, limit = 2 * most) => {  // what a reader sees in an element, shadow roots too
  let out = "";
  const walk = node => {
    if (out.length > limit) return;
    if (node.nodeType === 3 && (!node.parentElement || visible(node.parentElement))) out += node.data;
    if (node.nodeType !== 1 || SILENT.has(node.localName) || gone(node)) return;
    if (node.localName === "img") out += ` ${node.alt} `;
    const block = !INLINE.has(node.localName);
    if (block) out += limit > 2 * most ? "\n" : " ";
    for (const child of inside(node)) walk(child);
    if (block) out += limit > 2 * most ? "\n" : " ";
  };
  for (const child of inside(el)) walk(child);
  return out;
};

// --- roles, names, values -------------------------------------------------------------------
const INLINE = new Set(["a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "em", "i", "img", "kbd",
  "mark", "q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "wbr", "label", "font"]);
const ACTING = new Set(["button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "option",
  "menuitemcheckbox", "menuitemradio", "slider", "spinbutton", "textbox", "searchbox", "combobox",
  "listbox", "treeitem", "gridcell"]);
const TELLING = new Set(["dialog", "alertdialog", "alert", "status", "heading", "progressbar"]);
const INPUT = { button: "button", submit: "button", reset: "button", image: "button",
  checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton",
  search: "searchbox", file: "file", color: "color", date: "date", time: "time", month: "month",
  week: "week", "datetime-local": "datetime", hidden: "" };
const TAG = { button: "button", select: "combobox", textarea: "textbox", summary: "button",
  dialog: "dialog", canvas: "canvas", iframe: "iframe", frame: "iframe", progress: "progressbar",
  h1: "heading", h2: "heading", h3: "heading", h4: "heading", h5: "heading", h6: "heading" };
const drawing = el => el.localName === "svg" && area(el)?.width > 64;  // and no icon
const SHAPES = new Set(["circle", "ellipse", "rect", "polygon"]);
const SLID = /slider[-_]*(handle|thumb)/i;  // as sliders name what keys move, where no role does
const DRAGGED = /^(grab|(?!not)[a-z]+-resize)$/;  // the pointer over what one drags
const roleOf = el => {
  const said = (el.getAttribute("role") || "").split(" ")[0];
  if (ACTING.has(said) || TELLING.has(said)) return said;
  const tag = el.localName;
  if (tag === "input") return INPUT[el.type] ?? "textbox";
  if (tag === "a" && el.hasAttribute("href")) return "link";
  if (TAG[tag]) return TAG[tag];
  if (el.isContentEditable && !el.parentElement?.isContentEditable) return "textbox";
  if (tag === "label" || el === document.body) return "";
  if (el.tabIndex >= 0 && SLID.test(el.getAttribute("class"))) return "slider";
  const hand = node => getComputedStyle(node).cursor === "pointer";
  if (hand(el) && !(el.parentElement && hand(el.parentElement))) return "clickable";
  const focus = el.tabIndex >= 0 && el.hasAttribute("tabindex") && (!said || said === "none");
  const hears = el.onclick || el.getAttribute("draggable") === "true" || focus || window[LISTENING]?.has(el);
  if (hears && !container(el)) return "clickable";
  if (SHAPES.has(tag) && el.ownerSVGElement && drawing(el.ownerSVGElement)) return "shape";
  if (DRAGGED.test(getComputedStyle(el).cursor) && !el.firstElementChild) return "handle";
  return tag === "img" && el.alt ? "img" : "";
};
// What listens for its parts: they are what one uses.
const container = el => !!el.querySelector("a[href], button, input, select, textarea, [role]") ||
  [...el.children].filter(c => !INLINE.has(c.localName) && /\S/.test(c.textContent)).length > 1;
const LISTENING = Symbol.for("corvid.listening");
const named = (el, role) => {
  const by = (el.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean)
    .map(id => el.getRootNode().getElementById?.(id)).filter(Boolean)
    .map(e => words(e) || e.textContent).join(" ");
  const label = () => el.labels ? [...el.labels].map(l => words(l)).join(" ") : "";
  const content = () => {
    if (el.localName === "input") return INPUT[el.type] === "button" ? el.value || el.alt : "";
    if (["textbox", "combobox", "iframe", "canvas", "listbox"].includes(role)) return "";
    if (role.endsWith("dialog")) return words(el.querySelector("h1,h2,h3,h4,legend") || el);
    return words(el) || el.querySelector("svg title")?.textContent || "";
  };
  for (const name of [by, el.getAttribute("aria-label") || "", label(), el.alt || "", content(),
    el.title || "", el.placeholder || "", el.getAttribute("name") || ""])
    if (typeof name === "string" && squeeze(name)) return short(name);
  return "";
};
const SIDES = { n: "top", s: "bottom", e: "right", w: "left", col: "column" };
const edge = cursor => {  // "se-resize": "bottom right corner"
  const from = cursor.replace(/-?resize$/, "");
  const sides = from in SIDES ? [SIDES[from]] : [...from].map(side => SIDES[side]);
  return sides.every(Boolean) && from ? `${sides.join(" ")} ${sides[1] ? "corner" : "edge"}` : cursor;
};
// Of an element without a name, what its maker called it: "#save", ".icon-bold", "circle".
const hint = (el, role) => {
  if (role === "shape") return drawn(el);
  if (role === "handle") return edge(getComputedStyle(el).cursor);
  if (el.id) return "#" + el.id.slice(0, 40);
  if (el.classList.length) return "." + [...el.classList].join(".").slice(0, 40);
  return el.namespaceURI.endsWith("svg") ? drawn(el) : "";
};
const drawn = el => el.localName === "rect" ? "rectangle"
  : el.localName === "polygon" && el.points.numberOfItems === 3 ? "triangle" : el.localName;
// The colour of an element that shows nothing else, or of drawn text.
const paint = el => {
  const s = getComputedStyle(el), svg = el.namespaceURI.endsWith("svg") && el.localName !== "svg";
  const rgb = (!svg ? s.backgroundColor : s.fill === "none" ? s.stroke : s.fill).match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
  if (rgb[3] === 0) return "";
  return "#" + rgb.slice(0, 3).map(v => Math.round(v).toString(16).padStart(2, "0")).join("");
};
const valueOf = el => {
  if (el.localName === "select")
    return [...el.selectedOptions].map(o => squeeze(o.label)).join(", ");
  if (el.localName === "progress") return String(el.value);
  if (el.type === "password") return "•".repeat(Math.min(el.value.length, 8));
  if (el.type === "file") return [...el.files].map(f => f.name).join(", ");
  if (el.localName === "textarea") return el.value;
  if (el.localName === "input")
    return ["checkbox", "radio"].includes(el.type) || INPUT[el.type] === "button" ? null : el.value;
  if (el.isContentEditable) return squeeze(words(el));
  return el.getAttribute("aria-valuetext") || el.getAttribute("aria-valuenow");
};
const off = el => el.matches(":disabled") || !!el.closest("[aria-disabled=true], [inert]");
const stateOf = el => {
  const aria = key => el.getAttribute("aria-" + key);
  const state = [];
  if (off(el)) state.push("disabled");
  if (el.indeterminate || aria("checked") === "mixed") state.push("mixed");
  else if (el.checked || aria("checked") === "true") state.push("checked");
  if (aria("selected") === "true") state.push("selected");
  if (aria("pressed") === "true") state.push("pressed");
  const open = el.localName === "summary" ? String(!!el.parentElement?.open) : aria("expanded");
  if (open) state.push(open === "true" ? "expanded" : "collapsed");
  else if (!["", "false", null].includes(aria("haspopup"))) state.push("haspopup");
  if (el.required || aria("required") === "true") state.push("required");
  if (el.readOnly) state.push("readonly");
  if (aria("invalid") === "true" || (el.matches(":user-invalid"))) state.push("invalid");
  if (el.getRootNode().activeElement === el && el !== document.body) state.push("focused");
  return state;
};
// A checkbox or file field that is drawn by its label is pointed at through the label.
const standIn = el => {
  if (visible(el) && area(el)) return el;
  const label = [...(el.labels || [])].find(l => area(l) && visible(l));
  return label || (el.localName === "input" && el.checkVisibility({ visibilityProperty: true }) ? el : null);
};
// What a field with a secret in it is said to hold, whatever the page makes of the value.
const veils = new WeakMap();
const heldBy = el => {
  const value = valueOf(el);
  return value && veils.has(el) ? veils.get(el) : value;
};
const corners = r => r && [r.x, r.y, r.right, r.bottom];
const row = (el, role) => {
  const shown = standIn(el), r = shown && area(shown);
  const options = el.localName === "select" ? [...el.options].slice(0, 1000).map(o => short(o.label)) : [];
  if (role === "text") return [number(el), role, short(words(el)), null, stateOf(el), corners(r), []];
  const name = named(el, role), value = heldBy(el), state = stateOf(el);
  const bare = !name && ["button", "clickable", "link", "shape", "handle"].includes(role);
  if ((bare || role === "shape" || el.localName === "text") && paint(el)) state.push(paint(el));
  return [number(el), role, bare ? hint(el, role) : name, value === null ? null : short(String(value)), state,
    corners(r), options];
};
