// What a person would want to know before saying yes: what a control is part of and leads to.
const WIDE = 5000;
const SECRET = new Set(["current-password", "new-password", "one-time-code"]);
const CARD = /card.?(number|no\b)|cvv|cvc|iban|信用卡|银行卡|卡号/i;
const fields = part => [...part.querySelectorAll("input, select, textarea")];
const paid = el => /^cc-/.test(el.autocomplete || "") || CARD.test(`${el.name} ${el.id} ${named(el, "textbox")}`);
const climb = (el, is) => {
  for (; el; el = up(el)) if (el.nodeType === 1 && is(el)) return el;
  return null;
};
const submits = el => el?.form && (el.localName === "button" ? el.type === "submit" : ["submit", "image"].includes(el.type));
const says = el => {  // all that a control is called, aloud and on the screen
  if (!el) return "";
  const value = INPUT[el.type] === "button" ? el.value : "";
  const all = [named(el, roleOf(el)), words(el), el.title || "", value].map(squeeze).filter(Boolean);
  return (all.length ? all.join(" | ") : hint(el)).slice(0, 300);
};
const ways = form => {  // the addresses that a form may be sent to
  if (form?.localName !== "form") return [];
  const given = [form.getAttribute("action"), ...[...form.elements].map(el => el.getAttribute("formaction"))];
  return given.filter(Boolean).map(way => new URL(way, document.baseURI).href);
};
// Of an element, or of what has the focus when n is 0.
const facts = n => {
  let el = n ? find(n) : document.activeElement;
  while (!n && el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
  if (!el) return null;
  const control = climb(el, one => ACTING.has(roleOf(one)) || roleOf(one) === "clickable") || el;
  const form = control.form || climb(el, one => one.localName === "form");
  const part = climb(el, one => one === form || roleOf(one).endsWith("dialog"));
  const field = WRITES.has(roleOf(control));
  const sends = form ? [...form.elements].find(submits) : null;
  return {
    label: says(control), role: roleOf(control) || control.localName,
    field, submits: !!submits(control), sends: field ? says(sends) : "",
    secret: control.type === "password" || SECRET.has((control.autocomplete || "").split(" ").at(-1)),
    dialog: !!part && roleOf(part).endsWith("dialog"),
    paid: !!part && fields(part).some(paid),
    around: part ? squeeze(words(part, 1500)).slice(0, 1500) : "",
    leads: control.localName === "a" && /^(?!#|javascript:)./i.test(control.getAttribute("href") || ""),
    actions: ways(form),
  };
};
const WRITES = new Set(["textbox", "searchbox", "combobox", "spinbutton"]);
// What must be filled in or chosen before a control can be used: what is required, else what is empty.
const lacks = n => {
  const el = find(n), part = el?.form || (el && climb(el, one => one.localName === "form")) || document;
  const open = fields(part).filter(one => one !== el && !off(one) && roleOf(one) && standIn(one) &&
    INPUT[one.type] !== "button" && (["checkbox", "radio"].includes(one.type) ? !one.checked : !one.value || !one.validity.valid));
  const grouped = open.filter(one => one.type !== "radio" || !fields(part).some(r => r.name === one.name && r.checked));
  const asked = grouped.filter(one => one.required || one.getAttribute("aria-required") === "true" || !one.validity.valid);
  return (asked.length ? asked : grouped).slice(0, 6).map(one => row(one, roleOf(one)));
};
