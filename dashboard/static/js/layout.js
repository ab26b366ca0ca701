// Where the nodes of a directed graph go: layers by longest path, then neighbours next to each other.

// Returns layers of names. `edges` are [from, to]; a circle is cut where it would close.
export function layers(names, edges) {
  const out = new Map(names.map((name) => [name, []]));
  for (const [from, to] of edges) if (from !== to) out.get(from)?.push(to);
  const depth = new Map();
  const onWay = new Set();
  const visit = (name) => {
    if (depth.has(name)) return depth.get(name);
    onWay.add(name);
    const below = out.get(name).filter((next) => out.has(next) && !onWay.has(next)).map(visit);
    onWay.delete(name);
    depth.set(name, below.length ? Math.max(...below) + 1 : 0);
    return depth.get(name);
  };
  [...names].sort().forEach(visit);
  const top = Math.max(0, ...depth.values());
  const found = Array.from({ length: top + 1 }, () => []);
  for (const name of [...names].sort()) found[top - depth.get(name)].push(name);
  return ordered(found, edges);
}

function ordered(found, edges) {
  const sweep = (rows, neighbour) => {
    for (let index = 1; index < rows.length; index += 1) {
      const place = new Map(rows[index - 1].map((name, at) => [name, at]));
      const middle = (name) => {
        const near = edges.map((edge) => neighbour(edge, name)).filter((other) => place.has(other)).map((other) => place.get(other));
        return near.length ? near.reduce((sum, at) => sum + at, 0) / near.length : rows[index].indexOf(name);
      };
      const key = new Map(rows[index].map((name) => [name, middle(name)]));
      rows[index].sort((a, b) => key.get(a) - key.get(b) || a.localeCompare(b));
    }
  };
  for (let turn = 0; turn < 3; turn += 1) {
    sweep(found, ([from, to], name) => (to === name ? from : null));
    const back = [...found].reverse();
    sweep(back, ([from, to], name) => (from === name ? to : null));
  }
  return found;
}
