// A claim or a row and the boxes that prove it light up together.
for (const run of document.querySelectorAll(".run")) {
  const linked = [...run.querySelectorAll("[data-link]")].filter((e) => e.dataset.link);
  const keys = (e) => e.dataset.link.split(" ");
  const light = (source) => {
    const wanted = new Set(source ? keys(source) : []);
    const lit = linked.filter((e) => keys(e).some((k) => wanted.has(k)));
    linked.forEach((e) => e.classList.toggle("lit", lit.includes(e)));
    for (const scene of run.querySelectorAll(".scene"))
      scene.classList.toggle("linking", lit.some((e) => scene.contains(e)));
  };
  for (const e of linked) {
    e.addEventListener("pointerenter", () => light(e));
    e.addEventListener("pointerleave", () => light(null));
    e.addEventListener("focus", () => light(e));
    e.addEventListener("blur", () => light(null));
    e.addEventListener("click", () => light(e));
  }
}
