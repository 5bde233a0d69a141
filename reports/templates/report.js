(() => {
  const rows = [...document.querySelectorAll(".group .req")];
  const search = document.querySelector("#search");
  const state = { text: "", verdicts: new Set(), profile: "", level: "" };
  const count = document.querySelector("#count");
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      const data = row.dataset;
      const on =
        (!state.verdicts.size || state.verdicts.has(data.mark)) &&
        (!state.profile || data.profile === state.profile) &&
        (!state.level || data.level === state.level) &&
        (!state.text || data.text.includes(state.text));
      row.hidden = !on;
      shown += on;
    }
    for (const group of document.querySelectorAll(".group"))
      group.hidden = !group.querySelector(".req:not([hidden])");
    count.textContent = shown === rows.length ? `${shown} requirements` : `${shown} of ${rows.length} requirements`;
  };
  search?.addEventListener("input", () => { state.text = search.value.trim().toLowerCase(); apply(); });
  for (const chip of document.querySelectorAll(".chip"))
    chip.addEventListener("click", () => {
      const on = chip.getAttribute("aria-pressed") !== "true";
      chip.setAttribute("aria-pressed", String(on));
      state.verdicts[on ? "add" : "delete"](chip.dataset.mark);
      apply();
    });
  for (const name of ["profile", "level"])
    document.querySelector(`#${name}`)?.addEventListener("change", (event) => { state[name] = event.target.value; apply(); });
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.tagName === "DETAILS") { target.hidden = false; target.open = true; target.scrollIntoView({ block: "start" }); }
  };
  addEventListener("hashchange", open);
  document.querySelector("#filters")?.removeAttribute("hidden");
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search?.focus(); }
  });
  open();
})();
