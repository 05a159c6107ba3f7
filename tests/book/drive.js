// Types every [name, value] of a setting into its field, one setting after the other, and reads the page.
settings => {
  const root = document.querySelector(".playground");
  const text = node => node.textContent;
  const put = (name, value) => {
    if (name === "labels") {
      root.querySelector("[data-text]").value = value;
      return root.querySelector("[data-change=load]").click();
    }
    const input = root.querySelector(`[data-name="${name}"]:not([type=range])`);
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
    for (const event of ["input", "change"]) input.dispatchEvent(new Event(event, {bubbles: true}));
  };
  const cells = (row, read) => [...row.children].map(read);
  const rows = (table, read) => [...root.querySelectorAll(`[data-${table}] tr`)].map(row => cells(row, read));
  return settings.map(setting => {
    setting.forEach(([name, value]) => put(name, value));
    const outputs = [...root.querySelectorAll("[data-out]")].map(node => [node.dataset.out, text(node)]);
    const fields = [...root.querySelectorAll("[data-name]:not([type=range])")];
    const valueOf = field => field.type === "checkbox" ? field.checked : field.value;
    return {
      ...Object.fromEntries(outputs),
      fields: Object.fromEntries(fields.map(field => [field.dataset.name, valueOf(field)])),
      positives: rows("positives", cell => cell.classList.contains("pg-positive")),
      counts: rows("positives", text).map(row => row.at(-1)),
      labels: root.querySelector("[data-text]")?.value,
      plateaus: rows("plateaus", text),
      points: rows("points", text),
      digits: rows("digits", text),
      weights: rows("weights", text),
      current: [...root.querySelectorAll("[data-plateaus] tr")].findIndex(row => row.ariaCurrent),
    };
  });
}
