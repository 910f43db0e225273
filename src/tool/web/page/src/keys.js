// Keys of the page. They rest while a text is typed or a dialog is open.

/** `actions`: key to function. Returns what ends it. */
export function on_keys(actions) {
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const target = event.target;
    if (target.closest?.('input, select, textarea')) return;
    if (event.key === 'Enter' && target.closest?.('a, button, summary')) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}
