// Shows a drawing made in Python, tells what the pointer is on, and says what was chosen.
function render({ model, el }) {
  const tip = document.createElement("div");
  tip.className = "mo-tip";
  tip.hidden = true;
  const drawing = document.createElement("div");
  drawing.className = "mo-drawing";
  el.append(drawing, tip);

  function draw() {
    const scrolled = drawing.scrollLeft;
    drawing.innerHTML = model.get("html"); // built in Python, every user's text escaped there
    for (const title of drawing.querySelectorAll("svg *:not(svg) > title")) {
      title.parentNode.dataset.tip = title.textContent;
      title.remove();
    }
    for (const target of drawing.querySelectorAll("text[data-pick]")) {
      target.setAttribute("tabindex", "0");
      target.setAttribute("role", "button");
    }
    drawing.scrollLeft = scrolled;
  }

  function pick(event) {
    const target = event.target.closest("[data-pick]");
    if (target) {
      model.set("picked", { what: target.dataset.pick, count: (model.get("picked").count ?? 0) + 1 });
      model.save_changes();
    }
  }

  function point(event) {
    const target = event.target.closest("[data-tip]");
    tip.hidden = !target;
    if (target) {
      tip.textContent = target.dataset.tip;
      const box = el.getBoundingClientRect();
      const left = Math.min(event.clientX - box.left + 12, box.width - tip.offsetWidth);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${event.clientY - box.top + 18}px`;
    }
  }

  drawing.addEventListener("click", pick);
  drawing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      pick(event);
    }
  });
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("pointerleave", () => (tip.hidden = true));
  model.on("change:html", draw);
  draw();
  return () => model.off("change:html", draw);
}

export default { render };
